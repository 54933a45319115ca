//! How a world begins: shards, coordinator, witnesses and the first entries of the ledger.

use dais_ledger::{COORDINATOR, Entry, HeadKey, Kind, Storage};
use dais_protocol::{AgentId, VerifyingKey};
use dais_traffic::Source;

use crate::exchange::bylaws::Bylaws;
use crate::exchange::coordinator::{Coordinator, Founding};
use crate::exchange::logbook::Logbook;
use crate::exchange::record;
use crate::params::mode::Mode;
use crate::seed::Purpose;
use crate::witness::appointment;
use crate::witness::cosigning::Cosigning;
use crate::witness::second_face::SecondFace;
use crate::world::error::WorldError;
use crate::world::plan::Plan;
use crate::world::shard::Shard;

/// Shards for each thread: several, so that threads finish together; few, since each holds a copy of what was accepted.
const SHARDS_PER_THREAD: usize = 8;

/// Shards are multiples of this many agents.
const SHARD_AGENTS: usize = 4;

/// The numbers of agents of the shards that so many agents are cut into.
pub(super) fn shard_sizes(agents: usize, threads: usize) -> Vec<usize> {
    let size = agents.div_ceil(threads.max(1) * SHARDS_PER_THREAD).next_multiple_of(SHARD_AGENTS);
    (0..agents).step_by(size).map(|first| size.min(agents - first)).collect()
}

/// The coordinator, and who has its ledger cosigned, where there is one.
pub(super) fn found_exchange(
    mode: Mode,
    plan: &Plan,
    source: &dyn Source,
    shards: &mut [Shard],
    storage: Box<dyn Storage>,
) -> Result<(Coordinator, Option<Cosigning>), WorldError> {
    let members: Vec<_> = shards.iter().flat_map(Shard::verifying_keys).collect();
    let (ledger, cosigning) = match mode {
        Mode::Isolated | Mode::Oracle => (None, None),
        Mode::Collaborative => {
            let key = HeadKey::from_seed(plan.seed.key(Purpose::CoordinatorKey, 0));
            let cosigning = found_cosigning(plan, &key, members.len() as u32, shards)?;
            (Some(found_ledger(plan, &members, key, storage)?), Some(cosigning))
        }
    };
    let keys: Vec<VerifyingKey> = members.into_iter().map(|(_, key)| key).collect();
    let schema = source.schema();
    let bylaws = Bylaws::of(&plan.rules, mode, (schema.numeric.len(), schema.categorical.len()));
    let committee_seed = plan.seed.key(Purpose::CoordinatorKey, 1);
    Ok((Coordinator::new(Founding { bylaws, committee_seed, keys, ledger }), cosigning))
}

/// The ledger with its first entries: the description of the run, and its members.
fn found_ledger(
    plan: &Plan,
    members: &[(AgentId, VerifyingKey)],
    key: HeadKey,
    storage: Box<dyn Storage>,
) -> Result<Logbook, WorldError> {
    let genesis = Entry { kind: Kind::Genesis, step: 0, author: COORDINATOR, body: plan.genesis.clone() };
    let members = members.iter().map(|(agent, key)| record::member(*agent, key));
    let founding: Vec<Entry> = std::iter::once(genesis).chain(members).collect();
    let mut ledger = Logbook::begin(storage, plan.origin.clone(), key)?;
    ledger.write(&founding)?;
    Ok(ledger)
}

/// Appoints the witnesses among the agents, and makes them known to who has heads cosigned.
fn found_cosigning(plan: &Plan, key: &HeadKey, agents: u32, shards: &mut [Shard]) -> Result<Cosigning, WorldError> {
    let params = &plan.rules.exchange;
    let drawn: Vec<AgentId> = appointment::draw(plan.seed, agents, params);
    let log = key.verifier();
    for shard in shards.iter_mut() {
        shard.appoint(&drawn, &plan.origin, log);
    }
    let second_face = params.two_faced_from.map(|step| SecondFace::new(step, plan.origin.clone(), key.clone()));
    let verifiers = drawn.iter().map(|&agent| (agent, appointment::witness(plan.seed, agent).verifier()));
    Ok(Cosigning::new(log, verifiers, second_face.transpose()?))
}
