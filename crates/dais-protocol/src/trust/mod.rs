//! The weight of agents, earned from the public record and from own evidence.

mod beta;
mod eigen;
mod fides;
mod params;
mod subjective;

use serde::{Deserialize, Serialize};

use crate::{AgentId, Decision, Motion, Outcome, Verdict, Vote};
use eigen::Agreement;
use fides::{Edition, Fides};

pub use params::{TrustGate, TrustModel, TrustParams, trust_models};

/// The trust of every agent.
///
/// Under [`TrustModel::Beta`], the default, it is the share of good in the agent's record, which fades with every step.
///
/// | observed | good | bad |
/// |---|---|---|
/// | a decisive vote with, or against, the closed outcome | 1 | 1 |
/// | a signature adopted, or rejected or later revoked | [`author_weight`](TrustParams::author_weight) | the same |
/// | a sighting or challenge that held, or did not | [`report_weight`](TrustParams::report_weight) | the same |
/// | an offer refused, or without a seal | | `report_weight` |
/// | a vote with, or against, own evidence | [`own_weight`](TrustParams::own_weight) | the same |
/// | an abstention on a signature that was decided, a missing answer | loses the share [`silence_cost`](TrustParams::silence_cost) | |
/// | disputed and expired ballots | | |
///
/// The good record fades by [`TrustParams::forgetting`] a step, the bad one by [`TrustParams::forgetting_bad`], more
/// slowly: with one rate for both, an agent that lies in bursts is believed again after some thirty steps of good
/// conduct, while what it broke lasts. Silence takes of the good record and adds nothing to the bad one: who never says
/// anything ends as a newcomer, neither believed nor suspected. Every vote weighs the same however clear the outcome was:
/// a narrow outcome is escalated by the ballot before it comes here.
///
/// [`TrustModel::EigenTrust`] and [`TrustModel::Subjective`] look at all agents at once; their weights move when a step
/// ends ([`forget`](Self::forget)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustBook {
    params: TrustParams,
    step: u32,
    good: Vec<f32>,
    bad: Vec<f32>,
    equivocated: Vec<bool>,
    weights: Vec<f32>,
    memory: Memory,
}

/// What a model remembers besides good and bad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Memory {
    None,
    Agreement(Agreement),
    Fides(Fides),
}

impl TrustBook {
    /// A book for agents 0 to `agents` - 1, all with a newcomer's trust, in step 0.
    pub fn new(agents: usize, params: TrustParams) -> Self {
        let memory = match params.model {
            TrustModel::EigenTrust => Memory::Agreement(Agreement::new(agents)),
            TrustModel::FidesPublished => Memory::Fides(Fides::new(agents, Edition::Published)),
            TrustModel::FidesShipped => Memory::Fides(Fides::new(agents, Edition::Shipped)),
            TrustModel::Equal | TrustModel::Beta | TrustModel::Subjective => Memory::None,
        };
        let mut book = Self {
            params,
            step: 0,
            good: vec![0.0; agents],
            bad: vec![0.0; agents],
            equivocated: vec![false; agents],
            weights: vec![0.0; agents],
            memory,
        };
        book.refresh_all();
        book
    }

    /// The weight of an agent in [0, 1], after the [gate](TrustGate); 0 after an equivocation and for agents the book does
    /// not know.
    pub fn weight(&self, agent: AgentId) -> f32 {
        self.weights.get(agent.index()).copied().unwrap_or(0.0)
    }

    /// The weights of all agents, by number.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Whether the agent was caught with two statements.
    pub fn has_equivocated(&self, agent: AgentId) -> bool {
        self.equivocated.get(agent.index()).copied().unwrap_or(false)
    }

