//! Rules to decide by: when the votes counted so far carry a motion, lose it, or leave it open.

mod byzantine;
mod majority;
mod share;
mod sortition;
mod threshold;
mod weighted;

use serde::{Deserialize, Serialize};

use crate::PolicyParams;

pub use byzantine::{byzantine_faults, byzantine_quorum};
pub use sortition::{capture_probability, sortition_size};

/// How counted votes become an outcome.
///
/// | rule | a vote weighs | carried when | safe against |
/// |---|---|---|---|
/// | `simple_majority` | 1 | more than half of those who confirm or refute confirm | liars below half of the informed voters |
/// | `weighted` | its voter's trust | more than half of the weight confirms | liars below half of the trust |
/// | `threshold` | its voter's trust | at least [`PolicyParams::threshold`] of the weight confirms | liars below the threshold to adopt, below its complement to block |
/// | `sortition` | 1 | as `threshold`, on a small committee drawn by lot | an adversary who cannot choose who is drawn; [`capture_probability`] says how surely |
/// | `byzantine` | 1 | [`byzantine_quorum`] members confirm | f liars of n ≥ 3f + 1 members, also when they say different things to different agents |
///
/// Only votes of positive weight count, under every rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// One vote each; more than half confirms.
    SimpleMajority,
    /// Votes weigh as their voters' trust; more than half of the weight confirms.
    Weighted,
    /// Votes weigh as their voters' trust; a set share of the weight confirms.
    #[default]
    Threshold,
    /// One vote each on a small committee drawn by lot; a set share confirms.
    Sortition,
    /// One vote each; so many agree that two decisions cannot contradict each other while fewer than a third lie.
    Byzantine,
}

/// What becomes of an exact tie in the last round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// The motion is rejected: when in doubt, nothing is blocked.
    #[default]
    Refute,
    /// The ballot ends disputed: the motion is lost, and nobody's trust moves.
    Dispute,
}

/// Whether votes are seen as they come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voting {
    /// Everybody sees every vote at once.
    #[default]
    Open,
    /// Members commit to a digest of their vote in one step and reveal the vote in the next, so nobody can copy.
    CommitReveal,
}

/// The counted votes of a round. Equivocators are counted among the abstentions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tally {
    /// Members of the committee.
    pub(crate) members: usize,
    /// Members with a vote, abstentions included.
    pub(crate) answers: usize,
    /// Votes of positive weight that confirm or refute.
    pub(crate) decisive: usize,
    /// Those of them that confirm.
    pub(crate) decisive_confirmations: usize,
    pub(crate) confirmations: u32,
    pub(crate) refutations: u32,
    pub(crate) abstentions: u32,
    pub(crate) confirm_weight: f64,
    pub(crate) refute_weight: f64,
}

/// What a rule makes of a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// It takes more votes.
    Wait,
    /// The motion is carried.
    Carried,
    /// The motion is lost.
    Lost,
    /// The votes are exactly equal.
    Tied,
}

impl Rule {
    /// Every rule, in the order they are listed.
    pub const ALL: [Self; 5] =
        [Self::SimpleMajority, Self::Weighted, Self::Threshold, Self::Sortition, Self::Byzantine];

    /// The name in a scenario, and one line about it.
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::SimpleMajority => ("simple_majority", "one vote each: more than half of the informed voters confirm"),
            Self::Weighted => ("weighted", "votes weigh as their voters' trust: more than half of the weight confirms"),
            Self::Threshold => {
                ("threshold", "quorum, then a set share of the trust confirms (policy.threshold: 0.51, 0.66, 0.75)")
            }
            Self::Sortition => (
                "sortition",
                "a small committee drawn by lot (policy.sortition_size), one vote each, set share confirms",
            ),
            Self::Byzantine => (
                "byzantine",
                "more than (n + f) / 2 of n members agree, f = (n - 1) / 3: holds while fewer than a third lie",
            ),
        }
    }

    /// Whether votes weigh as their voters' trust; else they weigh 1.
    pub(crate) const fn weighs_trust(self) -> bool {
        match self {
            Self::Weighted | Self::Threshold => true,
            Self::SimpleMajority | Self::Sortition | Self::Byzantine => false,
        }
    }

    /// The share of the weight that a motion needs; nothing where the rule counts heads against the whole committee.
    pub(crate) fn threshold(self, policy: &PolicyParams) -> Option<f64> {
        match self {
            Self::SimpleMajority | Self::Weighted => Some(0.5),
            Self::Threshold | Self::Sortition => Some(f64::from(policy.threshold)),
            Self::Byzantine => None,
        }
    }

    /// What the rule makes of a tally that reached the floors of the policy.
    pub(crate) fn call(self, tally: &Tally, policy: &PolicyParams) -> Call {
        match self {
            Self::SimpleMajority => majority::call(tally),
            Self::Weighted => weighted::call(tally),
            Self::Threshold => threshold::call(tally, policy),
            Self::Sortition => sortition::call(tally, policy),
            Self::Byzantine => byzantine::call(tally),
        }
    }
}

