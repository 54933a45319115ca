//! What an agent does with its traffic: the parameters of observing, learning and speaking.

use std::net::IpAddr;

use dais_detect::{AdwinParams, EnsembleParams, NeighbourParams, RobustBaselineParams};
use dais_protocol::{ClusterParams, Span, VoteParams};
use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::params::budget::BudgetParams;
use crate::params::error::ScenarioError;

/// What becomes of an agent's own alerts when it learns its baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertLearning {
    /// Every unmatched flow is learned; attacks come to mask themselves.
    Keep,
    /// Flows scoring beyond the alert threshold by as much again as alert minus suspect threshold are left out.
    Extreme,
    /// Every alert is left out; the threshold creeps downwards.
    Drop,
    /// Odd flows wait for the others' judgement: those an adopted signature comes to match within `quarantine` are
    /// never learned, the rest is learned then.
    #[default]
    Quarantine,
}

/// What an agent learns from where nobody vouches for its first flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColdStart {
    /// Every flow: what is ordinary is what comes, failed or not.
    #[default]
    Everything,
    /// Only flows whose connection did not fail. Most of what reaches an exposed host is unanswered probes; who takes them
    /// for normal is blind to scans. (Failed attempts as the mark of scanners: Jung et al., "Fast portscan detection using
    /// sequential hypothesis testing", IEEE S&P 2004.) Flows that record no connection state are all learned. At sites
    /// whose own hosts often fail, as small devices do, it raises alarms without end.
    Answered,
}

/// Parameters of every agent of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentParams {
    /// Flows in the baseline window, a sample of what was learned; 64 to 65,536.
    pub baseline_rows: usize,
    /// Learned flows after which older ones fade from the baseline; at least `baseline_rows`.
    pub baseline_span_flows: u64,
    /// Flows that a site's operator vouches for, asked for before the first step; at most 1,000,000. Those beyond
    /// `baseline_rows` teach how strange ordinary flows are, which odd flows are habits, and which sources are known.
    pub vouched_rows: usize,
    /// Flows of the baseline that check a new model before it is used; at most half of `baseline_rows`.
    pub held_back_rows: usize,
    /// What is learned where the site has no vouched-for baseline.
    pub cold_start: ColdStart,
    /// Flows the baseline must hold before the first model is trained; at least 16.
    pub baseline_min: usize,
    /// Weight of a category's rarity beside numeric values in [0, 1].
    pub rarity_weight: f32,
    /// Detectors and their alert and suspect levels.
    pub detector: EnsembleParams,
    /// How alarms are kept at the alert level when traffic changes.
    pub budget: BudgetParams,
    /// From one training to the next; at least one step.
    pub retrain_every: Span,
    /// When a change of the agent's own p-values trains a model before its time; `None` = never. Left out of what is
    /// written of a run without it, so that such a run has the bytes it always had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<AdwinParams>,
    /// Model versions kept besides the current one, to return to; at most 8.
    pub versions_kept: usize,
    /// A new version alerting on more than this share of the held-back flows is rolled back.
    pub alert_rate_max: f32,
    /// What becomes of own alerts.
    pub alert_learning: AlertLearning,
    /// Which flows may be learned at all, by the scores of a model that stays, against slow poisoning; `None` = all. As
    /// [`drift`](Self::drift) left out of what is written of a run without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<RobustBaselineParams>,
    /// How long an odd flow waits before it is learned; 1 to 1,000 steps.
    #[serde(alias = "quarantine_steps")]
    pub quarantine: Span,
    /// Whether odd flows count as arrivals at once or when their quarantine ends.
    pub odd_arrivals: OddArrivals,
    /// Flows with a p-value up to this one are odd; at least the alert level.
    pub quarantine_p: f32,
    /// Flows in quarantine at once; the oldest are learned early to make room.
    pub quarantine_max: usize,
    /// A matched flow with a p-value above this one is otherwise ordinary.
    pub ordinary_p: f32,
    /// How suspicious flows are gathered into a signature.
    pub cluster: ClusterParams,
    /// How evidence becomes a verdict.
    pub vote: VoteParams,
    /// A voter abstains where its model cannot know: the baseline ends more than this share of its range, 0 to 100, before
    /// the example of a signature that does not look strange, or its level takes more flows than the model was calibrated on.
    /// `None` = it refutes then. As [`drift`](Self::drift) left out of what is written of a run without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstain_margin: Option<f32>,
    /// A cluster is worth a signature if so many suspicious flows of its categories would appear in one step with at most
    /// this chance, above 0 and up to 1; 1 asks for nothing.
    pub burst_p: f32,
    /// Signatures an agent publishes in one step; the best supported go first.
    pub publish_max: usize,
    /// Recent own alerts an agent remembers to compare others' signatures with.
    pub alerts_kept: usize,
    /// Adopted signatures held at once; the one that expires first makes room.
    pub signatures_max: usize,
    /// How long an agent applies a signature of its own that the others have not accepted, with them or alone; of what it
    /// matches only suspicious flows are found.
    pub local_ttl: Span,
    /// From the first to the last match of an adopted signature that makes a habit of what it matches, if nearly all of its
    /// matches come from known sources: it is no longer applied then, and challenged.
    pub habit_after: Span,
    /// Share of a site's ordinary flows from which on their source is a part of the site and never blocked; 0 to 1.
    pub ordinary_share: f32,
    /// Steps an adopted signature lives.
    #[serde(alias = "signature_ttl_steps")]
    pub signature_ttl: Span,
    /// Steps a blocked address stays blocked after it was last sighted.
    #[serde(alias = "block_ttl_steps")]
    pub block_ttl: Span,
    /// Addresses blocked at once; the one that expires first makes room.
    pub blocks_max: usize,
    /// Steps before an agent names a source again that it has sighted, at least 1.
    #[serde(alias = "sighting_again_steps")]
    pub sighting_again: Span,
    /// Addresses that are never blocked, as prefixes or single addresses; they win over every block.
    #[serde(deserialize_with = "prefixes")]
    pub allow: Vec<IpNet>,
    /// Matches after which an agent judges an adopted signature by its own traffic.
    pub doubt_matches_min: u32,
    /// Share of otherwise ordinary flows among the matches above which the agent challenges the signature.
    pub doubt_share: f32,
    /// Steps in a row that may fail before an agent is retired.
    pub retries_max: u32,
}

