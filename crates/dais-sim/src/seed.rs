//! Random streams keyed by seed, purpose, agent and step.

use rand_philox::{Philox, philox4x32_10};
use serde::{Deserialize, Serialize};

/// The seed of a run. One seed, one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// What a random stream is for; the numbers are part of a run's history and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Ed25519 key of an agent.
    AgentKey = 1,
    /// Ed25519 key of the coordinator.
    CoordinatorKey = 2,
    /// Training of a detector.
    Training = 3,
    /// What an adversary does.
    Adversary = 4,
    /// Which agents are adversaries.
    AdversaryDraw = 5,
    /// Injected failures of agents.
    Failure = 6,
    /// Ed25519 key of an agent as witness of the ledger.
    WitnessKey = 7,
    /// Which agents are witnesses.
    WitnessDraw = 8,
    /// Which flows a baseline keeps.
    Memory = 9,
}

impl Seed {
    /// 128 bits that depend on nothing but the arguments.
    fn block(self, purpose: Purpose, agent: u32, step: u32, index: u32) -> [u32; 4] {
        philox4x32_10([purpose as u32, agent, step, index], [self.0 as u32, (self.0 >> 32) as u32])
    }

    /// A derived 64-bit seed.
    pub(crate) fn derive(self, purpose: Purpose, agent: u32, step: u32) -> u64 {
        let [low, high, ..] = self.block(purpose, agent, step, 0);
        u64::from(low) | u64::from(high) << 32
    }

    /// A derived 256-bit key.
    pub(crate) fn key(self, purpose: Purpose, agent: u32) -> [u8; 32] {
        let mut key = [0; 32];
        let words = [self.block(purpose, agent, 0, 0), self.block(purpose, agent, 0, 1)];
        for (bytes, word) in key.chunks_exact_mut(4).zip(words.as_flattened()) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        key
    }

    /// A generator of its own for one agent, step and purpose.
    pub(crate) fn stream(self, purpose: Purpose, agent: u32, step: u32) -> Philox {
        Philox::from_u64_seed_stream(self.derive(purpose, agent, step), purpose as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_every_part_of_their_key() {
        let base = Seed(1).derive(Purpose::Training, 2, 3);
        let others = [
            Seed(2).derive(Purpose::Training, 2, 3),
            Seed(1).derive(Purpose::Adversary, 2, 3),
            Seed(1).derive(Purpose::Training, 3, 3),
            Seed(1).derive(Purpose::Training, 2, 4),
        ];
        assert!(others.iter().all(|&other| other != base));
    }
}
