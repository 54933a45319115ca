//! Burst or habit: whether flows like those of a signature come more often lately than they used to, at all voters together.

use serde::{Deserialize, Serialize};

use crate::{Evidence, ParamsError, Span};

/// Flows that one voter can bring within as many steps as count as recent: no single voice is to decide.
const FLOWS_MAX: f64 = 10.0;

/// Past steps that one voter can bring; of a longer past its rate counts.
const PAST_STEPS_MAX: f64 = 100.0;

/// What a majority's yes needs beside it: pooled evidence that the pattern is a burst and not a rare habit.
///
/// That a pattern is new to a voter's baseline does not make it an attack: most benign signatures that a majority would accept
/// describe *rare habits*, which come now and then at many sites. Each voter therefore reports how many of its odd flows
/// lie within the offered radius, in the last steps (`recent`) and before (`past`, over `past_steps`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BurstParams {
    /// What counts as recent, the present step included; 1 to 1,000 steps.
    pub recent: Span,
    /// Least logarithm of the pooled Bayes factor ([`BurstPool::ln_bayes`]) for an acceptance; -100 to 100.
    pub ln_bayes_min: f32,
    /// Shape of the Gamma prior of both rates; above 0, at most 100.
    pub prior_shape: f32,
    /// Rate of the Gamma prior in steps; above 0, at most 1,000.
    pub prior_steps: f32,
    /// How much more a trusted voter weighs: the weight is trust times its share of the highest trust to this power; 0 to 8.
    pub trust_power: f32,
}

impl Default for BurstParams {
    fn default() -> Self {
        Self { recent: Span::minutes(10), ln_bayes_min: 0.5, prior_shape: 0.5, prior_steps: 5.0, trust_power: 3.0 }
    }
}

impl BurstParams {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`ParamsError`] with the first that is not.
    pub fn check(&self) -> Result<(), ParamsError> {
        let Self { recent, ln_bayes_min, prior_shape, prior_steps, trust_power } = *self;
        let fits = (1..=1_000).contains(&recent.steps());
        ParamsError::unless(fits, "burst.recent", &recent, "1 to 1,000 steps, or a time that makes as many")?;
        let fits = (-100.0..=100.0).contains(&ln_bayes_min);
        ParamsError::unless(fits, "burst.ln_bayes_min", &ln_bayes_min, "-100 to 100")?;
        let fits = prior_shape > 0.0 && prior_shape <= 100.0;
        ParamsError::unless(fits, "burst.prior_shape", &prior_shape, "above 0, at most 100")?;
        let fits = prior_steps > 0.0 && prior_steps <= 1_000.0;
        ParamsError::unless(fits, "burst.prior_steps", &prior_steps, "above 0, at most 1,000")?;
        ParamsError::unless((0.0..=8.0).contains(&trust_power), "burst.trust_power", &trust_power, "0 to 8")
    }

    /// Pools the evidence of voters, each with its trust.
    pub fn pool<'a>(&self, voters: impl Iterator<Item = (&'a Evidence, f32)> + Clone) -> BurstPool {
        let highest = voters.clone().map(|(_, trust)| trust).fold(0.0_f32, f32::max);
        let mut pool = BurstPool::default();
        for (evidence, trust) in voters.filter(|(_, trust)| *trust > 0.0 && trust.is_finite()) {
            let weight = f64::from(trust) * f64::from(libm::powf(trust / highest, self.trust_power));
            let recent_steps = f64::from(self.recent.steps());
            let past_steps = f64::from(evidence.past_steps).min(PAST_STEPS_MAX);
            let past = f64::from(evidence.past) * past_steps / f64::from(evidence.past_steps.max(1));
            pool.recent += weight * f64::from(evidence.recent).min(FLOWS_MAX);
            pool.past += weight * past.min(FLOWS_MAX * past_steps / recent_steps);
            pool.recent_steps += weight * recent_steps;
            pool.past_steps += weight * past_steps;
        }
        pool
    }
}

/// Weighted flows and steps of all voters.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BurstPool {
    /// Flows of the last steps.
    pub recent: f64,
    /// Flows before those.
    pub past: f64,
    /// Steps that `recent` covers, summed over voters.
    pub recent_steps: f64,
    /// Steps that `past` covers.
    pub past_steps: f64,
}

