//! What was counted in the steps of a world, in bounded memory.

use dais_sim::StepTally;
use serde::{Deserialize, Serialize};

/// Points of a course at most.
const POINTS_MAX: usize = 8192;

/// Mean trust of honest agents and of liars.
pub type MeanTrust = (Option<f64>, Option<f64>);

/// What was counted in the steps of a world: a point for each step, as long as there are no more than 8,192 of them. Then
/// two neighbours become one, and a point stands for twice as many steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Steps of a point, less one; the last point may stand for fewer.
    span_less_one: u32,
    steps: u32,
    tallies: Vec<StepTally>,
    trust: Vec<MeanTrust>,
}

impl Course {
    /// Adds a step.
    pub(crate) fn push(&mut self, tally: StepTally, trust: MeanTrust) {
        let within = !self.steps.is_multiple_of(self.span());
        self.steps += 1;
        if let (true, Some(last), Some(mean)) = (within, self.tallies.last_mut(), self.trust.last_mut()) {
            merge(last, &tally);
            *mean = trust;
        } else {
            self.tallies.push(tally);
            self.trust.push(trust);
        }
        if self.tallies.len() > POINTS_MAX {
            self.halve();
        }
    }

    fn halve(&mut self) {
        let pairs = self.tallies.chunks(2).map(|pair| {
            let mut first = pair[0].clone();
            pair[1..].iter().for_each(|second| merge(&mut first, second));
            first
        });
        self.tallies = pairs.collect();
        self.trust = self.trust.chunks(2).filter_map(|pair| pair.last().copied()).collect();
        self.span_less_one = self.span() * 2 - 1;
    }

    /// Steps that a point stands for.
    #[must_use]
    pub fn span(&self) -> u32 {
        self.span_less_one + 1
    }

    /// Steps so far.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// What was counted, by point: flows and alerts are those of all its steps, agents reached and protected those at its
    /// end.
    #[must_use]
    pub fn tallies(&self) -> &[StepTally] {
        &self.tallies
    }

    /// The points within the first `steps` steps.
    #[must_use]
    pub fn within(&self, steps: u32) -> &[StepTally] {
        let points = if steps >= self.steps { self.tallies.len() } else { (steps / self.span()) as usize };
        &self.tallies[..points]
    }

    /// Mean trust at the end of each point.
    #[must_use]
    pub fn trust(&self) -> &[MeanTrust] {
        &self.trust
    }
}

/// Adds what was counted in later steps.
fn merge(earlier: &mut StepTally, later: &StepTally) {
    earlier.add(later);
    earlier.reached.clone_from(&later.reached);
    earlier.protected.clone_from(&later.protected);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(step: u32) -> StepTally {
        StepTally { flows: u64::from(step), reached: vec![step], protected: vec![step], ..StepTally::default() }
    }

    fn course(steps: u32) -> Course {
        let mut course = Course::default();
        (0..steps).for_each(|step| course.push(tally(step), (Some(f64::from(step)), None)));
        course
    }

    #[test]
    fn a_short_course_has_every_step() {
        let course = course(100);
        assert_eq!((course.span(), course.steps(), course.tallies().len()), (1, 100, 100));
        assert_eq!(course.tallies()[42], tally(42));
        assert_eq!(course.within(7).len(), 7);
    }

    #[test]
    fn a_long_course_is_bounded_and_loses_no_flow() {
        let steps = 50_000;
        let course = course(steps);
        assert!(course.tallies().len() <= POINTS_MAX && course.tallies().len() > POINTS_MAX / 2);
        assert_eq!(course.trust().len(), course.tallies().len());
        let flows: u64 = course.tallies().iter().map(|tally| tally.flows).sum();
        assert_eq!(flows, (0..u64::from(steps)).sum::<u64>());
        let span = course.span();
        assert!(span.is_power_of_two() && span > 1);
        for (place, tally) in course.tallies().iter().enumerate() {
            let end = ((place as u32 + 1) * span).min(steps) - 1;
            assert_eq!((tally.reached[0], course.trust()[place].0), (end, Some(f64::from(end))));
        }
        assert_eq!(course.within(span * 10).len(), 10);
        assert_eq!(course.within(steps).len(), course.tallies().len());
    }
}
