//! Where a value came from.

use std::fmt;
use std::sync::Arc;

/// A text with a name, such as a file.
#[derive(PartialEq, Eq)]
pub(crate) struct Source {
    /// What it is called in messages: the path as the user wrote it.
    pub(crate) name: String,
    /// All of it.
    pub(crate) text: String,
}

/// Without the text, which may hold secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a value came from, as precisely as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Inner);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Inner {
    Default,
    File { source: Arc<Source>, line: usize, column: usize, width: usize },
    Whole { name: String },
    Variable { name: String },
    Setting { option: &'static str, key: String },
    Option { name: &'static str },
}

impl Place {
    /// The value that the program has by itself.
    pub(crate) const DEFAULT: Self = Self(Inner::Default);

    /// A part of a file; lines and columns count from one, `width` is in characters.
    pub(crate) fn file(source: &Arc<Source>, line: usize, column: usize, width: usize) -> Self {
        Self(Inner::File { source: Arc::clone(source), line, column, width })
    }

    /// A file as a whole.
    pub(crate) fn whole(name: impl Into<String>) -> Self {
        Self(Inner::Whole { name: name.into() })
    }

    /// An environment variable.
    pub(crate) fn variable(name: impl Into<String>) -> Self {
        Self(Inner::Variable { name: name.into() })
    }

    /// A pair given with an option of the command line.
    pub(crate) fn setting(option: &'static str, key: impl Into<String>) -> Self {
        Self(Inner::Setting { option, key: key.into() })
    }

    /// An option of the command line.
    pub(crate) fn option(name: &'static str) -> Self {
        Self(Inner::Option { name })
    }

    /// Whether nobody set the value.
    pub fn is_default(&self) -> bool {
        self.0 == Inner::Default
    }

    /// Whether it is a line of a file; elsewhere a collection has to be written in one line.
    pub(crate) fn is_in_file(&self) -> bool {
        matches!(self.0, Inner::File { .. })
    }

    /// The line of a file and what is to be marked in it: `(line number, text, column, width)`.
    pub(crate) fn excerpt(&self) -> Option<(usize, &str, usize, usize)> {
        let Inner::File { source, line, column, width } = &self.0 else { return None };
        let text = source.text.lines().nth(line.checked_sub(1)?)?;
        Some((*line, text, *column, *width))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Default => f.write_str("default"),
            Inner::File { source, line, column, .. } => write!(f, "{}:{line}:{column}", source.name),
            Inner::Whole { name } => f.write_str(name),
            Inner::Variable { name } => write!(f, "environment variable {name}"),
            Inner::Setting { option, key } => write!(f, "{option} {key}"),
            Inner::Option { name } => f.write_str(name),
        }
    }
}
