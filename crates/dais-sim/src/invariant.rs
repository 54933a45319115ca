//! What must hold after every step, whoever lies: checked in tests, and in a run where it is asked for.

mod author_apart;
mod bounded;
mod closed_stays;
mod equal_views;
mod prefix;
mod trust_bounded;
mod vote_once;

use std::collections::BTreeMap;

use dais_ledger::{ConsistencyProof, Head};
use dais_protocol::{Ballot, Decision, Outcome, SignatureId};

use crate::exchange::in_force::InForce;
use crate::exchange::message::Decisions;
use crate::params::agent::AgentParams;

/// What an invariant looks at after a step.
pub(crate) struct View<'a> {
    pub(crate) ballots: Vec<&'a Ballot>,
    pub(crate) decided: Vec<&'a Decision>,
    pub(crate) trust: &'a [f32],
    /// Signatures in force for the exchange.
    pub(crate) in_force: Vec<SignatureId>,
    /// What is kept at once, how much of it, and how much at most.
    pub(crate) bounds: [(&'static str, usize, usize); 6],
    /// What agents are to learn next.
    pub(crate) decisions: &'a Decisions,
    pub(crate) head: Option<Head>,
    pub(crate) params: &'a AgentParams,
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invariant `{invariant}` is broken in step {step}: {found}")]
pub struct Broken {
    /// Its name.
    pub invariant: &'static str,
    /// The step after which it does not hold.
    pub step: u32,
    /// What was found.
    pub found: String,
}

/// What invariants remember from step to step.
#[derive(Debug, Default)]
pub struct Invariants {
    outcomes: BTreeMap<SignatureId, Outcome>,
    head: Option<Head>,
    /// What follows for every agent from the decisions alone.
    agents_view: InForce,
}

impl Invariants {
    /// Checks all after step `t`. `prove` gives the proof from an older head to the present one.
    pub(crate) fn check(
        &mut self,
        t: u32,
        view: &View<'_>,
        prove: &dyn Fn(u64) -> Option<ConsistencyProof>,
    ) -> Result<(), Broken> {
        let broken = |invariant, found: Result<(), String>| found.map_err(|found| Broken { invariant, step: t, found });
        broken("no vote counts twice", vote_once::check(view))?;
        broken("nobody decides on its own signature", author_apart::check(view))?;
        broken("a closed outcome stays", closed_stays::check(view, &mut self.outcomes))?;
        broken("trust is bounded", trust_bounded::check(view))?;
        broken("nothing is unbounded", bounded::check(view))?;
        broken("the log only grows", prefix::check(view, &mut self.head, prove))?;
        broken("equal views decide alike", equal_views::check(t, view, &mut self.agents_view))
    }
}
