//! Takes and does not give.

use dais_protocol::{Verdict, Vote};

use super::lie::{Lie, Scene, Sight};
use crate::agent::observe::Observed;
use crate::agent::vote::Question;

/// Uses what others find, offers nothing and always abstains.
pub(super) struct FreeRider;

impl Lie for FreeRider {
    fn says(&self, _scene: &mut Scene<'_>, _sight: &Sight<'_>, said: &mut Observed) {
        said.findings.clear();
        said.sightings.clear();
        said.challenges.clear();
    }

    fn votes(&self, _scene: &mut Scene<'_>, _question: &Question, votes: &mut Vec<Vote>) {
        for vote in votes {
            // No flow of the baseline bears on it, it claims: an abstention follows.
            (vote.verdict, vote.confidence) = (Verdict::Abstain, 0.0);
            (vote.evidence.baseline, vote.evidence.matches) = (0, 0);
        }
    }
}
