//! What is written from the schema: the commented file, the reference page, a configuration shown.

use std::fs;
use std::path::Path;

use dais_config::{Config, Environment, Loader, files, reference, schema};

use crate::{folder, load};

/// Compares a generated file of the repository; with `DAIS_REFRESH=1` it is written instead.
fn assert_fresh(path: &Path, text: &str) {
    if std::env::var_os("DAIS_REFRESH").is_some() {
        fs::write(path, text).expect("the file can be written");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{} is out of date: run DAIS_REFRESH=1 cargo test -p dais-config pages", path.display());
}

#[test]
fn the_files_of_the_repository_are_what_the_program_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert_fresh(&root.join("docs/reference/configuration.md"), &reference());
    for (name, text) in files() {
        assert_fresh(&root.join("config").join(name), &text);
    }
}

#[test]
fn the_commented_file_changes_nothing_and_uncommented_it_says_the_defaults() {
    let all = files();
    let (_, text) = all.iter().find(|(name, _)| *name == "default.yaml").unwrap();
    let as_it_is = load(folder(&[("default.yaml", text)]).path(), &[]).unwrap();
    assert_eq!(as_it_is.config, Config::default());
    assert!(!as_it_is.is_set("simulation.default_agents"));
    let is_key =
        |line: &str| line.trim_start().strip_prefix('#').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    let uncomment = |line: &str| if is_key(line) { line.replacen('#', "", 1) } else { line.to_owned() };
    let active: Vec<String> = text.lines().map(uncomment).collect();
    let loaded = load(folder(&[("default.yaml", &active.join("\n"))]).path(), &[]).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.is_set("simulation.default_agents") && loaded.is_set("ray.num_cpus"));
}

#[test]
fn the_file_of_each_environment_loads() {
    let all = files();
    let written: Vec<(&str, &str)> = all.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let files = folder(&written);
    for environment in Environment::ALL {
        let loaded = Loader::new().folder(files.path()).env(environment.name()).load().unwrap();
        assert_eq!((loaded.config.environment, loaded.files.len()), (environment, 2));
        assert!(loaded.warnings.is_empty());
    }
}

#[test]
fn what_is_shown_loads_again_and_holds_no_secret() {
    let text = "database: {type: mysql, host: db, database: d, password: hunter2}\napp_name: \"a: b\"\nlogging: {modules: {a: debug}}\nmonitoring: {tracing: {headers: {key: hunter2}}, alerting: {channels: {s: {type: slack, url: \"https://h.example/hunter2\"}}}}\n\
                security: {allowed_hosts: [x, \"*.y\"]}\nbackup: {destinations: [{name: b, type: s3, bucket: b, account_key: hunter2}]}\n";
    let loaded = load(folder(&[("default.yaml", text)]).path(), &[]).unwrap();
    for with_origin in [false, true] {
        let shown = loaded.to_yaml(with_origin);
        assert!(!shown.contains("hunter2") && shown.contains("password: \"***\""), "{shown}");
        // A masked address is no address; in its place one that holds no secret.
        let shown = shown.replace("url: \"***\"", "url: \"https://h.example\"");
        let mut again = load(folder(&[("default.yaml", &shown)]).path(), &[]).unwrap().config;
        again.database.password = loaded.config.database.password.clone();
        again.monitoring.tracing = loaded.config.monitoring.tracing.clone();
        again.monitoring.alerting = loaded.config.monitoring.alerting.clone();
        again.backup.destinations.clone_from(&loaded.config.backup.destinations);
        assert_eq!(again, loaded.config);
    }
    assert!(loaded.to_yaml(true).contains("default.yaml:1:"));
    assert!(!format!("{loaded:?}{}{:?}", loaded.to_json(), loaded.settings()).contains("hunter2"));
    assert_eq!(loaded.value("database.host"), Some("db".into()));
    assert_eq!(loaded.value("database.hots"), None);
}

#[test]
fn differences_name_keys_and_see_secrets_without_showing_them() {
    let one = load(folder(&[("default.yaml", "database: {password: a}\napi: {port: 1}\n")]).path(), &[]).unwrap();
    let two =
        load(folder(&[("default.yaml", "database: {password: b}\napi: {port: 1}\nray: {enable: on}\n")]).path(), &[])
            .unwrap();
    let differences = one.differences(&two);
    assert_eq!(
        differences.iter().map(|difference| difference.key).collect::<Vec<_>>(),
        ["database.password", "ray.enable"]
    );
    assert_eq!(differences.first().unwrap().right, "***");
}

#[test]
fn every_key_has_a_meaning() {
    let mut seen = 0;
    let mut open = vec![("", schema())];
    while let Some((name, schema)) = open.pop() {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            assert!(
                value["description"].as_str().is_some_and(|text| text.len() > 8),
                "{name} {key} has no doc comment"
            );
            seen += 1;
            open.push(("", value.clone()));
        }
    }
    assert!(seen > 80, "{seen}");
}
