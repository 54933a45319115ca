//! What a world is made of besides its traffic.

use dais_ledger::Origin;

use crate::adversary::Behaviour;
use crate::params::rules::Rules;
use crate::seed::{Purpose, Seed};
use crate::stop::Stop;

/// How a run is carried out; nothing here changes its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Worker threads; at least 1.
    pub threads: usize,
    /// From this many agents on the work is spread over the threads.
    pub use_parallel_threshold: usize,
}

impl Execution {
    /// Threads that a world of so many agents is worth.
    pub(crate) fn threads_for(&self, agents: usize) -> usize {
        if agents < self.use_parallel_threshold { 1 } else { self.threads.max(1) }
    }
}

impl Default for Execution {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, use_parallel_threshold: 16 }
    }
}

/// Everything a world is made of besides its traffic.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of the run.
    pub seed: Seed,
    /// Rules of the run.
    pub rules: Rules,
    /// How it is carried out.
    pub execution: Execution,
    /// Name of the ledger.
    pub origin: Origin,
    /// Description of the run, recorded as the first ledger entry.
    pub genesis: Vec<u8>,
    /// Asked when a step is to be left unfinished.
    pub stop: Stop,
}

/// Agents that lie, drawn by the seed; the others have no behaviours.
#[must_use]
pub fn behaviours(plan: &Plan, agents: usize) -> Vec<Vec<Behaviour>> {
    let mut order: Vec<usize> = (0..agents).collect();
    let mut random = plan.seed.stream(Purpose::AdversaryDraw, 0, 0);
    for place in (1..agents).rev() {
        order.swap(place, random.bounded(place as u32 + 1) as usize);
    }
    let mut behaviours = vec![Vec::new(); agents];
    let mut drawn = order.into_iter();
    for group in &plan.rules.adversaries {
        let count = (group.share * agents as f64).round() as usize;
        for agent in drawn.by_ref().take(count) {
            behaviours[agent].clone_from(&group.behaviours);
        }
    }
    behaviours
}
