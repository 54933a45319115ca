//! Has accepted signatures revoked.

use dais_protocol::{Motion, Verdict, Vote};

use super::forgery::turn;
use super::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// Challenges every accepted signature and votes to revoke it.
pub(super) struct Revoker;

impl Lie for Revoker {
    fn says(&self, _scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        said.challenges = sight.adopted.iter().map(|adopted| adopted.id).collect();
    }

    fn votes(&self, _scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        votes.iter_mut().filter(|vote| vote.motion == Motion::Revoke).for_each(|vote| turn(vote, Verdict::Confirm));
    }
}
