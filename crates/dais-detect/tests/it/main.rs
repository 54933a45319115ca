//! The promises of the crate, kept by every detector and on real traffic.

#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "tests, and what they share")]

mod adwin;
mod allocation;
mod conformance;
mod corrupt;
mod data;
mod explanation;
mod fingerprint;
mod judgement;
mod online;
mod quality;
mod robust;
