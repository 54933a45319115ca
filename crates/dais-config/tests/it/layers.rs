use std::fs;

use dais_config::{DatabaseType, Environment, Loader, Warning};

use crate::{folder, load};

#[test]
fn each_layer_stands_above_the_one_before() {
    let files = folder(&[
        (
            "default.yaml",
            "simulation: {default_agents: 1, default_steps: 1, checkpoint_interval: 1, random_seed: 1, anomaly_rate: 0.1}",
        ),
        ("staging.yaml", "simulation: {default_steps: 2, checkpoint_interval: 2, random_seed: 2, anomaly_rate: 0.2}"),
        ("local.yaml", "simulation:\n  checkpoint_interval: 3\n  random_seed: 3\n  anomaly_rate: 0.3\n"),
    ]);
    let loader = Loader::new().folder(files.path()).env("staging");
    let loader = loader.variables([("SIMULATION_RANDOM_SEED", "4"), ("SIMULATION_ANOMALY_RATE", "0.4")]);
    let loaded = loader.overrides([("simulation.anomaly_rate", "0.5")]).load().unwrap();
    let simulation = &loaded.config.simulation;
    assert_eq!((simulation.default_agents, simulation.default_steps, simulation.checkpoint_interval), (1, 2, 3));
    assert_eq!(simulation.random_seed, Some(4));
    assert!((simulation.anomaly_rate - 0.5).abs() < 1e-12);
    let origin = |key: &str| loaded.origin(&format!("simulation.{key}")).to_string();
    assert!(origin("default_agents").ends_with("default.yaml:1:30"), "{}", origin("default_agents"));
    assert!(origin("checkpoint_interval").ends_with("local.yaml:2:24"));
    assert_eq!(origin("random_seed"), "environment variable SIMULATION_RANDOM_SEED");
    assert_eq!(origin("anomaly_rate"), "--set simulation.anomaly_rate");
    assert_eq!(origin("stop_on_error"), "default");
    assert!(!loaded.is_set("simulation.stop_on_error") && loaded.is_set("simulation.default_agents"));
    assert_eq!(loaded.files.len(), 3);
}

#[test]
fn without_any_file_the_defaults_hold() {
    let loaded = load(folder(&[]).path(), &[]).unwrap();
    assert_eq!(loaded.config, dais_config::Config::default());
    assert!(loaded.warnings.is_empty() && loaded.files.is_empty());
}

#[test]
fn the_option_names_the_environment_before_the_variable_and_the_file() {
    let files = folder(&[
        ("default.yaml", "environment: edge"),
        ("edge.yaml", "app_name: edge"),
        ("production.yaml", "app_name: production\nenvironment: production"),
        ("docker.yaml", "app_name: docker\nenvironment: production"),
    ]);
    let of_file = load(files.path(), &[]).unwrap();
    assert_eq!((of_file.config.environment, of_file.config.app_name.as_str()), (Environment::Edge, "edge"));
    let of_variable = load(files.path(), &[("ENVIRONMENT", "PROD")]).unwrap();
    assert_eq!(
        (of_variable.config.environment, of_variable.config.app_name.as_str()),
        (Environment::Production, "production")
    );
    assert_eq!(of_variable.warnings, []);
    let of_option =
        Loader::new().folder(files.path()).variables([("ENVIRONMENT", "prod")]).env("docker").load().unwrap();
    assert_eq!((of_option.config.environment, of_option.config.app_name.as_str()), (Environment::Docker, "docker"));
    let [Warning::Other(warning)] = of_option.warnings.as_slice() else { panic!("{:?}", of_option.warnings) };
    assert!(warning.contains("docker.yaml:2:1") && warning.contains("by --env"), "{warning}");
}

