//! What agents tell one another about accepted signatures that match.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{Kind, Reader, Writer};
use crate::{AgentId, DecodeError, SOURCES_MAX, SignatureId};

/// "I saw these sources match this accepted signature": feeds the blocklists of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Who saw it.
    pub agent: AgentId,
    /// When.
    pub step: u32,
    /// The accepted signature.
    pub signature: SignatureId,
    /// The sources, ascending without repetition, at most [`SOURCES_MAX`].
    pub sources: Vec<IpAddr>,
}

impl Sighting {
    /// A sighting of the given sources, put in order; those beyond the first [`SOURCES_MAX`] are left out.
    pub fn new(agent: AgentId, step: u32, signature: SignatureId, mut sources: Vec<IpAddr>) -> Self {
        sources.sort_unstable();
        sources.dedup();
        sources.truncate(SOURCES_MAX);
        Self { agent, step, signature, sources }
    }

    /// The canonical encoding; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(Kind::Sighting, 46 + 17 * self.sources.len());
        w.agent(self.agent);
        w.u32(self.step);
        w.id(self.signature);
        w.addresses(&self.sources);
        w.finish()
    }

    /// Reads a canonical encoding.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Sighting::encode`] would not write for a bounded, ordered sighting.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, Kind::Sighting)?;
        let sighting = Self {
            agent: r.agent("agent")?,
            step: r.u32("step")?,
            signature: r.id("signature")?,
            sources: r.addresses("sources", SOURCES_MAX)?,
        };
        r.finish()?;
        Ok(sighting)
    }

    /// SHA-256 of [`Sighting::encode`].
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}
