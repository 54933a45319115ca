//! Lies and repents by turns.

use crate::adversary::lie::Lie;

/// Steps of each kind in a row.
const PERIOD: u32 = 10;

/// Lies for some steps, is honest for as many, and so on.
pub(crate) struct OnOff;

impl Lie for OnOff {
    fn is_awake(&self, step: u32) -> bool {
        (step / PERIOD).is_multiple_of(2)
    }
}
