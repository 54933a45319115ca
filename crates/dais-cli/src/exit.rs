//! Exit codes beside 0, fine, and 1, a check failed.

/// Wrong usage or input.
pub(crate) const INPUT: u8 = 2;
/// A run was stopped at a limit and can be gone on with.
pub(crate) const LIMIT: u8 = 3;
/// The process was interrupted by hand.
pub(crate) const INTERRUPTED: u8 = 130;
/// The system told the process to end.
pub(crate) const TERMINATED: u8 = 143;
