//! Adversaries that lie with what they offer and sight.

pub(crate) mod flooder;
pub(crate) mod forger;
pub(crate) mod framer;
pub(crate) mod poisoner;
pub(crate) mod slanderer;
pub(crate) mod smotherer;
