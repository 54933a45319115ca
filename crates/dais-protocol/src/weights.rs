//! Weights of voters: the cap that lets nobody decide alone, and the quantile that lets no minority widen a radius.

/// Caps positive weights in place so that none exceeds the share `max_share` of their sum after capping.
///
/// The largest weights are lowered to one common level. When there are too few voters for the share (fewer than
/// 1 / `max_share`), all are lowered to the smallest. The result depends on the multiset of weights alone.
pub(crate) fn cap(weights: &mut [f64], max_share: f64) {
    let Some(level) = cap_level(weights, max_share) else { return };
    for weight in weights {
        *weight = weight.min(level);
    }
}

/// The level to which the largest weights are lowered, or nothing when none exceeds the share.
fn cap_level(weights: &[f64], max_share: f64) -> Option<f64> {
    let mut ascending = weights.to_vec();
    ascending.sort_unstable_by(f64::total_cmp);
    let (&smallest, &largest) = (ascending.first()?, ascending.last()?);
    let mut below: Vec<f64> = Vec::with_capacity(ascending.len() + 1);
    below.push(0.0);
    for weight in &ascending {
        below.push(below[below.len() - 1] + weight);
    }
    let count = ascending.len();
    if largest <= max_share * below[count] {
        return None;
    }
    // With `capped` weights at the level, level = max_share * (rest + capped * level).
    for capped in 1..count {
        let room = 1.0 - max_share * capped as f64;
        if room <= 0.0 {
            break;
        }
        let level = max_share * below[count - capped] / room;
        if ascending[count - capped - 1] <= level {
            return Some(level);
        }
    }
    Some(smallest)
}

/// The smallest value at which the weights of the values up to it reach the share `quantile` of all weight. Reorders the
/// pairs of value and weight; nothing when there are none.
pub(crate) fn quantile(pairs: &mut [(f32, f64)], quantile: f64) -> Option<f32> {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = pairs.iter().map(|pair| pair.1).sum();
    let mut reached = 0.0;
    for &(value, weight) in &*pairs {
        reached += weight;
        if reached >= quantile * total {
            return Some(value);
        }
    }
    pairs.last().map(|pair| pair.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capped(weights: &[f64], max_share: f64) -> Vec<f64> {
        let mut weights = weights.to_vec();
        cap(&mut weights, max_share);
        weights
    }

    fn largest_share(weights: &[f64]) -> f64 {
        weights.iter().copied().fold(0.0, f64::max) / weights.iter().sum::<f64>()
    }

    #[test]
    fn weights_within_the_share_stay_as_they_are() {
        assert_eq!(capped(&[0.5, 0.6, 0.7, 0.8], 0.34), [0.5, 0.6, 0.7, 0.8]);
        assert!(capped(&[], 0.34).is_empty());
    }

    #[test]
    fn nobody_exceeds_the_share_after_capping() {
        for weights in [vec![1.0, 0.1, 0.1, 0.1], vec![1.0, 0.9, 0.1, 0.1, 0.1], vec![0.9, 0.01, 0.5, 0.01, 0.3, 0.2]] {
            let lowered = capped(&weights, 0.34);
            assert!(largest_share(&lowered) <= 0.34 + 1.0e-12, "{weights:?} became {lowered:?}");
            assert!(lowered.iter().zip(&weights).all(|(after, before)| after <= before));
        }
    }

    #[test]
    fn too_few_voters_for_the_share_weigh_the_same() {
        assert_eq!(capped(&[0.9, 0.2], 0.34), [0.2, 0.2]);
        assert_eq!(capped(&[0.9], 0.34), [0.9]);
    }

    #[test]
    fn the_quantile_is_the_value_where_the_weight_is_reached() {
        let mut pairs = [(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)];
        assert_eq!(quantile(&mut pairs, 0.33), Some(1.0));
        assert_eq!(quantile(&mut pairs, 0.34), Some(2.0));
        assert_eq!(quantile(&mut pairs, 1.0), Some(3.0));
        assert_eq!(quantile(&mut [], 0.33), None);
    }
}
