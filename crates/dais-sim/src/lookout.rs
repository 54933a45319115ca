//! One agent alone on the flows of a site as they come: the agent of a run without a run around it.

use dais_protocol::{AgentId, Reason, Signature};
use dais_traffic::{BatchBuilder, Context, Endpoint, FLOW_CATEGORICAL, FLOW_NUMERIC, Flow, Schema, flow_schema};

use crate::agent::adopted::Adopted;
use crate::agent::blocklist::Blocklist;
use crate::agent::model::Workspace;
use crate::agent::observe::Finding;
use crate::agent::window::Remembered;
use crate::agent::{Agent, Common};
use crate::params::agent::AgentParams;
use crate::params::error::ScenarioError;
use crate::seed::Seed;

/// An agent that watches one site alone: it learns what is ordinary there, and says of each flow how strange it is and why.
///
/// Flows are judged as they come; every `flows_per_step` of them make a step, at whose end the agent describes what was
/// suspicious, learns, and trains its next model when that is due. So what is said of a flow depends on the flows before it and
/// on nothing else: not on when they came, nor on how many were handed over at once.
#[derive(Debug)]
pub struct Lookout {
    common: Common,
    agent: Agent,
    workspace: Workspace,
    schema: Schema,
    context: Context,
    flows_per_step: usize,
    /// The flows of this step so far.
    pending: BatchBuilder,
    pending_rows: usize,
    step: u32,
}

/// What the agent thinks of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// Share of its own ordinary flows at least as strange, in (0, 1]; `None` before the first model.
    pub p: Option<f32>,
    /// Whether that is at most the alert level.
    pub alerted: bool,
    /// The features that made it strange, with their shares, of an alert; see [`Lookout::feature_name`].
    pub reasons: Vec<Reason>,
}

/// What flows that were handed over led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watched {
    /// One for each flow.
    pub judged: Vec<Judged>,
    /// Descriptions of clusters of suspicious flows, at the ends of steps.
    pub signatures: Vec<Signature>,
    /// Steps that failed: the agent went back to an older model.
    pub failures: u32,
}

impl Lookout {
    /// An agent that knows nothing yet.
    ///
    /// # Errors
    /// A parameter out of its range, or a step of no flows.
    pub fn new(params: AgentParams, flows_per_step: usize, seed: u64) -> Result<Self, ScenarioError> {
        params.check()?;
        ScenarioError::require(flows_per_step > 0, "flows_per_step", &flows_per_step, "at least 1")?;
        let schema = flow_schema();
        let common = Common::new(Seed(seed), params, &schema, 0.0, 0, flows_per_step as f64);
        let agent = Agent::new(AgentId(0), &common);
        let pending = BatchBuilder::new(&schema, flows_per_step);
        Ok(Self {
            common,
            agent,
            workspace: Workspace::default(),
            schema,
            context: Context::default(),
            flows_per_step,
            pending,
            pending_rows: 0,
            step: 0,
        })
    }

    /// Learns flows that somebody vouches for, and trains the first model of them. Only the last ones that fit into the
    /// baseline are remembered. To be called before the first flow is watched.
    pub fn begin(&mut self, ordinary: &[Flow]) {
        let mut batch = BatchBuilder::new(&self.schema, ordinary.len());
        for flow in ordinary {
            push(&mut self.context, flow, &mut batch);
        }
        self.agent.begin(&batch.finish(), &self.common, &mut self.workspace);
    }

    /// Whether there is a model to judge with.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        self.agent.is_active()
    }

    /// Flows that are still to be learned before the first model.
    #[must_use]
    pub fn rows_missing(&self) -> usize {
        self.common.params.baseline_min.saturating_sub(self.agent.baseline_rows())
    }

    /// The name of a feature of a reason: numeric features come first, then categorical ones.
    #[must_use]
    pub fn feature_name(&self, reason: &Reason) -> &str {
        let (place, numeric) = (usize::from(reason.feature), &self.schema.numeric);
        let numeric = numeric.iter().map(|feature| feature.name.as_str());
        let categorical = self.schema.categorical.iter().map(|feature| feature.name.as_str());
        numeric.chain(categorical).nth(place).unwrap_or("?")
    }

    /// Judges flows, in their order.
    pub fn watch(&mut self, flows: &[Flow]) -> Watched {
        let mut watched = Watched::default();
        let mut rest = flows;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.flows_per_step - self.pending_rows));
            self.judge(now, &mut watched);
            if self.pending_rows == self.flows_per_step {
                self.end_step(&mut watched);
            }
            rest = later;
        }
        watched
    }

    /// Judges flows of one step by the newest model.
    fn judge(&mut self, flows: &[Flow], watched: &mut Watched) {
        let mut batch = BatchBuilder::new(&self.schema, flows.len());
        for flow in flows {
            let (numeric, codes, endpoint) = push(&mut self.context, flow, &mut batch);
            self.pending.push(&numeric, &codes, Some(endpoint), Some(flow.time_s));
        }
        self.pending_rows += flows.len();
        let batch = batch.finish();
        let (alert_p, suspect_p) = (self.common.params.detector.alert_p, self.common.params.suspect_p());
        let p_values = self.agent.p_values(&batch, &mut self.workspace);
        let matched = self.agent.own_matches(&batch, &p_values, suspect_p, &mut self.workspace);
        for (row, p) in p_values.into_iter().enumerate() {
            let alerted = matched[row] || p.is_some_and(|p| p <= alert_p);
            let reasons = if alerted {
                self.agent.reasons(&Remembered::of(&batch, row).into(), &mut self.workspace)
            } else {
                Vec::new()
            };
            watched.judged.push(Judged { p, alerted, reasons });
        }
    }

    /// Lets the agent observe the whole step, describe and learn.
    fn end_step(&mut self, watched: &mut Watched) {
        let pending = std::mem::replace(&mut self.pending, BatchBuilder::new(&self.schema, self.flows_per_step));
        self.pending_rows = 0;
        let (batch, nobody) = (pending.finish(), Blocklist::default());
        match self.agent.observe(self.step, &batch, &[], &nobody, &self.common, &mut self.workspace) {
            Ok(observed) => {
                let params = &self.common.params;
                let expires_step = self.step.saturating_add(1).saturating_add(params.local_ttl.steps());
                for Finding { signature, .. } in &observed.findings {
                    let own = Adopted::new(signature, signature.radius, expires_step);
                    self.agent.adopt_own(own, OWN_MAX, &self.common, &mut self.workspace);
                }
                watched.signatures.extend(observed.findings.into_iter().map(|finding| finding.signature));
            }
            Err(failed) => {
                watched.failures += 1;
                self.agent.fail(self.step, failed.0, &self.common);
            }
        }
        self.agent.take_events();
        self.agent.expire_own(self.step);
        self.step = self.step.saturating_add(1);
    }
}

/// Own signatures that are applied at once; the oldest makes room.
const OWN_MAX: usize = 64;

/// Adds a flow with its features to a batch, and returns them.
fn push(
    context: &mut Context,
    flow: &Flow,
    batch: &mut BatchBuilder,
) -> ([f32; FLOW_NUMERIC], [u16; FLOW_CATEGORICAL], Endpoint) {
    let (mut numeric, mut codes) = ([0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
    context.observe(flow, &mut numeric, &mut codes);
    let endpoint =
        Endpoint { source: flow.source, destination: flow.destination, destination_port: flow.destination_port };
    batch.push(&numeric, &codes, Some(endpoint), Some(flow.time_s));
    (numeric, codes, endpoint)
}
