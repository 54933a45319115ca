//! Evaluation of runs: scenarios, summaries, comparisons, plots and reports.
#![forbid(unsafe_code)]

mod evaluation;
mod load;
mod run;
mod scenario;
mod summary;
mod sweep;

pub use evaluation::{series, summarise};
pub use load::{LoadError, Loaded, Material, load};
pub use run::{History, Next, Progress, RunError, WorldHistory, run, run_loaded};
pub use scenario::{Files, Play, Scenario, ScenarioFileError, Traffic};
pub use summary::{
    CurvePoint, Detection, FamilyDetection, LedgerSummary, Series, Signatures, Summary, TrustSummary, Warning,
};
pub use sweep::{Spread, Sweep, SweepParams, SweepPoint, SweepProgress, TRADE_OFF_FPR, TradeOff, WorldPoint, sweep};
