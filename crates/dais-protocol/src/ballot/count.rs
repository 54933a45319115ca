//! Counting the votes of a round.

use super::Ballot;
use crate::rule::Tally;
use crate::{AgentId, PolicyParams, Verdict, Vote, weights};

/// The counted votes of a round, and the radius that follows from them.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) tally: Tally,
    pub(super) radius: f32,
    /// Whether what the voters saw is a burst, where the policy asks for it.
    pub(super) is_burst: bool,
}

impl Ballot {
    /// Counts the votes dated up to `last_step`.
    pub(super) fn count(&self, last_step: u32, policy: &PolicyParams, weight: &dyn Fn(AgentId) -> f32) -> Count {
        let mut tally = Tally { members: self.committee.len(), ..Tally::default() };
        let mut decisive: Vec<&Vote> = Vec::with_capacity(self.votes.len());
        let mut weighted: Vec<f64> = Vec::with_capacity(self.votes.len());
        for vote in self.votes.iter().filter(|vote| vote.step <= last_step) {
            tally.answers += 1;
            let honest = self.equivocators.binary_search(&vote.voter).is_err();
            match vote.verdict {
                Verdict::Confirm if honest => tally.confirmations += 1,
                Verdict::Refute if honest => tally.refutations += 1,
                Verdict::Confirm | Verdict::Refute | Verdict::Abstain => {
                    tally.abstentions += 1;
                    continue;
                }
            }
            let trust = weight(vote.voter);
            if trust > 0.0 && trust.is_finite() {
                decisive.push(vote);
                weighted.push(if policy.rule.weighs_trust() { f64::from(trust) } else { 1.0 });
            }
        }
        tally.decisive = decisive.len();
        weights::cap(&mut weighted, f64::from(policy.weight_max_share));
        let mut radii = Vec::with_capacity(decisive.len());
        for (vote, weight) in decisive.into_iter().zip(weighted) {
            if vote.verdict == Verdict::Confirm {
                tally.confirm_weight += weight;
                radii.push((vote.evidence.radius, weight));
            } else {
                tally.refute_weight += weight;
            }
        }
        tally.decisive_confirmations = radii.len();
        Count { tally, radius: policy.radius_of(&radii), is_burst: self.is_burst(last_step, policy, weight) }
    }

    /// Whether the pooled evidence of all honest voters, whatever their verdicts, speaks of a burst.
    fn is_burst(&self, last_step: u32, policy: &PolicyParams, weight: &dyn Fn(AgentId) -> f32) -> bool {
        let Some(burst) = &policy.burst else { return true };
        let honest = |vote: &&Vote| self.equivocators.binary_search(&vote.voter).is_err();
        let votes = self.votes.iter().filter(|vote| vote.step <= last_step).filter(honest);
        let pool = burst.pool(votes.map(|vote| (&vote.evidence, weight(vote.voter))));
        pool.ln_bayes(burst) >= f64::from(burst.ln_bayes_min)
    }
}

/// How many of the members are at least this share of them.
pub(super) fn heads(share: f32, members: usize) -> usize {
    // What rounding adds to a share must not cost a head: 0.34 of 50 are 17.
    (f64::from(share) * members as f64 - 1.0e-5).ceil().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_members_is_rounded_up_to_heads() {
        for (share, members, needed) in
            [(0.5, 10, 5), (0.5, 11, 6), (0.34, 50, 17), (0.34, 4, 2), (0.0, 9, 0), (1.0, 7, 7)]
        {
            assert_eq!(heads(share, members), needed, "{share} of {members}");
        }
    }
}
