//! The state of a shard as bytes.

use std::sync::Arc;

use super::{Shard, State};
use crate::exchange::in_force::InForce;
use crate::exchange::message::Counted;
use crate::witness::agent_witness::{AgentWitness, Memory};
use crate::world::shard_error::ShardError;

impl Shard {
    /// All state as bytes.
    pub(super) fn snapshot(&self) -> Result<Vec<u8>, ShardError> {
        let memories: Vec<Memory> = self.witnesses.iter().map(AgentWitness::memory).collect();
        postcard::to_allocvec(&(&self.state, memories)).map_err(|error| ShardError::Snapshot(error.to_string()))
    }

    /// Goes back to the state of a snapshot.
    pub(super) fn restore(&mut self, bytes: &[u8]) -> Result<(), ShardError> {
        let (state, memories): (State, Vec<Memory>) =
            postcard::from_bytes(bytes).map_err(|error| ShardError::Snapshot(error.to_string()))?;
        if state.agents.len() != self.state.agents.len() {
            return Err(ShardError::Snapshot(format!("it has {} agents", state.agents.len())));
        }
        if memories.len() != self.witnesses.len() {
            return Err(ShardError::Snapshot(format!("it has {} witnesses", memories.len())));
        }
        for (witness, memory) in self.witnesses.iter_mut().zip(&memories) {
            witness.restore(memory).map_err(ShardError::Snapshot)?;
        }
        self.state = state;
        self.sightings.clear();
        self.counted = Counted::default();
        Ok(())
    }

    /// What is in force for its agents.
    pub(crate) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.state.in_force)
    }

    /// Holds what is in force together with others, if it is the same.
    pub(crate) fn share(&mut self, in_force: &Arc<InForce>) {
        if *self.state.in_force == **in_force {
            self.state.in_force = Arc::clone(in_force);
        }
    }
}
