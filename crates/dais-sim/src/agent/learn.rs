//! Learning from what the others accepted, withdrew or turned down.

use dais_protocol::{Outcome, SignatureId, widest_radius};

use dais_traffic::Batch;
use rand_philox::Philox;

use super::{Agent, Common, TURNED_DOWN_MAX};
use crate::agent::adopted::{Adopted, Standing};
use crate::agent::model::Workspace;
use crate::agent::observe::rows_of;
use crate::agent::window::Remembered;
use crate::seed::Purpose;

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

    /// Forgets what it found itself and nobody accepted, once its time is over; says how many signatures, the oldest.
    pub(crate) fn expire_own(&mut self, step: u32) -> usize {
        let mut expired = 0;
        while self.own.first().is_some_and(|own| own.expires_step <= step) {
            self.drop_own(0);
            expired += 1;
        }
        expired
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
        // What was disputed may be offered again as it is, once more sites have seen its like.
        if !matches!(outcome, Outcome::Accepted | Outcome::Disputed) {
            if self.turned_down.len() >= TURNED_DOWN_MAX {
                self.turned_down.pop_front();
            }
            self.turned_down.push_back(offer);
        }
    }

    /// Starts from flows that the site's operator vouches for.
    pub(crate) fn begin(&mut self, baseline: &Batch, common: &Common, workspace: &mut Workspace) {
        self.vouched = baseline.rows() > 0;
        let mut random = common.seed.stream(Purpose::Memory, self.id.0, u32::MAX);
        let first = baseline.rows().min(common.params.baseline_rows);
        for row in 0..first {
            self.learn_flow(baseline, row, common, &mut random);
        }
        if let Err(failed) = self.retrain(0, common, workspace) {
            self.fail(0, failed.0, common);
        }
        self.remember_vouched(baseline, first, common, workspace, &mut random);
    }

    /// Vouched flows beyond those that the first model learned: they arrive as later ones do, but are vouched for.
    fn remember_vouched(
        &mut self,
        baseline: &Batch,
        first: usize,
        common: &Common,
        workspace: &mut Workspace,
        random: &mut Philox,
    ) {
        let Some(model) = self.models.front() else { return };
        model.score(rows_of(baseline), workspace);
        let scores = std::mem::take(&mut workspace.scores);
        scores[first..].iter().for_each(|&score| self.arrivals.count(score, 1.0));
        self.arrivals.settle();
        let steps = (baseline.rows() as f64 / common.flows_per_step).ceil() as i64;
        self.odd.begin(-steps);
        for (row, &score) in scores.iter().enumerate() {
            let is_odd =
                self.models.front().is_some_and(|model| self.p_value(model, score) <= common.params.suspect_p());
            if is_odd {
                let step = (row as f64 / common.flows_per_step) as i64 - steps;
                self.odd.push(step, Remembered::of(baseline, row));
            }
            if row >= first {
                self.learn_flow(baseline, row, common, random);
            }
        }
        workspace.scores = scores;
    }
}
