//! What a ballot ended with.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{Kind, Reader, Writer};
use crate::{DecodeError, Motion, RADIUS_MAX, SignatureId};

/// How a ballot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The motion is carried.
    Accepted,
    /// The motion is lost.
    Rejected,
    /// Too close below the threshold to call, also after every escalation: the motion is lost, nobody's trust moves.
    Disputed,
    /// Too few answered in time: the motion is lost, nobody's trust moves.
    Expired,
}

impl Outcome {
    /// The byte that stands for this outcome in encodings.
    pub const fn code(self) -> u8 {
        match self {
            Self::Accepted => 1,
            Self::Rejected => 2,
            Self::Disputed => 3,
            Self::Expired => 4,
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match r.u8("outcome")? {
            1 => Ok(Self::Accepted),
            2 => Ok(Self::Rejected),
            3 => Ok(Self::Disputed),
            4 => Ok(Self::Expired),
            _ => Err(DecodeError::Value { field: "outcome" }),
        }
    }
}

/// What a ballot ended with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What was voted on.
    pub motion: Motion,
    /// The signature it is about.
    pub signature: SignatureId,
    /// How it ended.
    pub outcome: Outcome,
    /// The step in which the ballot closed.
    pub step: u32,
    /// The round in which the ballot closed.
    pub round: u8,
    /// The accepted radius, in spreads: the weighted lower quantile of the confirmers' own radii; 0 unless a signature
    /// was adopted.
    pub radius: f32,
    /// Members of the committee of the last round.
    pub voters: u32,
    /// Weight that confirmed, after the cap.
    pub confirm_weight: f32,
    /// Weight that refuted, after the cap.
    pub refute_weight: f32,
    /// Votes that confirmed.
    pub confirmations: u32,
    /// Votes that refuted.
    pub refutations: u32,
    /// Votes that abstained.
    pub abstentions: u32,
}

impl Decision {
    /// Bytes of a canonical encoding.
    pub const ENCODED_BYTES: usize = 2 + 1 + 32 + 1 + 4 + 1 + 7 * 4;

    /// The canonical encoding, [`Decision::ENCODED_BYTES`] long; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(Kind::Decision, Self::ENCODED_BYTES);
        w.u8(self.motion.code());
        w.id(self.signature);
        w.u8(self.outcome.code());
        w.u32(self.step);
        w.u8(self.round);
        w.f32(self.radius);
        w.u32(self.voters);
        w.f32(self.confirm_weight);
        w.f32(self.refute_weight);
        w.u32(self.confirmations);
        w.u32(self.refutations);
        w.u32(self.abstentions);
        w.finish()
    }

    /// Reads a canonical encoding.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Decision::encode`] would not write for a possible decision.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, Kind::Decision)?;
        let decision = Self {
            motion: Motion::read(&mut r)?,
            signature: r.id("signature")?,
            outcome: Outcome::read(&mut r)?,
            step: r.u32("step")?,
            round: r.u8("round")?,
            radius: r.f32("radius")?,
            voters: r.u32("voters")?,
            confirm_weight: r.f32("confirm_weight")?,
            refute_weight: r.f32("refute_weight")?,
            confirmations: r.u32("confirmations")?,
            refutations: r.u32("refutations")?,
            abstentions: r.u32("abstentions")?,
        };
        r.finish()?;
        let ranges = [
            ("radius", (0.0..=RADIUS_MAX).contains(&decision.radius)),
            ("confirm_weight", decision.confirm_weight >= 0.0),
            ("refute_weight", decision.refute_weight >= 0.0),
        ];
        match ranges.iter().find(|(_, fits)| !fits) {
            Some(&(field, _)) => Err(DecodeError::Value { field }),
            None => Ok(decision),
        }
    }

    /// SHA-256 of [`Decision::encode`].
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}
