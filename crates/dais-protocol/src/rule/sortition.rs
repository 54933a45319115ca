//! Sortition: a small committee drawn by lot.

use super::{Call, Tally, share};
use crate::PolicyParams;

/// As quorum and threshold, one vote each, on a committee of [`PolicyParams::sortition_size`] (Gilad et al.: *Algorand*,
/// SOSP 2017). What the lot draws is beyond the reach of liars; how often it draws too many of them is
/// [`capture_probability`].
pub(super) fn call(tally: &Tally, policy: &PolicyParams) -> Call {
    share::call(tally, f64::from(policy.threshold))
}

/// The chance that a committee of `size`, drawn by lot from `agents` of whom `liars` lie, holds at least `bound` liars:
/// the upper tail of the hypergeometric distribution.
///
/// ```
/// // Of 100 agents 30 lie: 31 drawn by lot hold a majority of liars about once in 500 draws.
/// let chance = dais_protocol::capture_probability(100, 30, 31, 16);
/// assert!((0.0020..0.0021).contains(&chance), "{chance}");
/// ```
pub fn capture_probability(agents: u32, liars: u32, size: u32, bound: u32) -> f64 {
    let (liars, size) = (liars.min(agents), size.min(agents));
    let most = size.min(liars);
    let chance = |drawn: u32| {
        libm::exp(ln_choose(liars, drawn) + ln_choose(agents - liars, size - drawn) - ln_choose(agents, size))
    };
    let fewest = size.saturating_sub(agents - liars).max(bound);
    if fewest > most { 0.0 } else { (fewest..=most).map(chance).sum::<f64>().min(1.0) }
}

/// The smallest odd committee in which liars have a majority with at most the chance `failure`; everybody when none is
/// small enough.
///
/// ```
/// assert_eq!(dais_protocol::sortition_size(1000, 300, 0.01), 31);
/// ```
pub fn sortition_size(agents: u32, liars: u32, failure: f64) -> u32 {
    let odd = (1..=agents).step_by(2);
    odd.into_iter().find(|&size| capture_probability(agents, liars, size, size / 2 + 1) <= failure).unwrap_or(agents)
}

/// The natural logarithm of the number of ways to choose `k` of `n`.
fn ln_choose(n: u32, k: u32) -> f64 {
    let ln_factorial = |n: u32| libm::lgamma(f64::from(n) + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every committee of `size` out of `agents`, counted one by one.
    fn counted(agents: u32, liars: u32, size: u32, bound: u32) -> f64 {
        let committees = (0..1_u32 << agents).filter(|committee| committee.count_ones() == size);
        let mask = (1_u32 << liars) - 1;
        let (captured, all) = committees.fold((0_u32, 0_u32), |(captured, all), committee| {
            (captured + u32::from((committee & mask).count_ones() >= bound), all + 1)
        });
        f64::from(captured) / f64::from(all)
    }

    #[test]
    fn the_chance_of_capture_is_the_share_of_captured_committees() {
        for (agents, liars, size, bound) in [(9, 3, 5, 3), (10, 4, 3, 2), (8, 8, 4, 4), (10, 0, 3, 1), (12, 5, 7, 0)] {
            let found = capture_probability(agents, liars, size, bound);
            let expected = counted(agents, liars, size, bound);
            assert!((found - expected).abs() < 1.0e-9, "{agents} {liars} {size} {bound}: {found} not {expected}");
        }
    }

    #[test]
    fn the_committee_grows_with_the_liars_until_everybody_sits_on_it() {
        let sizes = [100, 200, 300, 400].map(|liars| sortition_size(1000, liars, 0.01));
        assert!(sizes.is_sorted_by(|a, b| a < b), "{sizes:?}");
        assert!(capture_probability(1000, 300, sizes[2], sizes[2] / 2 + 1) <= 0.01);
        assert_eq!(sortition_size(1000, 600, 0.01), 1000);
    }
}