/// Prefixes, of which text may write one as a single address.
fn prefixes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    if !deserializer.is_human_readable() {
        return Vec::deserialize(deserializer);
    }
    let prefix = |text: &String| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let unknown = |_| D::Error::custom(format!("`{text}` is neither an address nor a prefix such as 192.0.2.0/24"));
        text.parse::<IpNet>().or_else(|_| address()).map_err(unknown)
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(prefix).collect()
}

impl Default for AgentParams {
    fn default() -> Self {
        Self {
            baseline_rows: 1024,
            baseline_span_flows: 200_000,
            vouched_rows: 2048,
            held_back_rows: 64,
            cold_start: ColdStart::default(),
            baseline_min: 64,
            rarity_weight: 0.15,
            detector: EnsembleParams {
                neighbours: Some(NeighbourParams { k: 2, reference_max: 512 }),
                ..EnsembleParams::default()
            },
            budget: BudgetParams::default(),
            retrain_every: Span::minutes(5),
            drift: None,
            versions_kept: 1,
            alert_rate_max: 0.15,
            alert_learning: AlertLearning::default(),
            gate: None,
            quarantine: Span::minutes(15),
            odd_arrivals: OddArrivals::default(),
            quarantine_p: 0.10,
            quarantine_max: 512,
            ordinary_p: 0.5,
            cluster: ClusterParams::default(),
            vote: VoteParams { eps: 0.001, ..VoteParams::default() },
            abstain_margin: None,
            burst_p: 0.01,
            publish_max: 4,
            alerts_kept: 64,
            signatures_max: 512,
            local_ttl: Span::hours(24),
            habit_after: Span::minutes(12),
            ordinary_share: 0.001,
            signature_ttl: Span::hours(24),
            block_ttl: Span::hours(6),
            blocks_max: 4096,
            sighting_again: Span::minutes(20),
            allow: Vec::new(),
            doubt_matches_min: 4,
            doubt_share: 0.5,
            retries_max: 3,
        }
    }
}

/// When odd flows count as arrivals that p-values are read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddArrivals {
    /// At once; what a signature explains later is taken back. Keeps the alert level when traffic changes.
    #[default]
    AtOnce,
    /// When their quarantine ends, unless a signature explains them by then. Finds more where a large share of all flows
    /// belongs to attacks.
    AfterQuarantine,
}

/// Checks that a span is a step or longer.
fn at_least_one(key: &'static str, span: Span) -> Result<(), ScenarioError> {
    ScenarioError::require(span.steps() >= 1, key, &span, "at least 1 step, or a time above 0")
}

