//! What all shards of a world know from the start.

use std::sync::Arc;

use dais_ledger::{HeadKey, HeadVerifier, Origin};
use dais_protocol::AgentId;
use dais_traffic::Source;

use crate::adversary::Liar;
use crate::agent::Common;
use crate::params::adversary::Behaviour;
use crate::params::mode::Mode;
use crate::params::rules::Rules;
use crate::seed::Purpose;
use crate::witness::appointment;
use crate::world::plan::{Plan, behaviours};

/// The ledger as the witnesses of a world know it.
pub(super) struct WatchedLog {
    pub(super) origin: Origin,
    pub(super) key: HeadVerifier,
    /// The witnesses, in the order of their numbers.
    pub(super) witnesses: Vec<AgentId>,
}

/// What all shards of a world know from the start; it follows from mode, plan and traffic.
pub(crate) struct Setting {
    pub(super) mode: Mode,
    pub(super) common: Common,
    pub(super) source: Arc<dyn Source>,
    /// How each agent lies.
    pub(super) behaviours: Vec<Vec<Behaviour>>,
    /// The ledger, where there is one to watch.
    pub(super) log: Option<WatchedLog>,
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Setting {
    /// The adversary around an agent, where it is not honest.
    pub(super) fn liar(&self, agent: AgentId) -> Option<Liar<'_>> {
        Liar::around(agent, self.common.seed, &self.behaviours)
    }

    pub(crate) fn new(mode: Mode, plan: &Plan, source: Arc<dyn Source>) -> Self {
        let Rules { agent, failure_rate, policy, exchange, .. } = &plan.rules;
        let (seed, agents) = (plan.seed, source.sites());
        let common = Common::new(
            seed,
            agent.clone(),
            source.schema(),
            *failure_rate,
            policy.refinements_max,
            source.flows_per_step(),
        );
        let recent_steps = policy.burst.as_ref().map_or(common.recent_steps, |burst| burst.recent.steps());
        // Alone there is nobody to lie to.
        let behaviours = if mode == Mode::Isolated { vec![Vec::new(); agents] } else { behaviours(plan, agents) };
        let log = (mode == Mode::Collaborative).then(|| WatchedLog {
            origin: plan.origin.clone(),
            key: HeadKey::from_seed(seed.key(Purpose::CoordinatorKey, 0)).verifier(),
            witnesses: appointment::draw(seed, agents as u32, exchange),
        });
        let common = Common { stop: plan.stop.clone(), alone: mode == Mode::Isolated, recent_steps, ..common };
        Self { mode, common, source, behaviours, log }
    }
}
