//! The configuration: everything that is wrong with it, and what is read but has no effect.

use dais_config::{Config, Loaded, Loader, Problem, Warning};

use super::finding::Finding;

const SUBJECT: &str = "configuration";

/// The findings, and the configuration to look at the rest with: the defaults where it cannot be loaded.
pub(super) fn examine(loader: &Loader) -> (Vec<Finding>, Config) {
    match loader.load() {
        Ok(loaded) => {
            let warnings = loaded.warnings.iter().flat_map(warnings);
            ([sound(&loaded)].into_iter().chain(warnings).collect(), loaded.config)
        }
        Err(errors) => (errors.problems().iter().map(problem).collect(), Config::default()),
    }
}

fn sound(loaded: &Loaded) -> Finding {
    let files: Vec<String> = loaded.files.iter().map(|file| file.display().to_string()).collect();
    let from = if files.is_empty() { "no file".to_owned() } else { files.join(", ") };
    Finding::ok(SUBJECT, format!("sound: {from}; environment {}", loaded.config.environment))
}

fn problem(problem: &Problem) -> Finding {
    let Problem { place, message, help, .. } = problem;
    let mend = help.clone().unwrap_or_else(|| "correct it; `dais config check` shows it in its line".to_owned());
    Finding::problem(SUBJECT, format!("{place}: {message}"), mend)
}

fn warnings(warning: &Warning) -> Vec<Finding> {
    match warning {
        Warning::Retired(keys) => {
            let finding = |key: &dais_config::RetiredKey| {
                Finding::warning(SUBJECT, format!("{}: `{}` has no effect any more", key.place, key.key), key.instead)
            };
            keys.iter().map(finding).collect()
        }
        Warning::Other(text) => {
            vec![Finding::warning(SUBJECT, text, "correct it; `dais config show --origin` says what is in effect")]
        }
    }
}