impl AgentParams {
    /// Turns times into steps of `step_s` seconds. An odd flow waits at least four steps, in which a ballot can be decided.
    pub(crate) fn settle(&mut self, step_s: Option<f64>) {
        self.retrain_every.settle(step_s, 1);
        self.quarantine.settle(step_s, 4);
        self.local_ttl.settle(step_s, 3);
        self.habit_after.settle(step_s, 6);
        self.signature_ttl.settle(step_s, 10);
        self.block_ttl.settle(step_s, 10);
        self.sighting_again.settle(step_s, 5);
    }

    /// Flows with a p-value up to this one are suspicious, and odd enough to be remembered.
    pub(crate) fn suspect_p(&self) -> f32 {
        self.detector.suspect_p
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first parameter out of its range, with the allowed one.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let rule = ScenarioError::require;
        rule((64..=65_536).contains(&self.baseline_rows), "agent.baseline_rows", &self.baseline_rows, "64 to 65,536")?;
        let held_back_max = self.baseline_rows / 2;
        rule(
            self.held_back_rows <= held_back_max,
            "agent.held_back_rows",
            &self.held_back_rows,
            "at most half of baseline_rows",
        )?;
        let minimum = 16..=self.baseline_rows - self.held_back_rows;
        rule(minimum.contains(&self.baseline_min), "agent.baseline_min", &self.baseline_min, "16 to baseline_rows")?;
        self.budget.check()?;
        let span = self.baseline_span_flows;
        rule(span >= self.baseline_rows as u64, "agent.baseline_span_flows", &span, "at least baseline_rows")?;
        let vouched = self.vouched_rows;
        rule(vouched <= 1_000_000, "agent.vouched_rows", &vouched, "at most 1,000,000")?;
        let share = self.ordinary_share;
        rule((0.0..=1.0).contains(&share), "agent.ordinary_share", &share, "0 to 1")?;
        rule((0.0..=10.0).contains(&self.rarity_weight), "agent.rarity_weight", &self.rarity_weight, "0 to 10")?;
        let (span, max) = (self.quarantine, self.quarantine_max);
        rule((1..=1_000).contains(&span.steps()), "agent.quarantine", &span, "1 to 1,000 steps")?;
        rule((1..=65_536).contains(&max), "agent.quarantine_max", &max, "1 to 65,536")?;
        let odd = self.detector.alert_p..=1.0;
        rule(odd.contains(&self.quarantine_p), "agent.quarantine_p", &self.quarantine_p, "detector.alert_p to 1")?;
        rule((0.0..=1.0).contains(&self.ordinary_p), "agent.ordinary_p", &self.ordinary_p, "0 to 1")?;
        at_least_one("agent.retrain_every", self.retrain_every)?;
        if let Some(fault) = self.drift.as_ref().and_then(|drift| drift.check().err()) {
            let fault = fault.to_string();
            rule(false, "agent.drift", &fault, "the ranges of an adaptive window")?;
        }
        if let Some(fault) = self.gate.as_ref().and_then(|gate| gate.check().err()) {
            let fault = fault.to_string();
            rule(false, "agent.gate", &fault, "the ranges of a robust baseline")?;
        }
        let margin = self.abstain_margin.unwrap_or(0.0);
        rule((0.0..=100.0).contains(&margin), "agent.abstain_margin", &margin, "0 to 100")?;
        rule(self.versions_kept <= 8, "agent.versions_kept", &self.versions_kept, "at most 8")?;
        rule((0.0..=1.0).contains(&self.alert_rate_max), "agent.alert_rate_max", &self.alert_rate_max, "0 to 1")?;
        let burst_p = self.burst_p;
        rule(burst_p > 0.0 && burst_p <= 1.0, "agent.burst_p", &burst_p, "above 0, up to 1")?;
        rule((1..=64).contains(&self.publish_max), "agent.publish_max", &self.publish_max, "1 to 64")?;
        rule(self.alerts_kept <= 4096, "agent.alerts_kept", &self.alerts_kept, "at most 4,096")?;
        rule((1..=65_536).contains(&self.signatures_max), "agent.signatures_max", &self.signatures_max, "1 to 65,536")?;
        at_least_one("agent.signature_ttl", self.signature_ttl)?;
        at_least_one("agent.block_ttl", self.block_ttl)?;
        at_least_one("agent.sighting_again", self.sighting_again)?;
        rule(self.blocks_max <= 1_000_000, "agent.blocks_max", &self.blocks_max, "at most 1,000,000")?;
        rule(self.doubt_matches_min >= 1, "agent.doubt_matches_min", &self.doubt_matches_min, "at least 1")?;
        rule((0.0..=1.0).contains(&self.doubt_share), "agent.doubt_share", &self.doubt_share, "0 to 1")?;
        self.cluster.check()?;
        self.vote.check()?;
        Ok(())
    }
}
