//! The whole configuration.

use dais_telemetry::log::LogParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AgentParams, ApiParams, BackupParams, DashboardParams, DatabaseParams, DevelopmentParams, Environment,
    MonitoringParams, PerformanceParams, RayParams, SecurityParams, SimulationParams,
};

/// The whole configuration: one section for each part of dais.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where this deployment stands; it names the file that is laid over `default.yaml`. `--env` and the variable
    /// `ENVIRONMENT` come before a file.
    pub environment: Environment,
    /// What this installation is called in logs, traces and alerts.
    pub app_name: String,
    /// A run: how large, how long, how it ends.
    pub simulation: SimulationParams,
    /// What an agent heeds. A key without a value leaves it to the scenario, which can say much more.
    pub agent: AgentParams,
    /// Where ledgers are kept, and how long a server is waited for.
    pub database: DatabaseParams,
    /// What is logged, and where to.
    pub logging: LogParams,
    /// What a run shows of itself: metrics, health, traces, alerts.
    pub monitoring: MonitoringParams,
    /// How much of the machine is used.
    pub performance: PerformanceParams,
    /// What helps while developing.
    pub development: DevelopmentParams,
    /// The HTTP interface.
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub api: ApiParams,
    /// The page that shows a run as it goes on. Also read as `streamlit`.
    #[schemars(extend("x-planned" = "the dashboard"))]
    pub dashboard: DashboardParams,
    /// What guards the HTTP interface.
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub security: SecurityParams,
    /// Work spread over many machines with Ray.
    #[schemars(extend("x-planned" = "the Ray engine"))]
    pub ray: RayParams,
    /// When ledgers are saved, and where to. `dais ledger backup` saves one at once.
    #[schemars(extend("x-planned" = "scheduled backups"))]
    pub backup: BackupParams,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environment: Environment::default(),
            app_name: "dais".to_owned(),
            simulation: SimulationParams::default(),
            agent: AgentParams::default(),
            database: DatabaseParams::default(),
            logging: LogParams::default(),
            monitoring: MonitoringParams::default(),
            performance: PerformanceParams::default(),
            development: DevelopmentParams::default(),
            api: ApiParams::default(),
            dashboard: DashboardParams::default(),
            security: SecurityParams::default(),
            ray: RayParams::default(),
            backup: BackupParams::default(),
        }
    }
}

impl Config {
    /// Rules that a schema does not express, each as the dotted path of a key and what is wrong with it.
    pub fn check(&self) -> Vec<(String, String)> {
        let sections = [
            ("database", self.database.check()),
            ("logging", self.logging.check()),
            ("monitoring", self.monitoring.check()),
            ("monitoring.health", self.monitoring.health.check()),
            ("monitoring.tracing", self.monitoring.tracing.check()),
            ("monitoring.alerting", self.monitoring.alerting.check()),
            ("security", self.security.check()),
            ("backup", self.backup.check()),
        ];
        let below = |(section, wrong): (&str, Vec<(String, String)>)| {
            wrong.into_iter().map(|(key, message)| (format!("{section}.{}", dotted(&key)), message)).collect::<Vec<_>>()
        };
        sections.into_iter().flat_map(below).chain(self.shared_ports()).collect()
    }

    /// Servers that are started must not want the same port.
    fn shared_ports(&self) -> Vec<(String, String)> {
        let servers = [
            ("monitoring.metrics_port", self.monitoring.metrics_port, self.monitoring.enable_prometheus),
            ("dashboard.server_port", self.dashboard.server_port, self.dashboard.enable),
            ("ray.dashboard_port", self.ray.dashboard_port, self.ray.enable && self.ray.include_dashboard),
        ];
        let mut wrong = Vec::new();
        for (at, (key, port, started)) in servers.into_iter().enumerate() {
            let earlier = servers.iter().take(at).find(|server| server.1 == port && server.2 && started);
            wrong.extend(earlier.map(|other| (key.to_owned(), format!("is {port}, which `{}` is too", other.0))));
        }
        wrong
    }
}

/// Parts of lists by number, `dependencies[0].name`, as one more part of the path.
fn dotted(key: &str) -> String {
    key.replace('[', ".").replace(']', "")
}
