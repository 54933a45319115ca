//! The figures of a run: what is printed, written to `summary.json`, and drawn in the report.

use std::collections::BTreeMap;

use dais_sim::Mode;
use dais_traffic::Schema;
use serde::{Deserialize, Serialize};

use crate::found::{Clock, Found};

/// All figures of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the scenario.
    pub scenario: String,
    /// Seed of the run.
    pub seed: u64,
    /// Agents of the run, one a site.
    pub agents: usize,
    /// Agents that lie.
    pub adversaries: usize,
    /// Steps carried out in the collaborative world, or in the first world there is.
    pub steps: u32,
    /// Steps that were asked for.
    pub steps_planned: u32,
    /// Whether the run was stopped before its end; figures then cover the steps that all listed worlds carried out.
    pub interrupted: bool,
    /// Seconds of the whole run, all worlds together.
    pub wall_s: f64,
    /// Agent-steps per second, all worlds together.
    pub agent_steps_per_s: f64,
    /// Flows of the traffic that one world observed; every world observes the same ones.
    pub flows: u64,
    /// Flows observed per second, all worlds together.
    pub flows_per_s: f64,
    /// How fast each world went.
    #[serde(default)]
    pub rates: BTreeMap<Mode, Rate>,
    /// Largest resident memory of the process in MiB, where the system tells.
    pub peak_rss_mb: Option<f64>,
    /// What was found in the collaborative world: the signatures put to the vote, the worst first, at most 1,000.
    #[serde(default)]
    pub found: Vec<Found>,
    /// What agents did with flows, in the collaborative world, or in the first world there is.
    #[serde(default)]
    pub alerts: Alerts,
    /// Why nothing, or less than possible, was concluded, and what to do about it.
    #[serde(default)]
    pub advice: Vec<String>,
    /// The clock of recorded traffic.
    #[serde(default)]
    pub clock: Clock,
    /// What became of signatures in the collaborative world.
    pub signatures: Signatures,
    /// Votes counted.
    pub votes: u64,
    /// Votes turned away.
    pub votes_refused: u64,
    /// Messages (signatures, sightings, votes, seals) per closed ballot, where any was closed.
    pub messages_per_decision: Option<f64>,
    /// Bytes of messages per closed ballot.
    pub bytes_per_decision: Option<f64>,
    /// The ledger of the collaborative world.
    pub ledger: LedgerSummary,
    /// Where it is kept: `ledger.db` in the run's folder, or another place, without user, password and settings. None
    /// when it is not kept.
    pub ledger_location: Option<String>,
    /// Detection figures by world; a world that was left out is absent. Null where the traffic has no labels.
    pub detection: BTreeMap<Mode, Detection>,
    /// (collaborative - isolated) / (oracle - isolated) of macro recall, where the three worlds were run and differ.
    pub gap_closed: Option<f64>,
    /// Trust of honest agents and of liars at the end.
    pub trust: TrustSummary,
    /// How far ahead sites warned one another of attackers, where flows carry addresses.
    pub warning: Option<Warning>,
    /// Broken rows of the input and the like, in words.
    pub notes: Vec<String>,
    /// Features of the flows, to read signatures with.
    pub schema: Schema,
}

impl Summary {
    /// Whether the traffic says which of its flows are attacks.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        self.detection.values().any(|world| world.recall.is_some() || world.fpr.is_some())
    }
}

/// How fast a world went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Seconds that its steps took.
    pub seconds: f64,
    /// Steps of agents per second.
    pub agent_steps_per_s: f64,
    /// Flows observed per second.
    pub flows_per_s: f64,
}

/// What agents did with flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerts {
    /// Flows that an agent alerted on.
    pub alerted: u64,
    /// Flows that an adopted signature matched.
    pub matched: u64,
    /// Flows from blocked addresses.
    pub blocked: u64,
}

/// What became of signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    /// Offered by agents.
    pub offered: u64,
    /// Put to the vote.
    pub published: u64,
    /// Accepted.
    pub accepted: u64,
    /// Rejected.
    pub rejected: u64,
    /// Ended within the margin of the threshold.
    pub disputed: u64,
    /// Ran past the deadline.
    pub expired: u64,
    /// Accepted and later withdrawn.
    pub revoked: u64,
    /// Accepted, though most of their flows were benign, as the truth says.
    pub accepted_benign: u64,
}

