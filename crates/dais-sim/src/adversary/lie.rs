//! What an adversary may change of what an honest agent hears and says.

use dais_protocol::{AgentId, Vote};
use dais_traffic::{Batch, Schema};
use rand_philox::Philox;

use crate::agent::adopted::Adopted;
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// What an adversary knows besides what its agent says.
pub(crate) struct Scene<'a> {
    pub(crate) agent: AgentId,
    pub(crate) step: u32,
    /// Whether an agent lies in the same way.
    pub(crate) is_accomplice: &'a dyn Fn(AgentId) -> bool,
    pub(crate) random: Philox,
}

/// What an adversary knows of the flows of its site.
pub(crate) struct Sight<'a> {
    pub(crate) batch: &'a Batch,
    /// The signatures in force.
    pub(crate) adopted: &'a [Adopted],
    /// A flow with a p-value up to this one is suspicious.
    pub(crate) suspect_p: f32,
}

/// One way of lying. What is not changed stays honest.
pub(crate) trait Lie: Sync {
    /// Whether the adversary lies in this step at all.
    fn is_awake(&self, _step: u32) -> bool {
        true
    }

    /// Other flows in place of those that the agent would see.
    fn sees(&self, _step: u32, _schema: &Schema, _batch: &Batch) -> Option<Batch> {
        None
    }

    /// Changes the offers, sightings and challenges.
    fn says(&self, _scene: &mut Scene<'_>, _sight: &Sight<'_>, _said: &mut Observed) {}

    /// Changes the votes.
    fn votes(&self, _scene: &mut Scene<'_>, _question: &Question, _votes: &mut Vec<Vote>) {}

    /// Whether what it offers goes out without a seal.
    fn withholds_seal(&self) -> bool {
        false
    }
}

impl Sight<'_> {
    /// Rows that the agent itself finds ordinary.
    pub(crate) fn ordinary(&self, said: &Observed) -> Vec<usize> {
        (0..self.batch.rows()).filter(|&row| said.p[row] > self.suspect_p).collect()
    }
}
