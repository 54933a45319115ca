//! Where agents meet: the coordinator gathers what they say, runs the ballots and records everything in the ledger.

pub(crate) mod assembly;
pub(crate) mod bylaws;
pub(crate) mod coordinator;
pub(crate) mod counts;
pub(crate) mod error;
pub(crate) mod in_force;
pub(crate) mod logbook;
pub(crate) mod message;
mod open_ballot;
pub(crate) mod record;
pub(crate) mod report;
mod statement;
