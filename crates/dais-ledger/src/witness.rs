//! Witnesses: keys that state that a log only ever grew (C2SP `tlog-cosignature`).

use std::collections::BTreeMap;
use std::fmt;

use ed25519_zebra::SigningKey;

use crate::checkpoint::{Checkpoint, Unsigned};
use crate::cosignature::{self, WitnessVerifier};
use crate::head::{Head, HeadVerifier, InvalidSeal, SignedHead};
use crate::note::NoteSignature;
use crate::origin::Origin;
use crate::proof::{ConsistencyProof, ProofError};
use crate::split_view::SplitView;

/// The largest time of a cosignature: 2^63 - 1 seconds.
const TIME_MAX: u64 = i64::MAX as u64;

/// A witness: for each log it watches it remembers the last head it cosigned, and cosigns only what continues it.
///
/// | checkpoint, compared with the last one cosigned | outcome |
/// |---|---|
/// | larger, with a proof that it continues it | cosigned and remembered |
/// | the same | cosigned again, with the new time |
/// | smaller | [`Refused::Older`] |
/// | same size, another root | [`Refused::SplitView`], with the proof for others |
/// | larger, without a proof | [`Refused::Sizes`] or [`Refused::Inconsistent`] |
///
/// What it remembers must outlive the process: keep [`Witness::last`] after each cosignature and before handing it out,
/// and give it to [`Witness::watch`] at the next start. A witness that forgets may cosign two histories.
#[derive(Clone)]
pub struct Witness {
    name: Origin,
    key: SigningKey,
    logs: BTreeMap<Origin, Watched>,
}

#[derive(Debug, Clone)]
struct Watched {
    verifier: HeadVerifier,
    last: Option<SignedHead>,
}

/// Why a witness does not cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not watch this log.
    #[error("the log `{origin}` is not watched")]
    UnknownLog {
        /// Name in the checkpoint.
        origin: Origin,
    },
    /// The log's own signature is missing or does not hold.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// The checkpoint is older than one it has cosigned.
    #[error("the checkpoint has size {offered}, older than the last one cosigned, of size {last}")]
    Older {
        /// Size of the last head cosigned.
        last: u64,
        /// Size in the checkpoint.
        offered: u64,
    },
    /// The log signed two heads of the same size.
    #[error("the log `{}` showed two histories of size {}", .0.origin(), .0.heads()[0].head.size)]
    SplitView(Box<SplitView>),
    /// The proof is about other sizes; ask for one between these.
    #[error("a proof of consistency is needed from size {last} to {offered}")]
    Sizes {
        /// Size of the last head cosigned, 0 at first.
        last: u64,
        /// Size in the checkpoint.
        offered: u64,
    },
    /// The proof does not show that the log only grew.
    #[error("no proof that the log only grew: {0}")]
    Inconsistent(#[from] ProofError),
    /// A time that cannot be written in a cosignature.
    #[error("the time {time} is beyond what a cosignature can state")]
    Time {
        /// Seconds since 1970.
        time: u64,
    },
}

impl Witness {
    /// A witness with the key that belongs to a 32-byte seed (RFC 8032 section 5.1.5); it watches no log yet.
    ///
    /// The key must not be used for anything else: a cosignature does not contain the name of the witness.
    pub fn new(name: Origin, seed: [u8; 32]) -> Self {
        Self { name, key: SigningKey::from_bytes(&seed), logs: BTreeMap::new() }
    }

    /// Begins to watch a log, from the last head this witness cosigned; `None` if it never did.
    ///
    /// # Errors
    ///
    /// [`InvalidSeal`] when that head is not of this log and key: it was not remembered as it was.
    pub fn watch(
        &mut self,
        origin: Origin,
        verifier: HeadVerifier,
        last: Option<SignedHead>,
    ) -> Result<(), InvalidSeal> {
        if let Some(signed) = &last {
            verifier.verify(&origin, signed)?;
        }
        self.logs.insert(origin, Watched { verifier, last });
        Ok(())
    }

    /// The last head of a log that was cosigned.
    pub fn last(&self, origin: &Origin) -> Option<&SignedHead> {
        self.logs.get(origin)?.last.as_ref()
    }

    /// Cosigns a checkpoint if the log signed it and it continues what was cosigned before.
    ///
    /// `proof` leads from the last size cosigned, 0 at first, to that of the checkpoint; `time` is the present, in
    /// seconds since 1970. The line returned is for [`Checkpoint::add`].
    ///
    /// # Errors
    ///
    /// [`Refused`]; nothing is then remembered.
    pub fn check(
        &mut self,
        checkpoint: &Checkpoint,
        proof: &ConsistencyProof,
        time: u64,
    ) -> Result<NoteSignature, Refused> {
        let origin = checkpoint.origin();
        let log = self.logs.get_mut(origin).ok_or_else(|| Refused::UnknownLog { origin: origin.clone() })?;
        let offered = checkpoint.signed_by(&log.verifier)?;
        if time > TIME_MAX {
            return Err(Refused::Time { time });
        }
        let last = log.last.map_or_else(Head::empty, |last| last.head);
        if offered.head.size < last.size {
            return Err(Refused::Older { last: last.size, offered: offered.head.size });
        }
        if let Some(split) = log.last.and_then(|last| SplitView::detect(origin, &last, &offered, &log.verifier)) {
            return Err(Refused::SplitView(Box::new(split)));
        }
        if (proof.old_size, proof.new_size) != (last.size, offered.head.size) {
            return Err(Refused::Sizes { last: last.size, offered: offered.head.size });
        }
        proof.verify(&last.root, &offered.head.root)?;
        log.last = Some(offered);
        let signature = self.key.sign(cosignature::message(checkpoint, time).as_bytes());
        Ok(self.verifier().line(time, signature.to_bytes()))
    }

    /// The public half.
    pub fn verifier(&self) -> WitnessVerifier {
        WitnessVerifier::of(self.name.clone(), self.key.verification_key())
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({}, {} logs)", self.verifier(), self.logs.len())
    }
}
