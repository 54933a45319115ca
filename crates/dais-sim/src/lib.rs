//! Agents, worlds and the deterministic step: the composition of traffic, detection, protocol and ledger.
//!
//! A [`World`] steps all agents of a run through the phases observe → publish → vote → resolve → learn. It is cut into
//! shards, contiguous blocks of agents, which a coordinator asks for signatures and for votes; the coordinator runs the
//! ballots and records everything in the ledger. A run is a function of its [`Plan`] and its traffic: the ledger head
//! after the last step is the same for any number of threads. What a ledger says can be recomputed from its entries
//! alone: [`audit`] checks every seal and every decision.
#![forbid(unsafe_code)]

mod adopted;
mod adversary;
mod agent;
mod assembly;
mod audit;
mod classify;
mod coordinator;
mod cosigned;
mod cosigning;
mod exchange;
mod facts;
mod fault;
mod genesis;
mod lifecycle;
mod logbook;
mod lookout;
mod message;
mod minutes;
mod model;
mod params;
mod record;
mod replay;
mod scenario;
mod seed;
mod shard;
mod statement;
mod stop;
mod tally;
mod two_faced;
mod window;
mod witness;
mod workers;
mod world;

pub use adversary::{AdversaryGroup, Behaviour};
pub use assembly::Uncounted;
pub use audit::{Audit, audit};
pub use coordinator::RunLedger;
pub use cosigned::{Accusation, Cosignature, Cosigned, Doubt, accusation, cosigned};
pub use cosigning::Witnessed;
pub use exchange::{ExchangeCounts, ExchangeParams};
pub use facts::{Decided, Opened, StepFacts, VoteCount};
pub use fault::{Check, Fault, Place, Wrong};
pub use genesis::{GENESIS_FORMAT, Genesis, GenesisError};
pub use lifecycle::{Cause, Lifecycle, LifecycleEvent};
pub use lookout::{Judged, Lookout, Watched};
pub use params::{AgentParams, AlertLearning, ColdStart};
pub use record::transitions;
pub use replay::{Blocked, Depth, ReplayedStep, replay};
pub use scenario::{Execution, Plan, Rules, ScenarioError};
pub use seed::Seed;
pub use shard::{ShardError, Turn};
pub use stop::Stop;
pub use tally::{CURVE_POINTS, Contact, Curve, FamilyTally, FirstSight, Grade, StepTally, curve_level};
pub use witness::appointed;
pub use world::{Finished, Mode, Phase, Watch, World, WorldError, behaviours};
