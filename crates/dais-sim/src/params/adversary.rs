//! Who lies, and how: the parameters.

use serde::{Deserialize, Serialize};

use crate::params::error::ScenarioError;

/// A way of lying; an adversary may combine several.
///
/// `Sleeper`, `OnOff` and `Whitewasher` say when an adversary lies: with no other behaviour beside them, it is a poisoner
/// that inverts its votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Votes by the toss of a coin.
    RandomVoter,
    /// Confirms what it measured as wrong, refutes what it measured as right.
    Inverter,
    /// Publishes signatures of normal traffic in place of its findings.
    Poisoner,
    /// Neither publishes nor votes.
    Silent,
    /// Says that ordinary hosts match accepted signatures, so that they are blocked.
    Slanderer,
    /// Names ordinary hosts as the sources of attacks that it really found.
    Framer,
    /// Confirms what its accomplices offer, refutes what all others offer.
    Promoter,
    /// Measures nothing: votes as the votes went that are recorded already.
    Copier,
    /// Uses what others find, offers nothing and always abstains.
    FreeRider,
    /// Is honest for twenty steps, then lies.
    Sleeper,
    /// Lies for ten steps, is honest for ten, and so on.
    OnOff,
    /// Lies for five steps, then keeps quiet for thirty until its record has faded.
    Whitewasher,
    /// Speaks with all its accomplices as one: poison, slander and revocations of one mind. An identity costs a seat among
    /// the members, with a site of its own: nobody can join a run that has begun.
    Sybil,
    /// Keeps what one honest agent says from the exchange.
    Eclipser,
    /// Sends its votes two steps late, when most ballots have closed.
    Delayer,
    /// Offers dozens of variants of whatever it finds.
    Flooder,
    /// Votes twice, differently, on every ballot.
    Equivocator,
    /// Moves the traffic of its site a little each step, so that what is strange becomes ordinary there.
    Evader,
    /// Offers the widest signatures it can, with great support and no seal, so that they cover what others found.
    Smotherer,
    /// Offers signatures in the name of others.
    Forger,
    /// Says what cannot be read back: radii out of range, numbers that are none, dates to come.
    Spoiler,
    /// Challenges every accepted signature and votes to revoke it.
    Revoker,
}

/// Where the adversaries of a group sit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Drawn among all agents.
    #[default]
    Random,
    /// The agents with the most neighbours. Over a shared ledger all have as many: then those with the lowest numbers.
    Hubs,
    /// Agents with consecutive numbers, from a drawn one on.
    Region,
}

/// A group of adversaries among the agents of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversaryGroup {
    /// Share of all agents, 0 to 1, rounded to the nearest number of agents.
    pub share: f64,
    /// What they do.
    pub behaviours: Vec<Behaviour>,
    /// Where they sit. Left out of what is written where they are drawn, so that such a run keeps its ledger head.
    #[serde(default, skip_serializing_if = "Placement::is_random")]
    pub placement: Placement,
}

impl Placement {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    fn is_random(&self) -> bool {
        *self == Self::Random
    }
}

impl Behaviour {
    /// All behaviours, in the order of lists.
    pub const ALL: [Self; 22] = [
        Self::RandomVoter,
        Self::Inverter,
        Self::Silent,
        Self::Poisoner,
        Self::Slanderer,
        Self::Framer,
        Self::Promoter,
        Self::Copier,
        Self::FreeRider,
        Self::Sleeper,
        Self::OnOff,
        Self::Whitewasher,
        Self::Sybil,
        Self::Eclipser,
        Self::Delayer,
        Self::Flooder,
        Self::Equivocator,
        Self::Evader,
        Self::Smotherer,
        Self::Forger,
        Self::Spoiler,
        Self::Revoker,
    ];

