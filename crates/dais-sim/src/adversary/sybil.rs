//! Many members with one mind.

use dais_protocol::Vote;

use super::author::poisoner::Poisoner;
use super::author::slanderer::Slanderer;
use super::lie::{Lie, Scene, Sight};
use super::revoker::Revoker;
use super::voter::promoter;
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// Poison, slander, revocations and votes of all accomplices together.
pub(super) struct Sybil;

impl Lie for Sybil {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        Poisoner.says(scene, sight, said);
        Slanderer.says(scene, sight, said);
        Revoker.says(scene, sight, said);
    }

    fn votes(&self, scene: &mut Scene<'_>, question: &Question, votes: &mut Vec<Vote>) {
        promoter::side(scene, question, votes);
    }
}
