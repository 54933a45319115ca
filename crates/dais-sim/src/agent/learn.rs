//! Learning from what the others accepted, withdrew or turned down.

use dais_protocol::{Outcome, SignatureId, widest_radius};

use super::{Agent, Common, TURNED_DOWN_MAX};
use crate::agent::adopted::{Adopted, Standing};
use crate::agent::model::Workspace;

impl Agent {
    /// Takes an accepted signature into use. Own data is the root of trust: where the own baseline demands it the
    /// radius is smaller than the accepted one, and below the radius worth sharing the signature is not applied.
    pub(crate) fn adopt(&mut self, adopted: &Adopted, common: &Common, workspace: &mut Workspace) {
        adopted.matcher.distances(self.window.view(), &mut workspace.distances);
        let own = widest_radius(&workspace.distances, common.params.vote.eps);
        let radius = adopted.radius.min(own);
        let radius = if radius < common.params.vote.radius_min { 0.0 } else { radius };
        self.standings.push(Standing { radius, ..Standing::default() });
    }

    /// Forgets the adopted signature at `place`.
    pub(crate) fn drop_adopted(&mut self, place: usize) {
        self.standings.remove(place);
    }

    /// Whether the adopted signature at `place` is applied here.
    pub(crate) fn applies(&self, place: usize) -> bool {
        self.standings.get(place).is_some_and(|standing| standing.radius > 0.0)
    }

    /// Learns what became of a signature this agent offered.
    pub(crate) fn answered(&mut self, id: SignatureId, outcome: Outcome) {
        let Some(place) = self.offered.iter().position(|offer| offer.offered.id == id) else { return };
        let offer = self.offered.remove(place);
        if outcome != Outcome::Accepted {
            if self.turned_down.len() >= TURNED_DOWN_MAX {
                self.turned_down.pop_front();
            }
            self.turned_down.push_back(offer);
        }
    }

    /// Starts from flows that the site's operator vouches for.
    pub(crate) fn begin(&mut self, baseline: &dais_traffic::Batch, common: &Common, workspace: &mut Workspace) {
        self.vouched = baseline.rows() > 0;
        for row in 0..baseline.rows() {
            self.learn_flow(baseline, row, common);
        }
        if let Err(failed) = self.retrain(0, common, workspace) {
            self.fail(0, failed.0, common);
        }
    }
}
