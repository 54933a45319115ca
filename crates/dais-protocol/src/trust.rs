//! The weight of agents, earned from the public record.

use serde::{Deserialize, Serialize};

use crate::{AgentId, Decision, Motion, Outcome, ParamsError, Verdict, Vote};

/// How weights follow from the record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustModel {
    /// Every agent weighs 1, except those caught equivocating.
    Equal,
    /// The mean of a Beta distribution over the agent's record, with forgetting (Jøsang and Ismail 2002).
    #[default]
    Beta,
}

/// How trust is earned and lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustParams {
    /// How weights follow from the record.
    pub model: TrustModel,
    /// What remains of the record after one step; above 0, at most 1.
    pub forgetting: f32,
    /// Good record every agent begins with, in votes; above 0, at most 1,000,000.
    pub prior_good: f32,
    /// Bad record every agent begins with, in votes; above 0, at most 1,000,000.
    pub prior_bad: f32,
    /// How many votes a published signature counts for its author; 0 to 1,000.
    pub author_weight: f32,
}

impl Default for TrustParams {
    fn default() -> Self {
        Self { model: TrustModel::Beta, forgetting: 0.98, prior_good: 1.0, prior_bad: 1.0, author_weight: 1.0 }
    }
}

impl TrustParams {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`ParamsError`] with the first that is not.
    pub fn check(&self) -> Result<(), ParamsError> {
        let Self { model: _, forgetting, prior_good, prior_bad, author_weight } = *self;
        ParamsError::unless(forgetting > 0.0 && forgetting <= 1.0, "forgetting", &forgetting, "above 0, at most 1")?;
        for (key, prior) in [("prior_good", prior_good), ("prior_bad", prior_bad)] {
            ParamsError::unless(prior > 0.0 && prior <= 1.0e6, key, &prior, "above 0, at most 1000000")?;
        }
        ParamsError::unless((0.0..=1.0e3).contains(&author_weight), "author_weight", &author_weight, "0 to 1000")
    }
}

/// The trust of every agent: Beta counts of its record.
///
/// A decisive vote with the closed outcome counts 1 for its voter, one against it 1 against. A signature that is adopted
/// counts [`TrustParams::author_weight`] for its author, one that is rejected or later revoked the same against.
/// Abstentions, and disputed or expired ballots, count for nobody. Every observation weighs the same however clear the
/// outcome was: a narrow outcome is escalated by the ballot before it comes here. The record fades by
/// [`TrustParams::forgetting`] a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustBook {
    params: TrustParams,
    step: u32,
    good: Vec<f32>,
    bad: Vec<f32>,
    equivocated: Vec<bool>,
    weights: Vec<f32>,
}

impl TrustBook {
    /// A book for agents 0 to `agents` - 1, all with the prior's trust, in step 0.
    pub fn new(agents: usize, params: TrustParams) -> Self {
        let mut book = Self {
            params,
            step: 0,
            good: vec![0.0; agents],
            bad: vec![0.0; agents],
            equivocated: vec![false; agents],
            weights: vec![0.0; agents],
        };
        for agent in 0..agents {
            book.refresh(agent);
        }
        book
    }

    /// The weight of an agent in [0, 1]: the mean of its Beta distribution (or 1 under [`TrustModel::Equal`]); 0 after
    /// an equivocation and for agents the book does not know.
    pub fn weight(&self, agent: AgentId) -> f32 {
        self.weights.get(agent.index()).copied().unwrap_or(0.0)
    }

    /// The weights of all agents, by number.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Whether the agent was caught with two votes in one round.
    pub fn has_equivocated(&self, agent: AgentId) -> bool {
        self.equivocated.get(agent.index()).copied().unwrap_or(false)
    }

    /// Lets the record fade up to a step; earlier steps than the last one change nothing.
    pub fn forget(&mut self, step: u32) {
        let steps = step.saturating_sub(self.step);
        if steps == 0 {
            return;
        }
        self.step = step;
        let kept = libm::pow(f64::from(self.params.forgetting), f64::from(steps)) as f32;
        for agent in 0..self.weights.len() {
            self.good[agent] *= kept;
            self.bad[agent] *= kept;
            self.refresh(agent);
        }
    }

    /// Learns from a closed ballot: its votes in voter order (those of the last round), and the signature's author.
    /// Agents the book does not know are passed over. A signature rejected although the confirming side weighed more
    /// counts for and against nobody.
    pub fn observe_decision(&mut self, decision: &Decision, votes: &[Vote], author: AgentId) {
        let carried = match decision.outcome {
            Outcome::Accepted => true,
            Outcome::Rejected => false,
            Outcome::Disputed | Outcome::Expired => return,
        };
        // A rejection against the heavier side only shows that a minority can block: it tells nothing about who was right.
        if !carried && decision.confirm_weight > decision.refute_weight {
            return;
        }
        for vote in votes {
            match vote.verdict {
                Verdict::Confirm => self.observe(vote.voter, carried, 1.0),
                Verdict::Refute => self.observe(vote.voter, !carried, 1.0),
                Verdict::Abstain => {}
            }
        }
        let author_weight = self.params.author_weight;
        match decision.motion {
            Motion::Adopt => self.observe(author, carried, author_weight),
            Motion::Revoke if carried => self.observe(author, false, author_weight),
            Motion::Revoke => {}
        }
    }

    /// Takes all weight from an agent for the rest of the run: it said two different things in one round.
    pub fn equivocated(&mut self, agent: AgentId) {
        if let Some(mark) = self.equivocated.get_mut(agent.index()) {
            *mark = true;
            self.refresh(agent.index());
        }
    }

