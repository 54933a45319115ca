//! The state machine that turns votes into a decision.

mod appeal;
mod count;
mod secret;

use serde::{Deserialize, Serialize};

use crate::rule::{Call, Tally};
use crate::{
    AgentId, Commitment, Decision, Equivocation, Motion, Outcome, PolicyParams, RecordRefused, SignatureId, Tie, Vote,
    VoteRefused, Voting,
};
use count::{Count, heads};

pub use appeal::AppealRefused;

/// The state machine that turns the votes of a committee into a [`Decision`].
///
/// | state | input | output | next state |
/// |---|---|---|---|
/// | voting | [`record`](Self::record), first vote of a member | `Ok` | voting |
/// | voting | `record`, the same vote again | [`VoteRefused::Duplicate`] | voting |
/// | any | `record`, another vote of the same member in this or an earlier round | [`VoteRefused::Equivocation`]; the member counts as abstaining, unless the ballot is closed | unchanged |
/// | voting | `record`, an outsider, another signature, motion or round, a vote older than the round | refused with the reason | voting |
/// | voting | [`resolve`](Self::resolve), grace period not over, or no quorum and deadline not reached | [`Resolution::Open`] | voting |
/// | voting | `resolve`, quorum, too few informed votes, or too few confirm a revocation, deadline not reached | `Open` | voting |
/// | voting | `resolve`, enough votes, within the margin, rounds left | [`Resolution::Escalate`] | escalating |
/// | voting | `resolve`, enough votes, otherwise | [`Resolution::Closed`]: accepted, rejected or disputed | closed |
/// | voting | `resolve`, deadline reached, not enough votes | `Closed`: expired | closed |
/// | escalating | `record` | [`VoteRefused::Escalating`] | escalating |
/// | escalating | `resolve` | `Escalate` | escalating |
/// | escalating | [`escalate`](Self::escalate) | | voting, next round, no votes |
/// | closed | `record` | [`VoteRefused::Closed`] | closed |
/// | closed | `resolve` | the same `Closed` | closed |
/// | closed | [`appeal`](Self::appeal) | a new ballot, or why not | closed |
///
/// Enough votes are: answers of the share [`PolicyParams::quorum`] of the committee; informed votes, that is votes of
/// positive weight that confirm or refute, of the share [`PolicyParams::informed_share`] and at least
/// [`PolicyParams::informed_min`]; and what [`PolicyParams::rule`] asks for. To revoke, the share
/// [`PolicyParams::revoke_share`] of the committee must confirm.
///
/// The author has no vote on its own signature. Votes dated after the step of `resolve` or after the deadline do not
/// count. The order in which votes arrive does not matter: sums run in the order of the voters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ballot {
    motion: Motion,
    signature: SignatureId,
    author: AgentId,
    /// The step in which each round began, by round.
    opened: Vec<u32>,
    round: u8,
    appeals: u8,
    voting: Voting,
    committee: Vec<AgentId>,
    /// What members committed to in this round, in voter order; only where votes are secret.
    commitments: Vec<Commitment>,
    /// One vote of each member that answered, in voter order.
    votes: Vec<Vote>,
    /// The votes of earlier rounds, to know who contradicts them.
    past: Vec<Vote>,
    /// Members caught with two votes or commitments in one round, ascending; of all rounds.
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

