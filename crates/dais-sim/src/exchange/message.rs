//! What agents and coordinator say to one another in a step. In one process the values themselves are handed over; a
//! remote shard moves their bytes (`postcard`).

use std::net::IpAddr;
use std::sync::Arc;

use dais_protocol::{AgentId, Outcome, Seal, Sighting, Signature, SignatureId, Vote};
use serde::{Deserialize, Serialize};

use crate::agent::lifecycle::LifecycleEvent;
use crate::truth::tally::{SignatureTruth, StepTally};

/// A signature that an agent offers.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) signature: Arc<Signature>,
    pub(crate) id: SignatureId,
    /// For the evaluation and the oracle only.
    pub(crate) truth: SignatureTruth,
}

/// What a shard's agents say after observing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) sightings: Vec<Sighting>,
    pub(crate) challenges: Vec<(AgentId, SignatureId)>,
    pub(crate) events: Vec<LifecycleEvent>,
    /// Agents that take part, in order.
    pub(crate) active: Vec<AgentId>,
    pub(crate) tally: StepTally,
}

/// A shard's votes, with a seal for every agent that said anything in the step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Voted {
    pub(crate) votes: Vec<Vote>,
    pub(crate) seals: Vec<(AgentId, Seal)>,
}

/// An accepted signature on its way to every agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Adoption {
    pub(crate) signature: Arc<Signature>,
    pub(crate) radius: f32,
    pub(crate) truth: SignatureTruth,
}

/// What was decided in a step, for all agents to learn at the start of the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Decisions {
    pub(crate) adopted: Vec<Adoption>,
    pub(crate) withdrawn: Vec<SignatureId>,
    pub(crate) answers: Vec<(AgentId, SignatureId, Outcome)>,
    pub(crate) blocks: Vec<(IpAddr, SignatureId)>,
}
