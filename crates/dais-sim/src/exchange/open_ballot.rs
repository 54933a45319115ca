//! A ballot while it is open, and what is reported of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dais_protocol::{AgentId, Ballot, Decision, Matcher, Motion, Outcome, Signature, SignatureId, Verdict, Vote};
use serde::{Deserialize, Serialize};

use crate::exchange::bylaws::Bylaws;
use crate::exchange::report::{Decided, VoteCount};
use crate::truth::tally::SignatureTruth;

/// A ballot with what it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenBallot {
    pub(super) ballot: Ballot,
    pub(super) signature: Arc<Signature>,
    pub(super) matcher: Arc<Matcher>,
    pub(super) truth: SignatureTruth,
}

/// What is known of a ballot while it is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BallotStatus {
    pub(crate) author: AgentId,
    pub(crate) opened_step: u32,
    pub(crate) round: u8,
}

/// What is known of all open ballots, by signature and motion.
pub(crate) type BallotStatuses = BTreeMap<(SignatureId, u8), BallotStatus>;

impl OpenBallot {
    pub(super) fn status(&self) -> BallotStatus {
        let opened_step = match self.ballot.motion() {
            Motion::Adopt => self.signature.step,
            Motion::Revoke => self.ballot.opened(),
        };
        BallotStatus { author: self.signature.author, opened_step, round: self.ballot.round() }
    }

    /// Whether it is about a signature that was published in step `t`.
    pub(super) fn is_new(&self, t: u32) -> bool {
        self.ballot.motion() == Motion::Adopt && self.signature.step == t
    }

    /// The oracle's decision: the truth for the outcome, the voters' own measures for the radius.
    pub(super) fn decide_by_truth(&self, t: u32, bylaws: &Bylaws) -> Decision {
        let mut radii: Vec<f32> = self.ballot.votes().iter().map(|vote| vote.evidence.radius).collect();
        radii.retain(|&radius| radius >= bylaws.vote.radius_min);
        radii.sort_by(f32::total_cmp);
        let lower_third = (radii.len() as f32 * bylaws.policy.radius_quantile) as usize;
        let radius = radii.get(lower_third).copied().unwrap_or(self.signature.radius);
        let accepted = self.truth.family.is_some();
        Decision {
            motion: self.ballot.motion(),
            signature: self.ballot.signature(),
            outcome: if accepted { Outcome::Accepted } else { Outcome::Rejected },
            step: t,
            round: 0,
            radius: if accepted { radius } else { 0.0 },
            voters: self.ballot.votes().len() as u32,
            confirm_weight: 0.0,
            refute_weight: 0.0,
            confirmations: 0,
            refutations: 0,
            abstentions: 0,
        }
    }
}

/// Votes by ballot, in the order of signatures.
pub(super) fn count_votes<'a>(
    votes: impl Iterator<Item = &'a Vote>,
    statuses: &BallotStatuses,
    weights: &[f32],
) -> Vec<VoteCount> {
    let mut counts: BTreeMap<(SignatureId, u8), VoteCount> = BTreeMap::new();
    for vote in votes {
        let (signature, motion) = (vote.signature, vote.motion);
        let key = (signature, motion.code());
        let count = counts.entry(key).or_insert_with(|| VoteCount {
            signature,
            motion,
            round: statuses.get(&key).map_or(0, |status| status.round),
            confirmations: 0,
            refutations: 0,
            abstentions: 0,
            confirm_weight: 0.0,
            refute_weight: 0.0,
        });
        let weight = weights.get(vote.voter.0 as usize).copied().unwrap_or(0.0);
        match vote.verdict {
            Verdict::Confirm => {
                count.confirmations += 1;
                count.confirm_weight += weight;
            }
            Verdict::Refute => {
                count.refutations += 1;
                count.refute_weight += weight;
            }
            Verdict::Abstain => count.abstentions += 1,
        }
    }
    counts.into_values().collect()
}

/// What is reported of a ballot that ended.
pub(super) fn decided(decision: Decision, statuses: &BallotStatuses, threshold: f32) -> Decided {
    let status = statuses.get(&(decision.signature, decision.motion.code()));
    let (author, opened_step) =
        status.map_or((AgentId(0), decision.step), |status| (status.author, status.opened_step));
    Decided { decision, author, opened_step, threshold }
}
