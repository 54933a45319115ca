//! What is wrong with a parameter.

use std::fmt::Display;

use dais_protocol::ParamsError;

/// A parameter that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// A value out of its range.
    #[error("`{key}` is {value}: allowed is {allowed}")]
    Range {
        /// Path of the parameter.
        key: &'static str,
        /// The value given.
        value: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// A parameter of the protocol out of its range.
    #[error(transparent)]
    Protocol(#[from] ParamsError),
    /// More sites are asked for than the traffic has, or none.
    #[error("the traffic has {sites} sites: a run needs at least one")]
    Sites {
        /// Sites of the traffic.
        sites: usize,
    },
}

impl ScenarioError {
    pub(crate) fn require(
        holds: bool,
        key: &'static str,
        value: &dyn Display,
        allowed: &'static str,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Range { key, value: value.to_string(), allowed }) }
    }
}
