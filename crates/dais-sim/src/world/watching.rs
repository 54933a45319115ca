//! How a world has its ledger watched by the witnesses among its agents.

use std::sync::Arc;

use dais_ledger::{Checkpoint, SplitView};

use super::{World, answer};
use crate::witness::message::{Answer, Shown, Testimony};
use crate::world::call::{Request, Response};
use crate::world::error::WorldError;

/// How often a head is shown to a witness at most: once more where it remembers another size than the coordinator does.
const SHOWN_MAX: u8 = 2;

impl World {
    /// Has the present head cosigned. What witnesses were shown goes from shard to shard, not through the coordinator:
    /// it is the one they watch.
    pub(super) fn watch_ledger(&mut self) -> Result<(), WorldError> {
        let (t, time_s) = (self.next_step, self.simulated_s());
        let mut seen: Vec<Checkpoint> = Vec::new();
        let mut shown = self.show()?;
        for round in 0..SHOWN_MAX {
            if shown.is_empty() {
                break;
            }
            let request = Request::Testify { t, round, shown: Arc::new(shown), time_s };
            let testimonies: Vec<Testimony> = self.ask(&request, answer!(Testimony))?;
            let mut answers = Vec::new();
            for testimony in testimonies {
                answers.extend(testimony.answers);
                seen.extend(testimony.seen);
            }
            shown = self.hear_witnesses(answers)?;
        }
        if seen.is_empty() {
            return Ok(());
        }
        let proofs: Vec<Vec<SplitView>> = self.ask(&Request::Compare { t, seen: Arc::new(seen) }, answer!(Compared))?;
        for proof in proofs.into_iter().flatten() {
            if !self.split_views.contains(&proof) {
                self.split_views.push(proof);
            }
        }
        Ok(())
    }

    /// The present head for every witness.
    fn show(&mut self) -> Result<Vec<Shown>, WorldError> {
        match (self.coordinator.ledger(), &mut self.cosigning) {
            (Some(ledger), Some(cosigning)) => Ok(cosigning.show(ledger)?),
            _ => Ok(Vec::new()),
        }
    }

    /// Takes what witnesses answer; returns what is to be shown to some of them once more.
    fn hear_witnesses(&mut self, answers: Vec<Answer>) -> Result<Vec<Shown>, WorldError> {
        match (self.coordinator.ledger(), &mut self.cosigning) {
            (Some(ledger), Some(cosigning)) => Ok(cosigning.hear(ledger, answers)?),
            _ => Ok(Vec::new()),
        }
    }

    /// Simulated time: seconds since the beginning of the run, a step counting one where the traffic does not say.
    fn simulated_s(&self) -> u64 {
        (f64::from(self.next_step) * self.source.step_s().unwrap_or(1.0)).round() as u64
    }
}
