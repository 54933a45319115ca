//! Subjective logic with the base rate of the community.

use super::TrustParams;

/// How good agents are on average: the base rate of an agent of whom nothing is known.
pub(super) fn base_rate(good: &[f32], bad: &[f32], params: &TrustParams) -> f32 {
    let sum = |record: &[f32], prior: f32| record.iter().map(|&x| f64::from(x)).sum::<f64>() + f64::from(prior);
    let (good, bad) = (sum(good, params.prior_good), sum(bad, params.prior_bad));
    (good / (good + bad)) as f32
}

/// The projected probability b + a u of the opinion b = g / (g + s + W), u = W / (g + s + W), with the record g and s, the
/// non-informative weight W = `prior_good` + `prior_bad` and the base rate a (Jøsang, Luo, Chen: *Continuous Ratings in
/// Discrete Bayesian Reputation Systems*, IFIPTM 2008). Where all agents on average are no better than chance it is the
/// Beta reputation; among liars the unknown are trusted less, so a new name gains nothing.
pub(super) fn trust(good: f32, bad: f32, base_rate: f32, params: &TrustParams) -> f32 {
    let uninformed = params.prior_good + params.prior_bad;
    let all = good + bad + uninformed;
    (good / all + base_rate * (uninformed / all)).clamp(0.0, 1.0)
}
