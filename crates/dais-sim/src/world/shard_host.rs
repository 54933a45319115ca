//! A shard elsewhere: it is asked in bytes, and replies in bytes.

use std::ops::Range;
use std::sync::Arc;

use dais_ledger::{Digest, leaf_hash};
use dais_traffic::Source;

use crate::params::error::ScenarioError;
use crate::params::mode::Mode;
use crate::world::call::{Call, Reply};
use crate::world::plan::Plan;
use crate::world::setting::Setting;
use crate::world::shard::Shard;
use crate::world::shard_error::ShardError;

/// A shard as a process elsewhere hosts it: bytes of a [`Call`] go in, bytes of a [`Reply`] come out.
///
/// A call that is repeated gets the same reply again and changes nothing, so a lost reply is not a lost run.
#[derive(Debug)]
pub struct ShardHost {
    shard: Shard,
    /// The last call that changed something, by its hash, and the reply it got.
    last: Option<(Digest, Vec<u8>)>,
}

impl ShardHost {
    /// These agents of a world of this plan and traffic, which have seen nothing yet.
    ///
    /// # Errors
    /// Parameters out of range, agents that the traffic does not have.
    pub fn new(mode: Mode, plan: &Plan, source: Arc<dyn Source>, agents: Range<u32>) -> Result<Self, ScenarioError> {
        plan.rules.check()?;
        let within = !agents.is_empty() && agents.end as usize <= source.sites();
        let (first, end) = (agents.start, agents.end);
        ScenarioError::require(within, "agents", &format_args!("{first}..{end}"), "a range of the traffic's sites")?;
        let setting = Arc::new(Setting::new(mode, plan, source));
        Ok(Self { shard: Shard::new(setting, agents), last: None })
    }

    /// Answers a call. Whatever goes wrong is in the reply.
    pub fn answer(&mut self, call: &[u8]) -> Vec<u8> {
        let asked = leaf_hash(call);
        if let Some((_, reply)) = self.last.as_ref().filter(|(answered, _)| *answered == asked) {
            return reply.clone();
        }
        let call = match Call::from_bytes(call) {
            Ok(call) => call,
            Err(error) => return failure(ShardError::Message(error.to_string())),
        };
        let only_reads = call.only_reads();
        let reply = self.shard.answer(call.0, None).map(Reply);
        let bytes = Reply::to_bytes(&reply).unwrap_or_else(|error| failure(ShardError::Message(error.to_string())));
        if reply.is_ok() && !only_reads {
            self.last = Some((asked, bytes.clone()));
        }
        bytes
    }
}

/// The bytes of a failure; a failure always encodes.
fn failure(error: ShardError) -> Vec<u8> {
    Reply::to_bytes(&Err(error)).expect("a name and a text encode")
}