/// The ledger, and the agents that watch it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSummary {
    /// Entries.
    pub entries: u64,
    /// Root of the tree over all entries, in hex; absent where the collaborative world was left out.
    pub head: Option<String>,
    /// Agents that were to watch it.
    #[serde(default)]
    pub witnesses: u64,
    /// Those of them that cosigned its last head.
    #[serde(default)]
    pub cosigned: u64,
    /// Proofs that the coordinator showed two histories.
    #[serde(default)]
    pub split_views: u64,
}

/// How well attacks were detected in one world. A share without anything to count is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Found attack flows over all attack flows.
    pub recall: Option<f64>,
    /// Mean recall over attack families.
    pub macro_recall: Option<f64>,
    /// Attack flows over all detected flows.
    pub precision: Option<f64>,
    /// Harmonic mean of recall and precision.
    pub f1: Option<f64>,
    /// Detected benign flows over all benign flows.
    pub fpr: Option<f64>,
    /// Median over agents and families of the steps from the first flow to the first found one; null where more than half
    /// were never found.
    pub delay_steps_median: Option<f64>,
    /// Median over families of the steps from first sight until 80 % of the agents apply a signature of it.
    pub immunity_steps_median: Option<f64>,
    /// Figures by attack family.
    pub families: Vec<FamilyDetection>,
    /// Detection at other alert levels, learning unchanged.
    pub curve: Vec<CurvePoint>,
}

/// How well one attack family was detected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyDetection {
    /// Name of the family.
    pub name: String,
    /// MITRE ATT&CK technique, where known.
    pub technique: Option<String>,
    /// Its flows.
    pub flows: u64,
    /// Found flows over all its flows; null where there were none.
    pub recall: Option<f64>,
    /// Median over agents of the steps from its first flow to its first found one.
    pub delay_steps_median: Option<f64>,
}

/// One point of a trade-off curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Alert level: flows with a p-value up to it are detected.
    pub alert_p: f64,
    /// False positive rate there.
    pub fpr: f64,
    /// Macro recall there.
    pub macro_recall: f64,
}

/// Trust at the end of the run, in [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustSummary {
    /// Mean over honest agents.
    pub honest_mean: Option<f64>,
    /// Mean over liars.
    pub liars_mean: Option<f64>,
}

/// Attackers seen first at one site and later at another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// Attacking sources seen at all.
    pub attackers: u64,
    /// Attacking sources seen at two sites or more.
    pub shared_attackers: u64,
    /// Arrivals of a shared attacker at a further site.
    pub later_arrivals: u64,
    /// Arrivals at a site that had blocked the attacker already.
    pub blocked_on_arrival: u64,
    /// Median warning before such an arrival, in hours; null where none was blocked or flows carry no times.
    pub warning_hours_median: Option<f64>,
    /// Median warning in steps.
    pub warning_steps_median: Option<f64>,
}

/// Values over time, for plots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Steps that a point stands for; 1 in runs of up to 8,192 steps. Shares are those of all its steps, counts of agents
    /// those at its end.
    pub steps_per_point: u32,
    /// Recall by step and world; null in steps without attacks.
    pub recall: BTreeMap<Mode, Vec<Option<f64>>>,
    /// False positive rate by step and world.
    pub fpr: BTreeMap<Mode, Vec<Option<f64>>>,
    /// Share of agents that have met each family, by family and step, in the collaborative world.
    pub reached: Vec<(String, Vec<f64>)>,
    /// Share of agents that apply a signature of each family, in the same order.
    pub protected: Vec<(String, Vec<f64>)>,
    /// Mean trust of honest agents by step.
    pub trust_honest: Vec<f64>,
    /// Mean trust of liars by step; empty where there are none.
    pub trust_liars: Vec<f64>,
    /// Trust of each agent at the end, and whether it lies.
    pub trust_end: Vec<(f64, bool)>,
    /// Seconds spent by world and phase.
    pub phases: Vec<(Mode, String, f64)>,
}

impl Series {
    /// What the points of a plot over time are counted in.
    pub(crate) fn axis(&self) -> String {
        if self.steps_per_point > 1 { format!("{} steps", self.steps_per_point) } else { "step".to_owned() }
    }
}
