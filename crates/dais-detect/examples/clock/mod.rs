//! What the examples take the time with.

use std::fs;
use std::time::Instant;

/// Processor time of this thread.
pub(crate) struct Clock {
    wall: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now() }
    }

    /// Does the work and notes its seconds.
    pub(crate) fn time<T>(&self, seconds: &mut Vec<f64>, work: impl FnOnce() -> T) -> T {
        let start = self.seconds();
        let result = work();
        seconds.push(self.seconds() - start);
        result
    }

    pub(crate) fn seconds(&self) -> f64 {
        // The system brings the count up to date when the thread gives way.
        std::thread::yield_now();
        let on_processor = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanoseconds = on_processor.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        nanoseconds.map_or_else(|| self.wall.elapsed().as_secs_f64(), |nanoseconds| nanoseconds * 1e-9)
    }
}
