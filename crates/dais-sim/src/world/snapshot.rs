//! A world between two steps as bytes.

use std::fmt::Display;
use std::sync::Arc;

use dais_ledger::{SplitView, Storage};
use dais_protocol::SignatureId;
use dais_traffic::Source;
use serde::{Deserialize, Serialize};

use super::{World, answer, ask_each};
use crate::exchange::coordinator::CoordinatorState;
use crate::exchange::message::Decisions;
use crate::params::mode::Mode;
use crate::truth::tally::SignatureTruth;
use crate::witness::cosigning::{Cosigning, CosigningState};
use crate::workers::Workers;
use crate::world::call::{Call, Request, Response};
use crate::world::error::WorldError;
use crate::world::local_shards::LocalShards;
use crate::world::plan::Plan;
use crate::world::shards::Shards;

/// State of a world that does not follow from its plan and traffic, but for that of its shards.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    mode: Mode,
    next_step: u32,
    coordinator: CoordinatorState,
    cosigning: Option<CosigningState>,
    /// What agents are to learn at the start of the next step.
    decisions: Arc<Decisions>,
    truths: Arc<Vec<(SignatureId, SignatureTruth)>>,
    split_views: Vec<String>,
    /// Agents of each shard.
    blocks: Vec<usize>,
}

fn unreadable(error: &dyn Display) -> WorldError {
    WorldError::Snapshot(error.to_string())
}

/// The common piece, decoded, and those of the shards.
fn read(pieces: &[Vec<u8>]) -> Result<(Snapshot, &[Vec<u8>]), WorldError> {
    let (common, shards) = pieces.split_first().ok_or_else(|| unreadable(&"it is empty"))?;
    Ok((postcard::from_bytes(common).map_err(|error| unreadable(&error))?, shards))
}

impl World {
    /// All state between two steps as bytes, of a layout that only this version reads (postcard): one piece for what is
    /// common, then one a shard.
    ///
    /// About 100 kB an agent with the default parameters. What the ledger holds is not in it, but for how far it had come.
    ///
    /// # Errors
    /// A state that cannot be encoded.
    pub fn snapshot(&self) -> Result<Vec<Vec<u8>>, WorldError> {
        let snapshot = Snapshot {
            mode: self.mode,
            next_step: self.next_step,
            coordinator: self.coordinator.state(),
            cosigning: self.cosigning.as_ref().map(Cosigning::state),
            decisions: Arc::clone(&self.decisions),
            truths: Arc::clone(&self.truths),
            split_views: self.split_views.iter().map(ToString::to_string).collect(),
            blocks: self.shards.sizes(),
        };
        let mut pieces = vec![postcard::to_allocvec(&snapshot).map_err(|error| unreadable(&error))?];
        pieces.extend(self.ask(&Request::Snapshot, answer!(Snapshot))?);
        Ok(pieces)
    }

    /// The world of a snapshot, on the ledger it was taken with. The ledger may have grown since: what is written again is
    /// compared with what is there.
    ///
    /// # Errors
    /// Bytes that are no snapshot of a world of this plan, a ledger that is shorter than it was, or of another history.
    pub fn resume(
        plan: &Plan,
        source: Arc<dyn Source>,
        storage: Box<dyn Storage>,
        snapshot: &[Vec<u8>],
    ) -> Result<Self, WorldError> {
        let (snapshot, states) = read(snapshot)?;
        let agents: usize = snapshot.blocks.iter().sum();
        if agents != source.sites() {
            return Err(unreadable(&format_args!("it has {agents} agents, the traffic {} sites", source.sites())));
        }
        let workers = Workers::start(plan.execution.threads_for(agents))?;
        let shards = LocalShards::cut(snapshot.mode, plan, &source, snapshot.blocks.clone(), workers.clone());
        let mut world = Self::found(snapshot.mode, plan, source, storage, Box::new(shards), workers)?;
        world.take(snapshot, states)?;
        Ok(world)
    }

    /// The world of a snapshot, as [`World::resume`], whose shards are somewhere else.
    ///
    /// # Errors
    /// As [`World::resume`]; shards that do not answer, or are cut otherwise than those of the snapshot.
    pub fn resume_with_shards(
        plan: &Plan,
        source: Arc<dyn Source>,
        storage: Box<dyn Storage>,
        snapshot: &[Vec<u8>],
        shards: Box<dyn Shards>,
    ) -> Result<Self, WorldError> {
        let (snapshot, states) = read(snapshot)?;
        let workers = Workers::start(plan.execution.threads_for(source.sites()))?;
        let mut world = Self::found(snapshot.mode, plan, source, storage, shards, workers)?;
        world.take(snapshot, states)?;
        Ok(world)
    }

    /// Goes back to a snapshot of this world. The ledger keeps what it has: what is written again is compared with it.
    ///
    /// # Errors
    /// Bytes that are no snapshot of this world.
    pub fn restore(&mut self, snapshot: &[Vec<u8>]) -> Result<(), WorldError> {
        let (snapshot, states) = read(snapshot)?;
        self.take(snapshot, states)
    }

    fn take(&mut self, snapshot: Snapshot, states: &[Vec<u8>]) -> Result<(), WorldError> {
        let Snapshot { mode, next_step, coordinator, cosigning, decisions, truths, split_views, blocks } = snapshot;
        let own = self.shards.sizes();
        if mode != self.mode || blocks != own || states.len() != own.len() {
            return Err(unreadable(&"it is of another world"));
        }
        let calls = states.iter().map(|state| Call(Request::Restore(Arc::new(state.clone())))).collect();
        let _: Vec<()> = ask_each(&*self.shards, calls, answer!(Done))?;
        self.lives = self.ask(&Request::Lives, answer!(Lives))?.concat();
        self.coordinator.restore(coordinator)?;
        match (self.coordinator.ledger(), &mut self.cosigning, cosigning) {
            (Some(ledger), Some(own), Some(state)) => own.restore(&state, ledger)?,
            (_, None, None) => {}
            _ => return Err(unreadable(&"it is of another kind of world")),
        }
        self.decisions = decisions;
        self.truths = truths;
        self.next_step = next_step;
        let parsed = split_views.iter().map(|text| text.parse::<SplitView>());
        self.split_views = parsed.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
        Ok(())
    }
}
