//! Signatures that agents adopted from one another.

use std::sync::Arc;

use dais_protocol::{Matcher, Signature, SignatureId};
use serde::{Deserialize, Serialize};

/// A signature in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Adopted {
    pub(crate) id: SignatureId,
    pub(crate) matcher: Arc<Matcher>,
    pub(crate) radius: f32,
    pub(crate) expires_step: u32,
}

impl Adopted {
    pub(crate) fn new(signature: &Signature, radius: f32, expires_step: u32) -> Self {
        Self { id: signature.id(), matcher: Arc::new(Matcher::new(&signature.pattern)), radius, expires_step }
    }
}

/// An agent's own measure of an adopted signature; its own data is the root of its trust.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The radius the agent applies: the accepted one, or less where its own baseline demands it; 0 = not applied.
    pub(crate) radius: f32,
    /// Flows matched so far.
    pub(crate) matches: u32,
    /// Matched flows that were otherwise ordinary.
    pub(crate) ordinary: u32,
    /// Matched flows whose source is known here.
    pub(crate) of_known_sources: u32,
    /// First and last step with a match, and how many steps had one.
    pub(crate) first_step: u32,
    pub(crate) last_step: u32,
    pub(crate) steps: u32,
    /// Whether the agent has asked for a revocation.
    pub(crate) challenged: bool,
}

/// Steps with a match that a habit has at least.
const LASTING_MATCHED_STEPS: u32 = 4;

/// Share of known sources among the matches that makes what lasts a habit.
const LASTING_KNOWN_SHARE: f32 = 0.8;

impl Standing {
    /// Counts a matched flow.
    pub(crate) fn count(&mut self, step: u32, is_ordinary: bool, is_of_known_source: bool) {
        if self.matches == 0 {
            self.first_step = step;
        }
        if self.matches == 0 || self.last_step != step {
            self.steps += 1;
        }
        self.last_step = step;
        self.matches += 1;
        self.ordinary += u32::from(is_ordinary);
        self.of_known_sources += u32::from(is_of_known_source);
    }

    /// Whether it has matched flows of known sources for so many steps, as a habit does and no attack.
    pub(crate) fn is_of_a_habit(&self, habit_steps: u32) -> bool {
        self.last_step - self.first_step >= habit_steps
            && self.steps >= LASTING_MATCHED_STEPS
            && self.of_known_sources as f32 >= LASTING_KNOWN_SHARE * self.matches as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signature that matches a flow in every third step up to `last`.
    fn matched(last: u32, is_of_known_source: bool) -> Standing {
        let mut standing = Standing::default();
        (5..=last).step_by(3).for_each(|step| standing.count(step, false, is_of_known_source));
        standing
    }

    #[test]
    fn what_lasts_and_comes_from_known_sources_is_a_habit() {
        assert!(matched(17, true).is_of_a_habit(12));
        assert!(!matched(14, true).is_of_a_habit(12), "an attack may stay so long");
        assert!(!matched(40, false).is_of_a_habit(12), "strangers are no habit");
        let mut twice = Standing::default();
        [0, 0, 0, 40].into_iter().for_each(|step| twice.count(step, false, true));
        assert!(!twice.is_of_a_habit(12) && twice.steps == 2, "{twice:?}");
    }
}
