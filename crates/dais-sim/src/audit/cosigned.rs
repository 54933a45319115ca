//! Checking what the witnesses of a run said about its ledger, and what somebody says against it.

use std::ops::ControlFlow;

use dais_ledger::{
    Checkpoint, CheckpointError, Digest, Entry, Head, HeadVerifier, Identity, Origin, SplitView, SplitViewError,
    Storage, StorageError, Unsigned, WitnessVerifier,
};

use crate::audit::genesis::Genesis;

/// What a checkpoint says about one of the witnesses that the genesis entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cosignature {
    /// It cosigned the checkpoint.
    Holds {
        /// Simulated time in seconds since the beginning of the run.
        time_s: u64,
    },
    /// There is no line of its key.
    Missing,
    /// There is a line of its key that does not hold.
    Invalid,
}

/// Why cosignatures do not bear a ledger out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Witnesses are named and there is no checkpoint of theirs.
    #[error("the ledger names {witnesses} witnesses, and there is no checkpoint with their cosignatures")]
    NoCheckpoint {
        /// Witnesses named.
        witnesses: usize,
    },
    /// It is no checkpoint.
    #[error(transparent)]
    Malformed(#[from] CheckpointError),
    /// It is about another log.
    #[error("the checkpoint is of the log `{origin}`")]
    OtherLog {
        /// The log it names.
        origin: Origin,
    },
    /// The log's own signature is missing or does not hold.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// The ledger ends before the head in the checkpoint.
    #[error("the ledger was cut back or replaced: its key sealed a head of size {cosigned}, now it has {size} entries")]
    Cut {
        /// Size in the checkpoint.
        cosigned: u64,
        /// Size of the ledger.
        size: u64,
    },
    /// The ledger has another history up to the head in the checkpoint.
    #[error(
        "history was rewritten by who holds the key: at size {} it sealed the root {}, the ledger has {}", cosigned.size,
        cosigned.root, found.map_or_else(|| "no head of that size".to_owned(), |root| root.to_string())
    )]
    Rewritten {
        /// Head in the checkpoint.
        cosigned: Head,
        /// Root of the ledger's head of that size.
        found: Option<Digest>,
    },
    /// A line of a known witness does not hold.
    #[error("the cosignature of `{name}` does not hold: the checkpoint was changed")]
    Invalid {
        /// The first such witness.
        name: Origin,
    },
    /// No majority cosigned.
    #[error("{found} of {witnesses} witnesses cosigned the head, needed are {needed}")]
    TooFew {
        /// Cosignatures that hold.
        found: usize,
        /// Witnesses named.
        witnesses: usize,
        /// A majority.
        needed: usize,
    },
    /// The ledger went on after the head in the checkpoint.
    #[error("the cosigned head has size {cosigned}, the ledger has {size} entries: no witness saw the last of them")]
    Older {
        /// Size in the checkpoint.
        cosigned: u64,
        /// Size of the ledger.
        size: u64,
    },
}

/// A ledger and the checkpoint that its witnesses cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The head in the checkpoint, if there is one with the log's own signature.
    pub head: Option<Head>,
    /// The witnesses named in the ledger, in order, and their cosignatures.
    pub witnesses: Vec<(Origin, Cosignature)>,
    /// Names of further lines, of keys that the ledger does not name: they count for nothing.
    pub unknown: Vec<Origin>,
    /// The first reason not to rely on it.
    pub doubt: Option<Doubt>,
}

impl Cosigned {
    /// Cosignatures that hold.
    #[must_use]
    pub fn held(&self) -> usize {
        self.witnesses.iter().filter(|(_, cosignature)| matches!(cosignature, Cosignature::Holds { .. })).count()
    }
}

/// Compares a run's ledger with the text of a cosigned checkpoint; `None` = there is none.
///
/// The witnesses are those that the genesis entry names, and a majority of them must have cosigned the last head. Heads
/// are compared as stored: whether entries lead to them is for [`crate::audit`] to check. `None` is returned where the
/// ledger does not begin with a run, which is for [`crate::audit`] to say.
///
/// # Errors
/// A storage that cannot be read.
pub fn cosigned(storage: &dyn Storage, checkpoint: Option<&[u8]>) -> Result<Option<Cosigned>, StorageError> {
    let Some((log, witnesses)) = named(storage)? else { return Ok(None) };
    let missing = |witness: &WitnessVerifier| (witness.name().clone(), Cosignature::Missing);
    let mut found = Cosigned {
        head: None,
        witnesses: witnesses.iter().map(missing).collect(),
        unknown: Vec::new(),
        doubt: (!witnesses.is_empty()).then_some(Doubt::NoCheckpoint { witnesses: witnesses.len() }),
    };
    let Some(bytes) = checkpoint else { return Ok(Some(found)) };
    match read(bytes, &log) {
        Err(doubt) => found.doubt = Some(doubt),
        Ok(checkpoint) => {
            found.head = Some(*checkpoint.head());
            found.witnesses = witnesses.iter().map(|witness| cosignature(witness, &checkpoint)).collect();
            found.unknown = unknown(&checkpoint, &log, &witnesses);
            found.doubt = contradiction(storage, checkpoint.head())?.or_else(|| shortage(&found));
            if let (None, Some(Head { size: cosigned, .. })) = (&found.doubt, found.head) {
                let size = storage.latest_head()?.map_or(0, |signed| signed.head.size);
                found.doubt = (cosigned < size).then_some(Doubt::Older { cosigned, size });
            }
        }
    }
    Ok(Some(found))
}

