//! Votes that are committed in one step and revealed in the next.

use super::{Ballot, Phase};
use crate::{AgentId, Commitment, Reveal, VoteRefused, Voting};

impl Ballot {
    /// The same ballot under another way of voting; chosen before the first vote.
    ///
    /// Under [`Voting::CommitReveal`] a member [commits](Self::commit) in the step in which the round began and
    /// [reveals](Self::reveal) in a later one, up to the deadline; [`record`](Self::record) refuses votes. When votes can
    /// be seen, no commitment is taken any more, so nobody votes after having seen a vote of others. Whoever commits and
    /// does not reveal is [`unrevealed`](Self::unrevealed) and counts as silent.
    ///
    /// # Panics
    /// When votes or commitments are recorded already.
    #[must_use]
    pub fn under(mut self, voting: Voting) -> Self {
        assert!(
            self.votes.is_empty() && self.commitments.is_empty(),
            "the way of voting is chosen before the first vote"
        );
        self.voting = voting;
        self
    }

    /// Whether votes are seen as they come in.
    pub const fn voting(&self) -> Voting {
        self.voting
    }

    /// Takes a commitment, whose seal was checked, in the step `now` in which it arrives.
    ///
    /// # Errors
    /// [`VoteRefused`] with the reason. A second, different commitment marks its member as equivocating.
    pub fn commit(&mut self, commitment: &Commitment, now: u32) -> Result<(), VoteRefused> {
        let voter = commitment.voter;
        if self.voting == Voting::Open {
            return Err(VoteRefused::NotSecret);
        }
        self.belongs(commitment.signature, commitment.motion, voter)?;
        match self.phase {
            Phase::Voting => {}
            Phase::Escalating => return Err(VoteRefused::Escalating),
            Phase::Closed(_) => return Err(VoteRefused::Closed),
        }
        self.is_member(voter, commitment.round)?;
        if commitment.step != now || now != self.opened() {
            return Err(VoteRefused::CommitmentsClosed { opened: self.opened(), found: commitment.step.max(now) });
        }
        match self.commitments.binary_search_by_key(&voter, |known| known.voter) {
            Err(place) => {
                self.commitments.insert(place, *commitment);
                Ok(())
            }
            Ok(place) if self.commitments[place] == *commitment => Err(VoteRefused::Duplicate { voter }),
            Ok(_) => {
                self.mark(voter);
                Err(VoteRefused::SecondCommitment { voter })
            }
        }
    }

    /// Records a committed vote, whose seal was checked.
    ///
    /// # Errors
    /// [`VoteRefused`] with the reason.
    pub fn reveal(&mut self, reveal: &Reveal) -> Result<(), VoteRefused> {
        let voter = reveal.vote.voter;
        if self.voting == Voting::Open {
            return Err(VoteRefused::NotSecret);
        }
        if matches!(self.phase, Phase::Voting) && reveal.vote.round == self.round {
            let known = self.commitments.binary_search_by_key(&voter, |known| known.voter);
            let commitment = known.map_err(|_| VoteRefused::NotCommitted { voter })?;
            if !reveal.fits(&self.commitments[commitment]) {
                return Err(VoteRefused::WrongReveal { voter });
            }
        }
        self.take(&reveal.vote)
    }

    /// The members that committed in this round, ascending.
    pub fn committed(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.commitments.iter().map(|commitment| commitment.voter)
    }

    /// The members that committed in this round and have not revealed, ascending.
    pub fn unrevealed(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.committed().filter(|&voter| self.vote_of(voter, self.round).is_none())
    }
}
