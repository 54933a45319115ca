//! Covers what others found.

use crate::adversary::forgery::signature_around;
use crate::adversary::lie::{Lie, Scene, Sight};
use crate::agent::observe::{Finding, Observed};

/// Offers the widest signatures it can around suspicious flows, with great support and no seal: offers that cover others
/// and that nobody can hold against it.
pub(crate) struct Smotherer;

/// Offers in a step.
const OFFERS: usize = 4;

impl Lie for Smotherer {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        let suspicious = (0..sight.batch.rows()).filter(|&row| said.p[row] <= sight.suspect_p);
        let wide = suspicious.take(OFFERS).map(|row| {
            let mut signature = signature_around(scene, sight.batch, row);
            signature.support = u32::MAX;
            Finding { signature, rows: Vec::new() }
        });
        said.findings = wide.collect();
    }

    fn withholds_seal(&self) -> bool {
        true
    }
}
