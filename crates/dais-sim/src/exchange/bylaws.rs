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
}

impl Bylaws {
    pub(crate) fn of(rules: &Rules, mode: Mode, shape: (usize, usize)) -> Self {
        Self {
            mode,
            policy: rules.policy.clone(),
            trust: rules.trust.clone(),
            exchange: rules.exchange.clone(),
            vote: rules.agent.vote.clone(),
            shape,
            signature_ttl_steps: rules.agent.signature_ttl_steps,
            signatures_max: rules.agent.signatures_max,
        }
    }
}
