//! Publishing: from unexplained suspicious flows to signatures worth sharing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use dais_protocol::{
    Matcher, Medoid, PORTS_MAX, Pattern, Rows, SOURCES_MAX, Signature, ThreatClass, cluster, describe, widest_radius,
};
use dais_traffic::Batch;

use super::observe::{Finding, Observed, rows_of};
use super::{Agent, Common, TURNED_DOWN_MAX, TurnedDown};
use crate::agent::adopted::Adopted;
use crate::agent::model::Workspace;
use crate::agent::window::Remembered;

/// A refined signature reaches at most this share of the radius it was turned down with.
const REFINED_RADIUS: f32 = 0.8;

impl Agent {
    /// Signatures of this batch's unexplained suspicious flows, the best supported first.
    pub(super) fn findings(
        &mut self,
        step: u32,
        batch: &Batch,
        observed: &Observed,
        common: &Common,
        workspace: &mut Workspace,
    ) -> Vec<Finding> {
        let params = &common.params;
        let rows = rows_of(batch);
        let suspect_p = params.detector.suspect_p;
        let candidates: Vec<usize> =
            (0..rows.rows).filter(|&row| observed.p[row] <= suspect_p && !observed.matched_shared[row]).collect();
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
        let waiting = self.quarantine.flows().filter(|flow| flow.codes == codes).count() as f64;
        let widening = f64::from(params.detector.suspect_p / params.quarantine_p);
        let habitual = waiting * widening / f64::from(params.quarantine.steps());
        poisson_tail(members.len(), expected.max(habitual)) <= f64::from(params.burst_p)
    }

    fn blank(&self, step: u32) -> Signature {
        Signature {
            author: self.id,
            step,
            class: ThreatClass::Unknown,
            pattern: Pattern { centre: Vec::new(), spread: Vec::new(), categories: Vec::new() },
            radius: 0.0,
            medoid: Medoid { numeric: Vec::new(), codes: Vec::new() },
            sources: Vec::new(),
            ports: Vec::new(),
            support: 0,
            medoid_p: 1.0,
            reasons: Vec::new(),
            confidence: 0.0,
            refines: None,
            refinement: 0,
        }
    }

    /// A signature of the given rows, if it is worth sharing.
    fn describe(
        &self,
        step: u32,
        batch: &Batch,
        members: &[usize],
        p: &[f32],
        common: &Common,
        workspace: &mut Workspace,
    ) -> Option<Signature> {
        let (pattern, medoid_row) = describe(rows_of(batch), members);
        let matcher = Matcher::new(&pattern);
        matcher.distances(self.window.view(), &mut workspace.distances);
        // Wider than its pattern may reach, an offer would be refused.
        let radius = widest_radius(&workspace.distances, common.params.vote.eps).min(pattern.radius_max());
        if radius < common.params.vote.radius_min {
            return None;
        }
        let mean_p = members.iter().map(|&row| p[row]).sum::<f32>() / members.len() as f32;
        let support = members.len() as u32;
        let endpoints = batch.endpoints();
        let distinct_ports: BTreeSet<u16> =
            endpoints.map(|all| members.iter().map(|&row| all.destination_port[row]).collect()).unwrap_or_default();
        let sources = endpoints.map(|all| self.suspects(members.iter().map(|&row| all.source[row]), common));
        let medoid: Medoid = Remembered::of(batch, medoid_row).into();
        let signature = Signature {
            class: common.classifier.classify(batch, members),
            reasons: self.models.front().map(|model| model.reasons(&medoid, workspace)).unwrap_or_default(),
            medoid,
            pattern,
            radius,
            sources: sources.unwrap_or_default().into_iter().take(SOURCES_MAX).collect(),
            ports: distinct_ports.into_iter().take(PORTS_MAX).collect(),
            support,
            medoid_p: p[medoid_row],
            confidence: (1.0 - mean_p) * support as f32 / (support as f32 + 2.0),
            ..self.blank(step)
        };
        // What others would refuse is not worth saying, such as a medoid that a smaller radius leaves out.
        let (features, categories) = (common.features, common.code_counts.len());
        self.refine(signature, common).filter(|signature| signature.check(features, categories).is_ok())
    }

    /// Sources that this agent would block, each once.
    pub(super) fn suspects(&self, sources: impl Iterator<Item = IpAddr>, common: &Common) -> BTreeSet<IpAddr> {
        let distinct: BTreeSet<IpAddr> = sources.collect();
        distinct.into_iter().filter(|&source| self.may_block(source, common)).collect()
    }

    /// A pattern that was turned down is offered again only with more support and a smaller radius, and not too often.
    fn refine(&self, mut signature: Signature, common: &Common) -> Option<Signature> {
        let medoid = &signature.medoid;
        let before = self
            .turned_down
            .iter()
            .find(|past| past.offered.matcher.distance(&medoid.numeric, &medoid.codes) <= past.offered.radius);
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
}

/// Chance of at least `count` events where `mean` are expected, by Poisson's law; exact for any mean.
fn poisson_tail(count: usize, mean: f64) -> f64 {
    if count == 0 || mean <= 0.0 {
        return if count == 0 { 1.0 } else { 0.0 };
    }
    let chance = |k: f64| libm::exp(k * libm::log(mean) - mean - libm::lgamma(k + 1.0));
    let first = count as f64;
    if first > mean {
        sum_falling(chance(first), |term, k| term * mean / (first + k))
    } else {
        let below = first - 1.0;
        1.0 - sum_falling(chance(below), |term, k| term * (below - k + 1.0) / mean)
    }
}

/// Sums terms that fall, each made of the one before and its number from 1 on, until they no longer matter.
fn sum_falling(first: f64, next: impl Fn(f64, f64) -> f64) -> f64 {
    let (mut sum, mut term, mut k) = (0.0, first, 0.0);
    while term > sum * 1e-16 && term > 0.0 {
        sum += term;
        k += 1.0;
        term = next(term, k);
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poisson_tail_counts_what_is_at_least_as_many() {
        assert!((poisson_tail(0, 2.5) - 1.0).abs() < 1e-12);
        assert!((poisson_tail(3, 2.5) - 0.456_187).abs() < 1e-6);
        assert!(poisson_tail(7, 0.2) < 1e-8);
        assert!(poisson_tail(3, 0.0).abs() < 1e-12 && (poisson_tail(0, 0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_poisson_tail_holds_for_thousands_of_flows() {
        // By the normal law with a correction for whole numbers: 2,100 of 2,000 is 2.22 deviations above, 1,900 as much below.
        assert!((poisson_tail(2_100, 2_000.0) - 0.013_4).abs() < 0.001, "{}", poisson_tail(2_100, 2_000.0));
        assert!((poisson_tail(1_900, 2_000.0) - 0.987_8).abs() < 0.001, "{}", poisson_tail(1_900, 2_000.0));
        assert!(poisson_tail(3_000, 2_000.0) < 1e-60);
    }
}
