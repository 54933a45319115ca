//! Agents, worlds and the deterministic step: the composition of traffic, detection, protocol and ledger.
//!
//! A [`World`] steps all agents of a run through the phases observe → publish → vote → resolve → learn. It is cut into
//! shards, contiguous blocks of agents, which a coordinator asks for signatures and for votes; the coordinator runs the
//! ballots and records everything in the ledger. A run is a function of its [`Plan`] and its traffic: the ledger head
//! after the last step is the same for any number of threads. What a ledger says can be recomputed from its entries
//! alone: [`audit`] checks every seal and every decision.
#![forbid(unsafe_code)]

mod adversary;
mod agent;
mod audit;
mod exchange;
mod invariant;
mod lookout;
mod params;
mod seed;
mod stop;
mod truth;
mod wire;
mod witness;
mod workers;
mod world;

pub use agent::lifecycle::{Cause, Lifecycle, LifecycleEvent};
pub use audit::cosigned::{Accusation, Cosignature, Cosigned, Doubt, accusation, cosigned};
pub use audit::fault::{Check, Fault, Place, Wrong};
pub use audit::genesis::{GENESIS_FORMAT, Genesis, GenesisError};
pub use audit::replay::{Blocked, Depth, ReplayedStep, replay};
pub use audit::{Audit, audit};
pub use exchange::assembly::uncounted::Uncounted;
pub use exchange::counts::ExchangeCounts;
pub use exchange::logbook::RunLedger;
pub use exchange::record::transitions;
pub use exchange::report::{Decided, Opened, StepReport, VoteCount};
pub use invariant::{Broken, Invariants};
pub use lookout::{Judged, Lookout, Watched};
pub use params::adversary::{AdversaryGroup, Behaviour, Placement, adversaries};
pub use params::agent::{AgentParams, AlertLearning, ColdStart, OddArrivals};
pub use params::budget::BudgetParams;
pub use params::error::ScenarioError;
pub use params::exchange::ExchangeParams;
pub use params::mode::Mode;
pub use params::rules::Rules;
pub use seed::Seed;
pub use stop::Stop;
pub use truth::tally::{CURVE_POINTS, Contact, Curve, FamilyTally, FirstSight, SignatureTruth, StepTally, curve_level};
pub use wire::WireError;
pub use witness::appointment::appointed;
pub use witness::cosigning::Witnessed;
pub use world::World;
pub use world::call::{Call, Reply};
pub use world::error::WorldError;
pub use world::finished::Finished;
pub use world::local_shards::LocalShards;
pub use world::phase::{Phase, Watch};
pub use world::plan::{Execution, Plan, behaviours};
pub use world::shard_error::{ShardError, Turn};
pub use world::shard_host::ShardHost;
pub use world::shards::Shards;
