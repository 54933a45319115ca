use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Failure, FailureClass};

/// How many may be at work at once and how many may wait for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BulkheadParams {
    /// So many at work at once. 1 to 65,536.
    #[schemars(range(min = 1, max = 65_536))]
    pub concurrent: u32,
    /// So many more may wait; who comes then is refused. 0 to 65,536.
    #[schemars(range(min = 0, max = 65_536))]
    pub waiting: u32,
}

impl Default for BulkheadParams {
    fn default() -> Self {
        Self { concurrent: 16, waiting: 64 }
    }
}

/// A bulkhead: work of one kind cannot take all that the others need. Clones share it.
#[derive(Clone, Debug)]
pub struct Bulkhead {
    /// One for each at work or waiting.
    room: Arc<Semaphore>,
    /// One for each at work.
    seats: Arc<Semaphore>,
}

/// The right to work; given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    _seat: OwnedSemaphorePermit,
    _room: OwnedSemaphorePermit,
}

impl Bulkhead {
    /// An empty bulkhead.
    pub fn new(params: &BulkheadParams) -> Self {
        let seats = params.concurrent.max(1) as usize;
        Self { room: Arc::new(Semaphore::new(seats + params.waiting as usize)), seats: Arc::new(Semaphore::new(seats)) }
    }

    /// Waits for a seat, first come, first served.
    ///
    /// # Errors
    /// [`FailureClass::Overload`] at once when too many wait already.
    pub async fn enter(&self) -> Result<Seat, Failure> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| full())?;
        let seat = Arc::clone(&self.seats).acquire_owned().await.map_err(|_| full())?;
        Ok(Seat { _seat: seat, _room: room })
    }

    /// Takes a seat if one is free; never waits.
    ///
    /// # Errors
    /// [`FailureClass::Overload`] when none is.
    pub fn try_enter(&self) -> Result<Seat, Failure> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| full())?;
        let seat = Arc::clone(&self.seats).try_acquire_owned().map_err(|_| full())?;
        Ok(Seat { _seat: seat, _room: room })
    }

    /// Seats that are free now.
    pub fn free(&self) -> usize {
        self.seats.available_permits()
    }
}

fn full() -> Failure {
    Failure::new(FailureClass::Overload, "too many at once")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_work_so_many_wait_and_the_rest_are_refused_at_once() {
        let bulkhead = Bulkhead::new(&BulkheadParams { concurrent: 2, waiting: 1 });
        let first = bulkhead.enter().await.unwrap();
        let second = bulkhead.enter().await.unwrap();
        assert_eq!(bulkhead.free(), 0);
        assert_eq!(bulkhead.try_enter().unwrap_err().class, FailureClass::Overload);

        let waiting = tokio::spawn({
            let bulkhead = bulkhead.clone();
            async move { bulkhead.enter().await.map(drop) }
        });
        while bulkhead.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(bulkhead.enter().await.unwrap_err().class, FailureClass::Overload);
        drop(first);
        waiting.await.unwrap().unwrap();
        drop(second);
        assert_eq!(bulkhead.free(), 2);
    }
}
