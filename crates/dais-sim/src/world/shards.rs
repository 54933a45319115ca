//! The shards of a world, wherever they are.

use crate::world::call::{Call, Reply};
use crate::world::shard_error::ShardError;

/// The shards of a world: contiguous blocks of its agents, which together are all of them.
///
/// | implementor | where the agents are | what crosses |
/// |---|---|---|
/// | [`LocalShards`](crate::LocalShards) | in this process, on its threads | values; what was adopted is shared |
/// | of a program with shards elsewhere | wherever a [`ShardHost`](crate::ShardHost) runs | bytes |
///
/// A history does not depend on which. Who implements it for shards elsewhere may repeat a call whose reply was lost: a
/// [`ShardHost`](crate::ShardHost) replies to the same call as it did before.
pub trait Shards: Send {
    /// How many agents each shard has, in the order of the agents' numbers.
    fn sizes(&self) -> Vec<usize>;

    /// Makes one call to each shard, in their order; so are the replies.
    fn call(&self, calls: Vec<Call>) -> Vec<Result<Reply, ShardError>>;
}
