//! What a seal is for: the log it belongs to and the part of a step in which it was given.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::Reader;
use crate::{DecodeError, Seal, SealKey, SealRefused, Statement, VerifyingKey};

/// What separates statements with a context from those without and from every other use of the keys.
const SEALED_TAG: &[u8; 17] = b"dais-statement-v2";
/// Bytes of the message of a sealed statement.
pub const SEALED_BYTES: usize = SEALED_TAG.len() + 1 + 32 + 4 + 4 + 4 + 32;

/// What an agent states with a seal. A seal for one purpose does not hold for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// All that the agent says in a step.
    Statement,
    /// Signatures it offers, before they are put to a vote.
    Offer,
    /// Sightings of accepted signatures.
    Sighting,
    /// Challenges of accepted signatures.
    Challenge,
    /// Commitments to votes.
    Commitment,
    /// Votes.
    Vote,
}

impl Purpose {
    /// Every purpose, by code.
    pub const ALL: [Self; 6] =
        [Self::Statement, Self::Offer, Self::Sighting, Self::Challenge, Self::Commitment, Self::Vote];

    /// The byte that stands for this purpose in sealed messages and encodings.
    pub const fn code(self) -> u8 {
        match self {
            Self::Statement => 1,
            Self::Offer => 2,
            Self::Sighting => 3,
            Self::Challenge => 4,
            Self::Commitment => 5,
            Self::Vote => 6,
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = r.u8("purpose")?;
        Self::ALL.into_iter().find(|purpose| purpose.code() == code).ok_or(DecodeError::Value { field: "purpose" })
    }
}

/// What is bound into a seal beside what is said: a seal given in one log for one purpose holds nowhere else.
///
/// ```
/// use dais_protocol::{AgentId, Purpose, SealContext, SealKey, Statement};
/// let key = SealKey::from_seed([7; 32]);
/// let said = Statement { agent: AgentId(3), step: 5, digests: &[[1; 32]] };
/// let here = SealContext { log: "dais/run-1", purpose: Purpose::Vote };
/// let seal = here.seal(&key, &said);
/// assert!(here.verify(&key.verifying_key(), &said, &seal).is_ok());
/// let elsewhere = SealContext { log: "dais/run-2", ..here };
/// assert!(elsewhere.verify(&key.verifying_key(), &said, &seal).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealContext<'a> {
    /// The name of the log, its origin.
    pub log: &'a str,
    /// What the seal states.
    pub purpose: Purpose,
}

impl SealContext<'_> {
    /// The bytes that are sealed: `dais-statement-v2`, purpose (1 byte), SHA-256 of the log's name, agent, step and number
    /// of items (4 bytes each, little endian), SHA-256 over the concatenated digests.
    ///
    /// For many seals of one log use [`verify_batch`](crate::verify_batch) on these messages.
    pub fn message(&self, statement: &Statement<'_>) -> [u8; SEALED_BYTES] {
        let count = u32::try_from(statement.digests.len()).expect("a step holds far fewer than 2^32 items");
        let parts: [&[u8]; 7] = [
            SEALED_TAG,
            &[self.purpose.code()],
            &Sha256::digest(self.log),
            &statement.agent.0.to_le_bytes(),
            &statement.step.to_le_bytes(),
            &count.to_le_bytes(),
            &Sha256::digest(statement.digests.as_flattened()),
        ];
        let mut message = [0; SEALED_BYTES];
        let mut at = 0;
        for part in parts {
            message[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        message
    }

    /// Seals a statement in this context. Deterministic: the same key, context and statement give the same seal.
    pub fn seal(&self, key: &SealKey, statement: &Statement<'_>) -> Seal {
        key.sign(&self.message(statement))
    }

    /// Whether a seal is this key's over this statement in this context.
    ///
    /// # Errors
    /// [`SealRefused`] when it is not.
    pub fn verify(&self, key: &VerifyingKey, statement: &Statement<'_>, seal: &Seal) -> Result<(), SealRefused> {
        key.verify(&self.message(statement), seal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AgentId;

    const HERE: SealContext<'_> = SealContext { log: "dais/here", purpose: Purpose::Statement };

    #[test]
    fn the_sealed_bytes_are_fixed() {
        let digests = [[1; 32], [2; 32]];
        let message = HERE.message(&Statement { agent: AgentId(258), step: 7, digests: &digests });
        assert_eq!(&message[..18], b"dais-statement-v2\x01");
        assert_eq!(message[18..50], Sha256::digest("dais/here")[..]);
        assert_eq!(message[50..62], [2, 1, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(message[62..], Sha256::digest([[1_u8; 32], [2; 32]].as_flattened())[..]);
    }

    #[test]
    fn a_seal_holds_for_one_log_agent_step_purpose_and_content() {
        let key = SealKey::from_seed([9; 32]);
        let digests = [[1; 32], [2; 32]];
        let said = Statement { agent: AgentId(1), step: 2, digests: &digests };
        let seal = HERE.seal(&key, &said);
        assert_eq!(HERE.verify(&key.verifying_key(), &said, &seal), Ok(()));
        let mut contexts: Vec<SealContext<'_>> =
            Purpose::ALL[1..].iter().map(|&purpose| SealContext { purpose, ..HERE }).collect();
        contexts.push(SealContext { log: "dais/here2", ..HERE });
        for context in contexts {
            assert_eq!(context.verify(&key.verifying_key(), &said, &seal), Err(SealRefused), "{context:?}");
        }
        for other in [
            Statement { agent: AgentId(2), ..said },
            Statement { step: 3, ..said },
            Statement { digests: &digests[..1], ..said },
        ] {
            assert_eq!(HERE.verify(&key.verifying_key(), &other, &seal), Err(SealRefused), "{other:?}");
        }
        let old = crate::seal(&key, &said);
        assert_eq!(HERE.verify(&key.verifying_key(), &said, &old), Err(SealRefused), "a seal without context");
        assert_eq!(key.verifying_key().verify(&said.message(), &seal), Err(SealRefused));
    }

    #[test]
    fn every_purpose_has_its_own_code() {
        for (i, purpose) in Purpose::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(purpose.code()), i + 1);
        }
    }
}
