//! Who lies.

use crate::params::adversary::{AdversaryGroup, Behaviour, Placement};
use crate::seed::{Purpose, Seed};

/// The behaviours of each agent, drawn by the seed; honest ones have none.
pub(crate) fn draw(seed: Seed, groups: &[AdversaryGroup], agents: usize) -> Vec<Vec<Behaviour>> {
    let mut order: Vec<usize> = (0..agents).collect();
    let mut random = seed.stream(Purpose::AdversaryDraw, 0, 0);
    for place in (1..agents).rev() {
        order.swap(place, random.bounded(place as u32 + 1) as usize);
    }
    let mut behaviours = vec![Vec::new(); agents];
    for group in groups {
        let count = (group.share * agents as f64).round() as usize;
        let candidates: Vec<usize> = match group.placement {
            Placement::Random => order.clone(),
            Placement::Hubs => (0..agents).collect(),
            Placement::Region => {
                let first = order.first().copied().unwrap_or(0);
                (0..agents).map(|ahead| (first + ahead) % agents).collect()
            }
        };
        let free = candidates.into_iter().filter(|&agent| behaviours[agent].is_empty());
        for agent in free.take(count).collect::<Vec<_>>() {
            behaviours[agent].clone_from(&group.behaviours);
        }
    }
    behaviours
}

#[cfg(test)]
mod tests {
    use super::*;

    fn liars(placement: Placement, share: f64) -> Vec<usize> {
        let group = AdversaryGroup { placement, ..AdversaryGroup::new(share, &[Behaviour::Inverter]) };
        let drawn = draw(Seed(7), &[group], 20);
        (0..20).filter(|&agent| !drawn[agent].is_empty()).collect()
    }

    #[test]
    fn liars_sit_where_the_group_says() {
        assert_eq!(liars(Placement::Hubs, 0.2), [0, 1, 2, 3]);
        let region = liars(Placement::Region, 0.2);
        assert_eq!(region.len(), 4);
        assert!(region.iter().filter(|&&agent| !region.contains(&((agent + 1) % 20))).count() == 1, "{region:?}");
        assert_eq!(liars(Placement::Random, 0.2).len(), 4);
        assert_ne!(liars(Placement::Random, 0.2), [0, 1, 2, 3]);
    }

    #[test]
    fn nobody_is_drawn_twice() {
        let groups = [Behaviour::Inverter, Behaviour::Silent].map(|lie| AdversaryGroup::new(0.5, &[lie]));
        let drawn = draw(Seed(7), &groups, 10);
        assert!(drawn.iter().all(|lies| lies.len() == 1));
    }
}
