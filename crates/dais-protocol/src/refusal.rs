//! Why a vote is not counted.

use serde::{Deserialize, Serialize};

use crate::{AgentId, SignatureId, Vote};

/// Two different votes of one member in one round: proof against the member, once the seals of both are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equivocation {
    /// The vote that was recorded first.
    pub first: Vote,
    /// The one that contradicts it.
    pub second: Vote,
}

/// Why a vote was not counted. A refused vote is an outcome to be counted, not a fault of the program.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VoteRefused {
    /// The vote is about another signature.
    #[error("the vote is about signature {}", found.short())]
    WrongSignature {
        /// The signature it is about.
        found: SignatureId,
    },
    /// The vote is about another motion.
    #[error("the vote is about another motion")]
    WrongMotion,
    /// The voter is not on the committee.
    #[error("{voter} is not on the committee")]
    NotInCommittee {
        /// Who voted.
        voter: AgentId,
    },
    /// The author votes on its own signature.
    #[error("{voter} is the author")]
    OwnSignature {
        /// Who voted.
        voter: AgentId,
    },
    /// The vote belongs to another round.
    #[error("the vote is for round {found}, the ballot is in round {expected}")]
    WrongRound {
        /// The round of the ballot.
        expected: u8,
        /// The round of the vote.
        found: u8,
    },
    /// The vote is dated before the round began.
    #[error("the vote is from step {found}, the round began in step {opened}")]
    WrongStep {
        /// The step in which the round began.
        opened: u32,
        /// The step of the vote.
        found: u32,
    },
    /// The vote's evidence or its confidence cannot have been measured.
    #[error("the vote holds an impossible `{field}`")]
    Impossible {
        /// The first impossible value.
        field: &'static str,
    },
    /// The same vote was recorded before.
    #[error("{voter} has voted already")]
    Duplicate {
        /// Who voted.
        voter: AgentId,
    },
    /// The voter has voted differently before, in the same round.
    #[error("{} has voted twice, differently", .0.first.voter)]
    Equivocation(Box<Equivocation>),
    /// The ballot takes votes only after commitments to them.
    #[error("{voter} has not committed to a vote in this ballot")]
    NotCommitted {
        /// Who voted.
        voter: AgentId,
    },
    /// The vote is not the one that was committed to, or not dated later.
    #[error("the vote of {voter} is not the one committed to")]
    WrongReveal {
        /// Who voted.
        voter: AgentId,
    },
    /// The voter has committed to another vote before, in the same round.
    #[error("{voter} has committed twice, differently")]
    SecondCommitment {
        /// Who committed.
        voter: AgentId,
    },
    /// Commitments are taken in the step in which the round begins, and dated in it.
    #[error("commitments are taken in step {opened}, this one is from step {found}")]
    CommitmentsClosed {
        /// The step in which the round began.
        opened: u32,
        /// The step of the commitment, or that of its arrival.
        found: u32,
    },
    /// Votes of this ballot are not secret.
    #[error("votes of this ballot are open: no commitments are taken")]
    NotSecret,
    /// The ballot waits for its larger committee.
    #[error("the ballot waits for a larger committee")]
    Escalating,
    /// The ballot has ended; the vote is too late.
    #[error("the ballot is closed")]
    Closed,
}
