//! What agents and coordinator say to one another in a step. In one process the values themselves are handed over; a
//! remote shard moves their bytes (`postcard`).

use std::net::IpAddr;
use std::sync::Arc;

use dais_protocol::{AgentId, Outcome, Seal, Sighting, Signature, SignatureId, Vote};
use serde::{Deserialize, Serialize};

use crate::agent::lifecycle::LifecycleEvent;
use crate::truth::tally::{SignatureTruth, StepTally};
use crate::wire;

/// A signature that an agent offers, as the assembly takes it.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) signature: Arc<Signature>,
    pub(crate) id: SignatureId,
    /// For the evaluation and the oracle only.
    pub(crate) truth: SignatureTruth,
}

/// What a shard's agents say after observing. No label is in it: what is true of their words travels apart, as
/// [`Counted`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) offers: Vec<Arc<Signature>>,
    pub(crate) sightings: Vec<Sighting>,
    pub(crate) challenges: Vec<(AgentId, SignatureId)>,
    pub(crate) events: Vec<LifecycleEvent>,
    /// Agents that take part, in order.
    pub(crate) active: Vec<AgentId>,
}

/// What really happened at a shard's sites in a step, for the evaluation and the oracle; no agent hears of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) tally: StepTally,
    /// The truth about the signatures offered.
    pub(crate) truths: Vec<(SignatureId, SignatureTruth)>,
}

/// A shard's votes, with a seal for every agent that said anything in the step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Voted {
    pub(crate) votes: Vec<Vote>,
    #[serde(with = "wire::seals")]
    pub(crate) seals: Vec<(AgentId, Seal)>,
}

/// An accepted signature on its way to every agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Adoption {
    pub(crate) signature: Arc<Signature>,
    pub(crate) radius: f32,
}

/// What was decided in a step, for all agents to learn at the start of the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Decisions {
    pub(crate) adopted: Vec<Adoption>,
    pub(crate) withdrawn: Vec<SignatureId>,
    pub(crate) answers: Vec<(AgentId, SignatureId, Outcome)>,
    pub(crate) blocks: Vec<(IpAddr, SignatureId)>,
}
