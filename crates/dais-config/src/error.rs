//! What is wrong with a configuration: every problem with its place, what was found, what is allowed.

use std::fmt;

use crate::place::Place;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, in one sentence.
    pub message: String,
    /// The way out, where there is more to say.
    pub help: Option<String>,
    /// Whether the line holds a secret and must not be shown.
    pub(crate) secret: bool,
}

impl Problem {
    pub(crate) fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into(), help: None, secret: false }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn secret(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some((number, line, column, width)) = self.place.excerpt().filter(|_| !self.secret) {
            let shown = masked_line(line);
            let width = if shown.len() == line.len() { width } else { 1 };
            let gutter = number.to_string();
            let blank = " ".repeat(gutter.len());
            // Tabs are kept so that the mark stands where the terminal shows the character.
            let before: String =
                line.chars().take(column.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            let room = line.chars().count().saturating_sub(column.saturating_sub(1)).max(1);
            write!(f, "\n  {gutter} | {shown}\n  {blank} | {before}{}", "^".repeat(width.clamp(1, room)))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  {help}")?;
        }
        Ok(())
    }
}

/// What the name of a key has in it when its value must not be shown.
const SECRET_WORDS: [&str; 8] =
    ["password", "secret", "token", "_key", "apikey", "webhook", "credential", "passphrase"];

/// A line of a file without what follows the first key that sounds like a secret.
fn masked_line(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let word_end = SECRET_WORDS.iter().filter_map(|word| lower.find(word).map(|at| at + word.len())).min();
    let colon = word_end.and_then(|end| line.get(end..)?.find(':').map(|at| end + at + 1));
    match colon.and_then(|at| Some((line.get(..at)?, line.get(at..)?.trim()))) {
        Some((key, value)) if !value.is_empty() && !value.starts_with('#') => format!("{key} ***"),
        _ => line.chars().take(LINE_CHARS_MAX).collect(),
    }
}

/// Longest piece of a line that is shown.
const LINE_CHARS_MAX: usize = 160;

/// Everything that is wrong with a configuration, in the order of its layers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Errors(Vec<Problem>);

impl Errors {
    /// Nothing where there is no problem.
    pub(crate) fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.0.as_slice() {
            return problem.fmt(f);
        }
        write!(f, "the configuration has {} errors", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_without_what_follows_a_key_that_sounds_like_a_secret() {
        assert_eq!(masked_line("  password: hunter2"), "  password: ***");
        assert_eq!(masked_line("a: {jwt_secret_key: x, b: 1}"), "a: {jwt_secret_key: ***");
        assert_eq!(masked_line("slack_webhook_url: https://x"), "slack_webhook_url: ***");
        assert_eq!(masked_line("api_keys:"), "api_keys:");
        assert_eq!(masked_line("port: 5 # not a password"), "port: 5 # not a password");
    }
}
