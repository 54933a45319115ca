//! The geometric median.

use super::{Points, distance_to, median};

/// Steps of the iteration at most.
const STEPS_MAX: usize = 1000;
/// The iteration ends when a step is shorter than this, in the unit of the points.
const STEP_MIN: f64 = 1.0e-9;
/// Points nearer than this to where the iteration stands are where it stands.
const DISTANCE_MIN: f64 = 1.0e-9;

/// argmin over y of Σ w ‖x - y‖ (Pillutla, Kakade, Harchaoui: *Robust Aggregation for Federated Learning*, IEEE TSP 2022).
/// One of the points, where what pulls away from it is weaker than its own weight; else by the iteration of Weiszfeld,
/// y ← Σ (w / ‖x - y‖) x / Σ (w / ‖x - y‖), with the step of Vardi and Zhang (PNAS 2000) where it stands on a point; from
/// the coordinate-wise median on. Breakdown point 1/2. Cost: the distances of all pairs.
pub(super) fn median(points: &Points<'_>) -> Vec<f64> {
    let here = |sample: &super::Sample<'_>| sample.point.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
    let mut centres = points.samples.iter().map(here);
    if let Some(best) = centres.find(|centre| Pull::at(points, centre).free_share() <= 0.0) {
        return best;
    }
    let mut centre = points.by_coordinate(median::weighted);
    for _ in 0..STEPS_MAX {
        let pull = Pull::at(points, &centre);
        let share = pull.free_share() / pull.inverse_distances;
        let mut moved = 0.0;
        for (value, towards) in centre.iter_mut().zip(&pull.towards) {
            *value += share * towards;
            moved += share * towards * share * towards;
        }
        if moved.sqrt() < STEP_MIN {
            break;
        }
    }
    centre
}

/// How the points pull at a place.
struct Pull {
    /// The sum of w / d times the way to each point.
    towards: Vec<f64>,
    /// The sum of w / d.
    inverse_distances: f64,
    /// The weight of the points that lie there.
    held: f64,
}

impl Pull {
    fn at(points: &Points<'_>, place: &[f64]) -> Self {
        let mut pull = Self { towards: vec![0.0; points.dimensions], inverse_distances: 0.0, held: 0.0 };
        for sample in &points.samples {
            let distance = distance_to(sample.point, place);
            if distance < DISTANCE_MIN {
                pull.held += sample.weight;
                continue;
            }
            let weight = sample.weight / distance;
            pull.inverse_distances += weight;
            for ((sum, value), here) in pull.towards.iter_mut().zip(sample.point).zip(place) {
                *sum += weight * (f64::from(*value) - here);
            }
        }
        pull
    }

    /// The share of the pull that is left after what holds the place is taken off; 0 where it rests.
    fn free_share(&self) -> f64 {
        let force = self.towards.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
        if force > self.held { 1.0 - self.held / force } else { 0.0 }
    }
}
