//! How trust is earned and lost.

use serde::{Deserialize, Serialize};

use crate::ParamsError;

/// How weights follow from the record.
///
/// | model | weight | reference |
/// |---|---|---|
/// | `equal` | 1 | |
/// | `beta` | (good + a) / (good + bad + a + b), the mean of a Beta distribution with forgetting | Jøsang and Ismail, Bled 2002 |
/// | `eigen_trust` | the share in the long run of a walk from agent to agent along agreement, over the greatest share | Kamvar, Schlosser, Garcia-Molina, WWW 2003 |
/// | `fides_published` | competence less half of its deviation, by the distance to the aggregated opinion | Forst: *Fides*, thesis, CTU 2022 |
/// | `fides_shipped` | the same, but every answer satisfies while the aggregated opinion is unsure | Slips, `fides.conf.yml` |
/// | `subjective` | belief + base rate · uncertainty, the base rate being that of all agents | Jøsang, Luo, Chen, IFIPTM 2008 |
///
/// An agent caught with two statements weighs nothing under each of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustModel {
    /// Every agent weighs 1, except those caught equivocating.
    Equal,
    /// The mean of a Beta distribution over the agent's record, with forgetting (Jøsang and Ismail 2002).
    #[default]
    Beta,
    /// Agreement with agents that are agreed with.
    EigenTrust,
    /// Fides as its author found it strongest.
    FidesPublished,
    /// Fides with the settings that Slips ships.
    FidesShipped,
    /// Subjective logic with the base rate of the community.
    Subjective,
}

impl TrustModel {
    /// Every model, in the order they are listed.
    pub const ALL: [Self; 6] =
        [Self::Equal, Self::Beta, Self::EigenTrust, Self::FidesPublished, Self::FidesShipped, Self::Subjective];

    /// The name in a scenario, and one line about it.
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::Equal => ("equal", "everybody weighs 1, but for those caught with two statements"),
            Self::Beta => ("beta", "share of good in the record, which fades; a bad record fades more slowly"),
            Self::EigenTrust => ("eigen_trust", "agreement with agents that are agreed with, over the last 64 ballots"),
            Self::FidesPublished => {
                ("fides_published", "Fides: mean satisfaction less half of its deviation, by distance to the aggregate")
            }
            Self::FidesShipped => {
                ("fides_shipped", "Fides as Slips ships it: every answer satisfies while the aggregate is unsure")
            }
            Self::Subjective => {
                ("subjective", "subjective logic: the unknown are trusted as much as all are on average")
            }
        }
    }
}

/// What becomes of trust before it is a weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustGate {
    /// Trust is the weight.
    #[default]
    Open,
    /// The weight is max(0, trust - 1/2): nobody weighs anything before evidence speaks for it.
    OwnEvidence,
}

impl TrustGate {
    /// The weight that follows from a trust in [0, 1].
    pub(super) fn weight(self, trust: f32) -> f32 {
        match self {
            Self::Open => trust,
            Self::OwnEvidence => (trust - 0.5).max(0.0),
        }
    }
}

/// Trust models, and what goes with them, each with its name and one line.
///
/// The first six are values of `trust.model`; the line of each of the others names its key.
pub fn trust_models() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = TrustModel::ALL.into_iter().map(TrustModel::describe).collect();
    all.extend([
        ("own_evidence", "a gate for every model: the weight is max(0, trust - 1/2) (trust.gate: own_evidence)"),
        ("silence", "whoever abstains or does not answer loses a part of its good record (trust.silence_cost)"),
    ]);
    all
}

/// How trust is earned and lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustParams {
    /// How weights follow from the record.
    pub model: TrustModel,
    /// What becomes of trust before it is a weight.
    pub gate: TrustGate,
    /// What remains of the good record after one step; above 0, at most 1.
    pub forgetting: f32,
    /// What remains of the bad record after one step; `forgetting` to 1. With 0.995 it halves in 138 steps.
    pub forgetting_bad: f32,
    /// Good record every agent begins with, in votes; above 0, at most 1,000,000.
    pub prior_good: f32,
    /// Bad record every agent begins with, in votes; above 0, at most 1,000,000.
    pub prior_bad: f32,
    /// How many votes a published signature counts for its author; 0 to 1,000.
    pub author_weight: f32,
    /// How many votes a sighting, a challenge or a refused offer counts for its author; 0 to 1,000.
    pub report_weight: f32,
    /// How many votes a comparison with own evidence counts; 0 to 1,000.
    pub own_weight: f32,
    /// Share of the good record that an abstention or a missing answer costs; 0 to 1.
    pub silence_cost: f32,
}

impl Default for TrustParams {
    fn default() -> Self {
        Self {
            model: TrustModel::Beta,
            gate: TrustGate::Open,
            forgetting: 0.98,
            forgetting_bad: 0.995,
            prior_good: 1.0,
            prior_bad: 1.0,
            author_weight: 1.0,
            report_weight: 1.0,
            own_weight: 1.0,
            silence_cost: 0.05,
        }
    }
}

impl TrustParams {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`ParamsError`] with the first that is not.
    pub fn check(&self) -> Result<(), ParamsError> {
        let Self { model: _, gate: _, forgetting, forgetting_bad, prior_good, prior_bad, .. } = *self;
        ParamsError::unless(forgetting > 0.0 && forgetting <= 1.0, "forgetting", &forgetting, "above 0, at most 1")?;
        let fits = (forgetting..=1.0).contains(&forgetting_bad);
        ParamsError::unless(fits, "forgetting_bad", &forgetting_bad, "forgetting to 1")?;
        for (key, prior) in [("prior_good", prior_good), ("prior_bad", prior_bad)] {
            ParamsError::unless(prior > 0.0 && prior <= 1.0e6, key, &prior, "above 0, at most 1000000")?;
        }
        let Self { author_weight, report_weight, own_weight, silence_cost, .. } = *self;
        for (key, weight) in
            [("author_weight", author_weight), ("report_weight", report_weight), ("own_weight", own_weight)]
        {
            ParamsError::unless((0.0..=1.0e3).contains(&weight), key, &weight, "0 to 1000")?;
        }
        ParamsError::unless((0.0..=1.0).contains(&silence_cost), "silence_cost", &silence_cost, "0 to 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_outside_its_range_is_named() {
        let default = TrustParams::default();
        assert_eq!(default.check(), Ok(()));
        for (params, key) in [
            (TrustParams { forgetting: 0.0, ..default.clone() }, "forgetting"),
            (TrustParams { forgetting_bad: 0.97, ..default.clone() }, "forgetting_bad"),
            (TrustParams { prior_bad: f32::NAN, ..default.clone() }, "prior_bad"),
            (TrustParams { own_weight: -1.0, ..default.clone() }, "own_weight"),
            (TrustParams { silence_cost: 1.5, ..default }, "silence_cost"),
        ] {
            assert_eq!(params.check().unwrap_err().key, key);
        }
    }

    #[test]
    fn every_model_is_listed_under_its_name_in_a_scenario() {
        for model in TrustModel::ALL {
            assert_eq!(serde_json::to_value(model).unwrap(), model.describe().0);
            assert!(trust_models().contains(&model.describe()));
        }
        let gate: TrustGate = serde_json::from_str("\"own_evidence\"").unwrap();
        assert!(gate.weight(0.5).abs() < f32::EPSILON && (gate.weight(0.75) - 0.25).abs() < f32::EPSILON);
        assert!((TrustGate::Open.weight(0.3) - 0.3).abs() < f32::EPSILON);
    }
}
