//! A ring that promotes itself.

use dais_protocol::{Motion, Verdict, Vote};

use crate::adversary::forgery::turn;
use crate::adversary::lie::{Lie, Scene};
use crate::agent::vote::Question;

/// Confirms what its accomplices offer, refutes what all others offer.
pub(crate) struct Promoter;

/// Votes for accomplices and against all others; the other way round where a signature is to be revoked.
pub(crate) fn side(scene: &Scene<'_>, question: &Question, votes: &mut [Vote]) {
    for vote in votes {
        let asked = question.ballots.iter().find(|ballot| ballot.id == vote.signature && ballot.motion == vote.motion);
        let ours = asked.is_some_and(|ballot| (scene.is_accomplice)(ballot.signature.author));
        let confirm = ours == (vote.motion == Motion::Adopt);
        turn(vote, if confirm { Verdict::Confirm } else { Verdict::Refute });
    }
}

impl Lie for Promoter {
    fn votes(&self, scene: &mut Scene<'_>, question: &Question, votes: &mut Vec<Vote>) {
        side(scene, question, votes);
    }
}
