//! What a run shows of itself.

use dais_alert::AlertParams;
use dais_telemetry::health::HealthParams;
use dais_telemetry::trace::TraceParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run shows of itself: metrics, health, traces, alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MonitoringParams {
    /// Whether metrics are served for Prometheus while a run goes on.
    pub enable_prometheus: bool,
    /// Address that metrics and health are served on. `0.0.0.0` lets other machines in.
    pub metrics_host: String,
    /// Port that metrics and health are served on, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub metrics_port: u16,
    /// Path of the metrics; it begins with `/`.
    pub metrics_path: String,
    /// Whether the metrics include those that take more time to gather: quantiles of trust, times of each phase.
    #[schemars(extend("x-reload" = true))]
    pub enable_detailed_metrics: bool,
    /// Limits from which on a part of the system counts as degraded or unhealthy.
    #[schemars(extend("x-reload" = true))]
    pub health: HealthParams,
    /// Where traces are sent, and how many.
    pub tracing: TraceParams,
    /// Rules, routes and channels of alerts.
    #[schemars(extend("x-reload" = true))]
    pub alerting: AlertParams,
}

impl Default for MonitoringParams {
    fn default() -> Self {
        Self {
            enable_prometheus: false,
            metrics_host: "127.0.0.1".to_owned(),
            metrics_port: 9090,
            metrics_path: "/metrics".to_owned(),
            enable_detailed_metrics: false,
            health: HealthParams::default(),
            tracing: TraceParams::default(),
            alerting: AlertParams::default(),
        }
    }
}

impl MonitoringParams {
    /// Rules that a schema does not express, each as the key and what is wrong with it.
    pub fn check(&self) -> Vec<(String, String)> {
        let reserved = ["/health", "/live", "/ready"];
        let wrong = if !self.metrics_path.starts_with('/') {
            "must begin with `/`"
        } else if reserved.contains(&self.metrics_path.as_str()) {
            "is a path of the health checks"
        } else {
            return Vec::new();
        };
        vec![("metrics_path".to_owned(), wrong.to_owned())]
    }
}
