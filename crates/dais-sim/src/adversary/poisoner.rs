//! Publishes signatures of normal traffic.

use super::forgery::poison;
use super::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;

/// Publishes a signature of normal traffic in place of its findings.
pub(super) struct Poisoner;

impl Lie for Poisoner {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        said.findings = poison(scene, sight, said).into_iter().collect();
    }
}
