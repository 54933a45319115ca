//! How a world begins: the coordinator, the witnesses and the first entries of the ledger.

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

/// The coordinator, and who has its ledger cosigned, where there is one.
pub(super) fn found_exchange(
    mode: Mode,
    plan: &Plan,
    source: &dyn Source,
    keys: Vec<VerifyingKey>,
    storage: Box<dyn Storage>,
) -> Result<(Coordinator, Option<Cosigning>), WorldError> {
    let (ledger, cosigning) = match mode {
        Mode::Isolated | Mode::Oracle => (None, None),
        Mode::Collaborative => {
            let key = HeadKey::from_seed(plan.seed.key(Purpose::CoordinatorKey, 0));
            let cosigning = found_cosigning(plan, &key, keys.len() as u32)?;
            (Some(found_ledger(plan, &keys, key, storage)?), Some(cosigning))
        }
    };
    let schema = source.schema();
    let bylaws = Bylaws::of(&plan.rules, mode, (schema.numeric.len(), schema.categorical.len()));
    let committee_seed = plan.seed.key(Purpose::CoordinatorKey, 1);
    Ok((Coordinator::new(Founding { bylaws, committee_seed, keys, ledger }), cosigning))
}

/// The ledger with its first entries: the description of the run, and its members.
fn found_ledger(
    plan: &Plan,
    keys: &[VerifyingKey],
    key: HeadKey,
    storage: Box<dyn Storage>,
) -> Result<Logbook, WorldError> {
    let genesis = Entry { kind: Kind::Genesis, step: 0, author: COORDINATOR, body: plan.genesis.clone() };
    let members = (0..).zip(keys).map(|(agent, key)| record::member(AgentId(agent), key));
    let founding: Vec<Entry> = std::iter::once(genesis).chain(members).collect();
    let mut ledger = Logbook::begin(storage, plan.origin.clone(), key)?;
    ledger.write(&founding)?;
    Ok(ledger)
}

/// Makes the witnesses among the agents known to who has heads cosigned.
fn found_cosigning(plan: &Plan, key: &HeadKey, agents: u32) -> Result<Cosigning, WorldError> {
    let params = &plan.rules.exchange;
    let log = key.verifier();
    let second_face = params.two_faced_from.map(|step| SecondFace::new(step, plan.origin.clone(), key.clone()));
    let drawn = appointment::draw(plan.seed, agents, params).into_iter();
    let verifiers = drawn.map(|agent| (agent, appointment::witness(plan.seed, agent).verifier()));
    Ok(Cosigning::new(log, verifiers, second_face.transpose()?))
}
