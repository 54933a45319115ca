//! Observing a batch: alerts, matches, findings, and what is learned of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use dais_protocol::{Medoid, Pattern, Rows, Sighting, Signature, SignatureId, cluster, describe, widest_radius};
use dais_traffic::Batch;

use super::{Agent, Common, StepFailed, TURNED_DOWN_MAX, TurnedDown};
use crate::adopted::{Adopted, Blocklist};
use crate::adversary::{Behaviour, poison};
use crate::lifecycle::{Cause, Lifecycle};
use crate::model::Workspace;
use crate::params::{AlertLearning, ColdStart};
use crate::seed::Purpose;
use crate::window::Remembered;

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
const SIGHTED_MAX: usize = 64;

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
        let mut extreme = vec![false; batch.rows()];
        if let Some(model) = self.models.front() {
            model.score(rows, workspace);
            for (row, &score) in workspace.scores.iter().enumerate() {
                observed.p[row] = model.p_value(score);
                extreme[row] = score > model.extreme();
            }
        }
        observed.matched = self.matches(rows, &observed.p, adopted, common, workspace);
        observed.blocked = self.blocked(batch, blocks, common);
        if self.models.front().is_some() {
            observed.findings = self.findings(step, batch, &observed, common, workspace);
            observed.sightings = self.sightings(step, batch, &observed, adopted, blocks, common, workspace);
        }
        observed.challenges = self.challenges(adopted, common);
        self.learn_flows(step, batch, &observed, &extreme, adopted, common);
        self.retrain(step, common, workspace)?;
        if self.lifecycle == Lifecycle::Recovering {
            self.become_state(Lifecycle::Active, step, Cause::Progress);
            self.retries = 0;
        }
        Ok(observed)
    }

    fn failure_is_injected(&self, step: u32, common: &Common) -> bool {
        common.failure_rate > 0.0 && {
            let word = common.seed.stream(Purpose::Failure, self.id.0, step).next_u32();
            rand_philox::u32_to_unit_f64(word) < common.failure_rate
        }
    }

    /// Which rows an adopted signature matches, counted on its standing.
    fn matches(&mut self, rows: Rows<'_>, p: &[f32], adopted: &[Adopted], common: &Common, workspace: &mut Workspace) -> Vec<bool> {
        let mut matched = vec![false; rows.rows];
        for (signature, standing) in adopted.iter().zip(&mut self.standings) {
            if standing.radius <= 0.0 {
                continue;
            }
            signature.matcher.distances(rows, &mut workspace.distances);
            for (row, &distance) in workspace.distances.iter().enumerate() {
                if distance <= standing.radius {
                    matched[row] = true;
                    standing.matches += 1;
                    standing.ordinary += u32::from(p[row] > common.params.ordinary_p);
                }
            }
        }
        matched
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

    /// Signatures of this batch's unexplained suspicious flows, the best supported first.
    fn findings(&mut self, step: u32, batch: &Batch, observed: &Observed, common: &Common, workspace: &mut Workspace) -> Vec<Finding> {
        let params = &common.params;
        if self.lies(Behaviour::Silent) {
            return Vec::new();
        }
        if self.lies(Behaviour::Poisoner) {
            return self.poisoned(step, batch, observed, common);
        }
        let rows = rows_of(batch);
        let suspect_p = params.detector.suspect_p;
        let candidates: Vec<usize> =
            (0..rows.rows).filter(|&row| observed.p[row] <= suspect_p && !observed.matched[row]).collect();
        let alerted: Vec<bool> = observed.p.iter().map(|&p| p <= params.detector.alert_p).collect();
        let mut findings: Vec<Finding> = cluster(rows, &candidates, &alerted, &params.cluster)
            .into_iter()
            .filter(|members| self.is_burst(rows, members, common))
            .filter_map(|members| {
                let signature = self.describe(step, batch, &members, &observed.p, common, workspace)?;
                Some(Finding { signature, rows: members })
            })
            .collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.signature.support));
        findings.truncate(params.publish_max);
        for finding in &findings {
            self.remember_offer(&finding.signature);
        }
        findings
    }

    /// Whether so many suspicious flows of these categories at once are more than this site's habit.
    ///
    /// Their number is compared with a Poisson distribution. Its mean is the rate that the baseline leads to expect, or
    /// the rate of odd flows of these categories in quarantine where that is more.
    fn is_burst(&self, rows: Rows<'_>, members: &[usize], common: &Common) -> bool {
        let params = &common.params;
        let codes: Vec<u16> = (0..common.code_counts.len()).map(|k| rows.code_column(k)[members[0]]).collect();
        let known = self.window.view();
        let alike = |row: &usize| codes.iter().enumerate().all(|(k, &code)| known.code_column(k)[*row] == code);
        let share = (0..known.rows).filter(alike).count() as f64 / known.rows.max(1) as f64;
        let expected = share * rows.rows as f64 * f64::from(params.detector.suspect_p);
        let waiting = self.quarantine.iter().filter(|(_, flow)| flow.codes == codes).count() as f64;
        let widening = f64::from(params.detector.suspect_p / params.quarantine_p);
        let habitual = waiting * widening / f64::from(params.quarantine_steps);
        poisson_tail(members.len(), expected.max(habitual)) <= f64::from(params.burst_p)
    }

    fn poisoned(&mut self, step: u32, batch: &Batch, observed: &Observed, common: &Common) -> Vec<Finding> {
        let suspect_p = common.params.detector.suspect_p;
        let ordinary: Vec<usize> = (0..batch.rows()).filter(|&row| observed.p[row] > suspect_p).collect();
        let mut random = common.seed.stream(Purpose::Adversary, self.id.0, step);
        let template = self.blank(step);
        let signature = poison(&template, batch, &ordinary, &mut random);
        signature.into_iter().map(|signature| Finding { signature, rows: Vec::new() }).collect()
    }

    fn blank(&self, step: u32) -> Signature {
        Signature {
            author: self.id,
            step,
            class: dais_protocol::ThreatClass::Unknown,
            pattern: Pattern { centre: Vec::new(), spread: Vec::new(), categories: Vec::new() },
            radius: 0.0,
            medoid: Medoid { numeric: Vec::new(), codes: Vec::new() },
            sources: Vec::new(),
            ports: Vec::new(),
            support: 0,
            medoid_p: 1.0,
            confidence: 0.0,
            refines: None,
            refinement: 0,
        }
    }

    /// A signature of the given rows, if it is worth sharing.
    fn describe(&self, step: u32, batch: &Batch, members: &[usize], p: &[f32], common: &Common, workspace: &mut Workspace) -> Option<Signature> {
        let (pattern, medoid_row) = describe(rows_of(batch), members);
        let matcher = dais_protocol::Matcher::new(&pattern);
        matcher.distances(self.window.view(), &mut workspace.distances);
        let radius = widest_radius(&workspace.distances, common.params.vote.eps);
        if radius < common.params.vote.radius_min {
            return None;
        }
        let mean_p = members.iter().map(|&row| p[row]).sum::<f32>() / members.len() as f32;
        let support = members.len() as u32;
        let endpoints = batch.endpoints();
        let distinct_ports: BTreeSet<u16> =
            endpoints.map(|all| members.iter().map(|&row| all.destination_port[row]).collect()).unwrap_or_default();
        let sources = endpoints.map(|all| self.suspects(members.iter().map(|&row| all.source[row]), common));
        let signature = Signature {
            class: common.classifier.classify(batch, members),
            medoid: Remembered::of(batch, medoid_row).into(),
            pattern,
            radius,
            sources: sources.unwrap_or_default().into_iter().take(dais_protocol::SOURCES_MAX).collect(),
            ports: distinct_ports.into_iter().take(dais_protocol::PORTS_MAX).collect(),
            support,
            medoid_p: p[medoid_row],
            confidence: (1.0 - mean_p) * support as f32 / (support as f32 + 2.0),
            ..self.blank(step)
        };
        self.refine(signature, common)
    }

    /// Sources that this agent would block, each once.
    fn suspects(&self, sources: impl Iterator<Item = IpAddr>, common: &Common) -> BTreeSet<IpAddr> {
        let distinct: BTreeSet<IpAddr> = sources.collect();
        distinct.into_iter().filter(|&source| self.may_block(source, common)).collect()
    }

    /// A pattern that was turned down is offered again only with more support and a smaller radius, and not too often.
    fn refine(&self, mut signature: Signature, common: &Common) -> Option<Signature> {
        let medoid = &signature.medoid;
        let before = self.turned_down.iter().find(|past| {
            past.offered.matcher.distance(&medoid.numeric, &medoid.codes) <= past.offered.radius
        });
        let Some(before) = before else { return Some(signature) };
        if before.refinement >= common.refinements_max || signature.support <= before.support {
            return None;
        }
        signature.radius = signature.radius.min(before.offered.radius * REFINED_RADIUS);
        signature.refines = Some(before.offered.id);
        signature.refinement = before.refinement + 1;
        (signature.radius >= common.params.vote.radius_min).then_some(signature)
    }

    fn remember_offer(&mut self, signature: &Signature) {
        if self.offered.len() >= TURNED_DOWN_MAX {
            self.offered.remove(0);
        }
        let offered = Adopted::new(signature, signature.radius, 0);
        let past = TurnedDown { offered, support: signature.support, refinement: signature.refinement };
        self.offered.push(past);
    }

    /// Sources whose suspicious flows match an adopted signature and that are not blocked yet.
    #[expect(clippy::too_many_arguments, reason = "one borrow of each part of the step's context")]
    fn sightings(
        &self,
        step: u32,
        batch: &Batch,
        observed: &Observed,
        adopted: &[Adopted],
        blocks: &Blocklist,
        common: &Common,
        workspace: &mut Workspace,
    ) -> Vec<Sighting> {
        let Some(endpoints) = batch.endpoints() else { return Vec::new() };
        let suspect_p = common.params.detector.suspect_p;
        let fresh = |row: usize| {
            observed.matched[row] && observed.p[row] <= suspect_p && blocks.find(endpoints.source[row]).is_none()
        };
        let rows: Vec<usize> = (0..batch.rows()).filter(|&row| fresh(row)).collect();
        if rows.is_empty() || self.lies(Behaviour::Silent) {
            return Vec::new();
        }
        let mut sightings = Vec::new();
        for (signature, standing) in adopted.iter().zip(&self.standings).filter(|(_, standing)| standing.radius > 0.0) {
            signature.matcher.distances(rows_of(batch), &mut workspace.distances);
            let matching = rows.iter().filter(|&&row| workspace.distances[row] <= standing.radius);
            let sources = self.suspects(matching.map(|&row| endpoints.source[row]), common);
            if !sources.is_empty() {
                let sources = sources.into_iter().take(SIGHTED_MAX).collect();
                sightings.push(Sighting { agent: self.id, step, signature: signature.id, sources });
            }
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

    /// Takes unmatched flows into the baseline, as the parameters say.
    fn learn_flows(
        &mut self,
        step: u32,
        batch: &Batch,
        observed: &Observed,
        extreme: &[bool],
        adopted: &[Adopted],
        common: &Common,
    ) {
        let params = &common.params;
        self.release(step, adopted);
        for row in 0..batch.rows() {
            let alerted = observed.p[row] <= params.detector.alert_p;
            if alerted {
                self.remember_alert(batch, row, params.alerts_kept);
            }
            if observed.matched[row] || observed.blocked[row] || self.is_unanswered(batch, row, common) {
                continue;
            }
            match params.alert_learning {
                AlertLearning::Extreme if extreme[row] => {}
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
                self.window.push(&flow);
            }
        }
    }

    /// Takes one flow into the baseline; every few flows one is held back to check models.
    pub(crate) fn learn_flow(&mut self, batch: &Batch, row: usize, common: &Common) {
        let params = &common.params;
        self.learned += 1;
        let every = params.baseline_rows.checked_div(params.held_back_rows).map_or(u64::MAX, |every| every as u64);
        if self.learned.is_multiple_of(every) {
            self.held_back.push(&Remembered::of(batch, row));
        } else {
            self.window.push(&Remembered::of(batch, row));
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

/// A refined signature reaches at most this share of the radius it was turned down with.
const REFINED_RADIUS: f32 = 0.8;

/// Chance of at least `count` events where `mean` are expected.
fn poisson_tail(count: usize, mean: f64) -> f64 {
    let mut term = libm::exp(-mean);
    let mut below = 0.0;
    for k in 0..count {
        below += term;
        term *= mean / (k + 1) as f64;
    }
    (1.0 - below).max(0.0)
}

pub(super) fn rows_of(batch: &Batch) -> Rows<'_> {
    Rows { rows: batch.rows(), stride: batch.rows(), numeric: batch.numeric(), codes: batch.codes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poisson_tail_counts_what_is_at_least_as_many() {
        assert!((poisson_tail(0, 2.5) - 1.0).abs() < 1e-12);
        assert!((poisson_tail(3, 2.5) - 0.456_187).abs() < 1e-6);
        assert!(poisson_tail(7, 0.2) < 1e-8);
    }
}
