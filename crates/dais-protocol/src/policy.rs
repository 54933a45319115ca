//! The rules by which ballots are decided.

use serde::{Deserialize, Serialize};

use crate::ParamsError;

/// The rules by which ballots are decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyParams {
    /// Share of the committee that must have answered; above 0, at most 1.
    pub quorum: f32,
    /// Share of the decisive weight that must confirm; 0.5 to 1. A tie refutes, also at 0.5.
    pub threshold: f32,
    /// Closer to the threshold than this, the ballot escalates and, in its last round, may end disputed; 0 to 0.5.
    pub margin: f32,
    /// Fewest votes of weight that confirm or refute; a smaller committee must answer completely. At least 1.
    pub decisive_min: u32,
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
    /// The weighted quantile of the confirmers' radii that is accepted; 0 to 0.5.
    pub radius_quantile: f32,
}

impl Default for PolicyParams {
    fn default() -> Self {
        Self {
            quorum: 0.5,
            threshold: 0.51,
            margin: 0.02,
            decisive_min: 2,
            deadline_steps: 3,
            weight_max_share: 0.34,
            committee_max: 256,
            escalation_rounds: 1,
            refinements_max: 2,
            radius_quantile: 0.33,
        }
    }
}

impl PolicyParams {
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
        ParamsError::unless(self.decisive_min >= 1, "decisive_min", &self.decisive_min, "at least 1")?;
        ParamsError::unless(self.deadline_steps >= 1, "deadline_steps", &self.deadline_steps, "at least 1")?;
        let fits = self.weight_max_share > 0.0 && self.weight_max_share <= 1.0;
        ParamsError::unless(fits, "weight_max_share", &self.weight_max_share, "above 0, at most 1")?;
        ParamsError::unless(self.committee_max >= 1, "committee_max", &self.committee_max, "at least 1")?;
        let fits = self.escalation_rounds <= 8;
        ParamsError::unless(fits, "escalation_rounds", &self.escalation_rounds, "0 to 8")?;
        let fits = (0.0..=0.5).contains(&self.radius_quantile);
        ParamsError::unless(fits, "radius_quantile", &self.radius_quantile, "0 to 0.5")
    }

    /// How many members the committee of a round has: `committee_max`, doubled with every escalation.
    pub fn committee_size(&self, round: u8) -> usize {
        (self.committee_max as usize) << round.min(8)
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
    fn every_escalation_doubles_the_committee() {
        let policy = PolicyParams::default();
        assert_eq!([0, 1, 2].map(|round| policy.committee_size(round)), [256, 512, 1024]);
    }
}
