//! The parameters of a run: what agents do, how they meet, and whether they share.

pub(crate) mod adversary;
pub(crate) mod agent;
pub(crate) mod budget;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod mode;
pub(crate) mod rules;
