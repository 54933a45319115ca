//! The trimmed mean.

use super::median;

/// The mean of the weight between the shares β and 1 - β of all weight, in the order of the values (Yin et al.:
/// *Byzantine-Robust Distributed Learning*, ICML 2018, with weights; a value on the edge counts with the part inside).
/// Breakdown point β: liars with at most that share of the weight cannot leave the range of the honest values. From
/// β = 1/2 on it is the median.
pub(super) fn mean(pairs: &mut [(f32, f64)], share: f64) -> f64 {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = pairs.iter().map(|pair| pair.1).sum();
    let (low, high) = (share * total, (1.0 - share) * total);
    let (mut before, mut sum, mut kept) = (0.0, 0.0, 0.0);
    for &(value, weight) in &*pairs {
        let inside = ((before + weight).min(high) - before.max(low)).max(0.0);
        sum += inside * f64::from(value);
        kept += inside;
        before += weight;
    }
    if kept > 0.0 { sum / kept } else { median::weighted(pairs) }
}
