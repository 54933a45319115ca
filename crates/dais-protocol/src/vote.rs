//! An agent's statement on a signature.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{Kind, Reader, Writer};
use crate::{AgentId, DecodeError, Evidence, SignatureId};

/// What a ballot is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Every agent is to learn the signature.
    Adopt,
    /// An accepted signature is to be withdrawn.
    Revoke,
}

impl Motion {
    /// The byte that stands for this motion in encodings.
    pub const fn code(self) -> u8 {
        match self {
            Self::Adopt => 1,
            Self::Revoke => 2,
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match r.u8("motion")? {
            1 => Ok(Self::Adopt),
            2 => Ok(Self::Revoke),
            _ => Err(DecodeError::Value { field: "motion" }),
        }
    }
}

/// The content of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The own data speaks for the motion.
    Confirm,
    /// The own data speaks against the motion.
    Refute,
    /// The own data says too little; counts for turnout alone.
    Abstain,
}

impl Verdict {
    /// The byte that stands for this verdict in encodings.
    pub const fn code(self) -> u8 {
        match self {
            Self::Confirm => 1,
            Self::Refute => 2,
            Self::Abstain => 3,
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match r.u8("verdict")? {
            1 => Ok(Self::Confirm),
            2 => Ok(Self::Refute),
            3 => Ok(Self::Abstain),
            _ => Err(DecodeError::Value { field: "verdict" }),
        }
    }
}

/// An agent's statement on a signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// What the ballot is about.
    pub motion: Motion,
    /// The signature voted on.
    pub signature: SignatureId,
    /// Who votes.
    pub voter: AgentId,
    /// The step in which the vote was cast.
    pub step: u32,
    /// The round of the ballot; 0 first, higher after an escalation.
    pub round: u8,
    /// What the voter says.
    pub verdict: Verdict,
    /// How sure the voter is, in [0, 1].
    pub confidence: f32,
    /// What the voter measured.
    pub evidence: Evidence,
}

impl Vote {
    /// Bytes of a canonical encoding.
    pub const ENCODED_BYTES: usize = 2 + 1 + 32 + 4 + 4 + 1 + 1 + 4 + 40;

    /// The canonical encoding, [`Vote::ENCODED_BYTES`] long; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(Kind::Vote, Self::ENCODED_BYTES);
        w.u8(self.motion.code());
        w.id(self.signature);
        w.agent(self.voter);
        w.u32(self.step);
        w.u8(self.round);
        w.u8(self.verdict.code());
        w.f32(self.confidence);
        self.evidence.write(&mut w);
        w.finish()
    }

    /// Reads a canonical encoding.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Vote::encode`] would not write for a possible vote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, Kind::Vote)?;
        let vote = Self {
            motion: Motion::read(&mut r)?,
            signature: r.id("signature")?,
            voter: r.agent("voter")?,
            step: r.u32("step")?,
            round: r.u8("round")?,
            verdict: Verdict::read(&mut r)?,
            confidence: r.f32("confidence")?,
            evidence: Evidence::read(&mut r)?,
        };
        r.finish()?;
        if (0.0..=1.0).contains(&vote.confidence) { Ok(vote) } else { Err(DecodeError::Value { field: "confidence" }) }
    }

    /// SHA-256 of [`Vote::encode`].
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}
