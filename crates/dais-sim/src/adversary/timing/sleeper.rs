//! Earns trust first.

use crate::adversary::lie::Lie;

/// Is honest until this step.
const WAKES: u32 = 20;

/// Is honest for a while, then lies.
pub(crate) struct Sleeper;

impl Lie for Sleeper {
    fn is_awake(&self, step: u32) -> bool {
        step >= WAKES
    }
}
