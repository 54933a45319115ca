//! The rules by which ballots are decided.

use serde::{Deserialize, Serialize};

use crate::{Aggregation, Aggregator, BurstParams, Motion, ParamsError, Rule, Tie, Voting};

/// Fewest steps that a time settles to in which flows count as recent: a ballot takes two.
const RECENT_STEPS_MIN: u32 = 3;

/// The rules by which ballots are decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyParams {
    /// How counted votes become an outcome.
    pub rule: Rule,
    /// Whether votes are seen as they come in, or committed first and revealed later.
    pub voting: Voting,
    /// What becomes of an exact tie in the last round.
    pub tie: Tie,
    /// Share of the committee that must have answered, abstentions included; above 0, at most 1.
    pub quorum: f32,
    /// Share of the committee that must have confirmed or refuted with weight; 0 to 1. Abstentions inform nobody: below
    /// this share there is no outcome but an expired ballot.
    pub informed_share: f32,
    /// Fewest votes that confirm or refute with weight; a smaller committee must answer completely. At least 1.
    #[serde(alias = "decisive_min")]
    pub informed_min: u32,
    /// Share of the decisive weight that must confirm; 0.5 to 1. A tie refutes, also at 0.5.
    pub threshold: f32,
    /// Closer to the threshold than this, the ballot escalates and, in its last round, may end disputed; 0 to 0.5.
    pub margin: f32,
    /// Steps a round stays open; at least 1.
    pub deadline_steps: u32,
    /// Largest share of the decisive weight one voter may have; above 0, at most 1. When the voters are too few for it,
    /// all weigh the same.
    pub weight_max_share: f32,
    /// Most members of a first committee; at least 1. Each escalation doubles it.
    pub committee_max: u32,
    /// How often a ballot may escalate; 0 to 8.
    pub escalation_rounds: u8,
    /// How often a lost signature may be refined and offered again.
    pub refinements_max: u8,
    /// How often a lost motion may be voted on again because members bring new evidence; 0 to 8.
    pub appeals_max: u8,
    /// Share of the committee that must confirm a revocation, with weight; 0 to 1. Fewer liars than that cannot revoke.
    pub revoke_share: f32,
    /// Steps before a revocation may be decided, so that those who know better can answer; less than 1,000. The deadline
    /// of its ballot is that much later.
    pub revoke_grace_steps: u32,
    /// Members of a first committee under the rule `sortition`; at least 1.
    pub sortition_size: u32,
    /// How the confirmers' radii become the accepted one.
    pub radius_rule: Aggregation,
    /// The weighted quantile of the confirmers' radii that is accepted under `lower_quantile`; 0 to 0.5.
    pub radius_quantile: f32,
    /// The evidence of a burst that an acceptance needs besides; `None` = the votes suffice.
    pub burst: Option<BurstParams>,
    /// Share of liars among the confirmers that the other radius rules are to bear; 0 to below 0.5.
    pub liars_share: f32,
}

impl Default for PolicyParams {
    fn default() -> Self {
        Self {
            rule: Rule::Threshold,
            voting: Voting::Open,
            tie: Tie::Refute,
            quorum: 0.5,
            informed_share: 0.34,
            informed_min: 3,
            threshold: 0.51,
            margin: 0.02,
            deadline_steps: 3,
            weight_max_share: 0.34,
            committee_max: 256,
            escalation_rounds: 1,
            refinements_max: 2,
            appeals_max: 0,
            revoke_share: 0.34,
            revoke_grace_steps: 2,
            sortition_size: 31,
            radius_rule: Aggregation::LowerQuantile,
            radius_quantile: 0.33,
            burst: Some(BurstParams::default()),
            liars_share: 0.3,
        }
    }
}

