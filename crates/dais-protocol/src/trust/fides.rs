//! Fides, the trust model of the intrusion prevention system Slips, as published and as shipped.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{Verdict, Vote};

/// Interactions that are remembered of a peer.
const HISTORY_MAX: usize = 100;
/// How much a first encounter counts.
const FIRST_ENCOUNTER: f32 = 0.1;
/// Below this confidence of the aggregated opinion, every answer satisfies as Slips ships it.
const SURE: f32 = 0.7;

/// Which Fides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Edition {
    /// What the thesis found strongest: satisfaction by the distance to the aggregated opinion; strangers have reputation 0.
    Published,
    /// `fides.conf.yml` of Slips: satisfaction 1 while the aggregated opinion has a confidence below 0.7, by the distance
    /// from there on; strangers have reputation 0.5.
    Shipped,
}

/// A peer's interactions, each with satisfaction and weight, oldest first.
type History = VecDeque<(f32, f32)>;

/// What is remembered of all peers.
///
/// The opinion of a peer is the score 1 for a confirmation, -1 for a refutation, 0 for an abstention, with the vote's
/// confidence. Opinions are aggregated by trust (average confidence, as in both editions).
///
/// ```text
/// S = Σ st_j s_j / Σ st_j      C = Σ st_j c_j / n
/// satisfaction_j = ( 1 - |S - s_j| / 2 · c_j ) · C
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Fides {
    edition: Edition,
    histories: Vec<History>,
}

impl Fides {
    pub(super) fn new(agents: usize, edition: Edition) -> Self {
        Self { edition, histories: vec![History::from([(1.0, FIRST_ENCOUNTER)]); agents] }
    }

    /// Service trust: (h / 100) · (cb - ib / 2) + (1 - h / 100) · reputation, within [0, 1], of h interactions, with
    /// competence cb = Σ w s / Σ w and integrity ib = sqrt(mean of (s · mean w - cb)²), nothing being forgotten (Forst: *Fides*,
    /// thesis, CTU Prague 2022, section 3.2, and its code).
    pub(super) fn trust(&self, agent: usize) -> f32 {
        let reputation = match self.edition {
            Edition::Published => 0.0,
            Edition::Shipped => 0.5,
        };
        let history = &self.histories[agent];
        let count = history.len() as f32;
        let weights: f32 = history.iter().map(|(_, weight)| weight).sum();
        let competence = history.iter().map(|(satisfaction, weight)| satisfaction * weight).sum::<f32>() / weights;
        let deviation = |(satisfaction, _): &(f32, f32)| {
            let difference = satisfaction * (weights / count) - competence;
            difference * difference
        };
        let integrity = (history.iter().map(deviation).sum::<f32>() / count).sqrt();
        let known = count / HISTORY_MAX as f32;
        (known * (competence - 0.5 * integrity) + (1.0 - known) * reputation).clamp(0.0, 1.0)
    }

    /// Learns from the votes of a ballot; those of excluded agents are passed over.
    pub(super) fn observe(&mut self, votes: &[Vote], excluded: &[bool]) {
        let (mut all, mut score, mut confidence) = (0.0, 0.0, 0.0);
        for vote in votes {
            let counts = excluded.get(vote.voter.index()).is_some_and(|excluded| !excluded);
            let trust = if counts { self.trust(vote.voter.index()) } else { 0.0 };
            all += trust;
            score += trust * score_of(vote);
            confidence += trust * confidence_of(vote);
        }
        if votes.is_empty() {
            return;
        }
        let opinion = (if all > 0.0 { score / all } else { 0.0 }, confidence / votes.len() as f32);
        for vote in votes {
            let unsure = self.edition == Edition::Shipped && opinion.1 < SURE;
            let satisfaction = if unsure { 1.0 } else { satisfaction(opinion, vote) };
            self.interact(vote.voter.index(), satisfaction);
        }
    }

