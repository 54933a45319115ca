//! The proof that an agent said two things that cannot both be meant.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::sealed::SealedStatement;
use crate::codec::{Kind, Reader, Writer};
use crate::{AgentId, DecodeError, VerifyingKey, Vote};

/// Most bytes of an encoded vote within a proof.
const VOTE_BYTES_MAX: usize = 4096;

/// How two sealed statements contradict each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// Both are sealed for one purpose in one step, and hold different items: others were told something else.
    Statements,
    /// Both hold a vote in the same round of the same ballot, and the votes differ.
    Votes(Box<[Vote; 2]>),
}

/// Two sealed statements of one agent that contradict each other: a proof that anyone with its public key can check,
/// whenever it arrives.
///
/// It needs no trust in who brings it. An agent that seals one statement a step and purpose, and votes once a round, can
/// never be accused by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EquivocationProof {
    /// Who said both.
    pub agent: AgentId,
    /// The two statements.
    pub statements: [SealedStatement; 2],
    /// How they contradict each other.
    pub contradiction: Contradiction,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofRefused {
    /// A seal is not the agent's over its statement in this log.
    #[error("the seal of statement {which} is not the agent's over this statement in this log")]
    Seal {
        /// 0 or 1.
        which: usize,
    },
    /// A vote is not in its statement, or not of the agent and step.
    #[error("vote {which} is not what the agent sealed")]
    NotSaid {
        /// 0 or 1.
        which: usize,
    },
    /// Both can be meant.
    #[error("the two do not contradict each other")]
    NoContradiction,
}

impl Vote {
    /// Whether both are votes of one agent in the same round of the same ballot, and differ.
    pub fn contradicts(&self, other: &Self) -> bool {
        let same_ballot = self.motion == other.motion && self.signature == other.signature;
        same_ballot && self.voter == other.voter && self.round == other.round && self != other
    }
}

impl EquivocationProof {
    /// Checks the proof against the public key of the agent it accuses and the name of the log, with the digests that
    /// [`Vote::digest`] gives.
    ///
    /// # Errors
    /// [`ProofRefused`] with the first reason why it proves nothing.
    pub fn verify(&self, log: &str, key: &VerifyingKey) -> Result<(), ProofRefused> {
        self.verify_with(log, key, Vote::digest)
    }

    /// As [`verify`](Self::verify), for a log that seals other digests of votes, such as those of its entries.
    ///
    /// # Errors
    /// [`ProofRefused`] with the first reason why it proves nothing.
    pub fn verify_with(
        &self,
        log: &str,
        key: &VerifyingKey,
        digest: impl Fn(&Vote) -> [u8; 32],
    ) -> Result<(), ProofRefused> {
        for (which, statement) in self.statements.iter().enumerate() {
            statement.verify(log, self.agent, key).map_err(|_| ProofRefused::Seal { which })?;
        }
        let [first, second] = &self.statements;
        let contradict = match &self.contradiction {
            Contradiction::Statements => {
                first.step == second.step && first.purpose == second.purpose && first.digests != second.digests
            }
            Contradiction::Votes(votes) => {
                for (which, (vote, statement)) in votes.iter().zip(&self.statements).enumerate() {
                    let said = vote.voter == self.agent && vote.step == statement.step;
                    if !said || !statement.digests.contains(&digest(vote)) {
                        return Err(ProofRefused::NotSaid { which });
                    }
                }
                votes[0].contradicts(&votes[1])
            }
        };
        if contradict { Ok(()) } else { Err(ProofRefused::NoContradiction) }
    }

    /// The canonical encoding; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let items: usize = self.statements.iter().map(|statement| statement.digests.len()).sum();
        let mut w = Writer::new(Kind::Equivocation, 7 + 2 * 73 + 32 * items + 2 * (4 + Vote::ENCODED_BYTES));
        w.agent(self.agent);
        for statement in &self.statements {
            statement.write(&mut w);
        }
        match &self.contradiction {
            Contradiction::Statements => w.u8(1),
            Contradiction::Votes(votes) => {
                w.u8(2);
                for vote in &**votes {
                    w.message(&vote.encode());
                }
            }
        }
        w.finish()
    }

    /// Reads a canonical encoding. Whether it proves something is for [`EquivocationProof::verify`].
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`EquivocationProof::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes, Kind::Equivocation)?;
        let agent = r.agent("agent")?;
        let statements = [SealedStatement::read(&mut r)?, SealedStatement::read(&mut r)?];
        let contradiction = match r.u8("contradiction")? {
            1 => Contradiction::Statements,
            2 => {
                let mut vote = || Vote::decode(r.message("vote", VOTE_BYTES_MAX)?);
                Contradiction::Votes(Box::new([vote()?, vote()?]))
            }
            _ => return Err(DecodeError::Value { field: "contradiction" }),
        };
        r.finish()?;
        Ok(Self { agent, statements, contradiction })
    }

    /// SHA-256 of [`EquivocationProof::encode`].
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}