#[test]
fn scalars_have_the_type_that_their_key_wants() {
    let files = folder(&[(
        "default.yaml",
        "app_name: no\ndatabase:\n  username: 0123\n  timeout: 30\n  retry_attempts: 3.0\n  database: 1.10\n  type: MySQL\n  host: ~\n  path: \"null\"\n",
    )]);
    let variables = [("DATABASE_HOST", "db"), ("SECURITY_ALLOWED_HOSTS", "a.example, b.example"), ("RAY_ENABLE", "1")];
    let config = load(files.path(), &variables).unwrap().config;
    assert_eq!((config.app_name.as_str(), config.database.username.as_deref()), ("no", Some("0123")));
    assert_eq!(config.database.database.as_deref(), Some("1.10"));
    assert_eq!((config.database.retry_attempts, config.database.r#type), (3, DatabaseType::Mysql));
    assert_eq!(config.database.path.unwrap().to_str(), Some("null"));
    assert_eq!(config.security.allowed_hosts, ["a.example", "b.example"]);
    assert!(config.ray.enable);
}

#[test]
fn a_map_can_be_given_in_one_line() {
    for text in ["{dais_sim: debug, dais_ledger: trace}", "dais_sim=debug, dais_ledger=trace"] {
        let config = load(folder(&[]).path(), &[("LOGGING_MODULES", text)]).unwrap().config;
        assert_eq!(config.logging.modules.len(), 2, "{text}");
    }
}

#[test]
fn references_and_secret_files_are_read() {
    let files = folder(&[(
        "default.yaml",
        "database:\n  host: ${DB_HOST:-localhost}\n  username: u_${USER_PART}\n  password: \"${PW}\"\nray:\n  num_cpus: \"${CPUS:-}\"\n",
    )]);
    let secret = files.path().join("pw");
    fs::write(&secret, "hunter2\n").unwrap();
    let path = secret.to_str().unwrap();
    let loaded =
        load(files.path(), &[("USER_PART", "7"), ("PW_FILE", path), ("RAY_REDIS_PASSWORD_FILE", path)]).unwrap();
    let config = loaded.config;
    assert_eq!(config.database.host.as_deref(), Some("localhost"));
    assert_eq!(config.database.username.as_deref(), Some("u_7"));
    assert_eq!(config.database.password.as_ref().map(dais_config::Secret::expose), Some("hunter2"));
    assert_eq!(config.ray.redis_password.as_ref().map(dais_config::Secret::expose), Some("hunter2"));
    assert_eq!(config.ray.num_cpus, None);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn what_a_higher_layer_replaces_need_not_be_set() {
    let files = folder(&[("default.yaml", "database:\n  password: ${NOT_SET}\n")]);
    assert!(load(files.path(), &[]).unwrap_err().contains("NOT_SET is not set"));
    assert!(load(files.path(), &[("DATABASE_PASSWORD", "x")]).is_ok());
}

#[test]
fn old_names_are_read_from_variables_too() {
    let variables = [("STREAMLIT_SERVER_PORT", "8600"), ("DATABASE_POOL_RECYCLE", "60"), ("VERSION", "7")];
    let loaded = load(folder(&[]).path(), &variables).unwrap();
    assert_eq!(loaded.config.dashboard.server_port, 8600);
    assert_eq!(loaded.origin("dashboard.server_port").to_string(), "environment variable STREAMLIT_SERVER_PORT");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn a_variable_that_looks_misspelt_is_told_and_a_foreign_one_is_not() {
    let variables = [("DATABASE_TIMOUT", "5"), ("DATABASE_URL", "x"), ("SIMULATION_DEFAULT_AGENTS", "")];
    let loaded = load(folder(&[]).path(), &variables).unwrap();
    let [Warning::Other(warning)] = loaded.warnings.as_slice() else { panic!("{:?}", loaded.warnings) };
    assert!(warning.contains("did you mean DATABASE_TIMEOUT"), "{warning}");
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "x: &base\n  default_steps: 7\n";
    assert!(load(folder(&[("default.yaml", text)]).path(), &[]).unwrap_err().contains("unknown key `x`"));
    let text = "simulation: &s\n  <<: {default_agents: 3, default_steps: 9}\n  default_steps: 7\n";
    let config = load(folder(&[("default.yaml", text)]).path(), &[]).unwrap().config;
    assert_eq!((config.simulation.default_agents, config.simulation.default_steps), (3, 7));
}

#[test]
fn a_section_without_keys_is_no_error() {
    let config = load(folder(&[("default.yaml", "simulation:\n  # default_agents: 50\nray:\n")]).path(), &[]);
    assert_eq!(config.unwrap().config, dais_config::Config::default());
    assert!(load(folder(&[("default.yaml", "")]).path(), &[]).is_ok());
    assert!(load(folder(&[("default.yaml", "# nothing\n")]).path(), &[]).is_ok());
}

#[test]
fn a_section_keeps_the_defaults_it_has_in_its_place() {
    let text = "monitoring: {alerting: {delivery: {retry: {factor: 3.0}}}}\nlogging: {level: CRITICAL}\n";
    let config = load(folder(&[("default.yaml", text)]).path(), &[]).unwrap().config;
    let mut expected = dais_config::Config::default();
    expected.monitoring.alerting.delivery.retry.factor = 3.0;
    expected.logging.level = dais_telemetry::log::Level::Error;
    assert_eq!(config, expected);
}
