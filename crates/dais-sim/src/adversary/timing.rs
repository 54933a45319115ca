//! When adversaries lie.

pub(crate) mod on_off;
pub(crate) mod sleeper;
pub(crate) mod whitewasher;
