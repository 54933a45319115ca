//! The rules by which an assembly decides.

use dais_protocol::{PolicyParams, TrustParams, VoteParams};

use crate::params::exchange::ExchangeParams;
use crate::params::mode::Mode;
use crate::params::rules::Rules;

/// The rules by which an assembly decides.
#[derive(Clone, Debug)]
pub(crate) struct Bylaws {
    pub(crate) mode: Mode,
    pub(crate) policy: PolicyParams,
    pub(crate) trust: TrustParams,
    pub(crate) exchange: ExchangeParams,
    pub(crate) vote: VoteParams,
    /// Numeric and categorical features of a signature.
    pub(crate) shape: (usize, usize),
    /// Steps an accepted signature stays in force.
    pub(crate) signature_ttl_steps: u32,
    /// Signatures in force at once; the oldest makes room.
    pub(crate) signatures_max: usize,
    /// Signatures that one agent may offer in a step.
    pub(crate) offers_max: usize,
    /// Share of ordinary flows among the matches above which own data speaks for a revocation.
    pub(crate) doubt_share: f32,
}

impl Bylaws {
    /// Ballots open at once.
    pub(crate) fn ballots_max(&self) -> usize {
        self.exchange.ballots_max
    }

    pub(crate) fn of(rules: &Rules, mode: Mode, shape: (usize, usize)) -> Self {
        Self {
            mode,
            policy: rules.policy.clone(),
            trust: rules.trust.clone(),
            exchange: rules.exchange.clone(),
            vote: rules.agent.vote.clone(),
            shape,
            signature_ttl_steps: rules.agent.signature_ttl.steps(),
            signatures_max: rules.agent.signatures_max,
            offers_max: rules.agent.publish_max,
            doubt_share: rules.agent.doubt_share,
        }
    }
}
