/// Values that are kept exactly.
const VALUES_MAX: usize = 100_000;

/// Times of a phase: all of them, or evenly every second, fourth, … of them where there are very many.
#[derive(Clone, Debug)]
pub(super) struct Times {
    values: Vec<f64>,
    stride: u64,
    pub(super) count: u64,
    pub(super) max: f64,
    pub(super) total: f64,
}

impl Default for Times {
    fn default() -> Self {
        Self { values: Vec::new(), stride: 1, count: 0, max: f64::NEG_INFINITY, total: 0.0 }
    }
}

impl Times {
    pub(super) fn push(&mut self, value: f64) {
        if self.count.is_multiple_of(self.stride) {
            self.values.push(value);
        }
        self.count += 1;
        self.max = self.max.max(value);
        self.total += value;
        if self.values.len() == VALUES_MAX {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
    }

    pub(super) fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_values_are_thinned_evenly() {
        let mut times = Times::default();
        (0..1_000_000).for_each(|n| times.push(f64::from(n)));
        let sorted = times.sorted();
        assert!(sorted.len() < VALUES_MAX && times.count == 1_000_000);
        assert!((sorted[sorted.len() / 2] - 500_000.0).abs() < 100.0);
    }
}
