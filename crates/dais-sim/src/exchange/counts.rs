//! What happened on the exchange, counted.

use serde::{Deserialize, Serialize};

/// What happened on the exchange, counted over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeCounts {
    /// Signatures offered by agents.
    pub offered: u64,
    /// Offers that an open or accepted signature already covers.
    pub covered: u64,
    /// Offers turned away: malformed, or too many ballots open.
    pub refused_offers: u64,
    /// Signatures whose ballot was opened.
    pub published: u64,
    /// Ballots that accepted a signature.
    pub accepted: u64,
    /// Ballots that rejected a signature.
    pub rejected: u64,
    /// Ballots that ended within the margin of the threshold.
    pub disputed: u64,
    /// Ballots that ran past their deadline.
    pub expired: u64,
    /// Ballots that went to a second round.
    pub escalated: u64,
    /// Accepted signatures withdrawn by a revocation ballot.
    pub revoked: u64,
    /// Accepted signatures most of whose flows were benign, as the truth says.
    pub accepted_benign: u64,
    /// Votes counted.
    pub votes: u64,
    /// Votes turned away: twice, too late, from outside the committee, or against their own evidence.
    pub refused_votes: u64,
    /// Statements whose seal did not fit.
    pub refused_seals: u64,
    /// Addresses sighted and blocked.
    pub blocks: u64,
    /// Messages: signatures, sightings, votes and seals.
    pub messages: u64,
    /// Bytes of those messages as recorded.
    pub message_bytes: u64,
}
