//! The gate before the baseline: which flows an agent may learn from, by the scores of a model that stays.
//!
//! The newest model cannot say it. Who moves a share of an agent's traffic a bit each step moves that model along with every
//! training, so no step ever looks strange to it. The gate keeps an *anchor*: a model of long ago, never trained
//! again. Its score of every flow that nothing explains goes to a [`RobustBaseline`], whose consensus of three learning rates
//! admits the flow or not.
//!
//! | consensus on the anchor's score | the flow |
//! |---|---|
//! | learned | goes the way of every flow: into the baseline, or into quarantine |
//! | trimmed, suspended or just confirmed | is never learned |
//!
//! The anchor is given up when most traffic is strange to it: when the median of its scores reaches the suspect level. Of 0.10,
//! whoever holds less than four ninths of the flows cannot move it that far. Everything is admitted then, until as many flows as a
//! baseline holds have been learned; the next model that passes is the new anchor.

use dais_detect::{Admission, RobustBaseline, RobustBaselineParams};
use dais_protocol::Rows;
use serde::{Deserialize, Serialize};

use crate::agent::model::{Model, Workspace};
use crate::agent::window::Window;

/// A model that stays, and where its scores lie.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Gate {
    anchor: Model,
    scores: RobustBaseline,
}

impl Gate {
    /// A gate at `anchor`, whose scores begin with those of the held-back flows; `None` where a parameter is out of its range.
    pub(super) fn at(
        anchor: &Model,
        held_back: &Window,
        params: &RobustBaselineParams,
        workspace: &mut Workspace,
    ) -> Option<Self> {
        let mut scores = params.start().ok()?;
        anchor.score(held_back.view(), workspace);
        for &score in &workspace.scores {
            scores.learn(score);
        }
        Some(Self { anchor: anchor.clone(), scores })
    }

    /// Writes into `admitted`, which says what is to be judged at all, which of the `rows` may be learned.
    pub(super) fn admit(&mut self, rows: Rows<'_>, admitted: &mut [bool], workspace: &mut Workspace) {
        self.anchor.score(rows, workspace);
        for (admitted, &score) in admitted.iter_mut().zip(&workspace.scores) {
            *admitted = *admitted && self.scores.learn(score) == Admission::Learned;
        }
    }

    /// Whether most traffic is strange to the anchor at this level.
    pub(super) fn is_outdated(&self, suspect_p: f32) -> bool {
        self.scores.is_ready() && self.anchor.p_value(self.scores.location()) <= suspect_p
    }
}
