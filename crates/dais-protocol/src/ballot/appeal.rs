//! A second ballot on a lost motion, after new evidence.

use super::{Ballot, Phase};
use crate::{AgentId, Outcome, PolicyParams, Verdict, Vote};

/// Why a lost motion is not voted on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppealRefused {
    /// The ballot is open, or the motion was carried: what is in force ends by a revocation.
    #[error("only a lost motion can be appealed")]
    NotLost,
    /// The policy allows no further appeal.
    #[error("the motion was appealed {made} times, allowed are {max}")]
    Exhausted {
        /// Appeals so far.
        made: u8,
        /// Appeals the policy allows.
        max: u8,
    },
    /// Too few members bring evidence that the ballot did not have.
    #[error("{found} agents bring new evidence, it takes {needed}")]
    NoNewEvidence {
        /// Agents with new evidence.
        found: usize,
        /// Agents it takes.
        needed: usize,
    },
}

impl Ballot {
    /// Opens a new ballot on a motion that this one lost, because agents bring new evidence; this one stays as it is.
    ///
    /// New is the evidence of an agent that now confirms and did not confirm in any round so far. It takes
    /// [`PolicyParams::informed_min`] such agents, and no more than [`PolicyParams::appeals_max`] appeals a motion. Their
    /// votes are sealed, dated `now` and for the round after the last one of this ballot; those of members count in it at
    /// once, unless votes are secret. An appeal costs a ballot and decides nothing by itself.
    ///
    /// # Errors
    /// [`AppealRefused`] with the reason.
    pub fn appeal(
        &self,
        evidence: &[Vote],
        committee: Vec<AgentId>,
        now: u32,
        policy: &PolicyParams,
    ) -> Result<Self, AppealRefused> {
        match &self.phase {
            Phase::Closed(decision) if decision.outcome != Outcome::Accepted => {}
            Phase::Closed(_) | Phase::Voting | Phase::Escalating => return Err(AppealRefused::NotLost),
        }
        if self.appeals >= policy.appeals_max {
            return Err(AppealRefused::Exhausted { made: self.appeals, max: policy.appeals_max });
        }
        let mut new: Vec<&Vote> = evidence.iter().filter(|vote| self.is_new(vote, now)).collect();
        new.sort_by_key(|vote| vote.voter);
        new.dedup_by_key(|vote| vote.voter);
        let needed = policy.informed_min as usize;
        if new.len() < needed {
            return Err(AppealRefused::NoNewEvidence { found: new.len(), needed });
        }
        let mut again = Self { appeals: self.appeals + 1, ..self.clone() };
        again.begin_round(committee, now);
        if self.voting == crate::Voting::Open {
            for vote in new {
                // An agent beside the committee brings evidence, but has no vote.
                let _not_a_member = again.take(vote);
            }
        }
        Ok(again)
    }

    fn is_new(&self, vote: &Vote, now: u32) -> bool {
        let here = self.belongs(vote.signature, vote.motion, vote.voter).is_ok();
        let dated = vote.round == self.round + 1 && vote.step == now && vote.check_values().is_ok();
        let known = self.past.iter().chain(&self.votes).filter(|known| known.voter == vote.voter);
        let confirmed = known.into_iter().any(|known| known.verdict == Verdict::Confirm);
        let honest = self.equivocators.binary_search(&vote.voter).is_err();
        here && dated && honest && !confirmed && vote.verdict == Verdict::Confirm
    }
}
