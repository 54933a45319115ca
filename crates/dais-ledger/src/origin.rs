//! The name of a log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a log, first line of its checkpoints: unique to the log, for example `dais/run/synthetic-7`.
///
/// 1 to 200 bytes, without white space, control characters and `+` (C2SP `signed-note` forbids these in key names).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// A text that cannot name a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// The empty text, or one above the limit.
    #[error("the name of a log has 1 to {max} bytes, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
        /// Most bytes allowed.
        max: usize,
    },
    /// A character that would make checkpoints ambiguous.
    #[error("the name of a log may not contain {found:?}")]
    Character {
        /// The first such character.
        found: char,
    },
}

impl Origin {
    const BYTES_MAX: usize = 200;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`OriginError`] when it is empty, too long or contains a forbidden character.
    pub fn new(name: impl Into<String>) -> Result<Self, OriginError> {
        let name = name.into();
        if name.is_empty() || name.len() > Self::BYTES_MAX {
            return Err(OriginError::Length { found: name.len(), max: Self::BYTES_MAX });
        }
        let forbidden = |c: &char| c.is_whitespace() || c.is_control() || *c == '+';
        match name.chars().find(forbidden) {
            Some(found) => Err(OriginError::Character { found }),
            None => Ok(Self(name)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(name: String) -> Result<Self, OriginError> {
        Self::new(name)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_blur_a_checkpoint_are_refused() {
        assert!(Origin::new("dais/run/nsl-kdd-7").is_ok());
        assert_eq!(Origin::new(""), Err(OriginError::Length { found: 0, max: 200 }));
        for (name, found) in [("a b", ' '), ("a\n", '\n'), ("a+b", '+'), ("a\u{2003}b", '\u{2003}'), ("\0", '\0')] {
            assert_eq!(Origin::new(name), Err(OriginError::Character { found }));
        }
        assert!(Origin::new("x".repeat(201)).is_err());
    }
}
