//! A run between two steps as bytes, to go on from after its process ended.
//!
//! Layout: a line `dais-checkpoint/3 VERSION`, then the number of pieces and each piece with its length (8 bytes each,
//! little-endian), then the SHA-256 of all of that. The pieces hold postcard, which only the same version reads.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dais_ledger::{Ledger, MemoryStorage, SignedHead, Storage};
use dais_protocol::SignatureId;
use dais_sim::{
    Contact, Curve, ExchangeCounts, Execution, Finished, FirstSight, Lifecycle, Mode, Phase, RunLedger, StepTally,
    Witnessed, World, WorldError,
};
use dais_traffic::FamilyId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Clock, Course, Living, Run, RunError, WorldHistory};
use crate::load::Loaded;
use crate::scenario::Scenario;

/// What a checkpoint begins with; the number changes with the layout of what follows.
const FORMAT: &str = "dais-checkpoint/3";
/// The version that wrote it: what it holds may be laid out otherwise in another.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Bytes of the checksum at the end.
const CHECKSUM: usize = 32;

/// Why a run cannot go on from a checkpoint. It can still begin again: it compares what it records with its ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The bytes do not begin as a checkpoint does.
    #[error("it is no checkpoint")]
    NotOne,
    /// Another version of the program wrote it.
    #[error("it was written by dais {found}, and only that version reads it; this is dais {VERSION}")]
    OtherVersion {
        /// The version.
        found: String,
    },
    /// Bytes are missing or altered.
    #[error("it is damaged: its checksum does not fit")]
    Damaged,
    /// It is of a run with another seed, scenario or traffic.
    #[error("it is of another run: {found}, and this is {expected}")]
    OtherRun {
        /// Name of the ledger of its run.
        found: String,
        /// Name of the ledger of this run.
        expected: String,
    },
    /// Its content cannot be decoded.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// A run as a checkpoint keeps it, but for the snapshot of the world under way.
#[derive(Serialize, Deserialize)]
struct State {
    origin: String,
    to_come: Vec<Mode>,
    done: BTreeMap<Mode, Past>,
    living: Option<(Mode, Figures)>,
    wall: Duration,
}

/// What was counted of a world so far.
#[derive(Serialize, Deserialize)]
struct Figures {
    course: Course,
    phases: BTreeMap<Phase, Duration>,
    /// Signatures by their bytes, families by their numbers.
    truths: Vec<([u8; 32], Option<u16>)>,
}

impl Figures {
    fn new(course: &Course, phases: &BTreeMap<Phase, Duration>, truths: &Truths) -> Self {
        let truths = truths.iter().map(|(id, family)| (*id.as_bytes(), family.map(|family| family.0))).collect();
        Self { course: course.clone(), phases: phases.clone(), truths }
    }

    fn truths(truths: &[([u8; 32], Option<u16>)]) -> Truths {
        truths.iter().map(|(id, family)| (SignatureId::from_bytes(*id), family.map(FamilyId))).collect()
    }
}

/// What the labels say of each published signature.
type Truths = BTreeMap<SignatureId, Option<FamilyId>>;

/// A world that has ended.
#[derive(Serialize, Deserialize)]
struct Past {
    figures: Figures,
    lives: Vec<(Lifecycle, u32)>,
    curve: Curve,
    first_sights: Vec<Vec<FirstSight>>,
    contacts: Vec<(IpAddr, Contact)>,
    counts: ExchangeCounts,
    trust: Vec<f32>,
    head: Option<SignedHead>,
    witnesses: usize,
    checkpoint: Option<String>,
    split_views: Vec<String>,
}

impl Past {
    fn of(history: &WorldHistory) -> Self {
        let WorldHistory { course, phases, finished, lives, truths } = history;
        Self {
            figures: Figures::new(course, phases, truths),
            lives: lives.iter().map(|(state, agents)| (*state, *agents)).collect(),
            curve: finished.curve.clone(),
            first_sights: finished.first_sights.clone(),
            contacts: finished.contacts.clone(),
            counts: finished.counts,
            trust: finished.trust.clone(),
            head: finished.ledger.as_ref().map(|ledger| *ledger.head()),
            witnesses: finished.witnessed.witnesses,
            checkpoint: finished.witnessed.checkpoint.as_ref().map(ToString::to_string),
            split_views: finished.witnessed.split_views.iter().map(ToString::to_string).collect(),
        }
    }

