//! Publishes signatures of normal traffic.

use crate::adversary::forgery::poison;
use crate::adversary::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;

/// Publishes a signature of normal traffic in place of its findings.
pub(crate) struct Poisoner;

impl Lie for Poisoner {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        said.findings = poison(scene, sight, said).into_iter().collect();
    }
}
