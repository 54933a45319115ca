//! Accepted signatures as the assembly remembers them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dais_protocol::{AgentId, Matcher, Signature};
use serde::{Deserialize, Serialize};

use crate::truth::tally::SignatureTruth;

/// An accepted signature as the assembly remembers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) signature: Arc<Signature>,
    pub(super) matcher: Arc<Matcher>,
    pub(super) radius: f32,
    pub(super) truth: SignatureTruth,
    pub(super) challengers: BTreeSet<AgentId>,
    /// Place in the order of acceptance.
    pub(super) order: u64,
    pub(super) expires_step: u32,
}