    /// The history as it was; `storage` holds its ledger, if it has one.
    fn history(self, storage: &mut Option<Box<dyn Storage>>) -> Result<WorldHistory, RunError> {
        let ledger = match self.head {
            Some(head) => storage.take().map(|storage| reopened(storage, head)).transpose()?,
            None => None,
        };
        let checkpoint = self.checkpoint.map(|text| text.parse().map_err(|error| unreadable(&error))).transpose()?;
        let split_views = self.split_views.iter().map(|text| text.parse().map_err(|error| unreadable(&error)));
        let split_views = split_views.collect::<Result<_, _>>()?;
        let witnessed = Witnessed { witnesses: self.witnesses, checkpoint, split_views };
        let Self { figures, lives, curve, first_sights, contacts, counts, trust, .. } = self;
        let finished = Finished { curve, first_sights, contacts, counts, trust, ledger, witnessed };
        let Figures { course, phases, truths } = figures;
        let (lives, truths) = (lives.into_iter().collect(), Figures::truths(&truths));
        Ok(WorldHistory { course, phases, finished, lives, truths })
    }
}

fn unreadable(error: &dyn Display) -> CheckpointError {
    CheckpointError::Unreadable(error.to_string())
}

/// The ledger of a world that has ended, as it ended.
fn reopened(storage: Box<dyn Storage>, head: SignedHead) -> Result<RunLedger, WorldError> {
    let ledger = Ledger::open(storage)?;
    let (held, needed) = (ledger.head().head.size, head.head.size);
    if held < needed {
        return Err(WorldError::LedgerBehind { held, needed });
    }
    if *ledger.head() == head { Ok(ledger) } else { Err(WorldError::OtherHistory { index: needed }) }
}

impl Run {
    /// Writes all that the run needs to go on from here, but for its scenario, its traffic and its ledger.
    ///
    /// # Errors
    /// [`RunError::Unwritten`] when `out` fails; [`RunError::World`] for a state that cannot be encoded.
    pub fn checkpoint(&self, out: &mut impl Write) -> Result<(), RunError> {
        let figures = |living: &Living| Figures::new(&living.course, &living.clock.spent, &living.truths);
        let state = State {
            origin: self.plan.origin.to_string(),
            to_come: self.to_come.iter().copied().collect(),
            done: self.done.iter().map(|(mode, history)| (*mode, Past::of(history))).collect(),
            living: self.living.as_ref().map(|living| (living.world.mode(), figures(living))),
            wall: self.earlier + self.began.elapsed(),
        };
        let mut pieces = vec![postcard::to_allocvec(&state).map_err(|error| unreadable(&error))?];
        if let Some(living) = &self.living {
            pieces.extend(living.world.snapshot()?);
        }
        write(&pieces, out).map_err(RunError::Unwritten)
    }

    /// The run of a checkpoint, on its ledger. The ledger may have grown since: what the run records again is compared with it.
    ///
    /// # Errors
    /// [`RunError::Checkpoint`] for bytes it cannot go on from; [`RunError::World`] for a ledger that is shorter than it
    /// was, or of another history.
    pub fn resume(
        scenario: &Scenario,
        loaded: Loaded,
        seed: u64,
        execution: Execution,
        storage: Box<dyn Storage>,
        checkpoint: &[u8],
    ) -> Result<Self, RunError> {
        let pieces = read(checkpoint)?;
        let mut run = Self::new(scenario, loaded, seed, execution, storage)?;
        let (first, snapshot) = pieces.split_first().ok_or(CheckpointError::Damaged)?;
        let state: State = postcard::from_bytes(first).map_err(|error| unreadable(&error))?;
        let expected = run.plan.origin.to_string();
        if state.origin != expected {
            return Err(CheckpointError::OtherRun { found: state.origin, expected }.into());
        }
        run.to_come = state.to_come.into();
        run.earlier = state.wall;
        for (mode, past) in state.done {
            run.done.insert(mode, past.history(&mut run.storage)?);
        }
        if let Some((mode, Figures { course, phases, truths })) = state.living {
            let storage = run.storage_of(mode);
            let world = World::resume(&run.plan, Arc::clone(&run.loaded.source), storage, snapshot)?;
            let clock = Clock { spent: phases, ..Clock::default() };
            let truths = Figures::truths(&truths);
            run.living = Some(Living { world, clock, course, last: StepTally::default(), truths });
        }
        Ok(run)
    }

