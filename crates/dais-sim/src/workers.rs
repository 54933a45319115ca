//! The threads a world runs on.

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

/// Worker threads, or none: then the calling thread does all the work. Results never depend on which.
#[derive(Debug)]
pub(crate) struct Workers(Option<rayon::ThreadPool>);

impl Workers {
    /// So many threads; with one, the calling thread does the work.
    pub(crate) fn start(threads: usize) -> Result<Self, ThreadsError> {
        if threads <= 1 {
            return Ok(Self(None));
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map(|pool| Self(Some(pool))).map_err(|error| ThreadsError { threads, cause: error.to_string() })
    }

    /// Calls `call` for every item; results in the order of the items.
    pub(crate) fn map<T: Send, R: Send>(&self, items: Vec<T>, call: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
        match &self.0 {
            // One item at a time: threads that are done early take over from those that are not.
            Some(pool) => pool.install(|| items.into_par_iter().with_max_len(1).map(call).collect()),
            None => items.into_iter().map(call).collect(),
        }
    }

    /// How many items to take together so that every worker has its part of `items`, but no less than `least`.
    pub(crate) fn part(&self, items: usize, least: usize) -> usize {
        let threads = self.0.as_ref().map_or(1, rayon::ThreadPool::current_num_threads);
        items.div_ceil(threads).max(least)
    }
}
