use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::window::Window;

/// Last values of a histogram whose exact statistics are kept.
const WINDOW_VALUES: usize = 1024;

/// A number that only grows. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds to it.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Relaxed);
    }

    /// The number so far.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down; there is none until it is set. Clones are one.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<AtomicU64>);

impl Default for Gauge {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(f64::NAN.to_bits())))
    }
}

impl Gauge {
    /// Sets it; what is not a number takes it away.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// The number, if it was set.
    pub fn value(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.load(Relaxed))).filter(|value| !value.is_nan())
    }
}

/// How often values fell below each bound, their sum, and the last of them. Clones count together.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Distribution>);

#[derive(Debug)]
struct Distribution {
    bounds: &'static [f64],
    /// One more than bounds: the last is for what exceeds them all.
    counts: Vec<AtomicU64>,
    recent: Mutex<Recent>,
}

#[derive(Debug)]
struct Recent {
    sum: f64,
    window: Window,
}

impl Histogram {
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        let counts = std::iter::repeat_with(AtomicU64::default).take(bounds.len() + 1).collect();
        let recent = Mutex::new(Recent { sum: 0.0, window: Window::new(WINDOW_VALUES) });
        Self(Arc::new(Distribution { bounds, counts, recent }))
    }

    /// Counts a value; one that is not finite is left out.
    pub fn observe(&self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let own = &self.0;
        let place = own.bounds.partition_point(|bound| *bound < value);
        let mut recent = own.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.sum += value;
        recent.window.push(value);
        own.counts[place].fetch_add(1, Relaxed);
    }

    /// The last values, at most 1,024.
    pub fn window(&self) -> Window {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner).window.clone()
    }

    /// Sum, and counts by upper bound, the last one infinite; they fit together.
    pub(crate) fn buckets(&self) -> (f64, Vec<(f64, u64)>) {
        let recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        (recent.sum, bounds.zip(self.0.counts.iter().map(|count| count.load(Relaxed))).collect())
    }
}
