//! What an agent does with its traffic: the parameters of observing, learning and speaking.

use std::net::IpAddr;

use dais_detect::{AdwinParams, EnsembleParams, RobustBaselineParams};
use dais_protocol::{ClusterParams, VoteParams};
use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Odd flows wait for the others' judgement: those an adopted signature comes to match within `quarantine_steps` are
    /// never learned, the rest is learned then.
    #[default]
    Quarantine,
}

/// What an agent learns from where nobody vouches for its first flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColdStart {
    /// Every flow.
    Everything,
    /// Only flows whose connection did not fail. Most of what reaches an exposed host is unanswered probes; who takes them
    /// for normal is blind to scans. (Failed attempts as the mark of scanners: Jung et al., "Fast portscan detection using
    /// sequential hypothesis testing", IEEE S&P 2004.) Flows that record no connection state are all learned.
    #[default]
    Answered,
}

/// Parameters of every agent of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentParams {
    /// Flows in the baseline window; 64 to 65,536.
    pub baseline_rows: usize,
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
    /// Steps between trainings; at least 1.
    pub retrain_every: u32,
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
    /// Steps an odd flow waits before it is learned; 1 to 1,000.
    pub quarantine_steps: u32,
    /// Flows with a p-value up to this one are odd; at least the alert level.
    pub quarantine_p: f32,
    /// Flows in quarantine at once; the oldest are dropped, never learned.
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
    /// Steps an adopted signature lives.
    pub signature_ttl_steps: u32,
    /// Steps a blocked address stays blocked after it was last sighted.
    pub block_ttl_steps: u32,
    /// Addresses blocked at once; the one that expires first makes room.
    pub blocks_max: usize,
    /// Steps before an agent names a source again that it has sighted, at least 1.
    pub sighting_again_steps: u32,
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
            baseline_rows: 512,
            held_back_rows: 64,
            cold_start: ColdStart::default(),
            baseline_min: 64,
            rarity_weight: 0.15,
            detector: EnsembleParams::default(),
            retrain_every: 5,
            drift: None,
            versions_kept: 1,
            alert_rate_max: 0.15,
            alert_learning: AlertLearning::default(),
            gate: None,
            quarantine_steps: 10,
            quarantine_p: 0.05,
            quarantine_max: 512,
            ordinary_p: 0.5,
            cluster: ClusterParams::default(),
            vote: VoteParams::default(),
            abstain_margin: None,
            burst_p: 0.002,
            publish_max: 4,
            alerts_kept: 64,
            signatures_max: 512,
            signature_ttl_steps: 50,
            block_ttl_steps: 200,
            blocks_max: 4096,
            sighting_again_steps: 20,
            allow: Vec::new(),
            doubt_matches_min: 4,
            doubt_share: 0.5,
            retries_max: 3,
        }
    }
}

impl AgentParams {
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
        rule((0.0..=10.0).contains(&self.rarity_weight), "agent.rarity_weight", &self.rarity_weight, "0 to 10")?;
        let (steps, max) = (self.quarantine_steps, self.quarantine_max);
        rule((1..=1_000).contains(&steps), "agent.quarantine_steps", &steps, "1 to 1,000")?;
        rule((1..=65_536).contains(&max), "agent.quarantine_max", &max, "1 to 65,536")?;
        let odd = self.detector.alert_p..=1.0;
        rule(odd.contains(&self.quarantine_p), "agent.quarantine_p", &self.quarantine_p, "detector.alert_p to 1")?;
        rule((0.0..=1.0).contains(&self.ordinary_p), "agent.ordinary_p", &self.ordinary_p, "0 to 1")?;
        rule(self.retrain_every >= 1, "agent.retrain_every", &self.retrain_every, "at least 1")?;
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
        rule(self.signature_ttl_steps >= 1, "agent.signature_ttl_steps", &self.signature_ttl_steps, "at least 1")?;
        rule(self.block_ttl_steps >= 1, "agent.block_ttl_steps", &self.block_ttl_steps, "at least 1")?;
        let again = self.sighting_again_steps;
        rule(again >= 1, "agent.sighting_again_steps", &again, "at least 1")?;
        rule(self.blocks_max <= 1_000_000, "agent.blocks_max", &self.blocks_max, "at most 1,000,000")?;
        rule(self.doubt_matches_min >= 1, "agent.doubt_matches_min", &self.doubt_matches_min, "at least 1")?;
        rule((0.0..=1.0).contains(&self.doubt_share), "agent.doubt_share", &self.doubt_share, "0 to 1")?;
        self.cluster.check()?;
        self.vote.check()?;
        Ok(())
    }
}
