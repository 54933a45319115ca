//! The table of old names. Order matters where one path is a part of another: the longer one comes first.

use super::{Fate, Old};

use Fate::{Converted, Renamed, Retired, Switch};

const fn old(path: &'static str, fate: Fate) -> Old {
    Old { path, fate }
}

pub(super) const OLD: &[Old] = &[
    old("version", Retired("the program knows its version: `dais --version`")),
    old("logging.file_path", Renamed("logging.file")),
    old("logging.max_file_size_mb", Converted("logging.max_bytes", bytes_of_mebibytes)),
    old("logging.enable_console_output", Renamed("logging.enable_console")),
    old("logging.enable_json_logging", Converted("logging.format", format_of_switch)),
    old("logging.enable_file", Switch("logging.file")),
    old("logging.enable_remote", Retired(COLLECTOR)),
    old("logging.remote_endpoint", Retired(COLLECTOR)),
    old("logging.remote_api_key", Retired(COLLECTOR)),
    old("database.connection_pool.max_size", Renamed("database.connection_pool_size")),
    old("database.connection_pool.max_overflow", Renamed("database.max_overflow")),
    old("database.connection_pool.min_size", Retired("connections are opened when they are needed")),
    old("database.connection_pool.timeout", Renamed("database.timeout")),
    old("database.connection_pool.recycle", Renamed("database.connection_recycle")),
    old("database.pool_size", Renamed("database.connection_pool_size")),
    old("database.pool_recycle", Renamed("database.connection_recycle")),
    old("database.check_same_thread", Retired("connections never change their thread")),
    old("ray.enabled", Renamed("ray.enable")),
    old("mesa", Retired("there is one engine: `simulation.default_steps`, `performance.max_workers`")),
    old("streamlit.enabled", Renamed("dashboard.enable")),
    old("streamlit.enable", Renamed("dashboard.enable")),
    old("streamlit.server_port", Renamed("dashboard.server_port")),
    old("streamlit.server_address", Renamed("dashboard.server_address")),
    old("streamlit.enable_cors", Renamed("dashboard.enable_cors")),
    old("streamlit.enable_xsrf_protection", Renamed("security.enable_csrf_protection")),
    old("streamlit", Retired("the dashboard needs no such setting: `dashboard`")),
    old("dashboard.enabled", Renamed("dashboard.enable")),
    old("monitoring.enable_metrics", Renamed("monitoring.enable_prometheus")),
    old("monitoring.health_check_interval", Renamed("monitoring.health.interval_s")),
    old("monitoring.enable_distributed_tracing", Renamed("monitoring.tracing.enable")),
    old("monitoring.tracing_endpoint", Renamed("monitoring.tracing.endpoint")),
    old("monitoring.prometheus_gateway", Retired("Prometheus fetches the metrics: `monitoring.metrics_port`")),
    old(
        "monitoring.metrics_retention_days",
        Retired("Prometheus keeps the metrics: its option --storage.tsdb.retention.time"),
    ),
    old("security.enable_https_enforcement", Renamed("security.enable_https_redirect")),
    old("security.enable_helmet", Renamed("security.enable_security_headers")),
    old("security.enable_input_validation", Retired("input is always validated")),
    old("security.enable_output_encoding", Retired("output is always encoded")),
    old("security.api_keys.enabled", Renamed("security.api_keys.enable")),
    old("security.authentication.enable_oauth2", Retired(PROXY)),
    old("security.authentication.oauth2_providers", Retired(PROXY)),
    old(
        "security.data_protection",
        Retired("`database.ssl_mode` encrypts the way to a server, `dais ledger backup --encrypt-to` backups"),
    ),
    old("security.audit", Retired("the ledger records every decision: `dais verify`, `dais explain`")),
    old(
        "security.threat_detection",
        Retired("`security.enable_rate_limiting` bounds requests; a front proxy does more"),
    ),
    old("security.supply_chain", Retired("the checks of the project look after its dependencies")),
    old("security.container_security", Retired("the container runtime enforces this, not the program in it")),
    old("security.security_monitoring", Retired("`monitoring.alerting` alerts")),
    old("development.auto_reload", Renamed("development.hot_reload")),
    old("development.enable_metrics_endpoint", Retired("`monitoring.enable_prometheus` opens it")),
    old("backup.enabled", Renamed("backup.enable")),
    old("backup.enable_compression", Retired("backups are always compressed")),
    old("backup.compression_algorithm", Retired("backups are compressed with zstd")),
    old(
        "backup.encryption_enabled",
        Retired("`backup.encryption_key_file` says it: without one backups are not encrypted"),
    ),
    old("backup.include", Retired(LEDGER_ONLY)),
    old("backup.exclude", Retired(LEDGER_ONLY)),
    old("backup.database_backups", Retired("a backup is a consistent copy of its own; nothing has to run before it")),
    old(
        "backup.verification",
        Retired("every backup is read back when it is made; `dais ledger check-backup` does it again"),
    ),
    old("backup.recovery", Retired("`dais ledger restore` restores, and checks what it restored")),
    old("backup.monitoring", Retired("`monitoring.alerting` alerts")),
];

const COLLECTOR: &str = "a log collector takes the lines from `logging.file` or the console";
const PROXY: &str = "a front proxy asks identity providers; `security.authentication` checks tokens";
const LEDGER_ONLY: &str = "a backup holds the ledger; keep files of configuration with your deployment";

/// The original counted in binary megabytes.
fn bytes_of_mebibytes(text: &str) -> Option<String> {
    let bytes = text.trim().parse::<f64>().ok()? * 1_048_576.0;
    (bytes.fract() == 0.0 && bytes >= 0.0).then(|| format!("{bytes:.0}"))
}

fn format_of_switch(text: &str) -> Option<String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some("json".to_owned()),
        "false" | "no" | "off" => Some("text".to_owned()),
        _ => None,
    }
}
