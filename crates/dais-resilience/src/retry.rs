use std::thread;
use std::time::Duration;

use backon::{BackoffBuilder, BlockingRetryable, ExponentialBackoff, ExponentialBuilder, Retryable};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// How often and how fast something is tried again: waits grow by a factor up to a limit, each drawn between nothing
/// and its full length ("full jitter"), so that many who failed together do not come back together.
///
/// Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryParams {
    /// How often it is tried in all, the first time included; 1: never again. 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// The wait before the second attempt, in milliseconds. 0 to 3,600,000.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub first_delay_ms: u64,
    /// How much longer each wait is than the one before. 1 to 10.
    #[schemars(range(min = 1.0, max = 10.0))]
    pub factor: f32,
    /// The longest wait, in milliseconds. 0 to 3,600,000.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub max_delay_ms: u64,
    /// Whether each wait is drawn between nothing and its full length; without it all waits are full.
    pub jitter: bool,
}

impl Default for RetryParams {
    fn default() -> Self {
        Self { attempts: 5, first_delay_ms: 200, factor: 2.0, max_delay_ms: 30_000, jitter: true }
    }
}

impl RetryParams {
    /// What is wrong across fields, as paths and messages; empty when all is fine.
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if self.max_delay_ms < self.first_delay_ms {
            let message = format!("{} is less than first_delay_ms ({})", self.max_delay_ms, self.first_delay_ms);
            wrong.push(("max_delay_ms".to_owned(), message));
        }
        wrong
    }

    /// The waits between attempts, drawn anew each time.
    pub fn schedule(&self) -> Schedule {
        Schedule { params: self.clone(), seed: None }
    }

    /// The waits between attempts, the same ones for the same `seed`.
    pub fn schedule_seeded(&self, seed: u64) -> Schedule {
        Schedule { params: self.clone(), seed: Some(seed) }
    }

    /// The most that all waits take together, what the other side asks for aside.
    pub fn total_wait_max(&self) -> Duration {
        Self { jitter: false, ..self.clone() }.schedule().build().fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Does `work` until it succeeds, fails for good or the attempts are used up; sleeps on this thread.
    ///
    /// # Errors
    /// The last failure.
    pub fn blocking<T>(&self, work: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        work.retry(self.schedule()).sleep(thread::sleep).when(Failure::is_retryable).call()
    }

    /// Does `work` until it succeeds, fails for good or the attempts are used up. Where a failure says how long it
    /// wants to be left alone, the wait is at least that long, at most the longest wait. Needs the timer of tokio.
    ///
    /// # Errors
    /// The last failure.
    pub async fn run<T, W>(&self, work: impl FnMut() -> W) -> Result<T, Failure>
    where
        W: Future<Output = Result<T, Failure>>,
    {
        let longest = Duration::from_millis(self.max_delay_ms);
        let patient = |failure: &Failure, wait: Option<Duration>| {
            let asked = failure.retry_after.unwrap_or_default().min(longest);
            wait.map(|wait| wait.max(asked))
        };
        work.retry(self.schedule()).sleep(tokio::time::sleep).when(Failure::is_retryable).adjust(patient).await
    }
}

/// What makes [`Delays`]; to be given to `retry` of backon for errors other than [`Failure`].
#[derive(Clone, Debug)]
pub struct Schedule {
    params: RetryParams,
    seed: Option<u64>,
}

impl BackoffBuilder for Schedule {
    type Backoff = Delays;

    fn build(self) -> Delays {
        let params = &self.params;
        let full = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(params.first_delay_ms.min(params.max_delay_ms)))
            .with_max_delay(Duration::from_millis(params.max_delay_ms))
            .with_factor(params.factor.clamp(1.0, 10.0))
            .with_max_times(params.attempts.saturating_sub(1) as usize)
            .build();
        let dice = self.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Delays { full, dice: params.jitter.then_some(dice) }
    }
}

impl IntoIterator for Schedule {
    type Item = Duration;
    type IntoIter = Delays;

    fn into_iter(self) -> Delays {
        self.build()
    }
}

