//! What a world leaves behind.

use std::net::IpAddr;

use crate::exchange::counts::ExchangeCounts;
use crate::exchange::logbook::RunLedger;
use crate::truth::tally::{Contact, Curve, FirstSight};
use crate::witness::cosigning::Witnessed;

/// What a world leaves behind.
pub struct Finished {
    /// Detection at other alert levels.
    pub curve: Curve,
    /// First meeting and first detection by agent and family.
    pub first_sights: Vec<Vec<FirstSight>>,
    /// First flows of attacking sources at sites.
    pub contacts: Vec<(IpAddr, Contact)>,
    /// What happened on the exchange.
    pub counts: ExchangeCounts,
    /// Trust of each agent at the end.
    pub trust: Vec<f32>,
    /// The ledger, where this world has one.
    pub ledger: Option<RunLedger>,
    /// What the agents that watch the ledger made of it.
    pub witnessed: Witnessed,
}
