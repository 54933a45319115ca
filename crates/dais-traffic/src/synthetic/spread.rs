//! How a worm passes from site to site.

use super::graph::SiteGraph;
use super::random::{Purpose, Seed, unit};

/// Who was infected by whom and when; two numbers a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    first: Vec<u32>,
    from: Vec<u32>,
}

/// The rules of one worm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contagion {
    pub(crate) start_step: u32,
    /// Steps for which an infected site passes the worm on.
    pub(crate) duration_steps: u32,
    /// Probability that an infected site infects a given neighbour in a step.
    pub(crate) per_step: f32,
    /// Sites after which it stops.
    pub(crate) sites_max: u32,
    /// Steps after which nobody looks any more.
    pub(crate) steps: u32,
}

const NEVER: u32 = u32::MAX;

impl Spread {
    /// Lets the worm loose at `origin`. Who infects whom is drawn for edge and step alone.
    pub(crate) fn new(seed: Seed, graph: SiteGraph, sites: u32, origin: u32, rules: Contagion) -> Self {
        let mut spread = Self { first: vec![NEVER; sites as usize], from: vec![NEVER; sites as usize] };
        spread.first[origin as usize] = rules.start_step;
        let (mut infectious, mut infected) = (vec![origin], 1);
        for step in rules.start_step..rules.steps.saturating_sub(1) {
            let mut caught = Vec::new();
            for &site in &infectious {
                for other in graph.neighbours(site) {
                    let luck = unit(seed.derive(Purpose::Spread, site, other).words(Purpose::Spread, step, 0, 0)[0]);
                    let free = spread.first[other as usize] == NEVER && infected < rules.sites_max;
                    if free && luck < rules.per_step {
                        spread.first[other as usize] = step + 1;
                        spread.from[other as usize] = site;
                        infected += 1;
                        caught.push(other);
                    }
                }
            }
            infectious.retain(|site| spread.first[*site as usize].saturating_add(rules.duration_steps) > step + 1);
            infectious.extend(caught);
            if infectious.is_empty() || infected >= rules.sites_max {
                break;
            }
        }
        spread
    }

    /// Step from which a site is infected.
    pub(crate) fn first_step(&self, site: u32) -> Option<u32> {
        let step = self.first[site as usize];
        (step != NEVER).then_some(step)
    }

    /// The neighbour that infected a site; none for the first one and for those spared.
    pub(crate) fn infected_by(&self, site: u32) -> Option<u32> {
        let from = self.from[site as usize];
        (from != NEVER).then_some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Contagion = Contagion { start_step: 3, duration_steps: 6, per_step: 0.4, sites_max: 150, steps: 60 };

    fn spread(rules: Contagion) -> Spread {
        Spread::new(Seed::new(8), SiteGraph::new(Seed::new(8), 200), 200, 17, rules)
    }

    fn infected(spread: &Spread) -> usize {
        (0..200).filter(|site| spread.first_step(*site).is_some()).count()
    }

    #[test]
    fn the_worm_moves_along_edges_and_forward_in_time_only() {
        let (spread, graph) = (spread(RULES), SiteGraph::new(Seed::new(8), 200));
        for site in (0..200).filter(|site| *site != 17) {
            let Some(first) = spread.first_step(site) else { continue };
            let from = spread.infected_by(site).expect("every later infection has an origin");
            let earlier = spread.first_step(from).expect("who infects is infected");
            assert!(graph.neighbours(from).any(|other| other == site));
            assert!(earlier < first && first <= earlier + RULES.duration_steps, "{earlier} {first}");
        }
        assert_eq!((spread.first_step(17), spread.infected_by(17)), (Some(3), None));
    }

    #[test]
    fn the_worm_stops_at_the_share_of_sites_it_may_reach() {
        assert_eq!(infected(&spread(RULES)), 150);
        assert_eq!(infected(&spread(Contagion { sites_max: 1, ..RULES })), 1);
    }

    #[test]
    fn a_hardly_contagious_worm_dies_out() {
        assert!(infected(&spread(Contagion { per_step: 0.01, ..RULES })) < 20);
    }
}
