//! Votes as the assembly hears them.

use dais_protocol::{Motion, Verdict, Vote, VoteRefused, judge};

use super::Assembly;
use super::uncounted::Uncounted;
use crate::agent::vote::revocation_verdict;
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
        if self.bylaws.mode == Mode::Collaborative {
            let judged = self.judged(vote);
            if judged != vote.verdict {
                return Err(Uncounted::AgainstEvidence(judged));
            }
        }
        let open = self.open.get_mut(&(vote.signature, vote.motion.code())).map(|open| &mut open.ballot);
        let is_of = |ballot: &&mut dais_protocol::Ballot| {
            ballot.signature() == vote.signature && ballot.motion() == vote.motion
        };
        let ballot = open.or_else(|| self.closed.iter_mut().rev().find(is_of)).ok_or(Uncounted::NoBallot)?;
        Ok(ballot.record(vote)?)
    }

    /// The verdict that the vote's own evidence asks for.
    fn judged(&self, vote: &Vote) -> Verdict {
        let evidence = &vote.evidence;
        match vote.motion {
            Motion::Adopt => judge(evidence, &self.bylaws.vote).0,
            Motion::Revoke => revocation_verdict(evidence.matches, evidence.sources_ordinary, self.bylaws.doubt_share),
        }
    }
}
