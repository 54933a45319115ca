//! A search for the mix of lies that does most damage.

use std::error::Error;

use dais_sim::{AdversaryGroup, Behaviour, Mode, Placement};
use rand_philox::Philox;

use crate::Size;
use crate::life::{Figures, mean};

/// Ways of lying that one adversary combines at most.
const BEHAVIOURS_MAX: usize = 4;

/// How much worse than alone agents fare: recall lost, and false positives gained, which weigh ten times as much.
fn damage(alone: Figures, found: Figures) -> f64 {
    (alone.recall - found.recall) + 10.0 * (found.false_positives - alone.false_positives)
}

/// Looks for the worst mix: a change of the worst one so far is kept when it does more damage; every eighth try starts
/// anew, so that a mix which nothing small makes worse does not hold the search.
pub(crate) fn print(size: Size, share: f64, budget: u32) -> Result<(), Box<dyn Error>> {
    let alone = mean(Mode::Isolated, size, &[])?;
    let mut random = Philox::from_u64_seed(1);
    let mut worst: Option<(f64, AdversaryGroup)> = None;
    for tried in 1..=budget {
        let group = match &worst {
            Some((_, group)) if tried % 8 != 0 => changed(group, &mut random),
            _ => AdversaryGroup::new(share, &[drawn(&mut random)]),
        };
        let harm = damage(alone, mean(Mode::Collaborative, size, std::slice::from_ref(&group))?);
        if worst.as_ref().is_none_or(|(most, _)| harm > *most) {
            let names: Vec<&str> = group.behaviours.iter().map(|behaviour| behaviour.name()).collect();
            println!("{tried:>5}: damage {harm:+.4} by {} ({:?})", names.join(" + "), group.placement);
            worst = Some((harm, group));
        }
    }
    Ok(())
}

fn drawn(random: &mut Philox) -> Behaviour {
    Behaviour::ALL[random.bounded(Behaviour::ALL.len() as u32) as usize]
}

/// The mix with one way of lying more, less or exchanged, or placed elsewhere.
fn changed(group: &AdversaryGroup, random: &mut Philox) -> AdversaryGroup {
    let mut group = group.clone();
    let count = group.behaviours.len();
    let place = random.bounded(count as u32) as usize;
    match random.bounded(4) {
        0 if count < BEHAVIOURS_MAX => group.behaviours.push(drawn(random)),
        1 if count > 1 => {
            group.behaviours.remove(place);
        }
        2 => {
            let placements = [Placement::Random, Placement::Hubs, Placement::Region];
            group.placement = placements[random.bounded(3) as usize];
        }
        _ => group.behaviours[place] = drawn(random),
    }
    group
}
