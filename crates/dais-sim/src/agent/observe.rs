//! Observing a batch: alerts, matches, findings, and what is learned of it.

use std::borrow::Cow;
use std::net::IpAddr;

use dais_protocol::{Challenge, Rows, Sighting, Signature};
use dais_traffic::Batch;
use rand_philox::Philox;

use super::{Agent, Common, StepFailed};
use crate::agent::adopted::{Adopted, Standing};
use crate::agent::blocklist::Blocklist;
use crate::agent::lifecycle::{Cause, Lifecycle};
use crate::agent::model::Workspace;
use crate::agent::odd::Waiting;
use crate::agent::window::{Remembered, source_key};
use crate::params::agent::{AlertLearning, ColdStart, OddArrivals};
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
    /// Score by row; empty where the agent has no model yet.
    scores: Vec<f32>,
    /// Whether an adopted signature matches, or a suspicious flow matches an own one, by row.
    pub(crate) matched: Vec<bool>,
    /// Whether one that others have accepted matches: what only an own one matches is still offered.
    pub(super) matched_shared: Vec<bool>,
    /// Whether the score is beyond what even an alert may have to be learned, by row.
    extreme: Vec<bool>,
    /// Whether the flow may be learned, by row.
    learnable: Vec<bool>,
    /// Every match of what others have accepted: the place of the signature, and the row; in this order.
    pub(super) matches: Vec<(usize, usize)>,
    /// Whether the source is blocked, by row.
    pub(crate) blocked: Vec<bool>,
    /// Signatures to offer.
    pub(crate) findings: Vec<Finding>,
    /// Sources seen to match an adopted signature.
    pub(crate) sightings: Vec<Sighting>,
    /// Adopted signatures that this agent's own traffic speaks against.
    pub(crate) challenges: Vec<Challenge>,
}

impl Observed {
    /// What an agent makes of a batch while it is out of order: nothing.
    pub(crate) fn blind(rows: usize) -> Self {
        Self { p: vec![1.0; rows], matched: vec![false; rows], blocked: vec![false; rows], ..Self::default() }
    }
}

/// Addresses that an agent names in the sightings of a step.
pub(crate) const SIGHTED_MAX: usize = 64;

