use std::time::Duration;

/// What happened in a step, as whoever runs it counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepFigures {
    /// Number of the step in its world.
    pub step: u64,
    /// Wall time of the step.
    pub duration: Duration,
    /// Wall times of its phases: observe, publish, vote, resolve.
    pub phases: Option<[Duration; 4]>,
    /// Agents by state: born, configured, model loaded, health checked, active, recovering, failed, stopped.
    pub agents: Option<[u64; 8]>,
    /// Its flows.
    pub flows: FlowFigures,
    /// What happened on the exchange in this step alone.
    pub exchange: ExchangeFigures,
    /// Accepted signatures that are applied now.
    pub signatures_in_force: u64,
    /// For each ballot that was decided in this step, steps since it was opened.
    pub consensus_steps: Vec<u32>,
    /// For each ballot that was decided in this step, wall time since it was opened.
    pub consensus_times: Vec<Duration>,
    /// Trust in each agent, 0 to 1, in any order; empty = unknown.
    pub trust: Vec<f64>,
}

/// Flows of a step over all agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowFigures {
    /// Flows observed.
    pub seen: u64,
    /// Flows whose p-value alerts.
    pub alerted: u64,
    /// Flows that a signature matches.
    pub matched: u64,
    /// Flows from blocked sources.
    pub blocked: u64,
    /// Attack flows, as the labels say; 0 without labels, here and below.
    pub attacks: u64,
    /// Attack flows that were detected.
    pub attacks_found: u64,
    /// Benign flows.
    pub benign: u64,
    /// Benign flows that were detected all the same.
    pub false_alarms: u64,
}

/// What happened on the exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExchangeFigures {
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
    /// Accepted signatures that were withdrawn.
    pub revoked: u64,
    /// Offers that a signature covers already.
    pub covered: u64,
    /// Offers turned away.
    pub refused_offers: u64,
    /// Votes that confirm.
    pub confirmations: u64,
    /// Votes that refute.
    pub refutations: u64,
    /// Votes that abstain.
    pub abstentions: u64,
    /// Votes turned away.
    pub refused_votes: u64,
    /// Statements whose seal did not fit.
    pub refused_seals: u64,
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub message_bytes: u64,
}

impl ExchangeFigures {
    /// What happened since `earlier`, where both count from the begin of a run; never less than nothing.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            published: self.published.saturating_sub(earlier.published),
            accepted: self.accepted.saturating_sub(earlier.accepted),
            rejected: self.rejected.saturating_sub(earlier.rejected),
            disputed: self.disputed.saturating_sub(earlier.disputed),
            expired: self.expired.saturating_sub(earlier.expired),
            escalated: self.escalated.saturating_sub(earlier.escalated),
            revoked: self.revoked.saturating_sub(earlier.revoked),
            covered: self.covered.saturating_sub(earlier.covered),
            refused_offers: self.refused_offers.saturating_sub(earlier.refused_offers),
            confirmations: self.confirmations.saturating_sub(earlier.confirmations),
            refutations: self.refutations.saturating_sub(earlier.refutations),
            abstentions: self.abstentions.saturating_sub(earlier.abstentions),
            refused_votes: self.refused_votes.saturating_sub(earlier.refused_votes),
            refused_seals: self.refused_seals.saturating_sub(earlier.refused_seals),
            messages: self.messages.saturating_sub(earlier.messages),
            message_bytes: self.message_bytes.saturating_sub(earlier.message_bytes),
        }
    }
}
