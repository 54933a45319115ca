use std::time::Duration;

/// A token bucket: so many messages in a minute, all at once if none came before.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    per_minute: f64,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    pub(super) fn new(per_minute: u32) -> Self {
        let per_minute = f64::from(per_minute.max(1));
        Self { per_minute, tokens: per_minute, at: Duration::ZERO }
    }

    /// Takes a token, or says how long to wait for one. `now` is the time since any fixed moment.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let minutes = now.saturating_sub(self.at).as_secs_f64() / 60.0;
        self.tokens = (self.tokens + minutes * self.per_minute).min(self.per_minute);
        self.at = self.at.max(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // A millisecond more, so that rounding does not make who waited wait again.
        let wait = (1.0 - self.tokens) * 60.0 / self.per_minute;
        Err(Duration::from_secs_f64(wait) + Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_than_twice_the_rate_and_the_wait_it_names_is_enough() {
        let mut bucket = Bucket::new(30);
        let mut now = Duration::from_secs(100);
        let mut taken = Vec::new();
        while now < Duration::from_secs(400) {
            match bucket.take(now) {
                Ok(()) => taken.push(now),
                Err(wait) => {
                    now += wait;
                    assert_eq!(bucket.take(now), Ok(()));
                    taken.push(now);
                }
            }
        }
        assert_eq!(taken.iter().filter(|at| **at == taken[0]).count(), 30, "all at once");
        let later = taken.iter().filter(|at| **at >= Duration::from_secs(200) && **at < Duration::from_secs(260));
        assert!((29..=31).contains(&later.count()));
    }
}