impl BurstPool {
    /// The logarithm of the Bayes factor of two rates, one lately and one before, against one rate all along; negative where
    /// the recent rate is the lower one.
    ///
    /// With n₁ flows in t₁ recent steps, n₂ in t₂ past ones, counts by Poisson's law and the Gamma prior (a, b) of every
    /// rate: ln B = ln Γ(a+n₁) - (a+n₁) ln(b+t₁) + ln Γ(a+n₂) - (a+n₂) ln(b+t₂) + a ln b - ln Γ(a) - ln Γ(a+n₁+n₂) +
    /// (a+n₁+n₂) ln(b+t₁+t₂). It is the on/off problem of counting experiments (T. Li, Y. Ma, `ApJ` 1983; in Bayes' terms
    /// M. L. Knoetig, `ApJ` 2014). No flows at all give a slightly negative value: silence is no evidence of a burst.
    pub fn ln_bayes(&self, params: &BurstParams) -> f64 {
        let (a, b) = (f64::from(params.prior_shape), f64::from(params.prior_steps));
        let Self { recent: n1, past: n2, recent_steps: t1, past_steps: t2 } = *self;
        let marginal = |n: f64, t: f64| libm::lgamma(a + n) - (a + n) * libm::log(b + t);
        let prior = a * libm::log(b) - libm::lgamma(a);
        let value = marginal(n1, t1) + marginal(n2, t2) + prior - marginal(n1 + n2, t1 + t2);
        if n1 * t2 < n2 * t1 { -value.abs() } else { value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(recent: f64, past: f64, recent_steps: f64, past_steps: f64) -> f64 {
        BurstPool { recent, past, recent_steps, past_steps }.ln_bayes(&BurstParams::default())
    }

    /// The same Bayes factor by summing over a grid of rates.
    fn by_integration(n1: f64, n2: f64, t1: f64, t2: f64) -> f64 {
        let (a, b) = (0.5, 5.0);
        let (step, points) = (1e-4, 200_000);
        let density = |rate: f64| (a * f64::ln(b) - libm::lgamma(a) + (a - 1.0) * rate.ln() - b * rate).exp();
        let integral = |n: f64, t: f64| {
            let rates = (0..points).map(|k| (f64::from(k) + 0.5) * step);
            rates.map(|rate| density(rate) * rate.powf(n) * (-rate * t).exp() * step).sum::<f64>()
        };
        (integral(n1, t1) * integral(n2, t2) / integral(n1 + n2, t1 + t2)).ln()
    }

    #[test]
    fn the_formula_agrees_with_an_integral() {
        for (n1, n2, t1, t2) in [(6.0, 1.0, 10.0, 40.0), (3.0, 0.0, 5.0, 20.0), (12.0, 9.0, 30.0, 60.0)] {
            let (found, expected) = (pool(n1, n2, t1, t2), by_integration(n1, n2, t1, t2));
            assert!((found - expected).abs() < 0.02, "{found} is not {expected}");
        }
    }

    #[test]
    fn bursts_habits_and_silence_are_told_apart() {
        assert!(pool(20.0, 2.0, 100.0, 800.0) > 5.0, "many lately, few before");
        assert!(pool(2.0, 60.0, 100.0, 800.0) < -1.0, "more before than lately");
        assert!(pool(7.0, 60.0, 100.0, 800.0) < 0.0, "as often as ever");
        let silence = pool(0.0, 0.0, 100.0, 800.0);
        assert!((-3.0..0.0).contains(&silence), "{silence}");
    }

    #[test]
    fn one_voice_brings_little_and_a_distrusted_one_nothing() {
        let params = BurstParams::default();
        let loud = Evidence { recent: u32::MAX, past_steps: u32::MAX, ..Evidence::default() };
        let habit = Evidence { recent: 1, past: 8, past_steps: 80, ..Evidence::default() };
        let mut voters: Vec<(&Evidence, f32)> = vec![(&habit, 0.9); 20];
        voters.push((&loud, 0.9));
        assert!(params.pool(voters.iter().copied()).ln_bayes(&params) < 0.5);
        voters.push((&loud, 0.0));
        voters.push((&loud, f32::NAN));
        let distrusted = params.pool(voters.iter().copied());
        assert_eq!(distrusted, params.pool(voters[..21].iter().copied()));
    }

    #[test]
    fn a_parameter_outside_its_range_is_named() {
        assert_eq!(BurstParams::default().check(), Ok(()));
        let error = BurstParams { prior_shape: 0.0, ..BurstParams::default() }.check().unwrap_err();
        assert_eq!(error.key, "burst.prior_shape");
        assert!(BurstParams { ln_bayes_min: f32::NAN, ..BurstParams::default() }.check().is_err());
    }
}
