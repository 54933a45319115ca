//! Observing a batch: alerts, matches, findings, and what is learned of it.

use std::net::IpAddr;

use dais_protocol::{Rows, Sighting, Signature, SignatureId};
use dais_traffic::Batch;

use super::{Agent, Common, StepFailed};
use crate::adversary::Behaviour;
use crate::agent::adopted::Adopted;
use crate::agent::blocklist::Blocklist;
use crate::agent::lifecycle::{Cause, Lifecycle};
use crate::agent::model::Workspace;
use crate::agent::window::Remembered;
use crate::params::agent::{AlertLearning, ColdStart};
use crate::seed::Purpose;

/// A signature an agent offers, with the rows of the batch it was made from.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) signature: Signature,
    pub(crate) rows: Vec<usize>,
}

/// What an agent makes of one batch; vectors by row hold one value a flow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// p-value by row; 1 where the agent has no model yet.
    pub(crate) p: Vec<f32>,
    /// Whether an adopted signature matches, by row.
    pub(crate) matched: Vec<bool>,
    /// Whether the score is beyond what even an alert may have to be learned, by row.
    extreme: Vec<bool>,
    /// Whether the flow may be learned, by row.
    learnable: Vec<bool>,
    /// Every match: the place of the adopted signature, and the row; in this order.
    pub(super) matches: Vec<(usize, usize)>,
    /// Whether the source is blocked, by row.
    pub(crate) blocked: Vec<bool>,
    /// Signatures to offer.
    pub(crate) findings: Vec<Finding>,
    /// Sources seen to match an adopted signature.
    pub(crate) sightings: Vec<Sighting>,
    /// Adopted signatures that this agent's own traffic speaks against.
    pub(crate) challenges: Vec<SignatureId>,
}

impl Observed {
    /// What an agent makes of a batch while it is out of order: nothing.
    pub(crate) fn blind(rows: usize) -> Self {
        Self { p: vec![1.0; rows], matched: vec![false; rows], blocked: vec![false; rows], ..Self::default() }
    }
}

/// Addresses in one sighting.
const SIGHTING_SOURCES_MAX: usize = 64;

impl Agent {
    /// Observes a batch under the signatures and blocks in force.
    pub(crate) fn observe(
        &mut self,
        step: u32,
        batch: &Batch,
        adopted: &[Adopted],
        blocks: &Blocklist,
        common: &Common,
        workspace: &mut Workspace,
    ) -> Result<Observed, StepFailed> {
        if self.failure_is_injected(step, common) {
            return Err(StepFailed(Cause::Injected));
        }
        let rows = rows_of(batch);
        let mut observed = Observed { p: vec![1.0; batch.rows()], ..Observed::default() };
        observed.extreme = vec![false; batch.rows()];
        if let Some(model) = self.models.front() {
            model.score(rows, workspace);
            for (row, &score) in workspace.scores.iter().enumerate() {
                observed.p[row] = model.p_value(score);
                observed.extreme[row] = score > model.extreme();
            }
        }
        observed.matches = self.matches(rows, &observed.p, adopted, common, workspace);
        observed.matched = vec![false; batch.rows()];
        observed.matches.iter().for_each(|&(_, row)| observed.matched[row] = true);
        observed.blocked = self.blocked(batch, blocks, common);
        self.watch(&observed);
        if self.models.front().is_some() {
            observed.findings = self.findings(step, batch, &observed, common, workspace);
            observed.sightings = self.sightings(step, batch, &observed, adopted, blocks, common);
        }
        observed.challenges = self.challenges(adopted, common);
        observed.learnable = self.learnable(batch, &observed, common, workspace);
        self.learn_flows(step, batch, &observed, adopted, common);
        self.retrain(step, common, workspace)?;
        if self.lifecycle == Lifecycle::Recovering {
            self.become_state(Lifecycle::Active, step, Cause::Progress);
            self.retries = 0;
        }
        Ok(observed)
    }

    /// Watches the p-values of the flows that nothing explains: in unchanged traffic they are spread evenly.
    fn watch(&mut self, observed: &Observed) {
        let Some(drift) = self.drift.as_mut().filter(|_| !self.models.is_empty()) else { return };
        let explained = observed.matched.iter().zip(&observed.blocked);
        for (&p, (&matched, &blocked)) in observed.p.iter().zip(explained) {
            if !matched && !blocked {
                self.has_drifted |= drift.add(p).is_some();
            }
        }
    }

