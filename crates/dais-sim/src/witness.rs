//! Agents that watch the ledger: who they are, what each remembers, and what the coordinator shows them.

pub(crate) mod agent_witness;
pub(crate) mod appointment;
pub(crate) mod cosigning;
pub(crate) mod message;
pub(crate) mod second_face;
