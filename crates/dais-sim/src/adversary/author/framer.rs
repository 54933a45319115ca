//! Adds ordinary hosts to what it really found.

use dais_protocol::SOURCES_MAX;

use crate::adversary::forgery::victims;
use crate::adversary::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;

/// Names ordinary hosts as the sources of attacks that it really found.
pub(crate) struct Framer;

impl Lie for Framer {
    fn says(&self, _scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        let victims = victims(sight, said, SOURCES_MAX);
        for finding in &mut said.findings {
            let sources = &mut finding.signature.sources;
            sources.extend(&victims);
            sources.sort_unstable();
            sources.dedup();
            sources.truncate(SOURCES_MAX);
        }
    }
}
