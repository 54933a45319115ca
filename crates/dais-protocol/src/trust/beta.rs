//! The Beta reputation.

use super::TrustParams;

/// (good + a) / (good + bad + a + b): the mean of a Beta distribution, `a` and `b` the prior (Jøsang and Ismail: *The
/// Beta Reputation System*, Bled 2002).
pub(super) fn trust(good: f32, bad: f32, params: &TrustParams) -> f32 {
    let (good, bad) = (params.prior_good + good, params.prior_bad + bad);
    good / (good + bad)
}
