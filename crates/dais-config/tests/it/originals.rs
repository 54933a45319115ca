//! Files written for the original system.

use std::path::{Path, PathBuf};

use dais_config::{Config, DatabaseType, Environment, Loaded, Loader, Secret, SslMode, Warning};
use dais_telemetry::log::{Format, Level};

/// What the originals take from the environment.
const VARIABLES: [(&str, &str); 18] = [
    ("LOG_REMOTE_API_KEY", "k"),
    ("DB_HOST", "db.example"),
    ("DB_USER", "dais"),
    ("DB_PASSWORD", "hunter2"),
    ("RAY_HEAD_ADDRESS", "10.0.0.1:6379"),
    ("RAY_NUM_CPUS", "16"),
    ("RAY_REDIS_PASSWORD", "hunter2"),
    ("SLACK_WEBHOOK_URL", "https://hooks.example/x"),
    ("PAGERDUTY_ROUTING_KEY", "hunter2"),
    ("JWT_SECRET_KEY", "hunter2"),
    ("OAUTH_GOOGLE_CLIENT_ID", "id"),
    ("OAUTH_GOOGLE_CLIENT_SECRET", "hunter2"),
    ("SECURITY_SLACK_WEBHOOK", "https://hooks.example/y"),
    ("SECURITY_PAGERDUTY_WEBHOOK", "https://hooks.example/z"),
    ("AZURE_STORAGE_ACCOUNT", "account"),
    ("AZURE_STORAGE_KEY", "hunter2"),
    ("BACKUP_SLACK_WEBHOOK", "https://hooks.example/b"),
    ("BACKUP_PAGERDUTY_KEY", "hunter2"),
];

fn load(file: &Path) -> Loaded {
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let named = VARIABLES.into_iter().filter(|(name, _)| text.contains(&format!("${{{name}")));
    let loader = Loader::new().file(file).variables(named);
    let loaded = loader.load().unwrap_or_else(|errors| panic!("{}: {errors}", file.display()));
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(!format!("{:?} {warnings:?}", loaded.config).contains("hunter2"), "a secret is shown");
    assert!(loaded.warnings.len() <= 1, "one warning for all: {warnings:?}");
    loaded
}

fn retired(loaded: &Loaded) -> Vec<&str> {
    let keys = loaded.warnings.iter().flat_map(|warning| match warning {
        Warning::Retired(keys) => keys.as_slice(),
        Warning::Other(_) => &[],
    });
    keys.map(|key| key.key.as_str()).collect()
}

/// The folder of the originals; `None`, said loudly, where it is not there.
#[expect(clippy::print_stderr, reason = "a test that could not look says so")]
fn originals() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("DAIS_DATA").map_or_else(beside, PathBuf::from);
    let folder = data.parent()?.join("examples/config");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no examples at {}; DAIS_DATA says where the data beside them is", folder.display());
    None
}

#[test]
fn every_original_loads() {
    let Some(folder) = originals() else { return };
    let mut seen = 0;
    for file in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|ending| ending == "yaml") {
            load(&file);
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} files in {}", folder.display());
}

#[test]
fn the_originals_keep_their_values() {
    let Some(folder) = originals() else { return };
    let config = |name: &str| load(&folder.join(name)).config;
    production(&config("production.yaml"));
    assert_eq!(
        retired(&load(&folder.join("production.yaml"))),
        ["monitoring.metrics_retention_days", "security.enable_input_validation"]
    );

    let development = config("development.yaml");
    assert_eq!(development.environment, Environment::Development);
    assert_eq!((development.simulation.default_agents, development.simulation.default_steps), (25, 50));
    assert_eq!((development.logging.level, development.logging.max_bytes), (Level::Debug, 5_242_880));
    assert!(development.development.hot_reload && development.logging.enable_console);

    let docker = config("docker.yaml");
    assert_eq!((docker.api.host.as_str(), docker.api.port), ("0.0.0.0", 8501));
    assert_eq!(docker.database.path.as_deref(), Some(Path::new("/app/data/ledger.db")));
    assert!(docker.monitoring.enable_prometheus);

    let edge = config("edge.yaml");
    assert_eq!((edge.simulation.use_parallel_threshold, edge.database.retry_attempts), (100, 2));
    assert_eq!((edge.performance.max_workers, edge.performance.memory_limit_mb), (Some(2), 512));
    assert_eq!(edge.security.rate_limit_requests_per_minute, 50);

    let deployment = config("production-deployment.yaml");
    assert_eq!(deployment.ray.object_store_memory, Some(2_147_483_648));
    assert_eq!((deployment.database.max_overflow, deployment.performance.cache_size_mb), (20, 500));
}

