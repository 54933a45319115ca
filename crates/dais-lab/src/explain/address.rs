//! What the ledger says about one address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use dais_ledger::{Head, Ledger};
use dais_protocol::{AgentId, Outcome, SignatureId};
use dais_sim::{Blocked, Depth, ReplayedStep, replay};
use serde::Serialize;

use super::{ExplainError, Proven, prove};

/// Most other addresses named when nothing is known about the one asked for.
const NEAR_MAX: usize = 8;

/// Why an address is blocked, or is not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AddressExplanation {
    /// The address.
    pub address: IpAddr,
    /// Whether it was blocked in the last step.
    pub blocked: bool,
    /// When it was blocked; agents with the address on their allow-list did not apply it.
    pub blocks: Vec<BlockSpan>,
    /// Signatures that name it as a source.
    pub named_by: Vec<Naming>,
    /// Sightings of it.
    pub sightings: Vec<SightingView>,
    /// The trust that the agents that sighted an address must have together before it is blocked.
    pub sighting_trust: f32,
    /// Where nothing names it: named addresses that share its network, or the longest beginning with it.
    pub near: Vec<IpAddr>,
    /// Steps of the run.
    pub steps: u32,
    /// The head that the proofs lead to.
    pub head: Head,
}

/// A time in which an address was blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlockSpan {
    /// First step of the block.
    pub since_step: u32,
    /// First step without it; absent where it lasted to the end of the run.
    pub until_step: Option<u32>,
    /// The accepted signature it rests on.
    pub signature: SignatureId,
    /// The agents that caused it: the author of the signature that named the address, or those that sighted it.
    pub caused_by: Vec<AgentId>,
    /// Whether the signature itself named the address; otherwise sightings did.
    pub named: bool,
}

/// A signature that names an address as a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Naming {
    /// The signature.
    pub signature: SignatureId,
    /// What kind of attack its author takes it for.
    pub class: &'static str,
    /// Its author.
    pub author: AgentId,
    /// The step of its publication.
    pub step: u32,
    /// Where it was published.
    pub entry: Proven,
    /// The outcome of its ballot and the step it closed in; absent while it is open.
    pub outcome: Option<(Outcome, u32)>,
}

/// A sighting of an address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SightingView {
    /// Index of its entry.
    pub index: u64,
    /// The agent that saw it.
    pub agent: AgentId,
    /// The step of the sighting.
    pub step: u32,
    /// The accepted signature that the flows matched.
    pub signature: SignatureId,
    /// Trust of the agent then.
    pub trust: f32,
}

struct Gathered {
    address: IpAddr,
    blocks: Vec<BlockSpan>,
    current: Option<Blocked>,
    named: Vec<(u64, Naming)>,
    sightings: Vec<SightingView>,
    adopted: BTreeMap<SignatureId, u32>,
    known: BTreeSet<IpAddr>,
    steps: u32,
}

impl Gathered {
    fn take(&mut self, step: &ReplayedStep<'_>, prove: &mut dyn FnMut(u64) -> Option<Proven>) {
        self.steps = step.step + 1;
        self.follow(step.step, step.blocked(self.address));
        for (place, signature) in step.signatures {
            self.known.extend(&signature.sources);
            let Some(entry) = signature.sources.contains(&self.address).then(|| prove(place.index)).flatten() else {
                continue;
            };
            let (id, class) = (signature.id(), signature.class.name());
            let naming =
                Naming { signature: id, class, author: signature.author, step: signature.step, entry, outcome: None };
            self.named.push((place.index, naming));
        }
        for (place, sighting) in step.sightings {
            self.known.extend(&sighting.sources);
            if sighting.sources.contains(&self.address) {
                let trust = step.trust.get(sighting.agent.index()).copied().unwrap_or(0.0);
                let (agent, signature) = (sighting.agent, sighting.signature);
                self.sightings.push(SightingView { index: place.index, agent, step: sighting.step, signature, trust });
            }
        }
        for (_, decision) in step.outcomes {
            if let Some((_, naming)) = self.named.iter_mut().find(|(_, naming)| naming.signature == decision.signature)
            {
                naming.outcome.get_or_insert((decision.outcome, decision.step));
            }
            if decision.outcome == Outcome::Accepted {
                self.adopted.entry(decision.signature).or_insert(decision.step);
            }
        }
    }

