//! Why a signature was accepted or an address blocked: the chain from flow to ledger entry.

mod address;
mod blocklist;
mod flow;
mod signature;

use std::net::IpAddr;

use dais_ledger::{Head, InclusionProof, Ledger, LedgerError};
use dais_protocol::SignatureId;
use dais_sim::Fault;
use serde::Serialize;

use crate::archive::Archive;

pub use address::{AddressExplanation, BlockSpan, Naming, SightingView};
pub use blocklist::{BlockedAddress, blocklist};
pub use flow::{CategoryView, FeatureView, FlowView, ReasonView};
pub use signature::{OutcomeView, SignatureExplanation, VoteView};

/// The fewest hexadecimal digits that name a signature.
const PREFIX_MIN: usize = 4;

/// What was asked about, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Explanation {
    /// What the ledger says about a signature.
    Signature(Box<SignatureExplanation>),
    /// What the ledger says about an address.
    Address(AddressExplanation),
}

/// An entry with a proof that the ledger's last head covers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// Index of the entry.
    pub index: u64,
    /// Its leaf hash, in hex.
    pub leaf: String,
    /// The path from leaf to root.
    pub proof: InclusionProof,
    /// Whether the path leads from the entry to the root of the head; checked here and now.
    pub verified: bool,
}

/// Something that cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The ledger cannot be opened or read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger does not verify.
    #[error("the ledger does not hold, so that nothing in it explains anything: {0}")]
    Fault(#[from] Fault),
    /// Neither a signature's id, nor the beginning of one, nor an address.
    #[error("`{0}` is neither an address nor at least {PREFIX_MIN} hexadecimal digits of a signature's id")]
    Subject(String),
    /// No signature of the run has an id that begins like this.
    #[error("no signature of this run begins with {0}")]
    NoSignature(String),
    /// Several signatures have ids that begin like this.
    #[error("{} signatures begin with {prefix}: {}", ids.len(), ids.join(", "))]
    Ambiguous {
        /// What was given.
        prefix: String,
        /// The first of these signatures, in hex.
        ids: Vec<String>,
    },
}

/// Explains a signature, given by its id or the beginning of it, or an address.
///
/// # Errors
/// A subject that is neither; the beginning of no id, or of several; a ledger that cannot be read or does not verify.
pub fn explain(archive: Archive, subject: &str) -> Result<Explanation, ExplainError> {
    let Archive { storage, summary, scenario, .. } = archive;
    let ledger = Ledger::open(storage)?;
    if let Ok(address) = subject.parse::<IpAddr>() {
        return Ok(Explanation::Address(address::explain(&ledger, address)?));
    }
    let prefix = subject.to_ascii_lowercase();
    let hex = prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hex || !(PREFIX_MIN..=2 * size_of::<SignatureId>()).contains(&prefix.len()) {
        return Err(ExplainError::Subject(subject.to_owned()));
    }
    let mut explanation = signature::explain(&ledger, &prefix)?;
    if let Some(summary) = summary {
        let known = summary.found.iter().find(|found| found.id == explanation.id);
        explanation.truth = known.and_then(|found| found.truth.clone());
        explanation.time = summary.clock.time(explanation.signature.step);
        explanation.flow = flow::describe(&explanation.signature, &summary.schema, scenario.as_ref());
    }
    Ok(Explanation::Signature(Box::new(explanation)))
}

/// Proves that the last head covers an entry, and checks the proof.
fn prove(ledger: &Ledger, index: u64) -> Result<Proven, LedgerError> {
    let Head { size, root } = ledger.head().head;
    let leaf = ledger.entry(index)?.leaf_hash();
    let proof = ledger.prove_inclusion(index, size)?;
    let verified = proof.verify(&leaf, &root).is_ok();
    Ok(Proven { index, leaf: leaf.to_string(), proof, verified })
}
