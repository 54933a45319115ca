//! Where a signature lies in feature space.

use serde::{Deserialize, Serialize};

/// Smallest spread of a feature, in scaled units.
pub const SPREAD_MIN: f32 = 0.04;
/// Largest spread of a feature, in scaled units.
pub const SPREAD_MAX: f32 = 1.0;
/// Largest radius of a signature, in spreads.
pub const RADIUS_MAX: f32 = 4.0;
/// Largest width of a signature, in scaled units: its radius times the root mean square of its spreads.
///
/// A flow that matches differs from the centre by at most the width, on average over the numeric features (by the
/// inequality of Cauchy and Schwarz). Whatever the centre, some corner of the unit cube differs from it by at least one
/// half in every feature: below this bound no signature matches everything.
pub const WIDTH_MAX: f32 = 0.5;

/// Where a signature lies: a box-like cloud in scaled feature space, and the category values it allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// Median of every numeric feature, scaled units.
    pub centre: Vec<f32>,
    /// Spread of every numeric feature, between [`SPREAD_MIN`] and [`SPREAD_MAX`], scaled units.
    pub spread: Vec<f32>,
    /// The allowed codes of every categorical feature, ascending.
    pub categories: Vec<Vec<u16>>,
}

impl Pattern {
    /// The root mean square of the spreads; 0 without numeric features.
    fn spread_rms(&self) -> f32 {
        let squares: f64 = self.spread.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
        (squares / self.spread.len().max(1) as f64).sqrt() as f32
    }

    /// The largest radius a signature with this pattern may have: [`RADIUS_MAX`], or less so that its width is at most
    /// [`WIDTH_MAX`]. An author offers no more than this.
    ///
    /// ```
    /// use dais_protocol::Pattern;
    /// let pattern = |spread: f32| Pattern { centre: vec![0.5; 3], spread: vec![spread; 3], categories: vec![] };
    /// assert_eq!(pattern(0.04).radius_max(), 4.0);
    /// assert_eq!(pattern(0.25).radius_max(), 2.0);
    /// ```
    pub fn radius_max(&self) -> f32 {
        RADIUS_MAX.min(WIDTH_MAX / self.spread_rms())
    }
}
