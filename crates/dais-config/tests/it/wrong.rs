//! Wrong configurations, each with the message that a user reads: place, value, what is allowed, what is nearest.

use std::fmt::Write as _;
use std::fs;

use dais_config::{Loader, schema};

use crate::{folder, load, relative};

/// A wrong `default.yaml`, and the variables with it.
type Wrong = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const WRONG: [Wrong; 30] = [
    ("a number above its range", "simulation:\n  anomaly_rate: 1.5\n", &[]),
    ("a number below its range", "simulation:\n  default_agents: 0\n", &[]),
    ("a word for a number", "simulation:\n  default_agents: many\n", &[]),
    ("a fraction for a whole number", "simulation:\n  default_steps: 10.5\n", &[]),
    ("a leading zero", "api:\n  port: 08000\n", &[]),
    ("a port that no computer has", "monitoring:\n  metrics_port: 90900\n", &[]),
    ("no number at all", "api:\n  request_timeout: .inf\n", &[]),
    ("a word for a switch", "ray:\n  enable: maybe\n", &[]),
    ("a word that is no choice", "logging:\n  format: jsno\n", &[]),
    ("a level that is none", "logging:\n  level: LOUD\n", &[]),
    ("a level in a map", "logging:\n  modules:\n    dais_sim: debgu\n", &[]),
    ("a misspelt key", "simulation:\n  defualt_agents: 50\n", &[]),
    ("a misspelt section", "simulaton:\n  default_agents: 50\n", &[]),
    ("a key of another section", "simulation:\n  metrics_port: 9090\n", &[]),
    ("a key like no other", "ray:\n  frobnicate: true\n", &[]),
    ("a key that is not indented", "simulation:\ndefault_agents: 50\n", &[]),
    ("a list for a number", "simulation:\n  default_agents: [1, 2]\n", &[]),
    ("a value for a section", "database: ledger.db\n", &[]),
    ("a value for a list", "security:\n  allowed_hosts: a.example\n", &[]),
    ("a key without a value", "api:\n  port:\n", &[]),
    ("a key given twice", "api:\n  port: 1\n  port: 2\n", &[]),
    ("an old name beside the present one", "logging:\n  file: a.log\n  file_path: b.log\n", &[]),
    ("a tab", "api:\n\tport: 8000\n", &[]),
    ("a quote that is not closed", "database:\n  host: \"db\n  password: hunter2\n", &[]),
    ("a file that is a list", "- simulation\n- api\n", &[]),
    ("a variable that is not set", "database:\n  host: ${DB_HOST}\n  password: \"${DB_PASSWORD}\"\n", &[]),
    (
        "wrong variables",
        "",
        &[("SIMULATION_ANOMALY_RATE", "often"), ("ENVIRONMENT", "prodution"), ("API_PORT_FILE", "/no/such/file")],
    ),
    ("a secret of the wrong kind", "database:\n  password: [hunter2]\n", &[]),
    (
        "keys that need one another",
        "database:\n  type: postgresql\nbackup:\n  schedule: daily\n  destinations:\n    - {type: s3}\nmonitoring:\n  metrics_path: metrics\n",
        &[],
    ),
    (
        "much at once",
        "environment: prd\nsimulation:\n  anomaly_rate: -1\n  stop_on_error: 2\n  agents: 5\ndatabase:\n  type: oracle\n  ssl_mode: verify\n",
        &[],
    ),
];

