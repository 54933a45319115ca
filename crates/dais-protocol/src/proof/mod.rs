//! Proof that an agent said two things that cannot both be meant, and the log of such proofs.

mod equivocation;
mod log;
mod sealed;

pub use equivocation::{Contradiction, EquivocationProof, ProofRefused};
pub use log::ProofLog;
pub use sealed::SealedStatement;
