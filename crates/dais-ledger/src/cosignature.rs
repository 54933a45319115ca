//! Checking what witnesses state about a checkpoint (C2SP `tlog-cosignature`, type 0x04).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ed25519_zebra::{Signature, VerificationKey};

use crate::checkpoint::{Checkpoint, Unsigned};
use crate::head::{HeadVerifier, InvalidKey, SignedHead};
use crate::note::{self, NoteSignature, SignatureType, VkeyError};
use crate::origin::Origin;

/// What a witness signs: that it saw this checkpoint, and none that contradicts it, up to this time.
pub(crate) fn message(checkpoint: &Checkpoint, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{}", checkpoint.body())
}

/// Name and public key of a witness; as text a C2SP `vkey`.
#[derive(Clone)]
pub struct WitnessVerifier {
    name: Origin,
    key: VerificationKey,
}

impl WitnessVerifier {
    /// The witness with this name and public key.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] when the bytes are no point of the curve.
    pub fn new(name: Origin, public_key: [u8; 32]) -> Result<Self, InvalidKey> {
        let key = VerificationKey::try_from(public_key).map_err(|_| InvalidKey)?;
        Ok(Self { name, key })
    }

    pub(crate) fn of(name: Origin, key: VerificationKey) -> Self {
        Self { name, key }
    }

    /// Name of the witness.
    pub fn name(&self) -> &Origin {
        &self.name
    }

    /// The 32 bytes of the public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.into()
    }

    /// The key id of its lines.
    pub fn key_id(&self) -> [u8; 4] {
        note::key_id(&self.name, SignatureType::Cosignature, &self.public_key())
    }

    /// A cosignature as a line: time in 8 bytes, big-endian, and the signature.
    pub(crate) fn line(&self, time: u64, signature: [u8; 64]) -> NoteSignature {
        let signature = [&time.to_be_bytes()[..], &signature].concat();
        NoteSignature { name: self.name.clone(), key_id: self.key_id(), signature }
    }

    /// Checks this witness's cosignature, and returns its time in seconds since 1970.
    ///
    /// Whether that time is recent enough, or in the future, is for the caller to judge.
    ///
    /// # Errors
    ///
    /// [`Unsigned`] when there is none of this witness, or one that does not hold.
    pub fn verify(&self, checkpoint: &Checkpoint) -> Result<u64, Unsigned> {
        let mut latest = None;
        for line in checkpoint.lines_of(&self.name, self.key_id()) {
            let time = self.time_of(checkpoint, line).ok_or_else(|| Unsigned::Invalid { name: self.name.clone() })?;
            latest = latest.max(Some(time));
        }
        latest.ok_or_else(|| Unsigned::Missing { name: self.name.clone() })
    }

    fn time_of(&self, checkpoint: &Checkpoint, line: &[u8]) -> Option<u64> {
        let (time, signature) = line.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        let signature = Signature::from_bytes(signature.try_into().ok()?);
        let holds = self.key.verify(&signature, message(checkpoint, time).as_bytes()).is_ok();
        (holds && i64::try_from(time).is_ok()).then_some(time)
    }
}

impl PartialEq for WitnessVerifier {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.public_key()) == (&other.name, other.public_key())
    }
}

impl Eq for WitnessVerifier {}

impl fmt::Display for WitnessVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&note::vkey(&self.name, SignatureType::Cosignature, &self.public_key()))
    }
}

impl fmt::Debug for WitnessVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessVerifier({self})")
    }
}

impl FromStr for WitnessVerifier {
    type Err = VkeyError;

    fn from_str(text: &str) -> Result<Self, VkeyError> {
        let (name, key) = note::parse_vkey(text, SignatureType::Cosignature)?;
        Self::new(name, key).map_err(|_| VkeyError { what: "its bytes are not an Ed25519 key" })
    }
}

/// The witnesses a reader trusts, and how many of them must have cosigned what it believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPolicy {
    witnesses: Vec<WitnessVerifier>,
    threshold: usize,
}

/// A policy that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// More cosignatures asked for than there are witnesses.
    #[error("{threshold} cosignatures are asked of {witnesses} witnesses")]
    Threshold {
        /// Cosignatures asked for.
        threshold: usize,
        /// Witnesses known.
        witnesses: usize,
    },
    /// One key would count twice.
    #[error("the key of witness `{name}` is listed twice")]
    Twice {
        /// The name listed later.
        name: Origin,
    },
}

/// A checkpoint of which log and witnesses were asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedHead {
    /// The head with the log's seal.
    pub signed: SignedHead,
    /// Who cosigned it, and when, in seconds since 1970; in the order of the policy.
    pub witnesses: Vec<(Origin, u64)>,
}

/// Why a checkpoint is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWitnessed {
    /// The signature of the log, or that of a known witness, does not hold.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// Too few witnesses cosigned it.
    #[error("{found} of the known witnesses cosigned the checkpoint, needed are {threshold}")]
    TooFew {
        /// Witnesses that cosigned.
        found: usize,
        /// Cosignatures needed.
        threshold: usize,
    },
}

impl WitnessPolicy {
    /// Asks for cosignatures of `threshold` of these witnesses.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] when nothing could fulfil it, or a key is there twice.
    pub fn new(witnesses: Vec<WitnessVerifier>, threshold: usize) -> Result<Self, PolicyError> {
        if threshold > witnesses.len() {
            return Err(PolicyError::Threshold { threshold, witnesses: witnesses.len() });
        }
        let mut keys = BTreeSet::new();
        match witnesses.iter().find(|witness| !keys.insert(witness.public_key())) {
            Some(witness) => Err(PolicyError::Twice { name: witness.name.clone() }),
            None => Ok(Self { witnesses, threshold }),
        }
    }

    /// Checks the signature of the log and the cosignatures; lines of unknown keys are ignored.
    ///
    /// # Errors
    ///
    /// [`NotWitnessed`]; one line of a known key that does not hold is enough.
    pub fn check(&self, checkpoint: &Checkpoint, log: &HeadVerifier) -> Result<CosignedHead, NotWitnessed> {
        let signed = checkpoint.signed_by(log)?;
        let mut witnesses = Vec::new();
        for witness in &self.witnesses {
            match witness.verify(checkpoint) {
                Ok(time) => witnesses.push((witness.name.clone(), time)),
                Err(Unsigned::Missing { .. }) => (),
                Err(invalid) => return Err(invalid.into()),
            }
        }
        if witnesses.len() < self.threshold {
            return Err(NotWitnessed::TooFew { found: witnesses.len(), threshold: self.threshold });
        }
        Ok(CosignedHead { signed, witnesses })
    }
}
