//! The shards of a world within this process.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dais_traffic::Source;

use crate::params::mode::Mode;
use crate::workers::Workers;
use crate::world::call::{Call, Reply, Request};
use crate::world::plan::Plan;
use crate::world::setting::Setting;
use crate::world::shard::Shard;
use crate::world::shard_error::ShardError;
use crate::world::shards::Shards;

/// Shards for each thread: several, so that threads finish together; few, since each is asked by itself.
const SHARDS_PER_THREAD: usize = 8;

/// Shards are multiples of this many agents.
const SHARD_AGENTS: usize = 4;

/// Shards in this process, asked on its worker threads. What was adopted is held once for all of them.
#[derive(Debug)]
pub struct LocalShards {
    shards: Vec<Mutex<Shard>>,
    sizes: Vec<usize>,
    workers: Workers,
}

impl LocalShards {
    /// All agents of a world of this traffic, cut so that every thread of the plan has its part.
    pub(crate) fn new(mode: Mode, plan: &Plan, source: &Arc<dyn Source>, workers: Workers) -> Self {
        let agents = source.sites();
        let size = agents.div_ceil(plan.execution.threads.max(1) * SHARDS_PER_THREAD);
        let size = size.next_multiple_of(SHARD_AGENTS);
        let sizes = (0..agents).step_by(size).map(|first| size.min(agents - first)).collect();
        Self::cut(mode, plan, source, sizes, workers)
    }

    /// Shards with so many agents each.
    pub(crate) fn cut(mode: Mode, plan: &Plan, source: &Arc<dyn Source>, sizes: Vec<usize>, workers: Workers) -> Self {
        let setting = Arc::new(Setting::new(mode, plan, Arc::clone(source)));
        let mut first = 0;
        let ranges: Vec<Range<u32>> = sizes
            .iter()
            .map(|size| {
                let range = first..first + *size as u32;
                first = range.end;
                range
            })
            .collect();
        let shards = workers.map(ranges, |agents| Mutex::new(Shard::new(Arc::clone(&setting), agents)));
        Self { shards, sizes, workers }
    }
}

impl Shards for LocalShards {
    fn sizes(&self) -> Vec<usize> {
        self.sizes.clone()
    }

    fn call(&self, calls: Vec<Call>) -> Vec<Result<Reply, ShardError>> {
        // The shards have learned the same and are told the same: what follows is worked out once.
        let learned = self.shards.first().zip(calls.first()).and_then(|(shard, call)| lock(shard).learned(&call.0));
        let restores = matches!(calls.first(), Some(Call(Request::Restore(_))));
        let asked: Vec<(&Mutex<Shard>, Call)> = self.shards.iter().zip(calls).collect();
        let replies = self.workers.map(asked, |(shard, call)| lock(shard).answer(call.0, learned.as_ref()).map(Reply));
        if restores {
            self.share();
        }
        replies
    }
}

impl LocalShards {
    /// Lets the shards hold one copy of what is in force, of which each has one of its own after a restoration.
    fn share(&self) {
        let Some(first) = self.shards.first().map(|shard| lock(shard).in_force()) else { return };
        self.shards.iter().for_each(|shard| lock(shard).share(&first));
    }
}

/// A shard whose call panicked is left as it is; its world does not go on.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
