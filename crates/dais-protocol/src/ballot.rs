//! The state machine that turns votes into a decision.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, Decision, Equivocation, Motion, Outcome, PolicyParams, SignatureId, Verdict, Vote, VoteRefused, weights,
};

/// The state machine that turns the votes of a committee into a [`Decision`].
///
/// | state | input | output | next state |
/// |---|---|---|---|
/// | voting | [`record`](Self::record), first vote of a member | `Ok` | voting |
/// | voting | `record`, the same vote again | [`VoteRefused::Duplicate`] | voting |
/// | voting | `record`, another vote of the same member | [`VoteRefused::Equivocation`]; the member counts as abstaining | voting |
/// | voting | `record`, an outsider, another signature, motion or round, a vote older than the round | refused with the reason | voting |
/// | voting | [`resolve`](Self::resolve), no quorum, deadline not reached | [`Resolution::Open`] | voting |
/// | voting | `resolve`, quorum, too few decisive votes, deadline not reached | `Open` | voting |
/// | voting | `resolve`, quorum, decisive, within the margin, rounds left | [`Resolution::Escalate`] | escalating |
/// | voting | `resolve`, quorum, decisive, otherwise | [`Resolution::Closed`]: accepted, rejected or disputed | closed |
/// | voting | `resolve`, deadline reached, no quorum or too few decisive votes | `Closed`: expired | closed |
/// | escalating | `record` | [`VoteRefused::Escalating`] | escalating |
/// | escalating | `resolve` | `Escalate` | escalating |
/// | escalating | [`escalate`](Self::escalate) | | voting, next round, no votes |
/// | closed | `record` | [`VoteRefused::Closed`] | closed |
/// | closed | `resolve` | the same `Closed` | closed |
///
/// The author has no vote on its own signature. Votes dated after the step of `resolve` or after the deadline do not
/// count. Decisive is a vote of positive weight that confirms or refutes. The order in which votes arrive does not
/// matter: sums run in the order of the voters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ballot {
    motion: Motion,
    signature: SignatureId,
    author: AgentId,
    opened: u32,
    round: u8,
    committee: Vec<AgentId>,
    /// One vote of each member that answered, in voter order.
    votes: Vec<Vote>,
    /// Members caught with two votes in one round, ascending; of all rounds.
    equivocators: Vec<AgentId>,
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Voting,
    Escalating,
    Closed(Decision),
}

/// Where a ballot stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// More votes are awaited.
    Open,
    /// The votes are too close: call [`Ballot::escalate`] with a larger committee.
    Escalate {
        /// The round to come.
        round: u8,
    },
    /// The ballot has ended.
    Closed(Decision),
}

/// The counted votes of a round.
#[derive(Debug, Default)]
struct Count {
    answers: usize,
    decisive: usize,
    confirmations: u32,
    refutations: u32,
    abstentions: u32,
    confirm_weight: f64,
    refute_weight: f64,
    radius: f32,
}

impl Ballot {
    /// Opens a ballot in a step. The committee is put in order; the author is taken off it.
    ///
    /// A committee without members (an agent alone) ends expired.
    pub fn open(motion: Motion, signature: SignatureId, author: AgentId, committee: Vec<AgentId>, step: u32) -> Self {
        let mut ballot = Self {
            motion,
            signature,
            author,
            opened: step,
            round: 0,
            committee: Vec::new(),
            votes: Vec::new(),
            equivocators: Vec::new(),
            phase: Phase::Voting,
        };
        ballot.seat(committee);
        ballot
    }

    fn seat(&mut self, mut committee: Vec<AgentId>) {
        committee.retain(|&agent| agent != self.author);
        committee.sort_unstable();
        committee.dedup();
        self.committee = committee;
    }

    /// What is voted on.
    pub const fn motion(&self) -> Motion {
        self.motion
    }

    /// The signature it is about.
    pub const fn signature(&self) -> SignatureId {
        self.signature
    }

    /// The author of the signature.
    pub const fn author(&self) -> AgentId {
        self.author
    }

    /// The step in which this round began.
    pub const fn opened(&self) -> u32 {
        self.opened
    }

