//! Votes by the toss of a coin.

use dais_protocol::{Verdict, Vote};

use crate::adversary::forgery::turn;
use crate::adversary::lie::{Lie, Scene};
use crate::agent::vote::Question;

/// Votes by the toss of a coin.
pub(crate) struct RandomVoter;

impl Lie for RandomVoter {
    fn votes(&self, scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        for vote in votes {
            let heads = scene.random.bounded(2) == 0;
            turn(vote, if heads { Verdict::Confirm } else { Verdict::Refute });
        }
    }
}
