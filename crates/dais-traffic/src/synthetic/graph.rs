//! Order and neighbourhood of sites without a table: a keyed permutation and the ring it gives.

use super::random::{Purpose, Seed};

const ROUNDS: usize = 4;

/// A permutation of `0..count` that can be asked for one item at a time, in both directions.
///
/// A Feistel network over the next even number of bits, walked until it lands below `count` (Black and Rogaway 2002).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    keys: [u32; ROUNDS],
    count: u32,
    half_bits: u32,
}

impl Permutation {
    pub(crate) fn new(seed: Seed, purpose: Purpose, count: u32) -> Self {
        let bits = u32::BITS - count.saturating_sub(1).leading_zeros();
        Self { keys: seed.words(purpose, 0, 0, 0), count, half_bits: bits.div_ceil(2).max(1) }
    }

    /// Where `item` stands.
    pub(crate) fn rank(&self, item: u32) -> u32 {
        let mut place = self.forward(item);
        while place >= self.count {
            place = self.forward(place);
        }
        place
    }

    /// Who stands at `rank`.
    pub(crate) fn item(&self, rank: u32) -> u32 {
        let mut place = self.backward(rank);
        while place >= self.count {
            place = self.backward(place);
        }
        place
    }

    fn forward(&self, place: u32) -> u32 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (place >> self.half_bits, place & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (scramble(right, key) & mask));
        }
        left << self.half_bits | right
    }

    fn backward(&self, place: u32) -> u32 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (place >> self.half_bits, place & mask);
        for key in self.keys.into_iter().rev() {
            (left, right) = (right ^ (scramble(left, key) & mask), left);
        }
        left << self.half_bits | right
    }
}

fn scramble(half: u32, key: u32) -> u32 {
    let mixed = (half ^ key).wrapping_mul(0x9e37_79b1);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca77);
    mixed ^ (mixed >> 13)
}

/// Which sites exchange traffic so closely that a worm passes from one to the other.
///
/// The sum of the ring of site numbers and a second ring in random order: four neighbours each, many short
/// cycles, and short ways between any two sites, as small worlds have them (Watts and Strogatz 1998).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteGraph {
    second: Permutation,
    sites: u32,
}

impl SiteGraph {
    pub(crate) fn new(seed: Seed, sites: u32) -> Self {
        Self { second: Permutation::new(seed, Purpose::Graph, sites), sites }
    }

    /// Neighbours of a site in ascending order: four, or fewer where the rings touch.
    pub(crate) fn neighbours(&self, site: u32) -> impl Iterator<Item = u32> + use<> {
        let around = |place: u32| [(place + 1) % self.sites, (place + self.sites - 1) % self.sites];
        let [next, last] = around(site);
        let [second_next, second_last] = around(self.second.rank(site)).map(|rank| self.second.item(rank));
        let mut all = [next, last, second_next, second_last];
        all.sort_unstable();
        let fresh = move |place: usize| all[place] != site && (place == 0 || all[place] != all[place - 1]);
        (0..4).filter(move |place| fresh(*place)).map(move |place| all[place])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_permutation_meets_every_item_once_and_can_be_undone() {
        for count in [1, 2, 3, 5, 50, 1_000] {
            let order = Permutation::new(Seed::new(4), Purpose::Campaign, count);
            let ranks: BTreeSet<u32> = (0..count).map(|item| order.rank(item)).collect();
            assert_eq!(ranks, (0..count).collect());
            assert!((0..count).all(|item| order.item(order.rank(item)) == item));
        }
    }

    #[test]
    fn permutations_differ_by_seed() {
        let order = |seed| Permutation::new(Seed::new(seed), Purpose::Campaign, 100);
        let moved = (0..100).filter(|item| order(1).rank(*item) != order(2).rank(*item)).count();
        assert!(moved > 80);
    }

    #[test]
    fn being_neighbours_is_mutual() {
        for sites in [1, 2, 3, 7, 200] {
            let graph = SiteGraph::new(Seed::new(1), sites);
            for site in 0..sites {
                assert!(
                    graph.neighbours(site).all(|other| other != site && graph.neighbours(other).any(|it| it == site))
                );
            }
        }
    }

    #[test]
    fn every_site_is_a_few_edges_from_every_other() {
        let graph = SiteGraph::new(Seed::new(1), 1_000);
        let mut reached = BTreeSet::from([0]);
        for _ in 0..12 {
            let next: Vec<u32> = reached.iter().flat_map(|site| graph.neighbours(*site)).collect();
            reached.extend(next);
        }
        assert_eq!(reached.len(), 1_000);
    }
}