#[test]
fn a_wrong_file_is_told_with_place_value_and_what_is_allowed() {
    let mut messages = String::new();
    for (what, text, variables) in WRONG {
        let files = folder(&[("default.yaml", text)]);
        let message = load(files.path(), variables).expect_err(what);
        assert!(!message.contains("hunter2"), "{what} shows a secret: {message}");
        writeln!(messages, "=== {what}\n{message}\n").unwrap();
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn files_that_are_no_text_or_endless_end_in_a_message() {
    let files = folder(&[]);
    let path = files.path().join("default.yaml");
    let nested = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let bomb = (1..9).fold("x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n".to_owned(), |mut text, level| {
        let below = format!("*x{}, ", level - 1).repeat(10);
        writeln!(text, "x{level}: &x{level} [{}]", below.trim_end_matches(", ")).unwrap();
        text
    });
    let wrong: [(&[u8], &str); 8] = [
        (b"a: \xff\xfe\n", "is not UTF-8 text; line 1"),
        (&vec![b'#'; 2 << 20], "more than the 1048576"),
        (nested.as_bytes(), "default.yaml:1:"),
        (bomb.as_bytes(), "more than 50000 values"),
        (b"a: 1\n---\nb: 2\n", "a second document"),
        (b"? [a, b]\n: 1\n", "a key must be a word"),
        (b"api: !!python/object:os.system {}\n", "has no meaning here"),
        (b"api: &a\n  port: *a\n", "an alias inside of what it stands for"),
    ];
    for (bytes, expected) in wrong {
        fs::write(&path, bytes).unwrap();
        let message = load(files.path(), &[]).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn what_was_named_must_be_there() {
    let files = folder(&[]);
    let loader = Loader::new().folder(files.path().join("none")).file(files.path().join("none.yaml"));
    let message = relative(&loader.load().unwrap_err().to_string(), files.path());
    assert_eq!(
        message,
        "the configuration has 2 errors\n\n--dir: there is no folder none\n\nnone.yaml: there is no such file"
    );
}

#[test]
fn a_value_and_its_file_together_are_an_error() {
    let variables = [("DATABASE_PASSWORD", "hunter2"), ("DATABASE_PASSWORD_FILE", "/dev/null")];
    let message = load(folder(&[]).path(), &variables).unwrap_err();
    assert!(message.contains("DATABASE_PASSWORD is set as well") && !message.contains("hunter2"), "{message}");
}

#[test]
fn wrong_pairs_of_the_command_line_are_told() {
    let files = folder(&[]);
    let loader = Loader::new().folder(files.path());
    let wrong = loader.overrides([("api.port", "x"), ("api..port", "1"), ("api.prot", "1"), ("ray.num_cpus", "0")]);
    let message = wrong.load().unwrap_err().to_string();
    for expected in ["--set api.port: ", "found `x`", "a dotted path", "did you mean `api.port`?", "from 1 to 65536"] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

/// Any JSON value as YAML is JSON text, so that the schema can judge what the loader judges.
#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let wrong = [
        r#"{"simulation": {"anomaly_rate": 1.5}}"#,
        r#"{"simulation": {"default_agents": 0}}"#,
        r#"{"simulation": {"defualt_agents": 50}}"#,
        r#"{"simulaton": {}}"#,
        r#"{"logging": {"format": "jsno"}}"#,
        r#"{"monitoring": {"metrics_port": 90900}}"#,
        r#"{"ray": {"enable": "maybe"}}"#,
        r#"{"database": "ledger.db"}"#,
        r#"{"security": {"allowed_hosts": "a.example"}}"#,
        r#"{"agent": {"alert_p": 0}}"#,
    ];
    for text in wrong {
        assert!(!validator.is_valid(&serde_json::from_str(text).unwrap()), "{text} is accepted by the schema");
        assert!(load(folder(&[("default.yaml", text)]).path(), &[]).is_err(), "{text} is accepted by the loader");
    }
    for text in [r#"{"simulation": null}"#, r#"{"ray": {"num_cpus": null}}"#, r#"{"agent": {"alert_p": 0.5}}"#] {
        assert!(validator.is_valid(&serde_json::from_str(text).unwrap()), "{text} is refused by the schema");
        assert!(load(folder(&[("default.yaml", text)]).path(), &[]).is_ok(), "{text} is refused by the loader");
    }
    let defaults = serde_json::to_value(dais_config::Config::default()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&defaults).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}
