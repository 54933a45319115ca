//! Votes that are not counted.

use dais_protocol::{Verdict, VoteRefused};

/// Why a recorded vote was not counted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Uncounted {
    /// No ballot on this motion is open.
    #[error("no such ballot is open")]
    NoBallot,
    /// The vote's own evidence asks for another verdict.
    #[error("its evidence says {}", verdict_name(*.0))]
    AgainstEvidence(Verdict),
    /// The ballot does not admit it.
    #[error(transparent)]
    Refused(#[from] VoteRefused),
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirm => "confirm",
        Verdict::Refute => "refute",
        Verdict::Abstain => "abstain",
    }
}
