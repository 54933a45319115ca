//! Speaks in the name of others.

use dais_protocol::AgentId;

use crate::adversary::forgery::poison;
use crate::adversary::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;

/// Offers poison in the name of the agent with the next number.
pub(crate) struct Forger;

impl Lie for Forger {
    fn says(&self, scene: &mut Scene<'_>, sight: &Sight<'_>, said: &mut Observed) {
        said.findings = poison(scene, sight, said).into_iter().collect();
        for finding in &mut said.findings {
            let own = scene.agent.0;
            finding.signature.author = AgentId(if own == 0 { 1 } else { own - 1 });
        }
    }
}
