//! The detectors by name.

use std::fmt;
use std::str::FromStr;

use crate::{
    Columns, CopodParams, Detector, EcodParams, EnsembleParams, ExtendedForestParams, FitError, ForestParams,
    HalfSpaceParams, HbosParams, LodaParams, LofParams, MahalanobisParams, NeighbourParams, Online, RandomCutParams,
    RankEnsembleParams, Scratch,
};

/// A fitted detector of any kind.
pub type AnyDetector = Box<dyn Detector + Send + Sync>;

/// A detector of any kind that learns from a stream.
pub type AnyOnline = Box<dyn Online + Send + Sync>;

/// A detector that can be chosen by its name, fitted with its default parameters.
///
/// ```
/// use dais_detect::{Algorithm, Columns, Scratch};
///
/// let algorithm: Algorithm = "isolation-forest".parse()?;
/// let baseline: Vec<f32> = (0..64).map(|i| (i % 8) as f32).collect();
/// let mut scratch = Scratch::default();
/// let model = algorithm.fit(Columns::new(&baseline, 64, 1), 7, &mut scratch)?;
///
/// let mut scores = [0.0; 2];
/// model.score(Columns::new(&[3.0, 40.0], 2, 1), &mut scores, &mut scratch);
/// assert!(scores[1] > scores[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// [`crate::IsolationForest`].
    IsolationForest,
    /// [`crate::NeighbourDistance`].
    Neighbours,
    /// [`crate::Ensemble`] of the two, as agents use it.
    Ensemble,
    /// [`crate::Ecod`].
    Ecod,
    /// [`crate::Copod`].
    Copod,
    /// [`crate::Hbos`].
    Hbos,
    /// [`crate::Mahalanobis`].
    Mahalanobis,
    /// [`crate::ExtendedForest`].
    ExtendedForest,
    /// [`crate::Lof`].
    Lof,
    /// [`crate::RankEnsemble`].
    RankEnsemble,
    /// [`crate::HalfSpaceTrees`].
    HalfSpaceTrees,
    /// [`crate::Loda`].
    Loda,
    /// [`crate::RandomCutForest`].
    RandomCutForest,
}

