//! The alarm budget: what keeps alarms at the asked rate when traffic changes.

use serde::{Deserialize, Serialize};

use crate::params::budget::BudgetParams;

/// Most that p-values are scaled down, as a logarithm: to a half.
const SCALE_LN_MIN: f32 = -0.7;

/// A scale of p-values that is moved by alarms: up by each, down by each flow without one, so that in the long run the
/// asked share of flows is an alarm, however traffic changes.
///
/// With `s` the scale's logarithm, `a` the asked rate and `e` 1 for an alarm and else 0: `s += gain * (e - a)`, and a p-value
/// is reported times `exp(s)`. While `s` stays inside its bounds, the rate over `n` flows differs from the asked one by at
/// most (ln `scale_max` + 0.7) / (`gain` * `n`) (adaptive conformal inference; I. Gibbs, E. Candès, `NeurIPS` 2021). The
/// bounds keep an attacker who floods from numbing the site for long: flows that a signature explains do not count, and
/// some 200 alarms lead from one bound to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlarmBudget {
    scale_ln: f32,
}

impl AlarmBudget {
    /// What p-values are multiplied with.
    pub(crate) fn scale(self) -> f32 {
        libm::expf(self.scale_ln)
    }

    /// Counts a flow that nothing explains, of which the share `alert_p` may be alarms.
    pub(crate) fn count(&mut self, alarm: bool, alert_p: f32, params: BudgetParams) {
        let error = if alarm { 1.0 } else { 0.0 };
        let moved = self.scale_ln + params.gain * (error - alert_p);
        self.scale_ln = moved.clamp(SCALE_LN_MIN, libm::logf(params.scale_max));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of alarms among flows whose p-values are evenly spread times `factor`.
    fn rate(factor: f32, flows: u32) -> f32 {
        let (mut budget, mut alarms) = (AlarmBudget::default(), 0);
        for k in 0..flows {
            let p = (k.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 * factor;
            let alarm = p * budget.scale() <= 0.02;
            budget.count(alarm, 0.02, BudgetParams::default());
            alarms += u32::from(alarm);
        }
        alarms as f32 / flows as f32
    }

    #[test]
    fn the_asked_rate_is_kept_though_p_values_are_wrong() {
        for factor in [1.0, 0.2, 0.08, 1.8] {
            let seen = rate(factor, 50_000);
            assert!((0.018..0.026).contains(&seen), "p-values {factor} times too large: {seen}");
        }
    }

    #[test]
    fn a_flood_of_alarms_numbs_a_site_within_bounds_and_not_for_ever() {
        let mut budget = AlarmBudget::default();
        (0..100_000).for_each(|_| budget.count(true, 0.02, BudgetParams::default()));
        assert!(budget.scale() <= 20.1, "{}", budget.scale());
        (0..20_000).for_each(|_| budget.count(false, 0.02, BudgetParams::default()));
        assert!(budget.scale() < 1.0, "{}", budget.scale());
    }
}
