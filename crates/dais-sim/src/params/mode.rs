//! Whether and how agents share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether and how agents share what they find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each agent keeps its own signatures; nothing is shared.
    Isolated,
    /// Signatures are shared and voted on over the ledger.
    Collaborative,
    /// Signatures are shared, and the truth decides on them in place of the votes.
    Oracle,
}

impl Mode {
    /// All worlds, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Isolated, Self::Collaborative, Self::Oracle];

    /// Name as shown to people and used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Isolated => "isolated",
            Self::Collaborative => "collaborative",
            Self::Oracle => "oracle",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
