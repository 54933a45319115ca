//! Offers more than anybody can vote on.

use crate::adversary::forgery::poison;
use crate::adversary::lie::{Lie, Scene, Sight};
use crate::agent::observe::{Finding, Observed};

/// Offers dozens of variants of whatever it finds.
pub(crate) struct Flooder;

/// Variants in one step.
const VARIANTS: u16 = 48;

impl Lie for Flooder {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        let found = said.findings.first().cloned().or_else(|| poison(scene, sight, said));
        let Some(Finding { signature, rows }) = found else { return };
        let variants = (1..=VARIANTS).map(|variant| {
            let mut signature = signature.clone();
            signature.radius *= 1.0 - f32::from(variant) / 1000.0;
            Finding { signature, rows: rows.clone() }
        });
        said.findings.extend(variants);
    }
}
