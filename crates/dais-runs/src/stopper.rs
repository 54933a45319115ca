//! Asking a run to end, from any thread.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use dais_sim::Stop;

/// What was asked of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To go on.
    Nothing,
    /// To stop after its step and write what there is.
    Stop,
    /// To end soon and leave what can be gone on with; where nothing can be gone on with, as [`Asked::Stop`].
    Leave,
}

/// A handle that ends a run from any thread. Clones are handles of the same run.
#[derive(Clone, Debug, Default)]
pub struct Stopper {
    asked: Arc<AtomicU8>,
    /// Breaks a step off; known once the run can be gone on with.
    step: Arc<OnceLock<Stop>>,
}

impl Stopper {
    /// Asks the run to stop after its step and to write what there is; returns what was asked before.
    pub fn stop(&self) -> Asked {
        asked(self.asked.fetch_max(Asked::Stop as u8, Ordering::SeqCst))
    }

    /// Asks the run to end after its step and to leave what can be gone on with; returns what was asked before.
    pub fn leave(&self) -> Asked {
        asked(self.asked.fetch_max(Asked::Leave as u8, Ordering::SeqCst))
    }

    /// Breaks the step under way off, after [`Stopper::leave`]; the run goes on later from its last checkpoint. Nothing
    /// happens where the run cannot be gone on with.
    pub fn break_off(&self) {
        if let Some(step) = self.step.get() {
            step.ask();
        }
    }

    /// Whether the run can be gone on with, whatever is under way.
    #[must_use]
    pub fn can_break_off(&self) -> bool {
        self.step.get().is_some()
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Asked {
        asked(self.asked.load(Ordering::SeqCst))
    }

    /// From now on the run can be gone on with, and `step` breaks its steps off.
    pub(crate) fn may_break_off(&self, step: Stop) {
        // A handle belongs to one run: the first one stays.
        let _ = self.step.set(step);
    }
}

fn asked(number: u8) -> Asked {
    match number {
        0 => Asked::Nothing,
        1 => Asked::Stop,
        _ => Asked::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_wish_stays() {
        let stopper = Stopper::default();
        assert_eq!((stopper.leave(), stopper.stop()), (Asked::Nothing, Asked::Leave));
        assert_eq!(stopper.clone().asked(), Asked::Leave);
    }

    #[test]
    fn a_step_is_broken_off_only_where_the_run_can_be_gone_on_with() {
        let (stopper, step) = (Stopper::default(), Stop::default());
        stopper.break_off();
        assert!(!stopper.can_break_off() && !step.asked());
        stopper.may_break_off(step.clone());
        stopper.break_off();
        assert!(step.asked());
    }
}
