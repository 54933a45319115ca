//! What agents remember of one another's votes, and whom they caught.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::equivocation::{Contradiction, EquivocationProof, ProofRefused};
use super::sealed::SealedStatement;
use crate::{AgentId, SignatureId, VerifyingKey, Vote};

/// A voter, and the round of a ballot: it may say one thing there.
type Place = (AgentId, SignatureId, u8, u8);

/// The log of proofs: remembers sealed votes, finds those that contradict one another however late they arrive, and
/// takes proofs that others found.
///
/// | state of the voter | input | output | next state |
/// |---|---|---|---|
/// | clean | [`hear`](Self::hear), a first vote in a round, or the same again | nothing | clean |
/// | clean | `hear`, another vote in the same round | the proof | proven |
/// | clean | [`accept`](Self::accept), a proof that holds | `Ok(true)` | proven |
/// | clean | `accept`, a proof that does not hold | [`ProofRefused`] | clean |
/// | proven | `hear`, `accept` | nothing, `Ok(false)` | proven |
///
/// One proof an agent is kept: it is enough for all time. Votes are kept until [`forget`](Self::forget); a contradiction
/// of a vote that is forgotten is for those to show who still have both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProofLog {
    heard: BTreeMap<Place, (Vote, Arc<SealedStatement>)>,
    proofs: BTreeMap<AgentId, EquivocationProof>,
}

impl ProofLog {
    /// Remembers a vote with the statement it was sealed in, whose seal was checked; returns the proof when it
    /// contradicts an earlier one.
    pub fn hear(&mut self, vote: &Vote, statement: &Arc<SealedStatement>) -> Option<&EquivocationProof> {
        let agent = vote.voter;
        let place = (agent, vote.signature, vote.motion.code(), vote.round);
        let (first, first_statement) = self.heard.entry(place).or_insert_with(|| (vote.clone(), Arc::clone(statement)));
        if self.proofs.contains_key(&agent) || !first.contradicts(vote) {
            return None;
        }
        let proof = EquivocationProof {
            agent,
            statements: [(**first_statement).clone(), (**statement).clone()],
            contradiction: Contradiction::Votes(Box::new([first.clone(), vote.clone()])),
        };
        Some(self.proofs.entry(agent).or_insert(proof))
    }

    /// Takes a proof from somebody else after checking it, with the digests that [`Vote::digest`] gives; `false` when the
    /// agent was proven before.
    ///
    /// # Errors
    /// [`ProofRefused`] when it proves nothing.
    pub fn accept(&mut self, proof: &EquivocationProof, log: &str, key: &VerifyingKey) -> Result<bool, ProofRefused> {
        proof.verify(log, key)?;
        let new = !self.is_proven(proof.agent);
        if new {
            self.proofs.insert(proof.agent, proof.clone());
        }
        Ok(new)
    }

    /// Whether the agent is proven to have said two things.
    pub fn is_proven(&self, agent: AgentId) -> bool {
        self.proofs.contains_key(&agent)
    }

    /// One proof of each agent that has one, by agent.
    pub fn proofs(&self) -> impl Iterator<Item = &EquivocationProof> {
        self.proofs.values()
    }

    /// How many votes are remembered.
    pub fn remembered(&self) -> usize {
        self.heard.len()
    }

    /// Forgets the votes dated before a step; proofs are kept.
    pub fn forget(&mut self, before_step: u32) {
        self.heard.retain(|_, (vote, _)| vote.step >= before_step);
    }
}