/// Name and key of a run's log, and the witnesses it names.
fn named(storage: &dyn Storage) -> Result<Option<(Log, Vec<WitnessVerifier>)>, StorageError> {
    let mut genesis = None;
    storage.scan(0..1, &mut |row| {
        genesis = Entry::decode(row.bytes).ok().and_then(|entry| Genesis::decode(&entry.body).ok());
        ControlFlow::Break(())
    })?;
    let (Some(log), Some(genesis)) = (log_of(storage)?, genesis) else { return Ok(None) };
    let witnesses: Result<Vec<WitnessVerifier>, _> = genesis.witnesses.iter().map(|vkey| vkey.parse()).collect();
    Ok(witnesses.ok().map(|witnesses| (log, witnesses)))
}

/// Name and key of a log, as stored with it.
struct Log {
    origin: Origin,
    verifier: HeadVerifier,
}

fn log_of(storage: &dyn Storage) -> Result<Option<Log>, StorageError> {
    let Some(Identity { origin, public_key }) = storage.identity()? else { return Ok(None) };
    Ok(HeadVerifier::from_bytes(public_key).ok().map(|verifier| Log { origin, verifier }))
}

fn read(bytes: &[u8], log: &Log) -> Result<Checkpoint, Doubt> {
    let checkpoint = Checkpoint::from_bytes(bytes)?;
    if *checkpoint.origin() != log.origin {
        return Err(Doubt::OtherLog { origin: checkpoint.origin().clone() });
    }
    checkpoint.signed_by(&log.verifier)?;
    Ok(checkpoint)
}

fn cosignature(witness: &WitnessVerifier, checkpoint: &Checkpoint) -> (Origin, Cosignature) {
    let found = match witness.verify(checkpoint) {
        Ok(time_s) => Cosignature::Holds { time_s },
        Err(Unsigned::Missing { .. }) => Cosignature::Missing,
        Err(Unsigned::Invalid { .. }) => Cosignature::Invalid,
    };
    (witness.name().clone(), found)
}

fn unknown(checkpoint: &Checkpoint, log: &Log, witnesses: &[WitnessVerifier]) -> Vec<Origin> {
    let keys: Vec<(&Origin, [u8; 4])> = std::iter::once((&log.origin, log.verifier.key_id(&log.origin)))
        .chain(witnesses.iter().map(|witness| (witness.name(), witness.key_id())))
        .collect();
    let lines = checkpoint.signatures().iter();
    lines.filter(|line| !keys.contains(&(line.name(), line.key_id()))).map(|line| line.name().clone()).collect()
}

/// How the ledger contradicts a head that its key sealed, if it does.
fn contradiction(storage: &dyn Storage, cosigned: &Head) -> Result<Option<Doubt>, StorageError> {
    let size = storage.latest_head()?.map_or(0, |signed| signed.head.size);
    if size < cosigned.size {
        return Ok(Some(Doubt::Cut { cosigned: cosigned.size, size }));
    }
    let found = root_at(storage, cosigned.size)?;
    let same = found == Some(cosigned.root);
    Ok((!same).then_some(Doubt::Rewritten { cosigned: *cosigned, found }))
}

/// The root of the stored head of this size.
fn root_at(storage: &dyn Storage, size: u64) -> Result<Option<Digest>, StorageError> {
    let head = storage.next_head(size.checked_sub(1))?;
    Ok(head.filter(|signed| signed.head.size == size).map(|signed| signed.head.root))
}

fn shortage(found: &Cosigned) -> Option<Doubt> {
    let invalid = found.witnesses.iter().find(|(_, cosignature)| *cosignature == Cosignature::Invalid);
    if let Some((name, _)) = invalid {
        return Some(Doubt::Invalid { name: name.clone() });
    }
    let (held, witnesses) = (found.held(), found.witnesses.len());
    let needed = if witnesses == 0 { 0 } else { witnesses / 2 + 1 };
    (held < needed).then_some(Doubt::TooFew { found: held, witnesses, needed })
}

/// What a text that accuses a log of two histories is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accusation {
    /// It proves that who holds the key of this ledger sealed two histories.
    Proven {
        /// The proof.
        proof: Box<SplitView>,
        /// The root that this ledger has at its size, where it has a head of that size.
        here: Option<Digest>,
    },
    /// It proves something about another log or key, and nothing about this ledger.
    Foreign(Box<SplitView>),
    /// It proves nothing.
    Void(SplitViewError),
}

/// Judges a split view that was found beside a ledger; `None` where the ledger has no name and key.
///
/// # Errors
/// A storage that cannot be read.
pub fn accusation(storage: &dyn Storage, text: &str) -> Result<Option<Accusation>, StorageError> {
    let Some(log) = log_of(storage)? else { return Ok(None) };
    let proof: Box<SplitView> = match text.parse() {
        Ok(proof) => Box::new(proof),
        Err(error) => return Ok(Some(Accusation::Void(error))),
    };
    if *proof.origin() != log.origin || proof.verify(&log.verifier).is_err() {
        return Ok(Some(Accusation::Foreign(proof)));
    }
    let here = root_at(storage, proof.heads()[0].head.size)?;
    Ok(Some(Accusation::Proven { proof, here }))
}
