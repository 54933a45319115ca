//! The phases of a step, and who is told of them.

use serde::{Deserialize, Serialize};

/// The phases of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Learning what was decided, observing, detecting, describing.
    Observe,
    /// Opening ballots.
    Publish,
    /// Measuring and voting.
    Vote,
    /// Checking seals, closing ballots, recording in the ledger.
    Resolve,
}

impl Phase {
    /// Name as shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Publish => "publish",
            Self::Vote => "vote",
            Self::Resolve => "resolve",
        }
    }
}

/// Told when a phase begins and ends; the place for clocks, which a world does not have.
pub trait Watch {
    /// A phase begins.
    fn begin(&mut self, phase: Phase);
    /// The phase that began last has ended.
    fn end(&mut self, phase: Phase);
}

impl Watch for () {
    fn begin(&mut self, _: Phase) {}
    fn end(&mut self, _: Phase) {}
}
