//! Learning from what the others accepted, withdrew or turned down.

use dais_protocol::{Outcome, SignatureId, widest_radius};

use super::{Agent, Common, TURNED_DOWN_MAX};
use crate::agent::adopted::{Adopted, Standing};
use crate::agent::model::Workspace;

impl Agent {
    /// Takes an accepted signature into use. Own data is the root of trust: where the own baseline demands it the
    /// radius is smaller than the accepted one, and below the radius worth sharing the signature is not applied.
    pub(crate) fn adopt(&mut self, adopted: &Adopted, common: &Common, workspace: &mut Workspace) {
        if let Some(place) = self.own.iter().position(|own| own.id == adopted.id) {
            self.drop_own(place);
        }
        let standing = self.standing(adopted, common, workspace);
        self.standings.insert(self.standings.len() - self.own.len(), standing);
    }

    /// Takes what this agent found itself into use without asking anybody; the oldest makes room.
    pub(crate) fn adopt_own(&mut self, own: Adopted, own_max: usize, common: &Common, workspace: &mut Workspace) {
        if self.own.len() >= own_max {
            self.drop_own(0);
        }
        let standing = self.standing(&own, common, workspace);
        self.standings.push(standing);
        self.own.push(own);
    }

    /// Forgets what it found itself and nobody accepted, once its time is over.
    pub(crate) fn expire_own(&mut self, step: u32) {
        while self.own.first().is_some_and(|own| own.expires_step <= step) {
            self.drop_own(0);
        }
    }

    fn drop_own(&mut self, place: usize) {
        let shared = self.standings.len() - self.own.len();
        self.standings.remove(shared + place);
        self.own.remove(place);
    }

    fn standing(&self, adopted: &Adopted, common: &Common, workspace: &mut Workspace) -> Standing {
        adopted.matcher.distances(self.window.view(), &mut workspace.distances);
        let own = widest_radius(&workspace.distances, common.params.vote.eps);
        let radius = adopted.radius.min(own);
        let radius = if radius < common.params.vote.radius_min { 0.0 } else { radius };
        Standing { radius, ..Standing::default() }
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