    /// The storage that the ledger of a world goes to; only the collaborative one keeps it.
    pub(super) fn storage_of(&mut self, mode: Mode) -> Box<dyn Storage> {
        let kept = if mode == Mode::Collaborative { self.storage.take() } else { None };
        kept.unwrap_or_else(|| Box::new(MemoryStorage::new()))
    }
}

/// Writes pieces and what is needed to read them back.
fn write(pieces: &[Vec<u8>], out: &mut impl Write) -> io::Result<()> {
    let mut hasher = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hasher.update(bytes);
        out.write_all(bytes)
    };
    put(format!("{FORMAT} {VERSION}\n").as_bytes())?;
    put(&(pieces.len() as u64).to_le_bytes())?;
    for piece in pieces {
        put(&(piece.len() as u64).to_le_bytes())?;
        put(piece)?;
    }
    out.write_all(&hasher.finalize())
}

/// Reads what [`write`] wrote.
fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, CheckpointError> {
    let line = bytes.iter().take(100).position(|&byte| byte == b'\n').ok_or(CheckpointError::NotOne)?;
    let written = str::from_utf8(&bytes[..line]).ok().and_then(|line| line.split_once(' '));
    let (format, version) = written.ok_or(CheckpointError::NotOne)?;
    if (format, version) != (FORMAT, VERSION) {
        let known = format.starts_with("dais-checkpoint/");
        let other = CheckpointError::OtherVersion { found: version.to_owned() };
        return Err(if known { other } else { CheckpointError::NotOne });
    }
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(CheckpointError::Damaged)?;
    if Sha256::digest(content)[..] != checksum[..] {
        return Err(CheckpointError::Damaged);
    }
    let pieces = content.get(line + 1..).and_then(split);
    pieces.ok_or(CheckpointError::Damaged)
}

/// Takes pieces apart; `None` if their lengths do not add up to the bytes.
fn split(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let number = |rest: &mut &[u8]| {
        let (number, after) = rest.split_first_chunk::<8>()?;
        *rest = after;
        usize::try_from(u64::from_le_bytes(*number)).ok()
    };
    let mut pieces = Vec::new();
    for _ in 0..number(&mut rest)? {
        let length = number(&mut rest)?;
        let (piece, after) = rest.split_at_checked(length)?;
        pieces.push(piece.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(pieces, &mut bytes).expect("memory");
        bytes
    }

    #[test]
    fn pieces_are_read_as_they_were_written() {
        let pieces = vec![vec![1, 2, 3], Vec::new(), vec![0; 1000]];
        assert_eq!(read(&written(&pieces)), Ok(pieces));
    }

    #[test]
    fn no_altered_or_missing_byte_goes_unnoticed() {
        let bytes = written(&[vec![7; 40], vec![8; 9]]);
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            assert!(read(&altered).is_err(), "byte {place}");
            assert!(read(&bytes[..place]).is_err(), "the first {place} bytes");
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = b"dais-checkpoint/2 99.0.0\n".to_vec();
        bytes.extend(&written(&[])[FORMAT.len() + VERSION.len() + 2..]);
        assert_eq!(read(&bytes), Err(CheckpointError::OtherVersion { found: "99.0.0".to_owned() }));
    }
}
