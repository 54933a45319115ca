//! The checks that come with dais.

mod agents;
mod call;
mod clock;
mod cpu;
mod dependency;
mod disk;
mod memory;
mod progress;

pub use agents::{AgentCounts, agents};
pub use call::{Verified, ledger, storage};
pub use clock::clock;
pub use cpu::cpu;
pub(super) use dependency::Address;
pub use dependency::dependency;
pub use disk::{disk, free_bytes};
pub use memory::memory;
pub use progress::{Heartbeat, progress};

/// The names of these checks, which no dependency may have.
pub(super) const BUILT_IN: [&str; 8] = ["agents", "clock", "cpu", "disk", "ledger", "memory", "progress", "storage"];

/// Bytes of a megabyte.
const MB: f64 = 1e6;
