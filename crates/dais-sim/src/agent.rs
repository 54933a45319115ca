//! One agent: a site with its own traffic, detector, memory and vote.
//!
//! Nothing here knows whether the neighbours are structs in memory or machines far away: batches and what others
//! accepted go in, findings and votes come out.

pub(crate) mod adopted;
mod alone;
mod arrivals;
pub(crate) mod blocklist;
mod budget;
pub(crate) mod classify;
mod gate;
mod learn;
pub(crate) mod lifecycle;
pub(crate) mod model;
mod named_sources;
pub(crate) mod observe;
mod odd;
mod publish;
mod source_memory;
pub(crate) mod vote;
pub(crate) mod window;

use std::collections::VecDeque;

use dais_detect::Adwin;
use dais_protocol::{AgentId, BurstParams};
use dais_traffic::{Categorical, ConnState, Schema};
use serde::{Deserialize, Serialize};

use crate::agent::adopted::{Adopted, Standing};
use crate::agent::arrivals::Arrivals;
use crate::agent::blocklist::Blocklist;
use crate::agent::budget::AlarmBudget;
use crate::agent::classify::Classifier;
use crate::agent::gate::Gate;
use crate::agent::lifecycle::{Cause, Lifecycle, LifecycleEvent};
use crate::agent::model::{Model, Workspace};
use crate::agent::named_sources::NamedSources;
use crate::agent::odd::{OddMemory, Quarantine};
use crate::agent::source_memory::SourceMemory;
use crate::agent::window::{Remembered, Window};
use crate::params::agent::AgentParams;
use crate::seed::{Purpose, Seed};
use crate::stop::Stop;

/// What all agents of a run know from the start.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) seed: Seed,
    pub(crate) params: AgentParams,
    pub(crate) features: usize,
    /// Codes of each categorical feature, the unseen one included.
    pub(crate) code_counts: Vec<usize>,
    /// Column of the connection state and, by its code, whether the attempt failed; where the schema has one.
    pub(crate) failed_states: Option<(usize, Vec<bool>)>,
    pub(crate) classifier: Classifier,
    /// Chance that an agent's step fails, as a scenario may inject.
    pub(crate) failure_rate: f64,
    pub(crate) refinements_max: u8,
    /// Flows of a site in a step, mean over all.
    pub(crate) flows_per_step: f64,
    /// Whether agents are on their own, so that what they adopted is their own and judged by nobody.
    pub(crate) alone: bool,
    /// Steps that count as recent when flows like those of a signature are counted.
    pub(crate) recent_steps: u32,
    /// Asked when a step is to be left unfinished.
    pub(crate) stop: Stop,
}

impl Common {
    /// What agents know of traffic with these features.
    pub(crate) fn new(
        seed: Seed,
        params: AgentParams,
        schema: &Schema,
        failure_rate: f64,
        refinements_max: u8,
        flows_per_step: f64,
    ) -> Self {
        Self {
            seed,
            params,
            features: schema.numeric.len(),
            code_counts: schema.categorical.iter().map(Categorical::codes).collect(),
            failed_states: failed_states(schema),
            classifier: Classifier::new(schema),
            failure_rate,
            refinements_max,
            flows_per_step: flows_per_step.max(1.0),
            alone: false,
            recent_steps: BurstParams::default().recent.steps(),
            stop: Stop::default(),
        }
    }
}

/// Column of the connection state and, by its code, whether the attempt failed.
fn failed_states(schema: &Schema) -> Option<(usize, Vec<bool>)> {
    let column = schema.categorical_column("state")?;
    let states = &schema.categorical[column];
    let failed = |value: &String| ConnState::ALL.into_iter().any(|state| state.name() == value && state.failed());
    Some((column, std::iter::once(false).chain(states.values.iter().map(failed)).collect()))
}

/// The failure of one agent's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepFailed(pub(crate) Cause);

