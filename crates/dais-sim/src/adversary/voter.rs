//! Adversaries that lie with their votes.

pub(crate) mod copier;
pub(crate) mod equivocator;
pub(crate) mod inverter;
pub(crate) mod promoter;
pub(crate) mod random_voter;
