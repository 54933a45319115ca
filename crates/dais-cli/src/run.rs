//! From flags and configuration to a run, and back to the screen.

pub(crate) mod carry;
pub(crate) mod choice;
pub(crate) mod ending;
pub(crate) mod interrupt;
pub(crate) mod setting;
pub(crate) mod told;
