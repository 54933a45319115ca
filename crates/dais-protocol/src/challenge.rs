//! What an agent says against an accepted signature.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{Kind, Reader, Writer};
use crate::{AgentId, DecodeError, RecordRefused, SignatureId};

/// "This accepted signature keeps matching what is otherwise ordinary here": enough challengers open a revocation ballot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Who challenges.
    pub agent: AgentId,
    /// The step in which it was said.
    pub step: u32,
    /// The accepted signature.
    pub signature: SignatureId,
    /// Own flows that matched since the agent learned the signature; at least 1.
    pub matches: u32,
    /// Those of them that are otherwise ordinary; 1 to `matches`.
    pub ordinary: u32,
}

impl Challenge {
    /// Bytes of a canonical encoding.
    pub const ENCODED_BYTES: usize = 2 + 4 + 4 + 32 + 4 + 4;

    /// Whether an agent may say this in a step: it is of that agent and step, and could have been measured.
    ///
    /// # Errors
    /// [`RecordRefused`] with the first fault.
    pub fn check(&self, agent: AgentId, step: u32) -> Result<(), RecordRefused> {
        RecordRefused::unless_of(self.agent, agent, self.step, step)?;
        if self.ordinary >= 1 && self.ordinary <= self.matches {
            Ok(())
        } else {
            Err(RecordRefused::Impossible { field: "ordinary" })
        }
    }

    /// The canonical encoding, [`Challenge::ENCODED_BYTES`] long; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(Kind::Challenge, Self::ENCODED_BYTES);
        w.agent(self.agent);
        w.u32(self.step);
        w.id(self.signature);
        w.u32(self.matches);
        w.u32(self.ordinary);
        w.finish()
    }

    /// Reads a canonical encoding.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Challenge::encode`] would not write for a possible challenge.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, Kind::Challenge)?;
        let challenge = Self {
            agent: r.agent("agent")?,
            step: r.u32("step")?,
            signature: r.id("signature")?,
            matches: r.u32("matches")?,
            ordinary: r.u32("ordinary")?,
        };
        r.finish()?;
        let possible = challenge.check(challenge.agent, challenge.step);
        possible.map(|()| challenge).map_err(|_| DecodeError::Value { field: "ordinary" })
    }

    /// SHA-256 of [`Challenge::encode`].
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}