/// A signature of this agent that was turned down, kept to offer a better one.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TurnedDown {
    offered: Adopted,
    support: u32,
    refinement: u8,
}

/// One agent with its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    lifecycle: Lifecycle,
    retries: u32,
    window: Window,
    held_back: Window,
    /// Scores of ordinary flows when they arrived.
    arrivals: Arrivals,
    budget: AlarmBudget,
    sources: SourceMemory,
    learned: u64,
    /// What may be learned, where that is asked for and there is an anchor.
    gate: Option<Gate>,
    /// Flows learned since there has been no gate.
    ungated: usize,
    /// Whether the site's operator vouched for first flows.
    vouched: bool,
    /// The newest model first, then the versions to return to.
    models: VecDeque<Model>,
    /// Watches the p-values of unexplained flows under the newest model, where that is asked for.
    drift: Option<Adwin>,
    /// Whether they have changed since the newest model was trained.
    has_drifted: bool,
    /// Recent own alerts.
    alerts: VecDeque<Remembered>,
    quarantine: Quarantine,
    odd: OddMemory,
    /// Own measures of the adopted signatures, in their order, then of its own ones.
    standings: Vec<Standing>,
    named: NamedSources,
    turned_down: VecDeque<TurnedDown>,
    offered: Vec<TurnedDown>,
    events: Vec<LifecycleEvent>,
    /// Signatures adopted without asking anybody: those it found itself, as long as the others have not accepted them.
    pub(crate) own: Vec<Adopted>,
    pub(crate) own_blocks: Blocklist,
}

/// Turned-down signatures an agent remembers.
const TURNED_DOWN_MAX: usize = 32;

impl Agent {
    pub(crate) fn new(id: AgentId, common: &Common) -> Self {
        let params = &common.params;
        let categories = common.code_counts.len();
        let rows = params.baseline_rows - params.held_back_rows;
        let held_back_span = params.baseline_span_flows / (params.baseline_rows / params.held_back_rows.max(1)) as u64;
        let mut agent = Self {
            id,
            lifecycle: Lifecycle::Born,
            retries: 0,
            window: Window::new(rows, params.baseline_span_flows, common.features, categories),
            held_back: Window::new(params.held_back_rows.max(1), held_back_span, common.features, categories),
            arrivals: Arrivals::default(),
            budget: AlarmBudget::default(),
            sources: SourceMemory::default(),
            learned: 0,
            gate: None,
            ungated: 0,
            vouched: false,
            models: VecDeque::with_capacity(params.versions_kept + 1),
            drift: params.drift.as_ref().and_then(|drift| drift.start().ok()),
            has_drifted: false,
            alerts: VecDeque::new(),
            quarantine: Quarantine::default(),
            odd: OddMemory::default(),
            standings: Vec::new(),
            named: NamedSources::default(),
            turned_down: VecDeque::new(),
            offered: Vec::new(),
            events: Vec::new(),
            own: Vec::new(),
            own_blocks: Blocklist::default(),
        };
        agent.become_state(Lifecycle::Configured, 0, Cause::Progress);
        agent
    }

    pub(crate) fn is_active(&self) -> bool {
        self.lifecycle == Lifecycle::Active
    }

    pub(crate) fn lifecycle(&self) -> Lifecycle {
        self.lifecycle
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.lifecycle == Lifecycle::Failed
    }

