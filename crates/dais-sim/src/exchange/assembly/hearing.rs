//! Votes as the assembly hears them.

use dais_protocol::{Motion, Vote, VoteRefused, judge};

use super::Assembly;
use super::uncounted::Uncounted;
use crate::params::mode::Mode;

impl Assembly {
    /// Counts votes, and says of each in order why it was not counted.
    pub(crate) fn hear(&mut self, votes: &[Vote]) -> Vec<Result<(), Uncounted>> {
        votes.iter().map(|vote| self.hear_vote(vote)).collect()
    }

    fn hear_vote(&mut self, vote: &Vote) -> Result<(), Uncounted> {
        let heard = self.admit(vote);
        match &heard {
            Ok(()) => self.counts.votes += 1,
            Err(uncounted) => {
                self.counts.refused_votes += 1;
                if let Uncounted::Refused(VoteRefused::Equivocation(_)) = uncounted {
                    self.trust.equivocated(vote.voter);
                }
            }
        }
        heard
    }

    fn admit(&mut self, vote: &Vote) -> Result<(), Uncounted> {
        if vote.motion == Motion::Adopt && self.bylaws.mode == Mode::Collaborative {
            let judged = judge(&vote.evidence, &self.bylaws.vote).0;
            if judged != vote.verdict {
                return Err(Uncounted::AgainstEvidence(judged));
            }
        }
        let open = self.open.get_mut(&(vote.signature, vote.motion.code())).ok_or(Uncounted::NoBallot)?;
        Ok(open.ballot.record(vote)?)
    }
}