impl Agent {
    /// Observes a batch under the signatures and blocks in force, and under those of its own.
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
        let shared = adopted.len();
        let adopted = &*self.with_own(adopted);
        let rows = rows_of(batch);
        let mut observed = Observed { p: vec![1.0; batch.rows()], ..Observed::default() };
        observed.extreme = vec![false; batch.rows()];
        if let Some(model) = self.models.front() {
            model.score(rows, workspace);
            observed.scores.clone_from(&workspace.scores);
            for (row, &score) in workspace.scores.iter().enumerate() {
                observed.p[row] = self.p_value(model, score);
                observed.extreme[row] = score > model.extreme();
            }
        }
        observed.matches = self.matches(step, batch, &observed.p, adopted, common, workspace);
        observed.matched = vec![false; batch.rows()];
        let suspect_p = common.params.suspect_p();
        // Nobody has judged an own signature: of what it matches, only what is suspicious besides is found.
        let counts =
            |&&(place, row): &&(usize, usize)| (place < shared && !common.alone) || observed.p[row] <= suspect_p;
        observed.matches.iter().filter(counts).for_each(|&(_, row)| observed.matched[row] = true);
        observed.matched_shared = vec![false; batch.rows()];
        observed.matches.retain(|&(place, _)| place < shared);
        observed.matches.iter().for_each(|&(_, row)| observed.matched_shared[row] = true);
        observed.blocked = self.blocked(batch, blocks, common);
        self.watch(&observed);
        self.spend(&observed, common);
        if self.models.front().is_some() {
            observed.findings = self.findings(step, batch, &observed, common, workspace);
            observed.sightings = self.sightings(step, batch, &observed, adopted, blocks, common);
        }
        observed.challenges = self.challenges(step, adopted, common);
        observed.challenges.retain(|challenge| adopted[..shared].iter().any(|one| one.id == challenge.signature));
        observed.learnable = self.learnable(batch, &observed, common, workspace);
        self.learn_flows(step, batch, &observed, adopted, common);
        self.retrain(step, common, workspace)?;
        if self.lifecycle == Lifecycle::Recovering {
            self.become_state(Lifecycle::Active, step, Cause::Progress);
            self.retries = 0;
        }
        Ok(observed)
    }

    /// Signatures that others have accepted, then those of its own.
    fn with_own<'a>(&self, adopted: &'a [Adopted]) -> Cow<'a, [Adopted]> {
        if self.own.is_empty() {
            return Cow::Borrowed(adopted);
        }
        Cow::Owned(adopted.iter().chain(&self.own).cloned().collect())
    }

    /// Watches the p-values of the flows that nothing explains: in unchanged traffic they are spread evenly. When they have
    /// changed, the next model is due, and new flows take the places of old ones.
    fn watch(&mut self, observed: &Observed) {
        let (Some(drift), Some(model)) = (self.drift.as_mut(), self.models.front()) else { return };
        let explained = observed.matched.iter().zip(&observed.blocked);
        let mut has_drifted = false;
        for (&score, (&matched, &blocked)) in observed.scores.iter().zip(explained) {
            if !matched && !blocked {
                // By the rows that this model was fitted on: arrivals follow a change, and the budget's scale moves by itself.
                has_drifted |= drift.add(model.p_value(score)).is_some();
            }
        }
        if has_drifted {
            self.has_drifted = true;
            self.window.make_way();
            self.held_back.make_way();
        }
    }

    /// Counts the alarms among the flows that nothing explains against the budget.
    fn spend(&mut self, observed: &Observed, common: &Common) {
        if self.models.is_empty() {
            return;
        }
        let alert_p = common.params.detector.alert_p;
        let explained = observed.matched.iter().zip(&observed.blocked);
        for (&p, (&matched, &blocked)) in observed.p.iter().zip(explained) {
            if !matched && !blocked {
                self.budget.count(p <= alert_p, alert_p, common.params.budget);
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
        step: u32,
        batch: &Batch,
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
            signature.matcher.distances(rows_of(batch), &mut workspace.distances);
            for (row, &distance) in workspace.distances.iter().enumerate() {
                if distance <= standing.radius {
                    matches.push((place, row));
                    let is_known =
                        batch.endpoints().is_none_or(|endpoints| self.sources.flows_from(endpoints.source[row]) > 0);
                    standing.count(step, p[row] > common.params.ordinary_p, is_known);
                }
            }
        }
        matches
    }

    /// Which rows come from a blocked source. Allowed prefixes and sources that are ordinary here are never blocked.
    fn blocked(&self, batch: &Batch, blocks: &Blocklist, common: &Common) -> Vec<bool> {
        let any = !blocks.is_empty() || !self.own_blocks.is_empty();
        let Some(endpoints) = batch.endpoints().filter(|_| any) else {
            return vec![false; batch.rows()];
        };
        let listed = |source| blocks.find(source).is_some() || self.own_blocks.find(source).is_some();
        endpoints.source.iter().map(|&source| listed(source) && self.may_block(source, common)).collect()
    }

    /// Whether this agent would block `source`: not allowed by its operator, and no source of so many ordinary flows that
    /// it is a part of the site, such as a resolver or a gateway. A few polite flows exempt nobody.
    pub(super) fn may_block(&self, source: IpAddr, common: &Common) -> bool {
        let allowed = common.params.allow.iter().any(|prefix| prefix.contains(&source));
        !allowed && !self.sources.is_ordinary(source, common.params.ordinary_share)
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
        let Some(endpoints) = batch.endpoints() else { return Vec::new() };
        let suspect_p = common.params.detector.suspect_p;
        let (mut sightings, mut named) = (Vec::<Sighting>::new(), 0);
        for &(place, row) in observed.matches.iter().filter(|(_, row)| observed.p[*row] <= suspect_p) {
            let source = endpoints.source[row];
            let signature = adopted[place].id;
            let known = self.named.is_recent(source, step, common.params.sighting_again.steps());
            if known || blocks.find(source).is_some() || !self.may_block(source, common) {
                continue;
            }
            if named == SIGHTED_MAX {
                break;
            }
            named += 1;
            self.named.insert(source, step, common.params.sighting_again.steps());
            match sightings.last_mut().filter(|last| last.signature == signature) {
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
    fn challenges(&mut self, step: u32, adopted: &[Adopted], common: &Common) -> Vec<Challenge> {
        let params = &common.params;
        let mut challenges = Vec::new();
        for (signature, standing) in adopted.iter().zip(&mut self.standings) {
            let doubtful = standing.matches >= params.doubt_matches_min
                && standing.ordinary as f32 > params.doubt_share * standing.matches as f32;
            if (doubtful || standing.is_of_a_habit(params.habit_after.steps())) && !standing.challenged {
                standing.challenged = true;
                standing.radius = 0.0;
                let (agent, signature) = (self.id, signature.id);
                let Standing { matches, ordinary, .. } = *standing;
                // Without an ordinary flow there is nothing to show to others: the signature is withdrawn here alone.
                if ordinary > 0 {
                    challenges.push(Challenge { agent, step, signature, matches, ordinary });
                }
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
        let mut random = common.seed.stream(Purpose::Memory, self.id.0, step);
        self.release(step, adopted, params.odd_arrivals, &mut random);
        for row in 0..batch.rows() {
            let alerted = observed.p[row] <= params.detector.alert_p;
            if alerted {
                self.remember_alert(batch, row, params.alerts_kept);
            }
            if !observed.matched_shared[row] && !self.models.is_empty() && observed.p[row] <= params.suspect_p() {
                self.odd.push(step.into(), Remembered::of(batch, row));
            }
            if !observed.learnable[row] {
                continue;
            }
            let score = observed.scores.get(row).copied();
            match params.alert_learning {
                AlertLearning::Extreme if observed.extreme[row] => {}
                AlertLearning::Drop if alerted => {}
                AlertLearning::Quarantine if observed.p[row] <= params.quarantine_p => {
                    if self.quarantine.len() >= params.quarantine_max
                        && let Some(first) = self.quarantine.pop_first()
                    {
                        self.learn_odd(&first, adopted, params.odd_arrivals, &mut random);
                    }
                    let due = step.saturating_add(params.quarantine.steps());
                    let score = score.unwrap_or_default();
                    let share = self.quarantine.push(due, Remembered::of(batch, row), score);
                    if params.odd_arrivals == OddArrivals::AtOnce {
                        self.arrivals.count(score, share);
                    }
                }
                AlertLearning::Keep | AlertLearning::Extreme | AlertLearning::Drop | AlertLearning::Quarantine => {
                    if let Some(score) = score {
                        self.arrivals.count(score, 1.0);
                    }
                    self.learn_flow(batch, row, common, &mut random);
                }
            }
        }
        self.arrivals.settle();
    }

    /// Whether the flow is a failed attempt at a site that started cold.
    fn is_unanswered(&self, batch: &Batch, row: usize, common: &Common) -> bool {
        let cold = !self.vouched && common.params.cold_start == ColdStart::Answered;
        let failed = common.failed_states.as_ref().filter(|_| cold);
        failed.is_some_and(|(column, failed)| failed[usize::from(batch.code_column(*column)[row])])
    }

    /// Ends the quarantine of flows that have waited long enough.
    fn release(&mut self, step: u32, adopted: &[Adopted], odd_arrivals: OddArrivals, random: &mut Philox) {
        while let Some(waiting) = self.quarantine.pop_due(step) {
            self.learn_odd(&waiting, adopted, odd_arrivals, random);
        }
    }

    /// Learns an odd flow, unless an adopted signature has come to match it: then it was no ordinary arrival either.
    fn learn_odd(&mut self, waiting: &Waiting, adopted: &[Adopted], odd_arrivals: OddArrivals, random: &mut Philox) {
        let Waiting { flow, score, share, .. } = waiting;
        let mut applied = adopted.iter().zip(&self.standings);
        let matched = applied.any(|(signature, standing)| {
            signature.matcher.distance(&flow.numeric, &flow.codes) <= standing.radius && standing.radius > 0.0
        });
        if matched {
            if odd_arrivals == OddArrivals::AtOnce {
                self.arrivals.discount(*score, *share);
            }
            return;
        }
        self.ungated = self.ungated.saturating_add(1);
        if odd_arrivals == OddArrivals::AfterQuarantine {
            self.arrivals.count(*score, *share);
        }
        self.sources.learn(flow.source);
        self.window.offer(flow, random);
    }

    /// Takes one flow into the baseline; every few flows one is held back to check models.
    pub(crate) fn learn_flow(&mut self, batch: &Batch, row: usize, common: &Common, random: &mut Philox) {
        let params = &common.params;
        self.sources.learn(source_key(batch, row));
        self.learned += 1;
        self.ungated = self.ungated.saturating_add(1);
        let every = params.baseline_rows.checked_div(params.held_back_rows).map_or(u64::MAX, |every| every as u64);
        if self.learned.is_multiple_of(every) {
            self.held_back.offer_row(batch, row, random);
        } else {
            self.window.offer_row(batch, row, random);
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
