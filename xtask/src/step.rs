//! One command line of a plan.

use std::fmt;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// A command line with a name and its own environment variables.
///
/// Its [`fmt::Display`] is what a developer can paste into a POSIX shell at the workspace's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What the step is for, in one or two words.
    pub(crate) name: &'static str,
    program: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, &'static str)>,
}

impl Step {
    /// A step that runs `program` without arguments.
    pub(crate) fn new(name: &'static str, program: &str) -> Self {
        Self { name, program: program.to_owned(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// A step that runs cargo with `arguments`, which are separated by white space.
    pub(crate) fn cargo(name: &'static str, arguments: &str) -> Self {
        Self::new(name, "cargo").arguments(arguments.split_whitespace())
    }

    /// The same step with more arguments at its end.
    pub(crate) fn arguments(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    /// The same step with one more environment variable.
    pub(crate) fn environment(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// Runs the command in `directory` with this terminal's streams and waits for its end.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn run(&self, directory: &Path) -> std::io::Result<ExitStatus> {
        Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .current_dir(directory)
            .status()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&quoted(&self.program))?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", quoted(argument)))
    }
}

/// `word` as a POSIX shell reads it back: plain where no character is special, else in single quotes.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_prints_as_a_line_for_the_shell() {
        let step = Step::cargo("doc", "doc --no-deps").environment("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(step.to_string(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn special_characters_are_quoted() {
        assert_eq!(quoted("*"), "'*'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("--bench=detect"), "--bench=detect");
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error() {
        let step = Step::new("nothing", "a-program-that-does-not-exist");
        assert!(step.run(Path::new(".")).is_err());
    }
}
