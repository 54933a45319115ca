//! The weighted median.

/// The value with half of the weight on either side; the middle between two values when exactly half lies up to the
/// lower one (Yin et al.: *Byzantine-Robust Distributed Learning*, ICML 2018, coordinate-wise). Breakdown point 1/2: as
/// long as the honest have more than half of the weight, the result lies between two honest values.
pub(super) fn weighted(pairs: &mut [(f32, f64)]) -> f64 {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = pairs.iter().map(|pair| pair.1).sum::<f64>() / 2.0;
    let mut reached = 0.0;
    for (place, &(value, weight)) in pairs.iter().enumerate() {
        reached += weight;
        if reached > half {
            return f64::from(value);
        }
        if reached >= half {
            let next = pairs.get(place + 1).map_or(value, |pair| pair.0);
            return f64::midpoint(f64::from(value), f64::from(next));
        }
    }
    pairs.last().map_or(0.0, |pair| f64::from(pair.0))
}