fn production(config: &Config) {
    assert_eq!(config.environment, Environment::Production);
    assert_eq!((config.api.host.as_str(), config.api.port, config.api.debug), ("0.0.0.0", 8000, false));
    assert_eq!(config.api.max_concurrent_requests, 100);
    assert_eq!(config.database.path.as_deref(), Some(Path::new("/var/lib/simulation/ledger.db")));
    assert_eq!((config.database.connection_pool_size, config.database.max_overflow), (20, 20));
    assert_eq!((config.database.timeout, config.database.connection_recycle), (60.0, 3600.0));
    assert_eq!((config.ray.enable, config.ray.num_cpus, config.ray.include_dashboard), (true, Some(8), true));
    assert_eq!((config.simulation.default_agents, config.simulation.random_seed), (100, Some(42)));
    assert_eq!((config.logging.level, config.logging.format), (Level::Warning, Format::Text));
    assert_eq!((config.logging.max_bytes, config.logging.backup_count), (104_857_600, 10));
    assert_eq!((config.monitoring.metrics_port, config.monitoring.health.interval_s), (9090, 60.0));
    assert!(config.security.enable_csrf_protection && config.performance.enable_caching);
}

#[test]
fn the_nested_spelling_of_the_original_keeps_its_values() {
    let Some(folder) = originals() else { return };
    let full = load(&folder.join("production-full.yaml")).config;
    assert_eq!(full.app_name, "decentralized-ai-simulation");
    assert_eq!((full.logging.max_bytes, full.logging.format), (500 * 1_048_576, Format::Json));
    assert_eq!(full.logging.file.as_deref(), Some(Path::new("/var/log/simulation/simulation.log")));
    assert_eq!((full.database.r#type, full.database.ssl_mode), (DatabaseType::Postgresql, Some(SslMode::Require)));
    assert_eq!((full.database.host.as_deref(), full.database.connection_pool_size), (Some("db.example"), 100));
    assert_eq!(full.database.password.as_ref().map(Secret::expose), Some("hunter2"));
    assert_eq!((full.ray.enable, full.ray.num_cpus, full.ray.num_gpus), (true, Some(16), Some(0)));
    assert!(full.dashboard.enable && full.dashboard.enable_cors && full.security.enable_csrf_protection);
    assert_eq!((full.dashboard.server_address.as_str(), full.dashboard.server_port), ("0.0.0.0", 8501));
    let alerting = &full.monitoring.alerting;
    assert!(alerting.enable_slack_notifications && alerting.enable_pagerduty && alerting.critical_alerts_only);
    assert_eq!(alerting.slack_webhook_url.expose(), "https://hooks.example/x");
    let tracing = &full.monitoring.tracing;
    assert_eq!((tracing.enable, tracing.endpoint.as_str()), (true, "https://jaeger.example.com/api/traces"));
    assert_eq!(full.security.allowed_hosts, ["simulation.example.com", "internal.example.com"]);

    let security = load(&folder.join("security.yaml")).config.security;
    assert_eq!((security.rate_limit_burst, security.trusted_proxies.len()), (Some(100), 3));
    assert_eq!(security.authentication.jwt_secret_key.as_ref().map(Secret::expose), Some("hunter2"));
    assert_eq!(security.api_keys.required_for_endpoints, ["/api/v1/simulation/*", "/api/v1/admin/*"]);

    let backup = load(&folder.join("backup.yaml")).config.backup;
    assert_eq!((backup.schedule.as_str(), backup.retention_days, backup.destinations.len()), ("0 2 * * *", 30, 4));
    let bucket = backup.destinations.get(2).expect("four destinations");
    assert_eq!(bucket.bucket.as_deref(), Some("simulation-backups-prod"));
    assert_eq!(bucket.encryption.kms_key_id.as_deref(), Some("alias/simulation-backup-key"));
}

/// Written like the originals, in both of their spellings, for machines without them.
const NESTED: &str = "\
environment: production
version: \"1.2.3\"
logging:
  level: \"CRITICAL\"
  enable_file: true
  file_path: /var/log/a.log
  max_file_size_mb: 2
  enable_json_logging: yes
  remote_endpoint: https://logs.example
database:
  type: postgresql
  host: ${DB_HOST}
  database: runs
  password: ${DB_PASSWORD}
  connection_pool: {min_size: 2, max_size: 40, max_overflow: 4}
  check_same_thread: false
ray: {enabled: true, num_cpus: null, redis_password: \"${RAY_REDIS_PASSWORD}\"}
mesa: {enabled: true, server_port: 8521, max_steps: 10}
streamlit: {enabled: true, server_port: 8600, enable_xsrf_protection: false, page_title: Agents}
security: {enable_helmet: false, container_security: {run_as_non_root: true, allowed_capabilities: []}}
monitoring:
  health_check_interval: 15
  enable_distributed_tracing: true
  alerting: {enable_slack_notifications: true, slack_webhook_url: \"${SLACK_WEBHOOK_URL}\"}
development: {auto_reload: true, hot_reload: true}
backup: {enabled: false, include: [a, b], destinations: [{name: a, type: local, path: /b, enabled: true}]}
";

#[test]
fn a_file_written_like_the_originals_keeps_its_values_and_names_what_has_none() {
    let files = crate::folder(&[("own.yaml", NESTED)]);
    let loaded = load(&files.path().join("own.yaml"));
    let config = &loaded.config;
    assert_eq!((config.logging.level, config.logging.format), (Level::Error, Format::Json));
    assert_eq!(config.logging.file.as_deref(), Some(Path::new("/var/log/a.log")));
    assert_eq!((config.logging.max_bytes, config.database.connection_pool_size), (2_097_152, 40));
    assert_eq!((config.database.max_overflow, config.ray.enable, config.ray.num_cpus), (4, true, None));
    assert_eq!((config.dashboard.enable, config.dashboard.server_port), (true, 8600));
    assert!(!config.security.enable_csrf_protection && !config.security.enable_security_headers);
    assert!((config.monitoring.health.interval_s - 15.0).abs() < 1e-12 && config.monitoring.tracing.enable);
    assert_eq!(config.monitoring.alerting.slack_webhook_url.expose(), "https://hooks.example/x");
    assert!(config.development.hot_reload && !config.backup.enable);
    assert_eq!(
        retired(&loaded),
        [
            "version",
            "logging.remote_endpoint",
            "database.connection_pool.min_size",
            "database.check_same_thread",
            "mesa.enabled",
            "mesa.server_port",
            "mesa.max_steps",
            "streamlit.page_title",
            "security.container_security.run_as_non_root",
            "security.container_security.allowed_capabilities",
            "backup.include",
        ]
    );
    let warning = loaded.warnings.first().map(ToString::to_string).unwrap_or_default();
    assert!(warning.starts_with("11 keys have no effect any more\n"), "{warning}");
    assert!(warning.contains("own.yaml:2:1: version: the program knows its version"), "{warning}");
}

#[test]
fn a_file_that_is_switched_off_is_not_written() {
    let files = crate::folder(&[("own.yaml", "logging: {enable_file: false, file_path: a.log}\n")]);
    assert_eq!(load(&files.path().join("own.yaml")).config.logging.file, None);
}
