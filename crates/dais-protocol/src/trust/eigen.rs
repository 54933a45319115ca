//! `EigenTrust` over the agreement of votes.

use serde::{Deserialize, Serialize};

use crate::{Verdict, Vote};

/// The chance to begin anew at each step of the walk.
const RESTART: f64 = 0.15;
/// Steps of the power iteration at most.
const STEPS_MAX: usize = 64;
/// The iteration ends when the shares move by less than this in all.
const MOVED_MIN: f64 = 1.0e-9;

/// How agents voted in the last 64 ballots: bit k of a word is the k-th last ballot. Memory: 20 bytes an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Agreement {
    confirmed: Vec<u64>,
    refuted: Vec<u64>,
    /// Agreements less contradictions with own evidence: who is trusted beforehand.
    own: Vec<f32>,
}

impl Agreement {
    pub(super) fn new(agents: usize) -> Self {
        Self { confirmed: vec![0; agents], refuted: vec![0; agents], own: vec![0.0; agents] }
    }

    /// Remembers the votes of a ballot; what lies 64 ballots back is forgotten.
    pub(super) fn observe(&mut self, votes: &[Vote]) {
        for words in [&mut self.confirmed, &mut self.refuted] {
            for word in words.iter_mut() {
                *word <<= 1;
            }
        }
        for vote in votes {
            let words = match vote.verdict {
                Verdict::Confirm => &mut self.confirmed,
                Verdict::Refute => &mut self.refuted,
                Verdict::Abstain => continue,
            };
            if let Some(word) = words.get_mut(vote.voter.index()) {
                *word |= 1;
            }
        }
    }

    pub(super) fn observe_own(&mut self, agent: usize, agrees: bool, amount: f32) {
        if let Some(own) = self.own.get_mut(agent) {
            *own += if agrees { amount } else { -amount };
        }
    }

    /// How much more often two agents agreed than contradicted each other; 0 when less often: the local trust `s_ij`.
    fn local(&self, i: usize, j: usize) -> u32 {
        let (ci, ri, cj, rj) = (self.confirmed[i], self.refuted[i], self.confirmed[j], self.refuted[j]);
        let agreed = (ci & cj | ri & rj).count_ones();
        agreed.saturating_sub((ci & rj | ri & cj).count_ones())
    }

    /// `t ← (1 - a) Cᵀ t + a p` until it rests, with `c_ij = s_ij / Σ_j s_ij` and a = 0.15 (Kamvar, Schlosser,
    /// Garcia-Molina, WWW 2003); over its greatest value, so that the best weighs 1. p is even over all agents, or where
    /// own evidence spoke for some, over those. Who agrees with nobody passes its share on by p. Excluded agents are not
    /// part of the walk. Cost: the local trust of all pairs, up to 64 times.
    pub(super) fn trust(&self, excluded: &[bool]) -> Vec<f32> {
        let members: Vec<usize> = (0..excluded.len()).filter(|&agent| !excluded[agent]).collect();
        let start = self.start(&members);
        let rows: Vec<f64> = members
            .iter()
            .map(|&i| members.iter().filter(|&&j| j != i).map(|&j| f64::from(self.local(i, j))).sum())
            .collect();
        let mut trust = start.clone();
        for _ in 0..STEPS_MAX {
            let mut next = vec![0.0; members.len()];
            let mut passed_on = 0.0;
            for (i, &agent) in members.iter().enumerate() {
                if rows[i] <= 0.0 {
                    passed_on += trust[i];
                    continue;
                }
                let share = trust[i] / rows[i];
                for (j, &other) in members.iter().enumerate().filter(|&(j, _)| j != i) {
                    next[j] += share * f64::from(self.local(agent, other));
                }
            }
            let mut moved = 0.0;
            for ((new, old), p) in next.iter_mut().zip(&trust).zip(&start) {
                *new = (1.0 - RESTART) * (*new + passed_on * p) + RESTART * p;
                moved += (*new - old).abs();
            }
            trust = next;
            if moved < MOVED_MIN {
                break;
            }
        }
        let greatest = trust.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let mut all = vec![0.0; excluded.len()];
        for (&agent, share) in members.iter().zip(&trust) {
            all[agent] = (share / greatest) as f32;
        }
        all
    }