    fn observe(&mut self, agent: AgentId, good: bool, amount: f32) {
        let record = if good { &mut self.good } else { &mut self.bad };
        if let Some(record) = record.get_mut(agent.index()) {
            *record += amount;
            self.refresh(agent.index());
        }
    }

    fn refresh(&mut self, agent: usize) {
        let good = self.params.prior_good + self.good[agent];
        let bad = self.params.prior_bad + self.bad[agent];
        self.weights[agent] = match self.params.model {
            _ if self.equivocated[agent] => 0.0,
            TrustModel::Equal => 1.0,
            TrustModel::Beta => good / (good + bad),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evidence, SignatureId};

    fn decision(motion: Motion, outcome: Outcome) -> Decision {
        Decision {
            motion,
            signature: SignatureId::default(),
            outcome,
            step: 1,
            round: 0,
            radius: 0.0,
            voters: 2,
            confirm_weight: if outcome == Outcome::Rejected { 0.5 } else { 1.0 },
            refute_weight: 0.75,
            confirmations: 1,
            refutations: 1,
            abstentions: 0,
        }
    }

    fn votes(motion: Motion) -> Vec<Vote> {
        [Verdict::Confirm, Verdict::Refute, Verdict::Abstain]
            .into_iter()
            .zip(0..)
            .map(|(verdict, voter)| Vote {
                motion,
                signature: SignatureId::default(),
                voter: AgentId(voter),
                step: 1,
                round: 0,
                verdict,
                confidence: 0.5,
                evidence: Evidence::default(),
            })
            .collect()
    }

    /// The weights of the three voters and of the author after one decision.
    fn weights_after(motion: Motion, outcome: Outcome) -> [f32; 4] {
        let mut book = TrustBook::new(4, TrustParams::default());
        book.observe_decision(&decision(motion, outcome), &votes(motion), AgentId(3));
        [0, 1, 2, 3].map(|agent| book.weight(AgentId(agent)))
    }

    #[test]
    fn votes_with_the_outcome_and_signatures_that_hold_earn_trust() {
        let (up, down, same) = (2.0_f32 / 3.0, 1.0 / 3.0, 0.5);
        for (motion, outcome, expected) in [
            (Motion::Adopt, Outcome::Accepted, [up, down, same, up]),
            (Motion::Adopt, Outcome::Rejected, [down, up, same, down]),
            (Motion::Revoke, Outcome::Accepted, [up, down, same, down]),
            (Motion::Revoke, Outcome::Rejected, [down, up, same, same]),
            (Motion::Adopt, Outcome::Disputed, [same; 4]),
            (Motion::Adopt, Outcome::Expired, [same; 4]),
        ] {
            let found = weights_after(motion, outcome);
            let fits = found.iter().zip(expected).all(|(weight, expected)| (weight - expected).abs() < 1.0e-6);
            assert!(fits, "{motion:?} {outcome:?}: {found:?}");
        }
    }

    #[test]
    fn a_rejection_by_a_lighter_minority_is_held_against_nobody() {
        let mut book = TrustBook::new(4, TrustParams::default());
        let blocked =
            Decision { confirm_weight: 6.0, refute_weight: 4.0, ..decision(Motion::Adopt, Outcome::Rejected) };
        book.observe_decision(&blocked, &votes(Motion::Adopt), AgentId(3));
        assert!((0..4).all(|agent| (book.weight(AgentId(agent)) - 0.5).abs() < 1.0e-6));
    }

    #[test]
    fn the_record_fades_towards_the_prior() {
        let mut book = TrustBook::new(2, TrustParams { forgetting: 0.5, ..TrustParams::default() });
        book.observe_decision(&decision(Motion::Adopt, Outcome::Accepted), &votes(Motion::Adopt), AgentId(9));
        book.forget(2);
        assert!((book.weight(AgentId(0)) - 1.25 / 2.25).abs() < 1.0e-6);
        book.forget(1);
        assert!((book.weight(AgentId(0)) - 1.25 / 2.25).abs() < 1.0e-6);
        book.forget(200);
        assert!((book.weight(AgentId(0)) - 0.5).abs() < 1.0e-6);
    }

    #[test]
    fn an_equivocator_weighs_nothing_for_the_rest_of_the_run() {
        for model in [TrustModel::Equal, TrustModel::Beta] {
            let mut book = TrustBook::new(3, TrustParams { model, ..TrustParams::default() });
            book.equivocated(AgentId(0));
            book.observe_decision(&decision(Motion::Adopt, Outcome::Accepted), &votes(Motion::Adopt), AgentId(0));
            book.forget(50);
            assert!(book.weight(AgentId(0)).abs() < f32::EPSILON && book.has_equivocated(AgentId(0)));
            assert!(book.weight(AgentId(2)) > 0.0);
        }
    }

    #[test]
    fn unknown_agents_weigh_nothing_and_change_nothing() {
        let mut book = TrustBook::new(1, TrustParams::default());
        let before = book.clone();
        book.observe_decision(&decision(Motion::Adopt, Outcome::Accepted), &votes(Motion::Adopt)[1..], AgentId(7));
        book.equivocated(AgentId(u32::MAX));
        assert_eq!(book, before);
        assert!(book.weight(AgentId(1)).abs() < f32::EPSILON);
    }

    #[test]
    fn a_parameter_outside_its_range_is_named() {
        assert_eq!(TrustParams::default().check(), Ok(()));
        let error = TrustParams { forgetting: 0.0, ..TrustParams::default() }.check().unwrap_err();
        assert_eq!(error.key, "forgetting");
        assert!(TrustParams { prior_bad: f32::NAN, ..TrustParams::default() }.check().is_err());
    }
}
