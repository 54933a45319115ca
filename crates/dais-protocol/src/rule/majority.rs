//! Simple majority: one vote each, more than half.

use super::{Call, Tally, share};

/// Carried when confirm > refute, each informed voter counting 1 (K. O. May, Econometrica 1952: the only rule for two
/// alternatives that treats voters and alternatives alike and follows every gained vote). Falls when half of the
/// informed voters lie.
pub(super) fn call(tally: &Tally) -> Call {
    share::call(tally, 0.5)
}
