//! Quorum and threshold: a set share of the trust.

use super::{Call, Tally, share};
use crate::PolicyParams;

/// Carried when `Σ w_v` over confirmations ≥ q · `Σ w_v` over all decisive votes, q = [`PolicyParams::threshold`]; usual are
/// 0.51, 0.66 and 0.75. Adopting what the honest refute takes liars with the share q of the trust, blocking what they
/// confirm more than 1 - q: the higher the threshold, the harder it is to poison and the easier to block.
pub(super) fn call(tally: &Tally, policy: &PolicyParams) -> Call {
    share::call(tally, f64::from(policy.threshold))
}