impl PolicyParams {
    /// Turns times into steps of `step_s` seconds.
    pub fn settle(&mut self, step_s: Option<f64>) {
        if let Some(burst) = &mut self.burst {
            burst.recent.settle(step_s, RECENT_STEPS_MIN);
        }
    }

    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`ParamsError`] with the first that is not.
    pub fn check(&self) -> Result<(), ParamsError> {
        let fits = self.quorum > 0.0 && self.quorum <= 1.0;
        ParamsError::unless(fits, "quorum", &self.quorum, "above 0, at most 1")?;
        let fits = (0.5..=1.0).contains(&self.threshold);
        ParamsError::unless(fits, "threshold", &self.threshold, "0.5 to 1")?;
        ParamsError::unless((0.0..=0.5).contains(&self.margin), "margin", &self.margin, "0 to 0.5")?;
        let fits = (0.0..=1.0).contains(&self.informed_share);
        ParamsError::unless(fits, "informed_share", &self.informed_share, "0 to 1")?;
        ParamsError::unless(self.informed_min >= 1, "informed_min", &self.informed_min, "at least 1")?;
        ParamsError::unless(self.deadline_steps >= 1, "deadline_steps", &self.deadline_steps, "at least 1")?;
        let fits = self.weight_max_share > 0.0 && self.weight_max_share <= 1.0;
        ParamsError::unless(fits, "weight_max_share", &self.weight_max_share, "above 0, at most 1")?;
        ParamsError::unless(self.committee_max >= 1, "committee_max", &self.committee_max, "at least 1")?;
        let fits = self.escalation_rounds <= 8;
        ParamsError::unless(fits, "escalation_rounds", &self.escalation_rounds, "0 to 8")?;
        let fits = (0.0..=0.5).contains(&self.radius_quantile);
        ParamsError::unless(fits, "radius_quantile", &self.radius_quantile, "0 to 0.5")?;
        self.check_floors()
    }

    fn check_floors(&self) -> Result<(), ParamsError> {
        self.burst.as_ref().map_or(Ok(()), BurstParams::check)?;
        ParamsError::unless(self.appeals_max <= 8, "appeals_max", &self.appeals_max, "0 to 8")?;
        ParamsError::unless((0.0..=1.0).contains(&self.revoke_share), "revoke_share", &self.revoke_share, "0 to 1")?;
        let fits = self.revoke_grace_steps < 1000;
        ParamsError::unless(fits, "revoke_grace_steps", &self.revoke_grace_steps, "less than 1000")?;
        ParamsError::unless(self.sortition_size >= 1, "sortition_size", &self.sortition_size, "at least 1")?;
        let fits = self.liars_share >= 0.0 && self.liars_share < 0.5;
        ParamsError::unless(fits, "liars_share", &self.liars_share, "0 to below 0.5")?;
        let fits = self.voting == Voting::Open || self.deadline_steps >= 2;
        ParamsError::unless(fits, "deadline_steps", &self.deadline_steps, "at least 2 where votes are revealed")
    }

    /// How many members the committee of a round has: `committee_max` (`sortition_size` under the rule `sortition`),
    /// doubled with every escalation.
    pub fn committee_size(&self, round: u8) -> usize {
        let first = match self.rule {
            Rule::Sortition => self.sortition_size.min(self.committee_max),
            Rule::SimpleMajority | Rule::Weighted | Rule::Threshold | Rule::Byzantine => self.committee_max,
        };
        (first as usize) << round.min(8)
    }

    /// Steps after its opening before a ballot may be decided.
    pub(crate) fn grace_steps(&self, motion: Motion) -> u32 {
        match motion {
            Motion::Adopt => 0,
            Motion::Revoke => self.revoke_grace_steps,
        }
    }

    /// Makes one radius of those of the confirmers.
    pub(crate) fn radius_of(&self, radii: &[(f32, f64)]) -> f32 {
        let aggregator = Aggregator {
            aggregation: self.radius_rule,
            quantile: f64::from(self.radius_quantile),
            liars_share: f64::from(self.liars_share),
        };
        aggregator.of_numbers(radii).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range_and_a_value_outside_is_named() {
        assert_eq!(PolicyParams::default().check(), Ok(()));
        let error = PolicyParams { threshold: 0.4, ..PolicyParams::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "`threshold` is 0.4, allowed is 0.5 to 1");
        assert!(PolicyParams { quorum: f32::NAN, ..PolicyParams::default() }.check().is_err());
    }

    #[test]
    fn unknown_keys_are_refused_and_missing_ones_take_their_defaults() {
        let params: PolicyParams = serde_json::from_str(r#"{"threshold":0.75}"#).unwrap();
        assert_eq!(params, PolicyParams { threshold: 0.75, ..PolicyParams::default() });
        assert!(serde_json::from_str::<PolicyParams>(r#"{"treshold":0.75}"#).is_err());
    }

    #[test]
    fn shares_and_bounds_outside_their_range_are_named() {
        let default = PolicyParams::default();
        for (params, key) in [
            (PolicyParams { informed_share: 1.5, ..default.clone() }, "informed_share"),
            (PolicyParams { informed_min: 0, ..default.clone() }, "informed_min"),
            (PolicyParams { revoke_share: f32::NAN, ..default.clone() }, "revoke_share"),
            (PolicyParams { revoke_grace_steps: 1000, ..default.clone() }, "revoke_grace_steps"),
            (PolicyParams { sortition_size: 0, ..default.clone() }, "sortition_size"),
            (PolicyParams { liars_share: 0.5, ..default.clone() }, "liars_share"),
            (PolicyParams { appeals_max: 9, ..default.clone() }, "appeals_max"),
            (PolicyParams { voting: Voting::CommitReveal, deadline_steps: 1, ..default }, "deadline_steps"),
        ] {
            assert_eq!(params.check().unwrap_err().key, key);
        }
    }

    #[test]
    fn an_unknown_rule_is_answered_with_the_known_ones() {
        let error = serde_json::from_str::<PolicyParams>(r#"{"rule":"dictator"}"#).unwrap_err().to_string();
        assert!(error.contains("dictator") && error.contains("byzantine"), "{error}");
    }

    #[test]
    fn sortition_draws_small_committees() {
        let policy = PolicyParams { rule: Rule::Sortition, sortition_size: 5, ..PolicyParams::default() };
        assert_eq!([0, 1].map(|round| policy.committee_size(round)), [5, 10]);
    }

    #[test]
    fn every_escalation_doubles_the_committee() {
        let policy = PolicyParams::default();
        assert_eq!([0, 1, 2].map(|round| policy.committee_size(round)), [256, 512, 1024]);
    }
}
