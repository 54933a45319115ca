//! Adversaries of the network: they lose or hold back what travels to the exchange.

use std::collections::BTreeSet;

use dais_protocol::AgentId;
use serde::{Deserialize, Serialize};

use crate::exchange::message::{Ballots, Said};
use crate::params::adversary::Behaviour;

/// Steps by which a delayer holds back its votes.
const DELAY: u32 = 2;

/// What lies between agents and exchange, with those who meddle with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// Honest agents whose words get lost.
    eclipsed: BTreeSet<AgentId>,
    /// Agents whose votes arrive late.
    delayed: BTreeSet<AgentId>,
    held: Held,
}

/// What is on its way, with the step in which it arrives.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Held(Vec<(u32, Ballots)>);

impl Network {
    /// A network in which agents with these behaviours meddle. Each eclipser cuts off the next honest agent in the order
    /// of numbers that no other has cut off.
    pub(crate) fn new(behaviours: &[Vec<Behaviour>]) -> Self {
        let mut network = Self::default();
        let count = behaviours.len();
        for (agent, does) in behaviours.iter().enumerate() {
            if does.contains(&Behaviour::Delayer) {
                network.delayed.insert(AgentId(agent as u32));
            }
            if does.contains(&Behaviour::Eclipser) {
                let others = (1..count).map(|ahead| (agent + ahead) % count);
                let mut honest =
                    others.filter(|&other| behaviours[other].is_empty()).map(|other| AgentId(other as u32));
                network.eclipsed.extend(honest.find(|victim| !network.eclipsed.contains(victim)));
            }
        }
        network
    }

    /// What arrives of what is said after observing.
    pub(crate) fn carry_words(&self, said: &mut [Said]) {
        for shard in said {
            shard.words.retain(|words| !self.eclipsed.contains(&words.agent));
        }
    }

    /// What arrives of the votes in step `t`.
    pub(crate) fn carry_votes(&mut self, t: u32, ballots: Vec<Ballots>) -> Vec<Ballots> {
        if self.eclipsed.is_empty() && self.delayed.is_empty() {
            return ballots;
        }
        let mut arrived: Vec<Ballots> = Vec::new();
        for said in ballots {
            if self.delayed.contains(&said.agent) {
                self.held.0.push((t.saturating_add(DELAY), said));
            } else if !self.eclipsed.contains(&said.agent) {
                arrived.push(said);
            }
        }
        let held = std::mem::take(&mut self.held.0).into_iter();
        let (due, later): (Vec<_>, Vec<_>) = held.partition(|(due, _)| *due <= t);
        self.held.0 = later;
        arrived.extend(due.into_iter().map(|(_, said)| said));
        arrived
    }

    /// What a snapshot keeps.
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    pub(crate) fn restore(&mut self, held: Held) {
        self.held = held;
    }
}
