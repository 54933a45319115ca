use serde::Serialize;

/// The last values of a series, for exact statistics; the oldest make room.
#[derive(Clone, Debug)]
pub struct Window {
    values: Vec<f64>,
    next: usize,
    values_max: usize,
}

/// What the values of a window are like, in their unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Number of values.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of these values (the root of the mean squared deviation: they are all there are).
    pub std: f64,
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// Median; quantiles between two values are interpolated, as `NumPy` does by default.
    pub p50: f64,
    /// Value that 95 % do not exceed.
    pub p95: f64,
    /// Value that 99 % do not exceed.
    pub p99: f64,
}

impl Window {
    /// A window of the last `values_max` values, at least one.
    pub fn new(values_max: usize) -> Self {
        Self { values: Vec::new(), next: 0, values_max: values_max.max(1) }
    }

    /// Adds a value. One that is not finite would spoil every figure and is left out.
    pub fn push(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.values.len() < self.values_max {
            self.values.push(value);
        } else {
            self.values[self.next] = value;
        }
        self.next = (self.next + 1) % self.values_max;
    }

    /// The values of both windows.
    pub(crate) fn joined(mut self, other: &Self) -> Self {
        self.values.extend(&other.values);
        self.values_max = self.values_max.max(self.values.len());
        self
    }

    /// The statistics of the values; `None` where there are none.
    pub fn statistics(&self) -> Option<Statistics> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let count = sorted.len();
        let mean = sorted.iter().sum::<f64>() / count as f64;
        let variance = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
        let at = |share| quantile(&sorted, share);
        Some(Statistics { count, mean, std: variance.sqrt(), min, max, p50: at(0.5), p95: at(0.95), p99: at(0.99) })
    }
}

/// The value that a share of `sorted` does not exceed, interpolated; 0 where there are none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn statistics_are_those_of_the_last_values() {
        let mut window = Window::new(100);
        assert_eq!(window.statistics(), None);
        // The first hundred are pushed out by the numbers from 1 to 100.
        (0..100).for_each(|_| window.push(1e6));
        (1..=100).for_each(|n| window.push(f64::from(n)));
        window.push(f64::NAN);
        let found = window.statistics().unwrap();
        assert_eq!(
            (found.count, found.min.to_bits(), found.max.to_bits()),
            (100, 1.0_f64.to_bits(), 100.0_f64.to_bits())
        );
        // numpy: mean 50.5, std 28.86607004772212, percentiles 50.5, 95.05, 99.01.
        assert!(is_near(found.mean, 50.5) && is_near(found.std, 28.866_070_047_722_12));
        assert!(is_near(found.p50, 50.5) && is_near(found.p95, 95.05) && is_near(found.p99, 99.01), "{found:?}");
    }

    #[test]
    fn one_value_is_every_quantile() {
        let mut window = Window::new(0);
        window.push(2.0);
        window.push(3.0);
        let found = window.statistics().unwrap();
        assert!(found.count == 1 && is_near(found.p50, 3.0) && is_near(found.p99, 3.0) && is_near(found.std, 0.0));
    }
}
