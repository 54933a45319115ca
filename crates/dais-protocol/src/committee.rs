//! Who votes on a signature.

use rand_philox::Philox;
use sha2::{Digest, Sha256};

use crate::{AgentId, Motion, SignatureId};

/// What separates the seeds of committees from every other hash.
const SEED_TAG: &[u8] = b"dais-committee-v1";

/// The seed from which the committee of one ballot is drawn: SHA-256 over `dais-committee-v1`, a root that was fixed
/// after the signature was offered, the motion and the signature.
///
/// Each ballot draws its own committee; and because the root was not known before the offer, nobody can choose a
/// signature by its committee.
pub fn ballot_seed(root: &[u8; 32], motion: Motion, signature: SignatureId) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(SEED_TAG).chain_update(root).chain_update([motion.code()]);
    hash.chain_update(signature.as_bytes()).finalize().into()
}

/// Draws a committee from the active agents, deterministically from a public seed: the root of the last ledger head.
///
/// Everyone when there are no more than `size`. The result is in ascending order and does not depend on the order of
/// `active`. A larger committee of the same seed and agents contains the smaller one, so an escalation adds members and
/// keeps the first ones. Cost: sorting of the active agents.
pub fn committee(seed: &[u8; 32], active: &[AgentId], size: usize) -> Vec<AgentId> {
    let mut agents = active.to_vec();
    agents.sort_unstable();
    agents.dedup();
    if agents.len() <= size {
        return agents;
    }
    // The root is a hash: any 16 of its bytes are as good as all.
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| seed[at + i]));
    let mut random = Philox::from_u64_seed_stream(word(0), word(8));
    for place in 0..size {
        let rest = u32::try_from(agents.len() - place).expect("agents are numbered with 32 bits");
        let chosen = place + random.bounded(rest) as usize;
        agents.swap(place, chosen);
    }
    agents.truncate(size);
    agents.sort_unstable();
    agents
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agents(count: u32) -> Vec<AgentId> {
        (0..count).map(AgentId).collect()
    }

    #[test]
    fn everyone_sits_on_a_committee_that_is_large_enough() {
        assert_eq!(committee(&[7; 32], &agents(10), 10), agents(10));
        assert_eq!(committee(&[7; 32], &[], 3), []);
    }

    #[test]
    fn a_larger_committee_contains_the_smaller_one_and_the_order_of_the_agents_does_not_matter() {
        let mut shuffled = agents(500);
        shuffled.reverse();
        shuffled.rotate_left(123);
        let small = committee(&[9; 32], &agents(500), 16);
        let large = committee(&[9; 32], &shuffled, 64);
        assert_eq!((small.len(), large.len()), (16, 64));
        assert!(small.is_sorted_by(|a, b| a < b) && large.is_sorted_by(|a, b| a < b));
        assert!(small.iter().all(|agent| large.contains(agent)));
        assert_ne!(small, committee(&[8; 32], &agents(500), 16));
    }

    #[test]
    fn every_ballot_draws_a_committee_of_its_own() {
        let signature = |byte: u8| SignatureId::from_bytes([byte; 32]);
        let drawn =
            |root: u8, motion, byte| committee(&ballot_seed(&[root; 32], motion, signature(byte)), &agents(100), 8);
        let first = drawn(1, Motion::Adopt, 1);
        assert_eq!(first, drawn(1, Motion::Adopt, 1));
        assert_ne!(first, drawn(1, Motion::Adopt, 2));
        assert_ne!(first, drawn(1, Motion::Revoke, 1));
        assert_ne!(first, drawn(2, Motion::Adopt, 1));
    }

    #[test]
    fn every_agent_is_drawn_about_equally_often() {
        let mut counts = [0_u32; 40];
        for round in 0..2000_u32 {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&round.to_le_bytes());
            for agent in committee(&seed, &agents(40), 10) {
                counts[agent.index()] += 1;
            }
        }
        // 2000 draws at 1/4: mean 500, standard deviation 19.4.
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }
}
