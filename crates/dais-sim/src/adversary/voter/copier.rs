//! Votes as others did.

use dais_protocol::Vote;

use crate::adversary::forgery::turn;
use crate::adversary::lie::{Lie, Scene};
use crate::agent::vote::Question;

/// Measures nothing: repeats what most recorded votes on a ballot say, and waits while there are none.
pub(crate) struct Copier;

impl Lie for Copier {
    fn votes(&self, _scene: &mut Scene<'_>, question: &Question, votes: &mut Vec<Vote>) {
        votes.retain_mut(|vote| {
            let same =
                |ballot: &&crate::agent::vote::BallotView| ballot.id == vote.signature && ballot.motion == vote.motion;
            let leading = question.ballots.iter().find(same).and_then(|ballot| ballot.leading);
            leading.inspect(|&verdict| turn(vote, verdict)).is_some()
        });
    }
}
