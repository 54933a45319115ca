//! Says nothing.

use dais_protocol::Vote;

use super::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// Neither publishes nor votes.
pub(super) struct Silent;

impl Lie for Silent {
    fn says(&self, _scene: &mut Scene<'_>, _sight: &Sight<'_>, said: &mut Observed) {
        said.findings.clear();
        said.sightings.clear();
        said.challenges.clear();
    }

    fn votes(&self, _scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        votes.clear();
    }
}