    /// The round, 0 first.
    pub const fn round(&self) -> u8 {
        self.round
    }

    /// The members, ascending.
    pub fn committee(&self) -> &[AgentId] {
        &self.committee
    }

    /// The recorded votes of this round, in voter order. Of a member that voted twice, the one dated earlier.
    pub fn votes(&self) -> &[Vote] {
        &self.votes
    }

    /// The members that voted twice, differently, in any round; ascending.
    pub fn equivocators(&self) -> &[AgentId] {
        &self.equivocators
    }

    /// The decision, once the ballot is closed.
    pub const fn decision(&self) -> Option<&Decision> {
        match &self.phase {
            Phase::Closed(decision) => Some(decision),
            Phase::Voting | Phase::Escalating => None,
        }
    }

    /// The members without a vote in this round, ascending.
    pub fn pending(&self) -> impl Iterator<Item = AgentId> + '_ {
        let mut votes = self.votes.iter().map(|vote| vote.voter).peekable();
        self.committee.iter().copied().filter(move |agent| votes.next_if_eq(agent).is_none())
    }

    /// Records a vote whose seal was checked.
    ///
    /// # Errors
    /// [`VoteRefused`] with the reason; the table above says what a refusal leaves behind.
    pub fn record(&mut self, vote: &Vote) -> Result<(), VoteRefused> {
        self.admit(vote)?;
        match self.votes.binary_search_by_key(&vote.voter, |known| known.voter) {
            Err(place) => {
                self.votes.insert(place, vote.clone());
                Ok(())
            }
            Ok(place) if self.votes[place] == *vote => Err(VoteRefused::Duplicate { voter: vote.voter }),
            Ok(place) => {
                if let Err(at) = self.equivocators.binary_search(&vote.voter) {
                    self.equivocators.insert(at, vote.voter);
                }
                let first = self.votes[place].clone();
                if vote.step < first.step {
                    // Turnout counts by date: keep the earlier one, whichever arrived first.
                    self.votes[place] = vote.clone();
                }
                Err(VoteRefused::Equivocation(Box::new(Equivocation { first, second: vote.clone() })))
            }
        }
    }

    fn admit(&self, vote: &Vote) -> Result<(), VoteRefused> {
        let voter = vote.voter;
        match self.phase {
            Phase::Voting => {}
            Phase::Escalating => return Err(VoteRefused::Escalating),
            Phase::Closed(_) => return Err(VoteRefused::Closed),
        }
        if vote.signature != self.signature {
            return Err(VoteRefused::WrongSignature { found: vote.signature });
        }
        if vote.motion != self.motion {
            return Err(VoteRefused::WrongMotion);
        }
        if voter == self.author {
            return Err(VoteRefused::OwnSignature { voter });
        }
        if self.committee.binary_search(&voter).is_err() {
            return Err(VoteRefused::NotInCommittee { voter });
        }
        if vote.round != self.round {
            return Err(VoteRefused::WrongRound { expected: self.round, found: vote.round });
        }
        if vote.step < self.opened {
            return Err(VoteRefused::WrongStep { opened: self.opened, found: vote.step });
        }
        vote.evidence.check().map_err(|refused| VoteRefused::Impossible { field: refused.field })?;
        if (0.0..=1.0).contains(&vote.confidence) {
            Ok(())
        } else {
            Err(VoteRefused::Impossible { field: "confidence" })
        }
    }

    /// Begins the next round with a larger committee, or with the same one measuring again.
    ///
    /// # Panics
    /// When the ballot does not wait for it.
    pub fn escalate(&mut self, committee: Vec<AgentId>, now: u32) {
        assert_eq!(self.phase, Phase::Escalating, "only a ballot that asked for it escalates");
        self.round += 1;
        self.opened = now;
        self.votes.clear();
        self.phase = Phase::Voting;
        self.seat(committee);
    }

    /// Says where the ballot stands in step `now`, and moves it on. `weight` is the trust of a voter, at least 0.
    pub fn resolve(&mut self, now: u32, policy: &PolicyParams, weight: &dyn Fn(AgentId) -> f32) -> Resolution {
        match &self.phase {
            Phase::Closed(decision) => return Resolution::Closed(decision.clone()),
            Phase::Escalating => return Resolution::Escalate { round: self.round + 1 },
            Phase::Voting => {}
        }
        let deadline = self.opened.saturating_add(policy.deadline_steps);
        let count = self.count(now.min(deadline), policy, weight);
        let members = self.committee.len();
        let quorum = members > 0 && count.answers as f64 >= f64::from(policy.quorum) * members as f64;
        let decisive = count.decisive > 0 && count.decisive >= members.min(policy.decisive_min as usize);
        let outcome = if quorum && decisive {
            self.outcome(&count, policy)
        } else if now >= deadline {
            Some(Outcome::Expired)
        } else {
            return Resolution::Open;
        };
        let Some(outcome) = outcome else {
            self.phase = Phase::Escalating;
            return Resolution::Escalate { round: self.round + 1 };
        };
        let decision = self.close(outcome, &count, now);
        self.phase = Phase::Closed(decision.clone());
        Resolution::Closed(decision)
    }

    /// How decisive votes end, or nothing when they are too close and a round is left.
    fn outcome(&self, count: &Count, policy: &PolicyParams) -> Option<Outcome> {
        let Count { confirm_weight, refute_weight, .. } = *count;
        let share = confirm_weight / (confirm_weight + refute_weight);
        let (threshold, margin) = (f64::from(policy.threshold), f64::from(policy.margin));
        let divided = count.confirmations > 0 && count.refutations > 0;
        let close = divided && (share - threshold).abs() < margin;
        if close && self.round < policy.escalation_rounds {
            None
        } else if share >= threshold && confirm_weight > refute_weight {
            Some(Outcome::Accepted)
        } else if close {
            Some(Outcome::Disputed)
        } else {
            Some(Outcome::Rejected)
        }
    }

    fn count(&self, last_step: u32, policy: &PolicyParams, weight: &dyn Fn(AgentId) -> f32) -> Count {
        let mut count = Count::default();
        let mut decisive: Vec<&Vote> = Vec::with_capacity(self.votes.len());
        let mut weighted: Vec<f64> = Vec::with_capacity(self.votes.len());
        for vote in self.votes.iter().filter(|vote| vote.step <= last_step) {
            count.answers += 1;
            let honest = self.equivocators.binary_search(&vote.voter).is_err();
            match vote.verdict {
                Verdict::Confirm if honest => count.confirmations += 1,
                Verdict::Refute if honest => count.refutations += 1,
                Verdict::Confirm | Verdict::Refute | Verdict::Abstain => {
                    count.abstentions += 1;
                    continue;
                }
            }
            let trust = weight(vote.voter);
            if trust > 0.0 && trust.is_finite() {
                decisive.push(vote);
                weighted.push(f64::from(trust));
            }
        }
        count.decisive = decisive.len();
        weights::cap(&mut weighted, f64::from(policy.weight_max_share));
        let mut radii = Vec::with_capacity(decisive.len());
        for (vote, weight) in decisive.into_iter().zip(weighted) {
            if vote.verdict == Verdict::Confirm {
                count.confirm_weight += weight;
                radii.push((vote.evidence.radius, weight));
            } else {
                count.refute_weight += weight;
            }
        }
        count.radius = weights::quantile(&mut radii, f64::from(policy.radius_quantile)).unwrap_or(0.0);
        count
    }

    fn close(&self, outcome: Outcome, count: &Count, now: u32) -> Decision {
        let adopted = outcome == Outcome::Accepted && self.motion == Motion::Adopt;
        Decision {
            motion: self.motion,
            signature: self.signature,
            outcome,
            step: now,
            round: self.round,
            radius: if adopted { count.radius } else { 0.0 },
            voters: self.committee.len() as u32,
            confirm_weight: count.confirm_weight as f32,
            refute_weight: count.refute_weight as f32,
            confirmations: count.confirmations,
            refutations: count.refutations,
            abstentions: count.abstentions,
        }
    }
}
