//! Which agents watch the ledger, and under which keys.

use dais_ledger::{Origin, Witness, WitnessVerifier};
use dais_protocol::AgentId;

use crate::params::exchange::ExchangeParams;
use crate::seed::{Purpose, Seed};

/// Agents that watch the ledger, in the order of their numbers: drawn by the seed, all of them where there are fewer.
pub(crate) fn draw(seed: Seed, agents: u32, params: &ExchangeParams) -> Vec<AgentId> {
    let mut order: Vec<u32> = (0..agents).collect();
    let mut random = seed.stream(Purpose::WitnessDraw, 0, 0);
    let count = agents.min(params.witnesses) as usize;
    for place in 0..count {
        let other = place + random.bounded(agents - place as u32) as usize;
        order.swap(place, other);
    }
    order.truncate(count);
    order.sort_unstable();
    order.into_iter().map(AgentId).collect()
}

/// The witnesses of a run with their names and public keys, in the order of their numbers.
///
/// The keys follow from the seed and serve for nothing else: what an agent seals as its own statement has another key.
/// The names do not contain that of the log, which follows from the genesis entry in which they stand.
#[must_use]
pub fn appointed(seed: Seed, agents: u32, params: &ExchangeParams) -> Vec<WitnessVerifier> {
    draw(seed, agents, params).into_iter().map(|agent| witness(seed, agent).verifier()).collect()
}

pub(crate) fn witness(seed: Seed, agent: AgentId) -> Witness {
    let name = Origin::new(format!("dais/witness/{agent}")).expect("letters, digits and slashes name a witness");
    Witness::new(name, seed.key(Purpose::WitnessKey, agent.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(witnesses: u32) -> ExchangeParams {
        ExchangeParams { witnesses, ..ExchangeParams::default() }
    }

    #[test]
    fn witnesses_are_distinct_agents_drawn_by_the_seed() {
        let drawn = |seed, agents, witnesses| draw(Seed(seed), agents, &params(witnesses));
        let seven = drawn(1, 100, 7);
        assert_eq!(seven.len(), 7);
        assert!(seven.is_sorted_by(|a, b| a < b) && seven.iter().all(|agent| agent.0 < 100), "{seven:?}");
        assert_ne!(drawn(2, 100, 7), seven);
        assert_eq!(drawn(1, 3, 7), [AgentId(0), AgentId(1), AgentId(2)]);
        assert!(drawn(1, 100, 0).is_empty());
    }

    #[test]
    fn the_key_of_a_witness_is_not_that_of_its_statements() {
        let witness = &appointed(Seed(7), 1, &params(1))[0];
        let statements = dais_protocol::SealKey::from_seed(Seed(7).key(Purpose::AgentKey, 0)).verifying_key();
        assert_ne!(&witness.public_key(), statements.as_bytes());
        assert_eq!(witness.name().as_str(), "dais/witness/a0");
    }
}
