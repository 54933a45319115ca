//! Votes that are committed by digest before they are revealed, so that nobody can copy.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{Kind, Reader, Writer};
use crate::{AgentId, DecodeError, Motion, RecordRefused, SignatureId, Vote};

/// What separates commitments from every other hash.
const COMMITMENT_TAG: &[u8] = b"dais-commitment-v1";
/// Most bytes of an encoded vote within a reveal.
const VOTE_BYTES_MAX: usize = 4096;

/// "I have decided how to vote": a digest that fixes a vote without showing it.
///
/// The digest is SHA-256 over `dais-commitment-v1`, 32 secret bytes and the vote's encoding. A vote alone could be guessed;
/// the secret bytes hide it until it is revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// What the ballot is about.
    pub motion: Motion,
    /// The signature voted on.
    pub signature: SignatureId,
    /// Who votes.
    pub voter: AgentId,
    /// The step in which it was committed.
    pub step: u32,
    /// The round of the ballot.
    pub round: u8,
    /// What fixes the vote.
    pub digest: [u8; 32],
}

/// A vote with what shows that it is the committed one. The vote is dated in the step in which it is revealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reveal {
    /// The vote.
    pub vote: Vote,
    /// The secret bytes of its commitment.
    pub nonce: [u8; 32],
}

impl Commitment {
    /// Bytes of a canonical encoding.
    pub const ENCODED_BYTES: usize = 2 + 1 + 32 + 4 + 4 + 1 + 32;

    /// Whether an agent may say this in a step: it is of that agent and step.
    ///
    /// # Errors
    /// [`RecordRefused`] with the first fault.
    pub fn check(&self, voter: AgentId, step: u32) -> Result<(), RecordRefused> {
        RecordRefused::unless_of(self.voter, voter, self.step, step)
    }

    /// The canonical encoding, [`Commitment::ENCODED_BYTES`] long; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(Kind::Commitment, Self::ENCODED_BYTES);
        w.u8(self.motion.code());
        w.id(self.signature);
        w.agent(self.voter);
        w.u32(self.step);
        w.u8(self.round);
        w.fixed(&self.digest);
        w.finish()
    }

    /// Reads a canonical encoding.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Commitment::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, Kind::Commitment)?;
        let commitment = Self {
            motion: Motion::read(&mut r)?,
            signature: r.id("signature")?,
            voter: r.agent("voter")?,
            step: r.u32("step")?,
            round: r.u8("round")?,
            digest: r.fixed("digest")?,
        };
        r.finish()?;
        Ok(commitment)
    }

    /// SHA-256 of [`Commitment::encode`]: what is sealed.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}

impl Reveal {
    /// The commitment to this vote, made in a step before that of the vote.
    ///
    /// ```
    /// use dais_protocol::{AgentId, Evidence, Motion, Reveal, SignatureId, Verdict, Vote};
    /// let vote = Vote {
    ///     motion: Motion::Adopt,
    ///     signature: SignatureId::default(),
    ///     voter: AgentId(1),
    ///     step: 6,
    ///     round: 0,
    ///     verdict: Verdict::Confirm,
    ///     confidence: 0.5,
    ///     evidence: Evidence::default(),
    /// };
    /// let reveal = Reveal { vote, nonce: [42; 32] };
    /// let commitment = reveal.commitment(5);
    /// assert!(reveal.fits(&commitment));
    /// assert!(!Reveal { nonce: [43; 32], ..reveal }.fits(&commitment));
    /// ```
    pub fn commitment(&self, step: u32) -> Commitment {
        let Vote { motion, signature, voter, round, .. } = self.vote;
        Commitment { motion, signature, voter, step, round, digest: self.committed() }
    }

    /// Whether this is what was committed to, and revealed later.
    pub fn fits(&self, commitment: &Commitment) -> bool {
        self.vote.step > commitment.step && self.commitment(commitment.step) == *commitment
    }

    fn committed(&self) -> [u8; 32] {
        let hash = Sha256::new_with_prefix(COMMITMENT_TAG).chain_update(self.nonce).chain_update(self.vote.encode());
        hash.finalize().into()
    }

    /// The canonical encoding; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(Kind::Reveal, 38 + Vote::ENCODED_BYTES);
        w.fixed(&self.nonce);
        w.message(&self.vote.encode());
        w.finish()
    }

    /// Reads a canonical encoding.
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Reveal::encode`] would not write for a possible vote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, Kind::Reveal)?;
        let nonce = r.fixed("nonce")?;
        let vote = Vote::decode(r.message("vote", VOTE_BYTES_MAX)?)?;
        r.finish()?;
        Ok(Self { vote, nonce })
    }

    /// SHA-256 of [`Reveal::encode`]: what is sealed.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}