impl Ballot {
    /// Opens a ballot in a step. The committee is put in order; the author is taken off it.
    ///
    /// A committee without members (an agent alone) ends expired.
    pub fn open(motion: Motion, signature: SignatureId, author: AgentId, committee: Vec<AgentId>, step: u32) -> Self {
        let mut ballot = Self {
            motion,
            signature,
            author,
            opened: vec![step],
            round: 0,
            appeals: 0,
            voting: Voting::Open,
            committee: Vec::new(),
            commitments: Vec::new(),
            votes: Vec::new(),
            past: Vec::new(),
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
    pub fn opened(&self) -> u32 {
        self.opened.last().copied().unwrap_or(0)
    }

    /// The round, 0 first.
    pub const fn round(&self) -> u8 {
        self.round
    }

    /// How many appeals led to this ballot.
    pub const fn appeals(&self) -> u8 {
        self.appeals
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
        match self.voting {
            Voting::Open => self.take(vote),
            Voting::CommitReveal => Err(VoteRefused::NotCommitted { voter: vote.voter }),
        }
    }

    fn take(&mut self, vote: &Vote) -> Result<(), VoteRefused> {
        self.belongs(vote.signature, vote.motion, vote.voter)?;
        if let Err(RecordRefused::Impossible { field }) = vote.check_values() {
            return Err(VoteRefused::Impossible { field });
        }
        if let Some(first) = self.contradicted(vote).cloned() {
            return Err(VoteRefused::Equivocation(Box::new(self.contradict(first, vote.clone()))));
        }
        match self.phase {
            Phase::Voting => {}
            Phase::Escalating => return Err(VoteRefused::Escalating),
            Phase::Closed(_) => return Err(VoteRefused::Closed),
        }
        self.is_member(vote.voter, vote.round)?;
        if vote.step < self.opened() {
            return Err(VoteRefused::WrongStep { opened: self.opened(), found: vote.step });
        }
        match self.votes.binary_search_by_key(&vote.voter, |known| known.voter) {
            Ok(_) => Err(VoteRefused::Duplicate { voter: vote.voter }),
            Err(place) => {
                self.votes.insert(place, vote.clone());
                Ok(())
            }
        }
    }

    /// Whether something is said about this ballot's motion and signature, by somebody else than the author.
    fn belongs(&self, signature: SignatureId, motion: Motion, voter: AgentId) -> Result<(), VoteRefused> {
        if signature != self.signature {
            Err(VoteRefused::WrongSignature { found: signature })
        } else if motion != self.motion {
            Err(VoteRefused::WrongMotion)
        } else if voter == self.author {
            Err(VoteRefused::OwnSignature { voter })
        } else {
            Ok(())
        }
    }

    fn is_member(&self, voter: AgentId, round: u8) -> Result<(), VoteRefused> {
        if self.committee.binary_search(&voter).is_err() {
            Err(VoteRefused::NotInCommittee { voter })
        } else if round == self.round {
            Ok(())
        } else {
            Err(VoteRefused::WrongRound { expected: self.round, found: round })
        }
    }

    /// The recorded vote of a member in this or an earlier round.
    fn vote_of(&self, voter: AgentId, round: u8) -> Option<&Vote> {
        if round == self.round {
            self.votes.binary_search_by_key(&voter, |known| known.voter).ok().map(|place| &self.votes[place])
        } else {
            self.past.iter().find(|known| known.voter == voter && known.round == round)
        }
    }

    /// The recorded vote that this one contradicts. A vote dated before its round began never counted, so it contradicts
    /// nothing here, in whichever order both arrive.
    fn contradicted(&self, vote: &Vote) -> Option<&Vote> {
        let opened = *self.opened.get(usize::from(vote.round))?;
        self.vote_of(vote.voter, vote.round).filter(|first| vote.step >= opened && first.contradicts(vote))
    }

    /// Notes that a member said two things. What is closed stays as it is.
    fn contradict(&mut self, first: Vote, second: Vote) -> Equivocation {
        self.mark(second.voter);
        let open = self.phase == Phase::Voting && second.round == self.round;
        if open && second.step < first.step {
            // Turnout counts by date: keep the earlier one, whichever arrived first.
            let places = self.votes.iter_mut().filter(|known| known.voter == second.voter);
            places.for_each(|known| known.clone_from(&second));
        }
        Equivocation { first, second }
    }

    fn mark(&mut self, voter: AgentId) {
        if let Err(place) = self.equivocators.binary_search(&voter) {
            self.equivocators.insert(place, voter);
        }
    }

    /// Begins the next round with a larger committee, or with the same one measuring again.
    ///
    /// # Panics
    /// When the ballot does not wait for it.
    pub fn escalate(&mut self, committee: Vec<AgentId>, now: u32) {
        assert_eq!(self.phase, Phase::Escalating, "only a ballot that asked for it escalates");
        self.begin_round(committee, now);
    }

    fn begin_round(&mut self, committee: Vec<AgentId>, now: u32) {
        self.round += 1;
        self.opened.push(now);
        self.past.append(&mut self.votes);
        self.commitments.clear();
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
        let grace_over = self.opened().saturating_add(policy.grace_steps(self.motion));
        if now < grace_over {
            return Resolution::Open;
        }
        let deadline = grace_over.saturating_add(policy.deadline_steps);
        let count = self.count(now.min(deadline), policy, weight);
        let outcome = match self.call(&count.tally, policy) {
            Call::Wait if now < deadline => return Resolution::Open,
            Call::Wait => Some(Outcome::Expired),
            call @ (Call::Carried | Call::Lost | Call::Tied) => self.outcome(call, &count, policy),
        };
        let Some(outcome) = outcome else {
            self.phase = Phase::Escalating;
            return Resolution::Escalate { round: self.round + 1 };
        };
        let decision = self.close(outcome, &count, now);
        self.phase = Phase::Closed(decision.clone());
        Resolution::Closed(decision)
    }

    /// What the policy makes of the counted votes.
    fn call(&self, tally: &Tally, policy: &PolicyParams) -> Call {
        let members = tally.members;
        let informed = heads(policy.informed_share, members).max(members.min(policy.informed_min as usize)).max(1);
        if members == 0 || tally.answers < heads(policy.quorum, members) || tally.decisive < informed {
            return Call::Wait;
        }
        let few = self.motion == Motion::Revoke && tally.decisive_confirmations < heads(policy.revoke_share, members);
        let call = policy.rule.call(tally, policy);
        if call == Call::Carried && few { Call::Wait } else { call }
    }

    /// How enough votes end, or nothing when they are too close and a round is left.
    fn outcome(&self, call: Call, count: &Count, policy: &PolicyParams) -> Option<Outcome> {
        let Count { tally, is_burst, .. } = count;
        let share = tally.confirm_weight / (tally.confirm_weight + tally.refute_weight);
        let divided = tally.confirmations > 0 && tally.refutations > 0;
        let distance = policy.rule.threshold(policy).map(|threshold| (share - threshold).abs());
        let close = divided && distance.is_some_and(|distance| distance < f64::from(policy.margin));
        if close && self.round < policy.escalation_rounds {
            return None;
        }
        Some(match call {
            Call::Wait => Outcome::Expired,
            Call::Carried if self.motion == Motion::Adopt && !is_burst => Outcome::Disputed,
            Call::Carried => Outcome::Accepted,
            Call::Lost | Call::Tied if close => Outcome::Disputed,
            Call::Tied if policy.tie == Tie::Dispute => Outcome::Disputed,
            Call::Lost | Call::Tied => Outcome::Rejected,
        })
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
            confirm_weight: count.tally.confirm_weight as f32,
            refute_weight: count.tally.refute_weight as f32,
            confirmations: count.tally.confirmations,
            refutations: count.tally.refutations,
            abstentions: count.tally.abstentions,
        }
    }
}