/// The waits between attempts, one fewer than attempts.
#[derive(Debug)]
pub struct Delays {
    full: ExponentialBackoff,
    dice: Option<fastrand::Rng>,
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let full = self.full.next()?;
        Some(self.dice.as_mut().map_or(full, |dice| full.mul_f64(dice.f64())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::FailureClass;

    fn any_params() -> impl Strategy<Value = RetryParams> {
        (1_u32..=20, 0_u64..=5_000, 1.0_f32..=10.0, 0_u64..=60_000, any::<bool>()).prop_map(
            |(attempts, first_delay_ms, factor, more, jitter)| RetryParams {
                attempts,
                first_delay_ms,
                factor,
                max_delay_ms: first_delay_ms + more,
                jitter,
            },
        )
    }

    proptest! {
        #[test]
        fn waits_are_bounded_each_and_together_and_follow_from_the_seed(params in any_params(), seed in any::<u64>()) {
            let waits: Vec<_> = params.schedule_seeded(seed).into_iter().collect();
            let full: Vec<_> = RetryParams { jitter: false, ..params.clone() }.schedule().into_iter().collect();
            prop_assert_eq!(waits.len() as u32, params.attempts - 1);
            prop_assert_eq!(full.len(), waits.len());
            for (wait, full) in waits.iter().zip(&full) {
                prop_assert!(wait <= full && *full <= Duration::from_millis(params.max_delay_ms));
                prop_assert!(params.jitter || wait == full);
            }
            prop_assert!(waits.iter().sum::<Duration>() <= params.total_wait_max());
            prop_assert!(params.total_wait_max() <= Duration::from_millis(params.max_delay_ms) * (params.attempts - 1));
            prop_assert_eq!(&waits, &params.schedule_seeded(seed).into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn jitter_uses_the_whole_wait() {
        let params = RetryParams { attempts: 2, first_delay_ms: 1000, ..RetryParams::default() };
        let waits: Vec<_> = (0..200).flat_map(|seed| params.schedule_seeded(seed)).collect();
        assert!(waits.iter().any(|wait| *wait < Duration::from_millis(100)), "near nothing");
        assert!(waits.iter().any(|wait| *wait > Duration::from_millis(900)), "near the whole");
    }

    fn quick(attempts: u32) -> RetryParams {
        RetryParams { attempts, first_delay_ms: 1, max_delay_ms: 2, ..RetryParams::default() }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
        let mut left = 3;
        let done = quick(4).blocking(|| {
            left -= 1;
            if left == 0 { Ok("done") } else { Err(Failure::new(FailureClass::Transient, "away")) }
        });
        assert_eq!(done.unwrap(), "done");

        let mut tried = 0;
        let refused: Result<(), _> = quick(4).blocking(|| {
            tried += 1;
            Err(Failure::new(FailureClass::Permanent, "denied"))
        });
        assert_eq!((tried, refused.unwrap_err().class), (1, FailureClass::Permanent));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_was_asked_for_is_kept_up_to_the_longest() {
        let params = RetryParams { attempts: 3, first_delay_ms: 1, max_delay_ms: 5_000, ..RetryParams::default() };
        let begin = tokio::time::Instant::now();
        let waits = [Duration::from_secs(2), Duration::from_hours(1)];
        let mut tried = 0;
        let outcome = params
            .run(|| {
                tried += 1;
                let retry_after = waits.get(tried - 1).copied();
                std::future::ready(match retry_after {
                    Some(_) => Err(Failure { retry_after, ..Failure::new(FailureClass::Overload, "busy") }),
                    None => Ok(tried),
                })
            })
            .await;
        assert_eq!(outcome.unwrap(), 3);
        assert_eq!(begin.elapsed().as_secs(), 7, "2 s as asked, then 5 s, the longest, in place of an hour");
    }

    #[test]
    fn a_longest_wait_shorter_than_the_first_is_reported() {
        assert!(RetryParams::default().check().is_empty());
        let wrong = RetryParams { first_delay_ms: 10, max_delay_ms: 5, ..RetryParams::default() }.check();
        assert_eq!(wrong[0].0, "max_delay_ms");
    }
}
