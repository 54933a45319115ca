//! Says what cannot be read back.

use dais_protocol::Vote;

use super::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// Says what cannot be read back: radii out of range, numbers that are none, dates to come.
pub(super) struct Spoiler;

impl Lie for Spoiler {
    fn says(&self, scene: &mut Scene<'_>, _sight: &Sight<'_>, said: &mut Observed) {
        for finding in &mut said.findings {
            match scene.random.bounded(3) {
                0 => finding.signature.confidence = f32::NAN,
                1 => finding.signature.step += 1,
                _ => finding.signature.ports = vec![2, 1],
            }
        }
    }

    fn votes(&self, scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        for vote in votes {
            match scene.random.bounded(3) {
                0 => vote.evidence.radius = 5.0,
                1 => vote.step += 1,
                _ => vote.confidence = f32::NAN,
            }
        }
    }
}