impl Algorithm {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::IsolationForest,
        Self::Neighbours,
        Self::Ensemble,
        Self::Ecod,
        Self::Copod,
        Self::Hbos,
        Self::Mahalanobis,
        Self::ExtendedForest,
        Self::Lof,
        Self::RankEnsemble,
        Self::HalfSpaceTrees,
        Self::Loda,
        Self::RandomCutForest,
    ];

    /// The name, as [`FromStr`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::IsolationForest => "isolation-forest",
            Self::Neighbours => "neighbours",
            Self::Ensemble => "ensemble",
            Self::Ecod => "ecod",
            Self::Copod => "copod",
            Self::Hbos => "hbos",
            Self::Mahalanobis => "mahalanobis",
            Self::ExtendedForest => "extended-forest",
            Self::Lof => "lof",
            Self::RankEnsemble => "rank-ensemble",
            Self::HalfSpaceTrees => "half-space-trees",
            Self::Loda => "loda",
            Self::RandomCutForest => "random-cut-forest",
        }
    }

    /// Learns from the rows of `view`.
    ///
    /// # Errors
    /// [`FitError`] for an empty view or a value that is not finite.
    pub fn fit(self, view: Columns<'_>, seed: u64, scratch: &mut Scratch) -> Result<AnyDetector, FitError> {
        Ok(match self {
            Self::IsolationForest => Box::new(ForestParams::default().fit_in(view, seed, &mut scratch.fit)?),
            Self::Neighbours => Box::new(NeighbourParams::default().fit(view)?),
            Self::Ensemble => Box::new(EnsembleParams::default().fit(view, seed, scratch)?),
            Self::Ecod => Box::new(EcodParams::default().fit(view)?),
            Self::Copod => Box::new(CopodParams::default().fit(view)?),
            Self::Hbos => Box::new(HbosParams::default().fit(view)?),
            Self::Mahalanobis => Box::new(MahalanobisParams::default().fit(view)?),
            Self::ExtendedForest => Box::new(ExtendedForestParams::default().fit(view, seed)?),
            Self::Lof => Box::new(LofParams::default().fit(view)?),
            Self::RankEnsemble => Box::new(RankEnsembleParams::default().fit(view, seed, scratch)?),
            Self::HalfSpaceTrees => Box::new(HalfSpaceParams::default().fit(view, seed)?),
            Self::Loda => Box::new(LodaParams::default().fit(view, seed)?),
            Self::RandomCutForest => Box::new(RandomCutParams::default().fit(view, seed)?),
        })
    }

    /// A detector for rows of so many features that learns from a stream and has not learned yet; `None` for those that learn
    /// from a baseline at once.
    ///
    /// ```
    /// use dais_detect::{Algorithm, Columns};
    ///
    /// let mut model = Algorithm::Loda.online(2, 7).ok_or("not from a stream")??;
    /// model.learn(Columns::new(&[0.5, 0.7, 1.0, 2.0], 2, 2))?;
    /// assert_eq!(model.horizon(), 1_023);
    /// assert!(Algorithm::Ecod.online(2, 7).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FitError`] for no feature and more than 65,536.
    pub fn online(self, features: usize, seed: u64) -> Option<Result<AnyOnline, FitError>> {
        fn boxed<M: Online + Send + Sync + 'static>(model: Result<M, FitError>) -> Result<AnyOnline, FitError> {
            model.map(|model| Box::new(model) as AnyOnline)
        }
        Some(match self {
            Self::HalfSpaceTrees => boxed(HalfSpaceParams::default().start(features, seed)),
            Self::Loda => boxed(LodaParams::default().start(features, seed)),
            Self::RandomCutForest => boxed(RandomCutParams::default().start(features, seed)),
            Self::IsolationForest
            | Self::Neighbours
            | Self::Ensemble
            | Self::Ecod
            | Self::Copod
            | Self::Hbos
            | Self::Mahalanobis
            | Self::ExtendedForest
            | Self::Lof
            | Self::RankEnsemble => return None,
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no detector has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no detector `{name}`: expected one of {}", names())]
pub struct UnknownAlgorithm {
    /// The name.
    pub name: String,
}

fn names() -> String {
    Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let named = Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name);
        named.ok_or_else(|| UnknownAlgorithm { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_detector_is_found_by_its_name_and_learns() {
        let rows: Vec<f32> = (0..200).map(|i| (i % 20) as f32).collect();
        for algorithm in Algorithm::ALL.iter().copied() {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            let model = algorithm.fit(Columns::new(&rows, 100, 2), 1, &mut Scratch::default()).unwrap();
            assert_eq!(model.features(), 2, "{algorithm}");
        }
    }

    #[test]
    fn a_detector_that_learns_from_a_stream_by_its_name_learns_what_a_fit_learns() {
        let rows: Vec<f32> = (0..400).map(|i| (i * 37 % 101) as f32).collect();
        let (view, batch) = (Columns::new(&rows, 200, 2), Columns::new(&[50.0, 900.0, 50.0, -900.0], 2, 2));
        let mut scratch = Scratch::default();
        let mut found = Vec::new();
        for algorithm in Algorithm::ALL.iter().copied() {
            let Some(model) = algorithm.online(2, 3) else { continue };
            let (mut model, mut scores, mut of_fitted) = (model.unwrap(), [0.0; 2], [1.0; 2]);
            model.learn(view.slice(0..90)).unwrap();
            model.learn(view.slice(90..200)).unwrap();
            model.score(batch, &mut scores, &mut scratch);
            algorithm.fit(view, 3, &mut scratch).unwrap().score(batch, &mut of_fitted, &mut scratch);
            assert_eq!(scores.map(f32::to_bits), of_fitted.map(f32::to_bits), "{algorithm}");
            assert!(algorithm.online(0, 3).is_some_and(|model| model.is_err()), "{algorithm}");
            found.push(algorithm.name());
        }
        assert_eq!(found, ["half-space-trees", "loda", "random-cut-forest"]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let unknown = "oracle".parse::<Algorithm>().unwrap_err().to_string();
        assert!(unknown.contains("oracle") && unknown.contains("isolation-forest"), "{unknown}");
    }
}