    /// Name in scenarios, and what it does in one line.
    #[must_use]
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::RandomVoter => ("random_voter", "votes by the toss of a coin"),
            Self::Inverter => ("inverter", "confirms what it measured as wrong, refutes what it measured as right"),
            Self::Silent => ("silent", "neither publishes nor votes"),
            Self::Poisoner => ("poisoner", "publishes signatures of normal traffic in place of its findings"),
            Self::Slanderer => ("slanderer", "says that ordinary hosts match accepted signatures"),
            Self::Framer => ("framer", "names ordinary hosts as sources of attacks that it really found"),
            Self::Promoter => ("promoter", "confirms what its accomplices offer, refutes what all others offer"),
            Self::Copier => ("copier", "measures nothing and votes as recorded votes went"),
            Self::FreeRider => ("free_rider", "uses what others find, offers nothing and always abstains"),
            Self::Sleeper => ("sleeper", "is honest for twenty steps, then lies"),
            Self::OnOff => ("on_off", "lies for ten steps, is honest for ten, and so on"),
            Self::Whitewasher => ("whitewasher", "lies for five steps, keeps quiet for thirty, and so on"),
            Self::Sybil => ("sybil", "speaks with all its accomplices as one; an identity costs a seat with a site"),
            Self::Eclipser => ("eclipser", "keeps what one honest agent says from the exchange"),
            Self::Delayer => ("delayer", "sends its votes two steps late"),
            Self::Flooder => ("flooder", "offers dozens of variants of whatever it finds"),
            Self::Equivocator => ("equivocator", "votes twice, differently, on every ballot"),
            Self::Evader => ("evader", "moves the traffic of its site a little each step"),
            Self::Smotherer => ("smotherer", "offers the widest signatures it can, without a seal"),
            Self::Forger => ("forger", "offers signatures in the name of others"),
            Self::Spoiler => ("spoiler", "says what cannot be read back"),
            Self::Revoker => ("revoker", "challenges every accepted signature and votes to revoke it"),
        }
    }

    /// Name in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.describe().0
    }

    /// Whether it says when an adversary lies, not how.
    #[must_use]
    pub const fn is_timing(self) -> bool {
        matches!(self, Self::Sleeper | Self::OnOff | Self::Whitewasher)
    }
}

/// Every adversary with its name and one line about it.
#[must_use]
pub fn adversaries() -> Vec<(&'static str, &'static str)> {
    Behaviour::ALL.into_iter().map(Behaviour::describe).collect()
}

impl AdversaryGroup {
    /// A group drawn among all agents.
    #[must_use]
    pub fn new(share: f64, behaviours: &[Behaviour]) -> Self {
        Self { share, behaviours: behaviours.to_vec(), placement: Placement::Random }
    }

    /// Checks all groups of a run.
    ///
    /// # Errors
    /// The first parameter out of its range, with the allowed one.
    pub(crate) fn check_all(groups: &[Self]) -> Result<(), ScenarioError> {
        let rule = ScenarioError::require;
        for group in groups {
            rule((0.0..=1.0).contains(&group.share), "adversaries.share", &group.share, "0 to 1")?;
            rule(!group.behaviours.is_empty(), "adversaries.behaviours", &"empty", "at least one behaviour")?;
        }
        let share: f64 = groups.iter().map(|group| group.share).sum();
        // Ten shares of 0.1 add up to a little more than 1.
        rule(share <= 1.0 + 1e-9, "adversaries", &share, "shares that add up to at most 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_has_the_name_that_scenarios_use() {
        for behaviour in Behaviour::ALL {
            let written = serde_json::to_string(&behaviour).expect("plain data");
            assert_eq!(written, format!("\"{}\"", behaviour.name()));
        }
        let mut names: Vec<&str> = adversaries().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Behaviour::ALL.len());
    }

    #[test]
    fn an_impossible_mix_is_answered_with_what_is_allowed() {
        let group = |share| AdversaryGroup::new(share, &[Behaviour::Inverter]);
        assert_eq!(AdversaryGroup::check_all(&[group(0.6), group(0.4)]), Ok(()));
        let error = AdversaryGroup::check_all(&[group(0.6), group(0.5)]).expect_err("more than all").to_string();
        assert!(error.contains("adversaries") && error.contains("at most 1"), "{error}");
        assert!(AdversaryGroup::check_all(&[AdversaryGroup { behaviours: Vec::new(), ..group(0.1) }]).is_err());
        assert!(AdversaryGroup::check_all(&[group(f64::NAN)]).is_err());
    }

    #[test]
    fn an_unknown_behaviour_is_answered_with_the_known_ones() {
        let error = serde_json::from_str::<AdversaryGroup>(r#"{"share":0.1,"behaviours":["gossip"]}"#);
        let error = error.expect_err("unknown").to_string();
        assert!(error.contains("gossip") && error.contains("equivocator"), "{error}");
    }
}
