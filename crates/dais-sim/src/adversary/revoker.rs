//! Has accepted signatures revoked.

use dais_protocol::{Challenge, Motion, Verdict, Vote};

use super::forgery::turn;
use super::lie::{Lie, Scene, Sight};
use crate::agent::adopted::Adopted;
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// Challenges every accepted signature and votes to revoke it.
pub(super) struct Revoker;

impl Lie for Revoker {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        let (agent, step) = (scene.agent, scene.step);
        let challenge = |adopted: &Adopted| Challenge { agent, step, signature: adopted.id, matches: 10, ordinary: 10 };
        said.challenges = sight.adopted.iter().map(challenge).collect();
    }

    fn votes(&self, _scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        votes.iter_mut().filter(|vote| vote.motion == Motion::Revoke).for_each(|vote| turn(vote, Verdict::Confirm));
    }
}