    fn failure_is_injected(&self, step: u32, common: &Common) -> bool {
        common.failure_rate > 0.0 && {
            let word = common.seed.stream(Purpose::Failure, self.id.0, step).next_u32();
            rand_philox::u32_to_unit_f64(word) < common.failure_rate
        }
    }

    /// The rows that each adopted signature matches, counted on its standing.
    fn matches(
        &mut self,
        rows: Rows<'_>,
        p: &[f32],
        adopted: &[Adopted],
        common: &Common,
        workspace: &mut Workspace,
    ) -> Vec<(usize, usize)> {
        let mut matches = Vec::new();
        for (place, (signature, standing)) in adopted.iter().zip(&mut self.standings).enumerate() {
            if standing.radius <= 0.0 {
                continue;
            }
            signature.matcher.distances(rows, &mut workspace.distances);
            for (row, &distance) in workspace.distances.iter().enumerate() {
                if distance <= standing.radius {
                    matches.push((place, row));
                    standing.matches += 1;
                    standing.ordinary += u32::from(p[row] > common.params.ordinary_p);
                }
            }
        }
        matches
    }

    /// Which rows come from a blocked source. Allowed prefixes and sources that are ordinary here are never blocked.
    fn blocked(&self, batch: &Batch, blocks: &Blocklist, common: &Common) -> Vec<bool> {
        let Some(endpoints) = batch.endpoints().filter(|_| !blocks.is_empty()) else {
            return vec![false; batch.rows()];
        };
        endpoints.source.iter().map(|&source| blocks.find(source).is_some() && self.may_block(source, common)).collect()
    }

    /// Whether this agent would block `source`: not allowed by its operator, and not ordinary in its own baseline.
    pub(super) fn may_block(&self, source: IpAddr, common: &Common) -> bool {
        let allowed = common.params.allow.iter().any(|prefix| prefix.contains(&source));
        !allowed && self.window.flows_from(source) == 0
    }

    /// Sources whose suspicious flows match an adopted signature and that are not blocked yet. Each is named for the first
    /// signature that it matches, and not again for a while: the others remember.
    fn sightings(
        &mut self,
        step: u32,
        batch: &Batch,
        observed: &Observed,
        adopted: &[Adopted],
        blocks: &Blocklist,
        common: &Common,
    ) -> Vec<Sighting> {
        let Some(endpoints) = batch.endpoints().filter(|_| !self.lies(Behaviour::Silent)) else { return Vec::new() };
        let suspect_p = common.params.detector.suspect_p;
        let mut sightings: Vec<Sighting> = Vec::new();
        for &(place, row) in observed.matches.iter().filter(|(_, row)| observed.p[*row] <= suspect_p) {
            let source = endpoints.source[row];
            let signature = adopted[place].id;
            let known = self.named.is_recent(source, step, common.params.sighting_again_steps);
            if known || blocks.find(source).is_some() || !self.may_block(source, common) {
                continue;
            }
            self.named.insert(source, step, common.params.sighting_again_steps);
            match sightings
                .last_mut()
                .filter(|last| last.signature == signature && last.sources.len() < SIGHTING_SOURCES_MAX)
            {
                Some(last) => last.sources.push(source),
                None => sightings.push(Sighting { agent: self.id, step, signature, sources: vec![source] }),
            }
        }
        for sighting in &mut sightings {
            sighting.sources.sort_unstable();
        }
        sightings
    }

    /// Adopted signatures that keep matching flows which are ordinary here: no longer applied, and challenged once.
    fn challenges(&mut self, adopted: &[Adopted], common: &Common) -> Vec<SignatureId> {
        let params = &common.params;
        let mut challenges = Vec::new();
        for (signature, standing) in adopted.iter().zip(&mut self.standings) {
            let doubtful = standing.matches >= params.doubt_matches_min
                && standing.ordinary as f32 > params.doubt_share * standing.matches as f32;
            if doubtful && !standing.challenged {
                standing.challenged = true;
                standing.radius = 0.0;
                challenges.push(signature.id);
            }
        }
        challenges
    }

