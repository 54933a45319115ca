//! The files that `dais config init` writes: every key with its meaning, and small files for the environments.

use std::fmt::Write as _;

use crate::load::Loaded;
use crate::shape::{Kind, Shape, joined};
use crate::variable;
use crate::view::flow;

/// Characters of a line of comment.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Configuration of dais. Every key stands here with its default, commented out: remove the `#` before a key to set it.
# Above this file stand <environment>.yaml, local.yaml or --config FILE, environment variables, and --configure KEY=VALUE.
# `${NAME}` and `${NAME:-default}` are replaced by environment variables. For a secret, NAME_FILE may name a file instead.
# `dais config check` says what is wrong, `dais config show --origin` what is in effect and why.
";

const OVERLAYS: [(&str, &str); 6] = [
    ("development.yaml", "# On the desk of a developer.\ndevelopment:\n  hot_reload: true\n"),
    (
        "staging.yaml",
        "# Where a release is tried before it goes into production.\nlogging:\n  format: json\nmonitoring:\n  enable_prometheus: true\n",
    ),
    ("production.yaml", "# Where it matters.\nlogging:\n  format: json\nmonitoring:\n  enable_prometheus: true\n"),
    (
        "edge.yaml",
        "# On a small machine near the traffic.\nlogging:\n  level: warning\nperformance:\n  cache_size_mb: 16\n  max_workers: 2\n  memory_limit_mb: 512\n",
    ),
    (
        "docker.yaml",
        "# In a container: the log goes to the console, other containers may ask for metrics.\nlogging:\n  format: json\nmonitoring:\n  enable_prometheus: true\n  metrics_host: 0.0.0.0\n",
    ),
    ("test.yaml", "# In automated tests.\nlogging:\n  level: warning\n"),
];

/// The files, by name, with their text.
pub fn files() -> Vec<(&'static str, String)> {
    let overlays = OVERLAYS.iter().map(|(name, text)| (*name, (*text).to_owned()));
    std::iter::once(("default.yaml", default_file())).chain(overlays).collect()
}

fn default_file() -> String {
    let mut text = HEAD.to_owned();
    let values = Loaded::default().to_json();
    section(&mut text, Shape::root(), &values, "", 0);
    text
}

fn section(text: &mut String, shape: &Shape, values: &serde_json::Value, path: &str, depth: usize) {
    let indent = "  ".repeat(depth);
    for (key, shape) in shape.keys() {
        let whole = joined(path, key);
        let value = values.get(key).unwrap_or(&serde_json::Value::Null);
        text.push('\n');
        comment(text, &indent, &shape.description);
        if let Kind::Section { .. } = shape.kind {
            if let Some(planned) = &shape.planned {
                comment(text, &indent, &format!("Read for {planned} to come."));
            }
            writeln!(text, "{indent}{key}:").ok();
            section(text, shape, value, &whole, depth + 1);
            continue;
        }
        let choices =
            if let Kind::Choice(_) = shape.kind { format!("One of {}. ", shape.allowed()) } else { String::new() };
        comment(text, &indent, &format!("{choices}{}", variable::name_of(&whole)));
        let value = if value.is_null() { String::new() } else { format!(" {}", flow(value)) };
        writeln!(text, "{indent}#{key}:{value}").ok();
    }
}

fn comment(text: &mut String, indent: &str, words: &str) {
    let mut line = format!("{indent}#");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(text, "{line}").ok();
            line = format!("{indent}#");
        }
        line.push(' ');
        line.push_str(word);
    }
    writeln!(text, "{line}").ok();
}
