//! A statement together with its seal.

use serde::{Deserialize, Serialize};

use crate::codec::{Reader, Writer};
use crate::{AgentId, DecodeError, Purpose, Seal, SealContext, SealRefused, Statement, VerifyingKey};

/// Most items of a statement within a proof.
const ITEMS_MAX: usize = 65_536;

/// A statement together with its seal: what somebody else needs to check that an agent said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedStatement {
    /// The step in which it was said.
    pub step: u32,
    /// What the seal was given for.
    pub purpose: Purpose,
    /// The digests of the items, in the order they were said; at most 65,536.
    pub digests: Vec<[u8; 32]>,
    /// The seal over all of this, the agent and the log.
    pub seal: Seal,
}

impl SealedStatement {
    /// Whether the agent with this key sealed it, in the log of this name.
    ///
    /// # Errors
    /// [`SealRefused`] when it did not.
    pub fn verify(&self, log: &str, agent: AgentId, key: &VerifyingKey) -> Result<(), SealRefused> {
        let statement = Statement { agent, step: self.step, digests: &self.digests };
        SealContext { log, purpose: self.purpose }.verify(key, &statement, &self.seal)
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.u32(self.step);
        w.u8(self.purpose.code());
        w.length(self.digests.len());
        for digest in &self.digests {
            w.fixed(digest);
        }
        w.fixed(self.seal.as_bytes());
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            step: r.u32("statement.step")?,
            purpose: Purpose::read(r)?,
            digests: {
                let length = r.length("statement.digests", ITEMS_MAX, 32)?;
                (0..length).map(|_| r.fixed("statement.digests")).collect::<Result<_, _>>()?
            },
            seal: Seal::from_bytes(r.fixed("statement.seal")?),
        })
    }
}
