//! The threads a world runs on.

#[cfg(feature = "threads")]
use std::sync::Arc;

#[cfg(feature = "threads")]
use rayon::prelude::*;

/// The worker threads could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot start {threads} worker threads: {cause}")]
pub(crate) struct ThreadsError {
    /// Threads asked for.
    pub(crate) threads: usize,
    /// What the system said.
    pub(crate) cause: String,
}

/// Worker threads, or none: then the calling thread does all the work. Results never depend on which. Built without the
/// feature `threads` there are none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers {
    #[cfg(feature = "threads")]
    pool: Option<Arc<rayon::ThreadPool>>,
}

#[cfg(feature = "threads")]
impl Workers {
    /// So many threads; with one, the calling thread does the work.
    pub(crate) fn start(threads: usize) -> Result<Self, ThreadsError> {
        if threads <= 1 {
            return Ok(Self::default());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| ThreadsError { threads, cause: error.to_string() })?;
        Ok(Self { pool: Some(Arc::new(pool)) })
    }

    /// Calls `call` for every item; results in the order of the items.
    pub(crate) fn map<T: Send, R: Send>(&self, items: Vec<T>, call: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        match &self.pool {
            // One item at a time: threads that are done early take over from those that are not.
            Some(pool) => pool.install(|| items.into_par_iter().with_max_len(1).map(call).collect()),
            None => items.into_iter().map(call).collect(),
        }
    }

    fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }
}

#[cfg(not(feature = "threads"))]
impl Workers {
    /// None, whatever is asked for.
    #[expect(clippy::unnecessary_wraps, reason = "with threads it may fail")]
    pub(crate) fn start(_: usize) -> Result<Self, ThreadsError> {
        Ok(Self::default())
    }

    /// Calls `call` for every item; results in the order of the items.
    #[expect(clippy::unused_self, reason = "with threads they are asked")]
    pub(crate) fn map<T: Send, R: Send>(&self, items: Vec<T>, call: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        items.into_iter().map(call).collect()
    }

    #[expect(clippy::unused_self, reason = "with threads they are counted")]
    fn threads(&self) -> usize {
        1
    }
}

impl Workers {
    /// How many items to take together so that every worker has its part of `items`, but no less than `least`.
    pub(crate) fn part(&self, items: usize, least: usize) -> usize {
        items.div_ceil(self.threads()).max(least)
    }
}
