//! Anomaly detectors on flat arrays, their calibration and their metrics.
//!
//! A [`Detector`] gives every row of a column-major matrix ([`Columns`]) a score; a higher score is
//! stranger. What agents use:
//!
//! * [`IsolationForest`]: how few random cuts separate a row from the rest;
//! * [`NeighbourDistance`]: how far the row lies from the `k`-th nearest row of the baseline;
//! * [`Ensemble`]: both, made comparable by tail p-values and calibrated to one p-value.
//!
//! What they can be compared with, or joined to by [`RankEnsemble`]:
//!
//! * [`Ecod`] and [`Copod`]: how far out in the tails of its features;
//! * [`Hbos`]: how thin the bins of its features are;
//! * [`Mahalanobis`]: how far from the densest part, measured along its axes;
//! * [`ExtendedForest`]: how few random sloped cuts separate it;
//! * [`Lof`]: how thin its place is beside those of its neighbours.
//!
//! Others learn from a stream, row after row, with bounded memory ([`Online`]):
//!
//! * [`HalfSpaceTrees`]: how empty the random cells are that the row falls in;
//! * [`Loda`]: how rare the row is along random directions;
//! * [`RandomCutForest`]: how many others the row would displace in random trees.
//!
//! What stands around a detector:
//!
//! * [`Calibration`]: from scores to p-values;
//! * [`Judge`]: what a p-value says, and when it says nothing;
//! * [`Detector::explain`]: what each feature adds to a score;
//! * [`Adwin`]: whether the mean of a stream has changed;
//! * [`RobustBaseline`]: where values lie, whatever a share of poisoned rows does.
//!
//! Everything is a pure function of its arguments: the same rows, parameters and seed give the same
//! bits on every machine, for any number of threads and any batch split. Where the processor has
//! AVX2 or AVX-512 the hot loops use them, with exactly the results of the portable code.
//!
//! ```
//! use dais_detect::{Columns, Detector, EnsembleParams, Scratch};
//!
//! // 64 ordinary rows on a small grid, two features, column by column.
//! let x = (0..64).map(|i| (i % 8) as f32);
//! let y = (0..64).map(|i| (i / 8) as f32);
//! let baseline: Vec<f32> = x.chain(y).collect();
//!
//! let mut scratch = Scratch::default();
//! let model = EnsembleParams::default().fit(Columns::new(&baseline, 64, 2), 7, &mut scratch)?;
//!
//! let mut scores = [0.0; 2];
//! model.score(Columns::new(&[3.0, 40.0, 3.0, -9.0], 2, 2), &mut scores, &mut scratch);
//! assert!(model.p_value(scores[0]) > 0.2);
//! assert!(scores[1] > model.alert_threshold());
//! # Ok::<(), dais_detect::FitError>(())
//! ```

mod algorithm;
mod certainty;
mod columns;
mod detector;
mod draw;
mod ensemble;
mod error;
mod explanation;
mod forest;
mod kernel;
mod mahalanobis;
pub mod metric;
mod moment;
mod neighbour;
mod online;
mod scratch;
mod stream;
mod tail;

pub use algorithm::{Algorithm, AnyDetector, AnyOnline, UnknownAlgorithm};
pub use certainty::{Calibration, Judge, Judgement, Support, SupportParams, Unknown, rows_needed};
pub use columns::Columns;
pub use detector::Detector;
pub use ensemble::rank::{Member, MemberParams, RankEnsemble, RankEnsembleParams};
pub use ensemble::{Ensemble, EnsembleParams};
pub use error::FitError;
pub use explanation::{CannotExplain, Explanation, shares};
pub use forest::{ExtendedForest, ExtendedForestParams, ForestParams, IsolationForest};
pub use mahalanobis::{Mahalanobis, MahalanobisParams};
pub use neighbour::{Lof, LofParams, NeighbourDistance, NeighbourParams};
pub use online::Online;
pub use scratch::{FitScratch, Scratch};
pub use stream::{
    Admission, Adwin, AdwinParams, Change, HalfSpaceParams, HalfSpaceTrees, Loda, LodaParams, RandomCutForest,
    RandomCutParams, RobustBaseline, RobustBaselineParams,
};
pub use tail::{Copod, CopodParams, Ecod, EcodParams, Hbos, HbosParams, TailSum};