    /// Notes where a block begins and where it ends.
    fn follow(&mut self, step: u32, block: Option<Blocked>) {
        let same = |a: &Blocked, b: &Blocked| a.signature == b.signature && a.since_step == b.since_step;
        if let (Some(before), Some(now)) = (&self.current, &block)
            && same(before, now)
        {
            return;
        }
        if let Some(span) = self.blocks.last_mut().filter(|_| self.current.is_some()) {
            span.until_step = Some(step);
        }
        self.current = block;
        if let Some(block) = block {
            self.blocks.push(self.span(block));
        }
    }

    /// A block that begins; a decision of the step before caused it.
    fn span(&self, block: Blocked) -> BlockSpan {
        let decided = block.since_step.saturating_sub(1);
        let adopted = self.adopted.get(&block.signature) == Some(&decided);
        let naming = self.named.iter().find(|(_, naming)| adopted && naming.signature == block.signature);
        let caused_by = naming.map_or_else(|| self.witnesses(decided), |(_, naming)| vec![naming.author]);
        BlockSpan {
            since_step: block.since_step,
            until_step: None,
            signature: block.signature,
            caused_by,
            named: naming.is_some(),
        }
    }

    /// The agents that sighted the address up to a step. A sighting counts for one block only, so those before the last
    /// block are left out.
    fn witnesses(&self, until_step: u32) -> Vec<AgentId> {
        let since = self.blocks.last().map_or(0, |span| span.since_step);
        let witnesses = self.sightings.iter().filter(|sighting| (since..=until_step).contains(&sighting.step));
        witnesses.map(|sighting| sighting.agent).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Explains what became of an address.
pub(super) fn explain(ledger: &Ledger, address: IpAddr) -> Result<AddressExplanation, ExplainError> {
    let mut gathered = Gathered {
        address,
        blocks: Vec::new(),
        current: None,
        named: Vec::new(),
        sightings: Vec::new(),
        adopted: BTreeMap::new(),
        known: BTreeSet::new(),
        steps: 0,
    };
    let mut failed = None;
    let genesis = replay(ledger.storage(), Depth::Decisions, &mut |step| {
        gathered.take(step, &mut |index| prove(ledger, index).map_err(|error| failed = Some(error)).ok());
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let nothing = gathered.named.is_empty() && gathered.sightings.is_empty();
    Ok(AddressExplanation {
        address,
        blocked: gathered.current.is_some(),
        near: if nothing { near(address, &gathered.known) } else { Vec::new() },
        blocks: gathered.blocks,
        named_by: gathered.named.into_iter().map(|(_, naming)| naming).collect(),
        sightings: gathered.sightings,
        sighting_trust: genesis.rules.exchange.sighting_trust,
        steps: gathered.steps,
        head: ledger.head().head,
    })
}

/// Known addresses that share the most leading bits with `address`, at least 16 of them, nearest first.
fn near(address: IpAddr, known: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
    let shared = |other: IpAddr| match (address, other) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        (IpAddr::V6(a), IpAddr::V6(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros()),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    };
    let mut ranked: Vec<(u32, IpAddr)> =
        known.iter().filter_map(|&other| Some((shared(other).filter(|&bits| bits >= 16)?, other))).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.into_iter().take(NEAR_MAX).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_addresses_share_their_network_and_the_nearest_comes_first() {
        let known: BTreeSet<IpAddr> =
            ["10.0.0.9", "10.0.7.1", "10.9.0.1", "::1"].iter().map(|text| text.parse().unwrap()).collect();
        let found = near("10.0.0.8".parse().unwrap(), &known);
        assert_eq!(found, ["10.0.0.9".parse::<IpAddr>().unwrap(), "10.0.7.1".parse().unwrap()]);
    }
}
