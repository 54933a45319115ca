//! Comparing a share with a threshold.

use super::{Call, Tally};

/// What a tally means for a rule that asks for a share of the decisive weight. A tie is never carried.
pub(super) fn call(tally: &Tally, threshold: f64) -> Call {
    let Tally { confirm_weight, refute_weight, .. } = *tally;
    match confirm_weight.total_cmp(&refute_weight) {
        std::cmp::Ordering::Equal => Call::Tied,
        std::cmp::Ordering::Greater if confirm_weight / (confirm_weight + refute_weight) >= threshold => Call::Carried,
        std::cmp::Ordering::Greater | std::cmp::Ordering::Less => Call::Lost,
    }
}