    /// Which flows may be learned: nothing explains them, and the gate admits them if there is one.
    fn learnable(
        &mut self,
        batch: &Batch,
        observed: &Observed,
        common: &Common,
        workspace: &mut Workspace,
    ) -> Vec<bool> {
        let unexplained =
            |row: usize| !observed.matched[row] && !observed.blocked[row] && !self.is_unanswered(batch, row, common);
        let mut learnable: Vec<bool> = (0..batch.rows()).map(unexplained).collect();
        if let Some(gate) = &mut self.gate {
            gate.admit(rows_of(batch), &mut learnable, workspace);
            if gate.is_outdated(common.params.detector.suspect_p) {
                self.gate = None;
                self.ungated = 0;
            }
        }
        learnable
    }

    /// Takes learnable flows into the baseline, as the parameters say.
    fn learn_flows(&mut self, step: u32, batch: &Batch, observed: &Observed, adopted: &[Adopted], common: &Common) {
        let params = &common.params;
        self.release(step, adopted);
        for row in 0..batch.rows() {
            let alerted = observed.p[row] <= params.detector.alert_p;
            if alerted {
                self.remember_alert(batch, row, params.alerts_kept);
            }
            if !observed.learnable[row] {
                continue;
            }
            match params.alert_learning {
                AlertLearning::Extreme if observed.extreme[row] => {}
                AlertLearning::Drop if alerted => {}
                AlertLearning::Quarantine if observed.p[row] <= params.quarantine_p => {
                    if self.quarantine.len() >= params.quarantine_max {
                        self.quarantine.pop_front();
                    }
                    let due = step.saturating_add(params.quarantine_steps);
                    self.quarantine.push_back((due, Remembered::of(batch, row)));
                }
                AlertLearning::Keep | AlertLearning::Extreme | AlertLearning::Drop | AlertLearning::Quarantine => {
                    self.learn_flow(batch, row, common);
                }
            }
        }
    }

    /// Whether the flow is a failed attempt at a site that started cold.
    fn is_unanswered(&self, batch: &Batch, row: usize, common: &Common) -> bool {
        let cold = !self.vouched && common.params.cold_start == ColdStart::Answered;
        let failed = common.failed_states.as_ref().filter(|_| cold);
        failed.is_some_and(|(column, failed)| failed[usize::from(batch.code_column(*column)[row])])
    }

    /// Ends the quarantine of flows that have waited long enough: what an adopted signature matches is forgotten, the
    /// rest is learned.
    fn release(&mut self, step: u32, adopted: &[Adopted]) {
        while let Some((_, flow)) = self.quarantine.pop_front_if(|(due, _)| *due <= step) {
            let mut applied = adopted.iter().zip(&self.standings);
            let matched = applied.any(|(signature, standing)| {
                signature.matcher.distance(&flow.numeric, &flow.codes) <= standing.radius && standing.radius > 0.0
            });
            if !matched {
                self.ungated = self.ungated.saturating_add(1);
                self.window.push(&flow);
            }
        }
    }

    /// Takes one flow into the baseline; every few flows one is held back to check models.
    pub(crate) fn learn_flow(&mut self, batch: &Batch, row: usize, common: &Common) {
        let params = &common.params;
        self.learned += 1;
        self.ungated = self.ungated.saturating_add(1);
        let every = params.baseline_rows.checked_div(params.held_back_rows).map_or(u64::MAX, |every| every as u64);
        if self.learned.is_multiple_of(every) {
            self.held_back.push_row(batch, row);
        } else {
            self.window.push_row(batch, row);
        }
    }

    fn remember_alert(&mut self, batch: &Batch, row: usize, alerts_kept: usize) {
        if alerts_kept == 0 {
            return;
        }
        if self.alerts.len() >= alerts_kept {
            self.alerts.pop_front();
        }
        self.alerts.push_back(Remembered::of(batch, row));
    }
}

pub(super) fn rows_of(batch: &Batch) -> Rows<'_> {
    Rows { rows: batch.rows(), stride: batch.rows(), numeric: batch.numeric(), codes: batch.codes() }
}
