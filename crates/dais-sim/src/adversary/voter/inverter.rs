//! Says the opposite of what it measured.

use dais_protocol::{Verdict, Vote};

use crate::adversary::forgery::turn;
use crate::adversary::lie::{Lie, Scene};
use crate::agent::vote::Question;

/// Confirms what it measured as wrong, refutes what it measured as right.
pub(crate) struct Inverter;

impl Lie for Inverter {
    fn votes(&self, _scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        for vote in votes {
            match vote.verdict {
                Verdict::Confirm => turn(vote, Verdict::Refute),
                Verdict::Refute => turn(vote, Verdict::Confirm),
                Verdict::Abstain => {}
            }
        }
    }
}