    /// Learns from what this agent knows itself: the distance is that to its own opinion.
    pub(super) fn observe_own(&mut self, own: (Verdict, f32), votes: &[Vote]) {
        let score = match own.0 {
            Verdict::Confirm => 1.0,
            Verdict::Refute => -1.0,
            Verdict::Abstain => return,
        };
        for vote in votes {
            self.interact(vote.voter.index(), satisfaction((score, own.1), vote));
        }
    }

    fn interact(&mut self, agent: usize, satisfaction: f32) {
        if let Some(history) = self.histories.get_mut(agent) {
            if history.len() >= HISTORY_MAX {
                history.pop_front();
            }
            history.push_back((satisfaction, 1.0));
        }
    }
}

fn score_of(vote: &Vote) -> f32 {
    match vote.verdict {
        Verdict::Confirm => 1.0,
        Verdict::Refute => -1.0,
        Verdict::Abstain => 0.0,
    }
}

fn confidence_of(vote: &Vote) -> f32 {
    if vote.verdict == Verdict::Abstain { 0.0 } else { vote.confidence }
}

/// How much a vote pleases who holds an opinion, given as score and confidence.
fn satisfaction((score, confidence): (f32, f32), vote: &Vote) -> f32 {
    (1.0 - (score - score_of(vote)).abs() / 2.0 * confidence_of(vote)) * confidence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AgentId, Evidence, Motion, SignatureId};

    fn vote(voter: u32, verdict: Verdict, confidence: f32) -> Vote {
        Vote {
            motion: Motion::Adopt,
            signature: SignatureId::default(),
            voter: AgentId(voter),
            step: 0,
            round: 0,
            verdict,
            confidence,
            evidence: Evidence::default(),
        }
    }

    #[test]
    fn a_stranger_has_the_trust_of_a_first_encounter() {
        // By hand: cb = 1, ib = |0.1 - 1| = 0.9, so 0.01 · 0.55 + 0.99 · reputation.
        for (edition, expected) in [(Edition::Published, 0.0055), (Edition::Shipped, 0.5005)] {
            let found = Fides::new(1, edition).trust(0);
            assert!((found - expected).abs() < 1.0e-6, "{edition:?}: {found}");
        }
    }

    #[test]
    fn satisfaction_falls_with_the_distance_to_the_aggregated_opinion() {
        let mut fides = Fides::new(3, Edition::Published);
        let votes = [vote(0, Verdict::Confirm, 1.0), vote(1, Verdict::Confirm, 0.5), vote(2, Verdict::Refute, 1.0)];
        // With equal trust st: S = 1/3, C = st · 2.5/3.
        let st = fides.trust(0);
        fides.observe(&votes, &[false; 3]);
        for (agent, near) in [(0, 2.0 / 3.0), (1, 5.0 / 6.0), (2, 1.0 / 3.0)] {
            let found = fides.histories[agent][1].0;
            let expected = near * st * 2.5 / 3.0;
            assert!((found - expected).abs() < 1.0e-6, "{agent}: {found} not {expected}");
        }
    }

    #[test]
    fn as_shipped_a_liar_satisfies_while_the_others_are_unsure() {
        let votes = [vote(0, Verdict::Confirm, 0.6), vote(1, Verdict::Confirm, 0.6), vote(2, Verdict::Refute, 0.6)];
        let trust_of_the_liar = |edition| {
            let mut fides = Fides::new(3, edition);
            for _ in 0..120 {
                fides.observe(&votes, &[false; 3]);
            }
            (fides.trust(2), fides.histories[2].len())
        };
        let (published, remembered) = trust_of_the_liar(Edition::Published);
        assert!(published < 0.1 && remembered == HISTORY_MAX, "{published}");
        assert!(trust_of_the_liar(Edition::Shipped).0 > 0.99);
    }

    #[test]
    fn own_evidence_stands_above_the_aggregated_opinion() {
        let mut fides = Fides::new(2, Edition::Published);
        fides.observe_own((Verdict::Refute, 1.0), &[vote(0, Verdict::Confirm, 1.0), vote(1, Verdict::Refute, 1.0)]);
        assert!(fides.histories[0][1].0.abs() < f32::EPSILON);
        assert!((fides.histories[1][1].0 - 1.0).abs() < f32::EPSILON);
    }
}
