//! Agents that lie: wrappers around honest agents, which change what goes in or comes out.
//!
//! An agent knows nothing of it. One file each, named after the [`Behaviour`] in scenarios; those of the
//! network act on what travels between agents and exchange.

mod author;
mod draw;
mod evader;
mod forgery;
mod free_rider;
mod lie;
pub(crate) mod network;
mod revoker;
mod silent;
mod spoiler;
mod sybil;
mod timing;
mod voter;

use dais_protocol::{AgentId, Vote};
use dais_traffic::{Batch, Schema};

use crate::agent::observe::Observed;
use crate::agent::vote::Question;
use crate::params::adversary::Behaviour;
use crate::seed::{Purpose, Seed};

pub(crate) use draw::draw;
pub(crate) use lie::Sight;
use lie::{Lie, Scene};

/// What an adversary does that says when it lies, and nothing else.
const DEFAULT_LIES: [Behaviour; 2] = [Behaviour::Poisoner, Behaviour::Inverter];

/// An adversary around one agent.
pub(crate) struct Liar<'a> {
    agent: AgentId,
    seed: Seed,
    /// How each agent of the run lies.
    behaviours: &'a [Vec<Behaviour>],
}

impl<'a> Liar<'a> {
    /// The adversary around an agent; `None` where it is honest.
    pub(crate) fn around(agent: AgentId, seed: Seed, behaviours: &'a [Vec<Behaviour>]) -> Option<Self> {
        let lies = behaviours.get(agent.index()).is_some_and(|own| !own.is_empty());
        lies.then_some(Self { agent, seed, behaviours })
    }

    fn own(&self) -> &'a [Behaviour] {
        &self.behaviours[self.agent.index()]
    }

    /// The ways in which it lies in a step; none while it pretends.
    fn lies(&self, step: u32) -> Vec<&'static dyn Lie> {
        let own = self.own();
        if !own.iter().all(|&behaviour| lie(behaviour).is_awake(step)) {
            return Vec::new();
        }
        let only_timing = own.iter().all(|behaviour| behaviour.is_timing());
        let more = if only_timing { &DEFAULT_LIES[..] } else { &[] };
        // What keeps quiet comes last: it has the last word.
        more.iter().chain(own).map(|&behaviour| lie(behaviour)).collect()
    }

    /// The flows that its agent sees in place of the true ones.
    pub(crate) fn sees(&self, step: u32, schema: &Schema, batch: &Batch) -> Option<Batch> {
        self.lies(step).into_iter().find_map(|lie| lie.sees(step, schema, batch))
    }

    /// Changes what its agent says after observing.
    pub(crate) fn says(&self, step: u32, sight: &Sight<'_>, said: &mut Observed) {
        self.with_scene(step, |scene, lies| lies.iter().for_each(|lie| lie.says(scene, sight, said)));
    }

    /// Changes how its agent votes.
    pub(crate) fn votes(&self, step: u32, question: &Question, votes: &mut Vec<Vote>) {
        self.with_scene(step, |scene, lies| lies.iter().for_each(|lie| lie.votes(scene, question, votes)));
    }

    /// Whether what it offers goes out without a seal.
    pub(crate) fn withholds_seal(&self, step: u32) -> bool {
        self.lies(step).into_iter().any(Lie::withholds_seal)
    }

    fn with_scene(&self, step: u32, act: impl FnOnce(&mut Scene<'_>, &[&'static dyn Lie])) {
        let own = self.own();
        let is_accomplice =
            |agent: AgentId| self.behaviours.get(agent.index()).is_some_and(|lies| lies.as_slice() == own);
        let random = self.seed.stream(Purpose::Adversary, self.agent.0, step);
        let mut scene = Scene { agent: self.agent, step, is_accomplice: &is_accomplice, random };
        act(&mut scene, &self.lies(step));
    }
}

/// What nobody wraps: the network does it, or it is honest.
struct Nothing;

impl Lie for Nothing {}

fn lie(behaviour: Behaviour) -> &'static dyn Lie {
    match behaviour {
        Behaviour::RandomVoter => &voter::random_voter::RandomVoter,
        Behaviour::Inverter => &voter::inverter::Inverter,
        Behaviour::Silent => &silent::Silent,
        Behaviour::Poisoner => &author::poisoner::Poisoner,
        Behaviour::Slanderer => &author::slanderer::Slanderer,
        Behaviour::Framer => &author::framer::Framer,
        Behaviour::Promoter => &voter::promoter::Promoter,
        Behaviour::Copier => &voter::copier::Copier,
        Behaviour::FreeRider => &free_rider::FreeRider,
        Behaviour::Sleeper => &timing::sleeper::Sleeper,
        Behaviour::OnOff => &timing::on_off::OnOff,
        Behaviour::Whitewasher => &timing::whitewasher::Whitewasher,
        Behaviour::Sybil => &sybil::Sybil,
        Behaviour::Eclipser | Behaviour::Delayer => &Nothing,
        Behaviour::Flooder => &author::flooder::Flooder,
        Behaviour::Equivocator => &voter::equivocator::Equivocator,
        Behaviour::Evader => &evader::Evader,
        Behaviour::Smotherer => &author::smotherer::Smotherer,
        Behaviour::Forger => &author::forger::Forger,
        Behaviour::Spoiler => &spoiler::Spoiler,
        Behaviour::Revoker => &revoker::Revoker,
    }
}