/// Rules to decide by, and what goes with them, each with its name and one line.
///
/// The first five are values of `policy.rule`; the line of each of the others names its key.
///
/// ```
/// assert!(dais_protocol::rules().iter().any(|&(name, _)| name == "byzantine"));
/// ```
pub fn rules() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = Rule::ALL.into_iter().map(Rule::describe).collect();
    all.extend([
        (
            "commit_reveal",
            "votes are committed by digest, then revealed, so nobody copies (policy.voting: commit_reveal)",
        ),
        ("tie", "an exact tie refutes, or ends disputed (policy.tie: refute, dispute)"),
        ("escalation", "votes within the margin go to a larger committee (policy.margin, policy.escalation_rounds)"),
        ("appeal", "a lost motion is voted on again when members bring new evidence (policy.appeals_max)"),
        ("revocation", "an accepted signature is withdrawn by a share of the whole committee (policy.revoke_share)"),
    ]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(confirm: u32, refute: u32) -> Tally {
        Tally {
            members: 10,
            answers: (confirm + refute) as usize,
            decisive: (confirm + refute) as usize,
            decisive_confirmations: confirm as usize,
            confirmations: confirm,
            refutations: refute,
            abstentions: 0,
            confirm_weight: f64::from(confirm),
            refute_weight: f64::from(refute),
        }
    }

    fn calls(rule: Rule, policy: &PolicyParams, votes: &[(u32, u32)]) -> Vec<Call> {
        votes.iter().map(|&(confirm, refute)| rule.call(&tally(confirm, refute), policy)).collect()
    }

    #[test]
    fn each_rule_asks_for_its_own_share() {
        use Call::{Carried, Lost, Tied, Wait};
        let policy = PolicyParams { threshold: 0.66, ..PolicyParams::default() };
        let votes = [(4, 6), (5, 5), (6, 4), (7, 3)];
        assert_eq!(calls(Rule::SimpleMajority, &policy, &votes), [Lost, Tied, Carried, Carried]);
        assert_eq!(calls(Rule::Weighted, &policy, &votes), [Lost, Tied, Carried, Carried]);
        assert_eq!(calls(Rule::Threshold, &policy, &votes), [Lost, Tied, Lost, Carried]);
        assert_eq!(calls(Rule::Sortition, &policy, &votes), [Lost, Tied, Lost, Carried]);
        // Of 10 members at most 3 lie: it takes more than 13 / 2.
        assert_eq!(calls(Rule::Byzantine, &policy, &votes), [Wait, Wait, Wait, Carried]);
        assert_eq!(calls(Rule::Byzantine, &policy, &[(3, 7), (6, 0)]), [Lost, Wait]);
    }

    #[test]
    fn heads_and_trust_are_different_measures() {
        let rich_minority = Tally { confirm_weight: 5.0, refute_weight: 1.0, ..tally(2, 3) };
        let policy = PolicyParams::default();
        assert_eq!(Rule::Weighted.call(&rich_minority, &policy), Call::Carried);
        assert!(Rule::Weighted.weighs_trust() && !Rule::SimpleMajority.weighs_trust());
    }

    #[test]
    fn every_rule_is_listed_under_its_name_in_a_scenario() {
        let listed = rules();
        for rule in Rule::ALL {
            let name = serde_json::to_value(rule).unwrap();
            assert_eq!(name, rule.describe().0);
            assert!(listed.contains(&rule.describe()));
        }
        assert!(listed.iter().all(|(name, line)| !name.is_empty() && line.len() <= 120 && !line.contains('\n')));
    }
}
