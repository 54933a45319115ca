//! Weighted majority: more than half of the trust.

use super::{Call, Tally, share};

/// Carried when `Σ w_v` over confirmations > `Σ w_v` over refutations, `w_v` the trust of the voter after the cap (Nitzan and
/// Paroush, International Economic Review 1982: with weights that follow competence, no rule errs less). Falls when half
/// of the trust lies.
pub(super) fn call(tally: &Tally) -> Call {
    share::call(tally, 0.5)
}
