//! Waits until its record has faded.

use dais_protocol::Vote;

use crate::adversary::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// Steps in which it lies, then keeps quiet. A new identity cannot be had in a run that has begun, so it waits.
const LIES: u32 = 5;
const WAITS: u32 = 30;

/// Lies, then keeps quiet until it is forgotten, and so on.
pub(crate) struct Whitewasher;

fn waits(step: u32) -> bool {
    step % (LIES + WAITS) >= LIES
}

impl Lie for Whitewasher {
    fn says(&self, scene: &mut Scene<'_>, _sight: &Sight<'_>, said: &mut Observed) {
        if waits(scene.step) {
            said.findings.clear();
            said.sightings.clear();
            said.challenges.clear();
        }
    }

    fn votes(&self, scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        if waits(scene.step) {
            votes.clear();
        }
    }
}
