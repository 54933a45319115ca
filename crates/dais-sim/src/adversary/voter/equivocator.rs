//! Says two things at once.

use dais_protocol::{Verdict, Vote};

use crate::adversary::forgery::turn;
use crate::adversary::lie::{Lie, Scene};
use crate::agent::vote::Question;

/// Votes twice, differently, on every ballot.
pub(crate) struct Equivocator;

impl Lie for Equivocator {
    fn votes(&self, _scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        let second = votes.iter().map(|vote| {
            let mut second = vote.clone();
            let other = if vote.verdict == Verdict::Confirm { Verdict::Refute } else { Verdict::Confirm };
            turn(&mut second, other);
            second
        });
        let second: Vec<Vote> = second.collect();
        votes.extend(second);
    }
}
