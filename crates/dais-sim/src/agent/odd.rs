//! Odd flows: those that nothing explains, waiting to be learned, and those remembered as a site's rare habits.

use std::collections::VecDeque;

use dais_protocol::Matcher;
use serde::{Deserialize, Serialize};

use crate::agent::window::Remembered;

/// Odd flows remembered.
const MEMORY_MAX: usize = 1024;

/// Flows of the same categories whose scaled values differ by at most this much (root mean square) are of one crowd.
const CROWD_DISTANCE: f32 = 0.1;

/// A crowd counts as so many flows, and a little more the larger it is.
const CROWD_MAX: f32 = 3.0;

/// An odd flow that waits to be learned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) due_step: u32,
    pub(crate) flow: Remembered,
    /// Its score on arrival, and the share of it that was counted then.
    pub(crate) score: f32,
    pub(crate) share: f32,
}

/// Odd flows that wait for the others' judgement before they are learned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Quarantine {
    waiting: VecDeque<Waiting>,
}

impl Quarantine {
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The flows that wait.
    pub(crate) fn flows(&self) -> impl Iterator<Item = &Remembered> {
        self.waiting.iter().map(|waiting| &waiting.flow)
    }

    /// Takes in a flow, and says which share of it counts as an arrival: of a crowd of like ones the first three count
    /// in full and the `n`-th counts 3 / `n`, so that a flood of any size moves the alert level little.
    pub(crate) fn push(&mut self, due_step: u32, flow: Remembered, score: f32) -> f32 {
        let share = (CROWD_MAX / self.crowd(&flow) as f32).min(1.0);
        self.waiting.push_back(Waiting { due_step, flow, score, share });
        share
    }

    /// How many of those that wait are like this one, itself included.
    fn crowd(&self, flow: &Remembered) -> usize {
        1 + self.flows().filter(|other| other.is_near(flow, CROWD_DISTANCE)).count()
    }

    /// The next flow that has waited long enough.
    pub(crate) fn pop_due(&mut self, step: u32) -> Option<Waiting> {
        self.waiting.pop_front_if(|waiting| waiting.due_step <= step)
    }

    /// The flow that has waited longest.
    pub(crate) fn pop_first(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }
}

/// What a site remembers of its odd flows: the last 1,024 that no signature explained, each with its step.
///
/// The baseline forgets a rare habit, and a habit that is matched never returns to it. Here it stays, so that a voter can
/// say how often flows like those of a signature came before.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OddMemory {
    /// Steps are counted from before the run's first one, in which vouched flows may have come.
    flows: VecDeque<(i64, Remembered)>,
    /// The first step that is remembered in full.
    since_step: i64,
}

/// How often odd flows within a signature's radius came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OddCounts {
    /// In the last steps.
    pub(crate) recent: u32,
    /// Before those.
    pub(crate) past: u32,
    /// Steps that `past` covers.
    pub(crate) past_steps: u32,
}

impl OddMemory {
    /// Begins with flows of earlier steps that somebody vouches for; they cover the steps from `since_step` on.
    pub(crate) fn begin(&mut self, since_step: i64) {
        self.since_step = since_step;
    }

    pub(crate) fn push(&mut self, step: i64, flow: Remembered) {
        if self.flows.len() >= MEMORY_MAX
            && let Some((forgotten, _)) = self.flows.pop_front()
        {
            self.since_step = forgotten + 1;
        }
        self.flows.push_back((step, flow));
    }

    /// Counts the flows within `radius`; the last `recent_steps` steps, `step` included, are recent.
    pub(crate) fn count(&self, matcher: &Matcher, radius: f32, step: u32, recent_steps: u32) -> OddCounts {
        let before = i64::from(step) + 1 - i64::from(recent_steps);
        let past_steps = u32::try_from(before - self.since_step).unwrap_or(0);
        let mut counts = OddCounts { past_steps, ..OddCounts::default() };
        for (at, flow) in &self.flows {
            if matcher.distance(&flow.numeric, &flow.codes) <= radius {
                *(if *at >= before { &mut counts.recent } else { &mut counts.past }) += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use dais_protocol::Pattern;

    use super::*;

    fn flow(value: f32, code: u16) -> Remembered {
        Remembered { numeric: vec![value], codes: vec![code], source: 0 }
    }

    #[test]
    fn a_crowd_counts_little_more_than_three() {
        let mut quarantine = Quarantine::default();
        let shares: f32 = (0..300).map(|_| quarantine.push(5, flow(0.5, 1), 4.0)).sum();
        assert!((3.0..18.0).contains(&shares), "{shares}");
        let stranger = quarantine.push(5, flow(0.5, 2), 4.0);
        assert!((stranger - 1.0).abs() < 1e-6, "another category is no part of the crowd");
    }

    #[test]
    fn flows_leave_quarantine_in_the_step_they_are_due() {
        let mut quarantine = Quarantine::default();
        quarantine.push(3, flow(0.1, 1), 4.0);
        quarantine.push(5, flow(0.2, 1), 4.0);
        assert!(quarantine.pop_due(2).is_none());
        assert!(quarantine.pop_due(3).is_some() && quarantine.pop_due(4).is_none());
        assert_eq!(quarantine.len(), 1);
    }

    #[test]
    fn recent_and_past_flows_within_the_radius_are_told_apart() {
        let pattern = Pattern { centre: vec![0.5], spread: vec![0.1], categories: vec![vec![1]] };
        let matcher = Matcher::new(&pattern);
        let mut memory = OddMemory::default();
        memory.begin(-20);
        memory.push(-3, flow(0.5, 1));
        memory.push(4, flow(0.55, 1));
        memory.push(9, flow(0.5, 1));
        memory.push(9, flow(0.9, 1));
        memory.push(9, flow(0.5, 2));
        let counts = memory.count(&matcher, 1.0, 9, 5);
        assert_eq!(counts, OddCounts { recent: 1, past: 2, past_steps: 25 });
    }

    #[test]
    fn a_full_memory_covers_fewer_steps() {
        let matcher = Matcher::new(&Pattern { centre: vec![0.5], spread: vec![0.1], categories: vec![vec![1]] });
        let mut memory = OddMemory::default();
        for step in 0..2 * MEMORY_MAX as i64 {
            memory.push(step, flow(0.5, 1));
        }
        let counts = memory.count(&matcher, 1.0, 2 * MEMORY_MAX as u32 - 1, 4);
        assert_eq!(counts, OddCounts { recent: 4, past: MEMORY_MAX as u32 - 4, past_steps: MEMORY_MAX as u32 - 4 });
    }
}