    /// Where the walk begins: at those for whom own evidence spoke, else anywhere.
    fn start(&self, members: &[usize]) -> Vec<f64> {
        let known: Vec<f64> = members.iter().map(|&agent| f64::from(self.own[agent].max(0.0))).collect();
        let sum: f64 = known.iter().sum();
        if sum > 0.0 {
            known.into_iter().map(|own| own / sum).collect()
        } else {
            vec![1.0 / members.len().max(1) as f64; members.len()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AgentId, Evidence, Motion, SignatureId};

    fn votes(verdicts: &[Verdict]) -> Vec<Vote> {
        let cast = |(&verdict, voter)| Vote {
            motion: Motion::Adopt,
            signature: SignatureId::default(),
            voter: AgentId(voter),
            step: 0,
            round: 0,
            verdict,
            confidence: 1.0,
            evidence: Evidence::default(),
        };
        verdicts.iter().zip(0..).map(cast).collect()
    }

    /// The same by a matrix of floats and a thousand plain multiplications.
    fn by_matrix(history: &[Vec<Verdict>], agents: usize) -> Vec<f64> {
        let mut matrix = vec![vec![0.0_f64; agents]; agents];
        for (i, row) in matrix.iter_mut().enumerate() {
            for (j, entry) in row.iter_mut().enumerate().filter(|&(j, _)| j != i) {
                for verdicts in history {
                    *entry += match (verdicts[i], verdicts[j]) {
                        (Verdict::Abstain, _) | (_, Verdict::Abstain) => 0.0,
                        (a, b) if a == b => 1.0,
                        _ => -1.0,
                    };
                }
                *entry = entry.max(0.0);
            }
            let sum: f64 = row.iter().sum();
            for entry in row.iter_mut() {
                *entry = if sum > 0.0 { *entry / sum } else { 1.0 / agents as f64 };
            }
        }
        let mut trust = vec![1.0 / agents as f64; agents];
        for _ in 0..1000 {
            trust = (0..agents)
                .map(|j| 0.85 * (0..agents).map(|i| trust[i] * matrix[i][j]).sum::<f64>() + 0.15 / agents as f64)
                .collect();
        }
        let greatest = trust.iter().copied().fold(0.0, f64::max);
        trust.into_iter().map(|share| share / greatest).collect()
    }

    #[test]
    fn the_walk_ends_where_repeated_multiplication_ends() {
        use Verdict::{Abstain, Confirm, Refute};
        let history = [
            vec![Confirm, Confirm, Confirm, Refute, Abstain],
            vec![Refute, Refute, Confirm, Confirm, Refute],
            vec![Confirm, Confirm, Confirm, Refute, Confirm],
        ];
        let mut agreement = Agreement::new(5);
        for verdicts in &history {
            agreement.observe(&votes(verdicts));
        }
        let found = agreement.trust(&[false; 5]);
        for (found, expected) in found.iter().zip(by_matrix(&history, 5)) {
            assert!((f64::from(*found) - expected).abs() < 1.0e-6, "{found} not {expected}");
        }
        assert!(found[3] < found[0], "who contradicts the others: {found:?}");
    }

    #[test]
    fn sixty_four_ballots_later_a_vote_is_forgotten() {
        let mut agreement = Agreement::new(2);
        agreement.observe(&votes(&[Verdict::Confirm, Verdict::Refute]));
        for _ in 0..64 {
            agreement.observe(&[]);
        }
        assert_eq!(agreement, Agreement::new(2));
    }

    #[test]
    fn own_evidence_says_where_the_walk_begins() {
        use Verdict::{Confirm, Refute};
        let mut agreement = Agreement::new(5);
        for _ in 0..10 {
            agreement.observe(&votes(&[Confirm, Confirm, Refute, Refute, Refute]));
        }
        let even = agreement.trust(&[false; 5]);
        assert!(even[2..].iter().sum::<f32>() > even[..2].iter().sum::<f32>(), "the majority outweighs: {even:?}");
        agreement.observe_own(0, true, 1.0);
        let own = agreement.trust(&[false; 5]);
        assert!(own[0] > 0.5 && own[2] < 1.0e-6, "two that own evidence speaks for: {own:?}");
    }
}
