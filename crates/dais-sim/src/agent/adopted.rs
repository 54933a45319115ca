//! Signatures that agents adopted from one another.

use std::sync::Arc;

use dais_protocol::{Matcher, Signature, SignatureId};
use serde::{Deserialize, Serialize};

/// A signature in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Adopted {
    pub(crate) id: SignatureId,
    pub(crate) matcher: Arc<Matcher>,
    pub(crate) radius: f32,
    pub(crate) expires_step: u32,
}

impl Adopted {
    pub(crate) fn new(signature: &Signature, radius: f32, expires_step: u32) -> Self {
        Self { id: signature.id(), matcher: Arc::new(Matcher::new(&signature.pattern)), radius, expires_step }
    }
}

/// An agent's own measure of an adopted signature; its own data is the root of its trust.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The radius the agent applies: the accepted one, or less where its own baseline demands it; 0 = not applied.
    pub(crate) radius: f32,
    /// Flows matched so far.
    pub(crate) matches: u32,
    /// Matched flows that were otherwise ordinary.
    pub(crate) ordinary: u32,
    /// Whether the agent has asked for a revocation.
    pub(crate) challenged: bool,
}