    /// Lifecycle events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<LifecycleEvent> {
        std::mem::take(&mut self.events)
    }

    pub(crate) fn stop(&mut self, step: u32) {
        if self.lifecycle.may_become(Lifecycle::Stopped) {
            self.become_state(Lifecycle::Stopped, step, Cause::EndOfRun);
        }
    }

    /// Counts a failed step: the agent returns to an older model and tries again, or is retired when its retries are used up.
    pub(crate) fn fail(&mut self, step: u32, cause: Cause, common: &Common) {
        match self.lifecycle {
            Lifecycle::Active => self.become_state(Lifecycle::Recovering, step, cause),
            Lifecycle::Recovering => {}
            Lifecycle::Born
            | Lifecycle::Configured
            | Lifecycle::ModelLoaded
            | Lifecycle::HealthChecked
            | Lifecycle::Failed
            | Lifecycle::Stopped => return,
        }
        self.retries += 1;
        if self.models.len() > 1 {
            self.models.pop_front();
        }
        if self.retries > common.params.retries_max {
            self.become_state(Lifecycle::Failed, step, Cause::RetriesSpent);
        }
    }

    fn become_state(&mut self, to: Lifecycle, step: u32, cause: Cause) {
        assert!(self.lifecycle.may_become(to), "{:?} may not become {to:?}", self.lifecycle);
        self.events.push(LifecycleEvent { agent: self.id.0, step, from: self.lifecycle, to, cause });
        self.lifecycle = to;
    }

    /// Trains the next model when it is due or the traffic has changed, and takes it into use if it passes on the held-back flows.
    fn retrain(&mut self, step: u32, common: &Common, workspace: &mut Workspace) -> Result<(), StepFailed> {
        let params = &common.params;
        let first = self.models.is_empty();
        let every = params.retrain_every.steps();
        let due = (step + self.id.0) % every == every - 1;
        if self.window.rows() < params.baseline_min || !(first || due || self.has_drifted) {
            return Ok(());
        }
        self.has_drifted = false;
        let seed = common.seed.derive(Purpose::Training, self.id.0, step);
        let codes = &common.code_counts;
        let before = self.models.front();
        let fitted = Model::fit(before, &self.window, codes, params.rarity_weight, &params.detector, seed, workspace);
        let mut model = fitted.map_err(|_| StepFailed(Cause::Training))?;
        if let Some(margin) = params.abstain_margin {
            model.learn_support(&self.window, margin).map_err(|_| StepFailed(Cause::Training))?;
        }
        if !first && self.alert_rate(&model, params, workspace) > params.alert_rate_max {
            return Ok(());
        }
        self.drift = params.drift.as_ref().and_then(|drift| drift.start().ok());
        if let Some(gate) = params.gate.as_ref().filter(|_| self.gate.is_none() && self.ungated >= params.baseline_rows)
        {
            self.gate = Gate::at(&model, &self.held_back, gate, workspace);
        }
        if first {
            self.count_held_back(&model, workspace);
        }
        self.models.push_front(model);
        self.models.truncate(params.versions_kept + 1);
        if first {
            self.become_state(Lifecycle::ModelLoaded, step, Cause::Progress);
            self.become_state(Lifecycle::HealthChecked, step, Cause::Progress);
            self.become_state(Lifecycle::Active, step, Cause::Progress);
        }
        Ok(())
    }

    /// Counts the held-back flows as the first arrivals: the model has not learned them.
    fn count_held_back(&mut self, model: &Model, workspace: &mut Workspace) {
        model.score(self.held_back.view(), workspace);
        workspace.scores.iter().for_each(|&score| self.arrivals.count(score, 1.0));
        self.arrivals.settle();
    }

    /// The p-value of a score: among the arrivals, or the rows that the model was fitted on while those are too few; as the
    /// alarm budget scales it.
    fn p_value(&self, model: &Model, score: f32) -> f32 {
        let p = self.arrivals.p_value(score).unwrap_or_else(|| model.p_value(score));
        (p * self.budget.scale()).min(1.0)
    }

    /// Share of the held-back flows that `model` would alert on.
    fn alert_rate(&self, model: &Model, params: &AgentParams, workspace: &mut Workspace) -> f32 {
        let rows = self.held_back.rows();
        if rows == 0 || params.held_back_rows == 0 {
            return 0.0;
        }
        model.score(self.held_back.view(), workspace);
        let alerts =
            workspace.scores.iter().filter(|&&score| self.p_value(model, score) <= params.detector.alert_p).count();
        alerts as f32 / rows as f32
    }
}
