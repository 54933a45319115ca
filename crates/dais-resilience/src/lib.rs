//! Failing well: what an error means for who asked, and the four ways to live with it.
//!
//! | what happens | answer |
//! |---|---|
//! | something fails now and will work soon | [`RetryParams`]: again, later each time, not all at once |
//! | something keeps failing | [`Breaker`]: leave it alone for a while, then probe |
//! | something is slow | [`within`], [`within_blocking`]: an end to waiting |
//! | something is wanted by too many | [`Bulkhead`]: so many at work, so many waiting, the rest refused at once |
//!
//! A [`Failure`] tells which of them makes sense.
#![forbid(unsafe_code)]

mod breaker;
mod bulkhead;
mod failure;
mod retry;
mod timeout;

pub use breaker::{Breaker, BreakerParams, BreakerState};
pub use bulkhead::{Bulkhead, BulkheadParams, Seat};
pub use failure::{Failure, FailureClass, Severity};
pub use retry::{Delays, RetryParams, Schedule};
pub use timeout::{within, within_blocking};