    /// Ends the steps up to this one: the record fades. Earlier steps than the last one change nothing.
    pub fn forget(&mut self, step: u32) {
        let steps = step.saturating_sub(self.step);
        if steps > 0 {
            self.step = step;
            let kept = |rate: f32| libm::pow(f64::from(rate), f64::from(steps)) as f32;
            let (good, bad) = (kept(self.params.forgetting), kept(self.params.forgetting_bad));
            self.good.iter_mut().for_each(|record| *record *= good);
            self.bad.iter_mut().for_each(|record| *record *= bad);
        }
        self.refresh_all();
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
        self.remember(votes);
        // A rejection against the heavier side only shows that a minority can block: it tells nothing about who was right.
        if !carried && decision.confirm_weight > decision.refute_weight {
            return;
        }
        for vote in votes {
            match vote.verdict {
                Verdict::Confirm => self.observe(vote.voter, carried, 1.0),
                Verdict::Refute => self.observe(vote.voter, !carried, 1.0),
                // Most agents cannot know how a signature in force does elsewhere.
                Verdict::Abstain if decision.motion == Motion::Adopt => self.observe_silence(vote.voter),
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

    /// Learns that an agent owed an answer and gave none: it abstained, did not vote, or did not reveal its vote.
    pub fn observe_silence(&mut self, agent: AgentId) {
        if let Some(good) = self.good.get_mut(agent.index()) {
            *good *= 1.0 - self.params.silence_cost;
            self.refresh(agent.index());
        }
    }

    /// Learns whether what an agent sighted held: others saw it, or it proved wrong.
    pub fn observe_sighting(&mut self, agent: AgentId, held: bool) {
        self.observe(agent, held, self.params.report_weight);
    }

    /// Learns whether what an agent challenged was revoked, or confirmed once more.
    pub fn observe_challenge(&mut self, agent: AgentId, held: bool) {
        self.observe(agent, held, self.params.report_weight);
    }

    /// Learns that what an agent said was refused: without a seal that fits, impossible, or beyond its quota.
    pub fn observe_refusal(&mut self, agent: AgentId) {
        self.observe(agent, false, self.params.report_weight);
    }

    /// Learns from what the owner of this book measured itself, with its confidence: votes are compared with its own
    /// verdict, whatever became of the ballot. For a book that one agent keeps for itself; an abstention teaches nothing.
    pub fn observe_own(&mut self, own: Verdict, confidence: f32, votes: &[Vote]) {
        if own == Verdict::Abstain {
            return;
        }
        if let Memory::Fides(fides) = &mut self.memory {
            fides.observe_own((own, confidence), votes);
        }
        for vote in votes.iter().filter(|vote| vote.verdict != Verdict::Abstain) {
            let agrees = vote.verdict == own;
            if let Memory::Agreement(agreement) = &mut self.memory {
                agreement.observe_own(vote.voter.index(), agrees, self.params.own_weight);
            }
            self.observe(vote.voter, agrees, self.params.own_weight);
        }
    }

    /// Takes all weight from an agent for the rest of the run: it said two different things in one round.
    pub fn equivocated(&mut self, agent: AgentId) {
        if let Some(mark) = self.equivocated.get_mut(agent.index()) {
            *mark = true;
            self.refresh(agent.index());
        }
    }

    fn remember(&mut self, votes: &[Vote]) {
        match &mut self.memory {
            Memory::None => {}
            Memory::Agreement(agreement) => agreement.observe(votes),
            Memory::Fides(fides) => {
                fides.observe(votes, &self.equivocated);
                for vote in votes {
                    self.refresh(vote.voter.index());
                }
            }
        }
    }

    fn observe(&mut self, agent: AgentId, good: bool, amount: f32) {
        let record = if good { &mut self.good } else { &mut self.bad };
        if let Some(record) = record.get_mut(agent.index()) {
            *record += amount;
            self.refresh(agent.index());
        }
    }

    /// Brings an agent's weight up to date, where it depends on that agent alone.
    fn refresh(&mut self, agent: usize) {
        if agent >= self.weights.len() {
            return;
        }
        let trust = match (&self.memory, self.params.model) {
            _ if self.equivocated[agent] => {
                self.weights[agent] = 0.0;
                return;
            }
            (Memory::Fides(fides), _) => fides.trust(agent),
            (_, TrustModel::Equal) => 1.0,
            (_, TrustModel::Beta) => beta::trust(self.good[agent], self.bad[agent], &self.params),
            _ => return,
        };
        self.weights[agent] = self.params.gate.weight(trust);
    }

    fn refresh_all(&mut self) {
        let (good, bad, params) = (&self.good, &self.bad, &self.params);
        let trust: Vec<f32> = match (&self.memory, params.model) {
            (Memory::Agreement(agreement), _) => agreement.trust(&self.equivocated),
            (_, TrustModel::Subjective) => {
                let base_rate = subjective::base_rate(good, bad, params);
                good.iter().zip(bad).map(|(&good, &bad)| subjective::trust(good, bad, base_rate, params)).collect()
            }
            _ => {
                (0..self.weights.len()).for_each(|agent| self.refresh(agent));
                return;
            }
        };
        for (agent, trust) in trust.into_iter().enumerate() {
            self.weights[agent] = if self.equivocated[agent] { 0.0 } else { params.gate.weight(trust) };
        }
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
    fn a_bad_record_fades_more_slowly_than_a_good_one() {
        let mut book = TrustBook::new(2, TrustParams::default());
        for agent in [0, 1] {
            for _ in 0..10 {
                book.observe(AgentId(agent), agent == 0, 1.0);
            }
        }
        book.forget(34);
        assert!((book.good[0] - 5.03).abs() < 0.01 && book.bad[1] > 8.4, "{} {}", book.good[0], book.bad[1]);
        book.forget(138);
        assert!((book.bad[1] - 5.0).abs() < 0.02, "{}", book.bad[1]);
    }

    /// Forty steps: one agent lies in the first ten and is honest from then on, one is honest all the time.
    #[test]
    fn a_burst_of_lies_is_not_forgotten_within_forty_steps() {
        let run = |forgetting_bad| {
            let mut book = TrustBook::new(2, TrustParams { forgetting_bad, ..TrustParams::default() });
            for step in 1..=40 {
                book.observe(AgentId(0), step > 10, 1.0);
                book.observe(AgentId(1), true, 1.0);
                book.forget(step);
            }
            (book.weight(AgentId(0)), book.weight(AgentId(1)))
        };
        let ((symmetric, _), (asymmetric, honest)) = (run(0.98), run(0.995));
        assert!(asymmetric < symmetric && symmetric < honest, "{asymmetric} {symmetric} {honest}");
        assert!(honest - asymmetric > 0.15, "{asymmetric} {honest}");
    }

    #[test]
    fn silence_costs_what_was_earned_and_nothing_more() {
        let mut book = TrustBook::new(4, TrustParams::default());
        for _ in 0..20 {
            book.observe(AgentId(0), true, 1.0);
            book.observe(AgentId(2), true, 1.0);
            book.observe(AgentId(1), false, 1.0);
        }
        let (before, liar) = (book.weight(AgentId(2)), book.weight(AgentId(1)));
        // Agent 2 abstains again and again on what the others decide, agents 1 and 3 do not answer.
        for _ in 0..100 {
            book.observe_decision(&decision(Motion::Adopt, Outcome::Accepted), &votes(Motion::Adopt)[2..], AgentId(9));
            for agent in [1, 3, 9] {
                book.observe_silence(AgentId(agent));
            }
        }
        assert!(book.weight(AgentId(2)) < before - 0.3 && book.weight(AgentId(2)) >= 0.5);
        assert!((book.weight(AgentId(3)) - 0.5).abs() < f32::EPSILON, "a newcomer loses nothing");
        assert!((book.weight(AgentId(1)) - liar).abs() < f32::EPSILON, "a liar does not hide in silence");
        assert!(book.weight(AgentId(0)) > 0.9);
        let standing = book.weight(AgentId(2));
        book.observe_decision(&decision(Motion::Revoke, Outcome::Accepted), &votes(Motion::Revoke)[2..], AgentId(9));
        assert!((book.weight(AgentId(2)) - standing).abs() < f32::EPSILON, "few can know in a revocation");
    }

    #[test]
    fn reports_count_once_it_is_known_whether_they_held() {
        let mut book = TrustBook::new(3, TrustParams { report_weight: 2.0, ..TrustParams::default() });
        book.observe_sighting(AgentId(0), true);
        book.observe_challenge(AgentId(1), false);
        book.observe_refusal(AgentId(2));
        let found = [0, 1, 2].map(|agent| book.weight(AgentId(agent)));
        let fits = found.iter().zip([0.75, 0.25, 0.25]).all(|(weight, expected)| (weight - expected).abs() < 1.0e-6);
        assert!(fits, "{found:?}");
    }

    /// Ten agents of whom seven lie, about everything, and one agent's own book.
    #[test]
    fn with_own_evidence_a_majority_of_liars_has_no_say() {
        let cast = |voter: u32, verdict| Vote { voter: AgentId(voter), verdict, ..votes(Motion::Adopt)[0].clone() };
        for model in TrustModel::ALL.into_iter().filter(|&model| model != TrustModel::Equal) {
            let params = TrustParams { model, gate: TrustGate::OwnEvidence, ..TrustParams::default() };
            let mut book = TrustBook::new(10, params);
            for step in 1..=120 {
                let said: Vec<Vote> = (0..10)
                    .map(|voter| cast(voter, if voter < 7 { Verdict::Confirm } else { Verdict::Refute }))
                    .collect();
                book.observe_own(Verdict::Refute, 1.0, &said);
                book.observe_own(Verdict::Abstain, 1.0, &said);
                book.forget(step);
            }
            let weights = book.weights();
            let (liars, honest) = weights.split_at(7);
            assert!(liars.iter().sum::<f32>() < honest.iter().sum::<f32>() / 10.0, "{model:?}: {weights:?}");
        }
    }

    #[test]
    fn among_liars_subjective_logic_trusts_a_stranger_less_than_beta_does() {
        let stranger = |model| {
            let mut book = TrustBook::new(10, TrustParams { model, ..TrustParams::default() });
            for agent in 0..9 {
                for _ in 0..10 {
                    book.observe(AgentId(agent), agent < 2, 1.0);
                }
            }
            book.forget(1);
            book.weight(AgentId(9))
        };
        let (beta, subjective) = (stranger(TrustModel::Beta), stranger(TrustModel::Subjective));
        assert!((beta - 0.5).abs() < f32::EPSILON && subjective < 0.3, "{beta} {subjective}");
    }
}
