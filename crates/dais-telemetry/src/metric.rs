//! Metrics: counters, gauges and histograms of a run, as Prometheus and `OpenMetrics` text.
//!
//! The [`catalogue`] lists every metric once, with the values of its label. So all series exist from the start, recording is
//! one atomic addition, and nothing an agent says can make a series. `prometheus-client` writes them as `OpenMetrics`; its
//! own metric types are not used, because their values cannot be read back for alert rules, and their families make a
//! series of any label that comes along. The older Prometheus text is derived from that, line by line.
//!
//! Histograms keep their last 1,024 values besides, for exact [`Statistics`].

pub mod catalogue;
mod cell;
mod exposition;
mod family;
mod figures;
mod page;
mod registry;
mod resource;
mod route;
mod run;
mod window;

pub use cell::{Counter, Gauge, Histogram};
pub use exposition::Exposition;
pub use family::{Family, Kind, Label};
pub use figures::{ExchangeFigures, FlowFigures, StepFigures};
pub use registry::{Registry, Series};
pub use resource::{ResourceFigures, Resources, Sampler};
pub use route::{BadPath, METRICS_PATH, routes, routes_at};
pub use run::RunMetrics;
pub(crate) use window::quantile;
pub use window::{Statistics, Window};
