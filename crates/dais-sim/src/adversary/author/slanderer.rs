//! Has ordinary hosts blocked.

use dais_protocol::Sighting;

use crate::adversary::forgery::victims;
use crate::adversary::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;

/// Says that ordinary hosts match an accepted signature.
pub(crate) struct Slanderer;

/// Hosts it names in one step.
const NAMED: usize = 16;

impl Lie for Slanderer {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        let sources = victims(sight, said, NAMED);
        let newest = sight.adopted.last().filter(|_| !sources.is_empty());
        let (agent, step) = (scene.agent, scene.step);
        let slander = newest.map(|adopted| Sighting { agent, step, signature: adopted.id, sources });
        said.sightings = slander.into_iter().collect();
    }
}
