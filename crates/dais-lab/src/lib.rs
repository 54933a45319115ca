//! Evaluation of runs: scenarios, summaries, comparisons, plots and reports.
#![forbid(unsafe_code)]

mod advice;
mod archive;
mod detectors;
mod explain;
mod folder;
mod found;
mod load;
mod name;
mod report;
mod run;
mod scenario;
mod summarise;
mod summary;
mod sweep;

pub use archive::{Archive, ArchiveError, LEDGER_FILE, LEDGER_LOCATION_FILE};
pub use detectors::{
    Comparison, Curves, DataError, DataSet, DataSetSummary, Eval, EvalFiles, EvalParams, EvalProgress, EvalResult,
    MeanRank, Protocol, RecallAt, evaluate,
};
pub use explain::{
    AddressExplanation, BlockSpan, BlockedAddress, CategoryView, ExplainError, Explanation, FeatureView, FlowView,
    Naming, OutcomeView, Proven, ReasonView, SightingView, SignatureExplanation, VoteView, blocklist, explain,
};
pub use found::{Clock, Found, Votes};
pub use load::{LoadError, Loaded, Material, load, open};
pub use name::{grouped, nearest, stem};
pub use report::{ReportError, eval_html, report_html};
pub use run::{
    CheckpointError, Course, History, MeanTrust, Next, OnFailure, Progress, Run, RunError, WorldHistory, run,
    run_loaded,
};
pub use scenario::{Files, KeyError, LIES, Play, Scenario, ScenarioFileError, Traffic};
pub use summarise::{series, summarise};
pub use summary::{
    Alerts, CurvePoint, Detection, FamilyDetection, LedgerSummary, Rate, Series, Signatures, Summary, TrustSummary,
    Warning,
};
pub use sweep::{Spread, Sweep, SweepParams, SweepPoint, SweepProgress, TRADE_OFF_FPR, TradeOff, WorldPoint, sweep};
