//! The number of an agent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of an agent, dense from 0 within a run; shown as `a17`.
///
/// ```
/// assert_eq!(dais_protocol::AgentId(17).to_string(), "a17");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentId(pub u32);

impl AgentId {
    /// The position of this agent in an array over all agents.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("a{}", self.0))
    }
}
