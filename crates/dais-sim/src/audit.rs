//! Checking a run's ledger from its entries alone.

mod batch;
pub(crate) mod cosigned;
pub(crate) mod fault;
pub(crate) mod genesis;
pub(crate) mod replay;
mod step_entries;
mod waiting_seals;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use dais_ledger::{Damage, Entry, Head, HeadKey, HeadVerifier, Kind, Storage, Verified, verify};
use dais_protocol::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::audit::fault::{Check, Fault, Place, Wrong};
use crate::audit::genesis::Genesis;
use crate::audit::replay::{Depth, replay_counted};
use crate::seed::Purpose;

/// What was checked in a ledger that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Name of the log.
    pub origin: String,
    /// The last head.
    pub head: Head,
    /// Sealed heads, that of the empty log included.
    pub heads: u64,
    /// Entries by kind.
    pub entries: BTreeMap<Kind, u64>,
    /// Agents of the run.
    pub agents: u32,
    /// Steps recomputed.
    pub steps: u32,
    /// Agents' seals checked.
    pub seals: u64,
    /// Decisions recomputed from votes, trust and rules.
    pub decisions: u64,
    /// Votes that counted.
    pub votes_counted: u64,
    /// Votes that were recorded but did not count: against their own evidence, twice, or from outside the committee.
    pub votes_refused: u64,
}

/// Checks a run's ledger from its entries alone, and stops at the first fault.
///
/// | check | what must hold |
/// |---|---|
/// | log | entries hash to their leaves, leaves to the root of every head, heads are sealed ([`dais_ledger::verify`]) |
/// | record | the log begins with a run and its members; every body is readable, canonical and agrees with its entry |
/// | seals | what an agent said in a step is followed by its seal over all of it |
/// | lifecycle | every agent goes from state to state as [`crate::Lifecycle`] allows |
/// | decisions | signatures were admitted by the rules; every outcome is the one that votes, trust, committees and rules give |
/// | key | the heads are sealed with the key that follows from the run's seed |
///
/// Reads the log twice, with the memory of one step's entries and of the coordinator's state. Of a revocation the
/// opening is not recorded: it is taken to be in the step of the first votes.
///
/// # Errors
/// The first [`Fault`]. Where the damage of the log names no single entry, a look at the content often does.
pub fn audit(storage: &dyn Storage) -> Result<Audit, Fault> {
    let verified = match verify_log(storage) {
        Ok(verified) => verified,
        Err(damage) => return Err(locate(storage, damage)),
    };
    let (genesis, replayed) = replay_counted(storage, Depth::Seals, &mut |_| ())?;
    check_key(storage, &genesis)?;
    let kinds = Kind::ALL.into_iter().zip(replayed.kinds);
    Ok(Audit {
        origin: verified.origin.to_string(),
        head: verified.head.head,
        heads: verified.heads,
        entries: kinds.collect(),
        agents: replayed.agents,
        steps: replayed.steps,
        seals: replayed.seals,
        decisions: replayed.decisions,
        votes_counted: replayed.votes_counted,
        votes_refused: replayed.votes_refused,
    })
}

/// Verifies the log against the key stored with it; whose key that is, is checked against the run's seed later.
fn verify_log(storage: &dyn Storage) -> Result<Verified, Damage> {
    let identity = storage.identity().map_err(|source| Damage::Unreadable { entries_read: 0, source })?;
    let identity = identity.ok_or(Damage::Headless { what: "identity" })?;
    let verifier =
        HeadVerifier::from_bytes(identity.public_key).map_err(|_| Damage::Headless { what: "public key" })?;
    verify(storage, &verifier)
}

/// Names the entry in which damage of the log lies, if the damage or the content of the entries tells.
fn locate(storage: &dyn Storage, damage: Damage) -> Fault {
    let (mut at, mut inside) = (None, None);
    if let Damage::RootMismatch { first, size, .. } = damage {
        let content = replay_counted(storage, Depth::Seals, &mut |_| ()).err();
        let within = content.filter(|fault| fault.place.is_some_and(|place| (first..size).contains(&place.index)));
        if let Some(within) = within {
            at = within.place;
            inside = Some(within.wrong);
        }
    } else if let Some(index) = damage.first_index() {
        at = place(storage, index);
    }
    Fault::new(Check::Log, at, Wrong::Damaged { damage, inside })
}

/// The place of an entry whose bytes may be damaged but can still be read.
fn place(storage: &dyn Storage, index: u64) -> Option<Place> {
    let mut place = None;
    let scanned = storage.scan(index..index + 1, &mut |row| {
        place = Entry::decode(row.bytes).ok().map(|entry| Place::of(index, &entry));
        ControlFlow::Break(())
    });
    scanned.ok().and(place)
}

fn check_key(storage: &dyn Storage, genesis: &Genesis) -> Result<(), Fault> {
    let expected = HeadKey::from_seed(genesis.seed.key(Purpose::CoordinatorKey, 0)).verifier().to_bytes();
    let identity = storage.identity().ok().flatten();
    let found = identity.map(|identity| identity.public_key);
    if found == Some(expected) {
        return Ok(());
    }
    let hex =
        |bytes: [u8; 32]| VerifyingKey::from_bytes(bytes).map_or_else(|_| "unknown".to_owned(), |key| key.to_string());
    let found = found.map_or_else(|| "none".to_owned(), hex);
    Err(Fault::new(Check::Key, None, Wrong::HeadKey { found, expected: hex(expected) }))
}
