use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::{Failure, FailureClass};

/// The value of `work`, unless it takes longer than `limit`; then the work is dropped. Needs the timer of tokio.
///
/// # Errors
/// [`FailureClass::Timeout`] when it takes longer.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::time::timeout(limit, work).await.map_err(|_| late(limit))
}

/// The value of `work`, done on a thread of its own, unless it takes longer than `limit`. The thread cannot be stopped:
/// it goes on until the work ends, and its value is thrown away. Whoever repeats this bounds how many may hang, for
/// instance by a [`Bulkhead`](crate::Bulkhead).
///
/// # Errors
/// [`FailureClass::Timeout`] when it takes longer, [`FailureClass::Internal`] when the work panics, what the operating
/// system says when it gives no thread.
pub fn within_blocking<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (answer, answered) = mpsc::sync_channel(1);
    let worker = thread::Builder::new().name("within".to_owned());
    // Nobody listens any more when it comes too late.
    let spawned = worker.spawn(move || drop(answer.send(work())));
    spawned.map_err(|error| Failure::classify_io(&error))?;
    answered.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => late(limit),
        RecvTimeoutError::Disconnected => Failure::new(FailureClass::Internal, "the work panicked"),
    })
}

fn late(limit: Duration) -> Failure {
    Failure::new(FailureClass::Timeout, format!("no answer within {limit:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_given_up() {
        let slow = within(Duration::from_secs(1), tokio::time::sleep(Duration::from_secs(2))).await;
        assert_eq!(slow.unwrap_err().class, FailureClass::Timeout);
        assert_eq!(within(Duration::from_secs(1), async { 7 }).await.unwrap(), 7);
    }

    #[test]
    fn a_thread_that_hangs_is_left_behind() {
        let (release, hang) = mpsc::channel::<()>();
        let slow = within_blocking(Duration::from_millis(1), move || hang.recv().is_ok());
        assert_eq!(slow.unwrap_err().class, FailureClass::Timeout);
        drop(release);
        assert_eq!(within_blocking(Duration::from_mins(1), || 7).unwrap(), 7);
    }

    #[test]
    fn work_that_panics_is_a_failure() {
        let broken = within_blocking(Duration::from_mins(1), || assert!(std::hint::black_box(false), "on purpose"));
        assert_eq!(broken.unwrap_err().class, FailureClass::Internal);
    }
}
