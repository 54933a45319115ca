//! The addresses that are blocked when a run ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use dais_ledger::Ledger;
use dais_protocol::{AgentId, Signature, SignatureId};
use dais_sim::{Blocked, Depth, replay};
use serde::Serialize;

use super::ExplainError;
use crate::archive::Archive;

/// A blocked address with the signature that the block rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlockedAddress {
    /// The address.
    pub address: IpAddr,
    /// First step of the block.
    pub since_step: u32,
    /// The time at which that step begins; of recorded traffic with times of a clock.
    pub since: Option<String>,
    /// What kind of attack the signature is taken for.
    pub class: &'static str,
    /// ATT&CK technique of that class, where there is one.
    pub technique: Option<&'static str>,
    /// The accepted signature.
    pub signature: SignatureId,
    /// Its author.
    pub author: AgentId,
}

/// The addresses that agents without an allow-list block after the last step of a run, ascending.
///
/// # Errors
/// A ledger that cannot be read or does not hold.
pub fn blocklist(archive: Archive) -> Result<Vec<BlockedAddress>, ExplainError> {
    let Archive { storage, summary, .. } = archive;
    let ledger = Ledger::open(storage)?;
    let mut named: BTreeSet<IpAddr> = BTreeSet::new();
    let mut signatures: BTreeMap<SignatureId, Arc<Signature>> = BTreeMap::new();
    let mut blocked: Vec<(IpAddr, Blocked)> = Vec::new();
    replay(ledger.storage(), Depth::Decisions, &mut |step| {
        for (_, signature) in step.signatures {
            named.extend(&signature.sources);
            signatures.insert(signature.id(), Arc::clone(signature));
        }
        named.extend(step.sightings.iter().flat_map(|(_, sighting)| &sighting.sources));
        // The last step stays.
        blocked.clear();
        blocked.extend(named.iter().filter_map(|&address| Some((address, step.blocked(address)?))));
    })?;
    let clock = summary.map(|summary| summary.clock).unwrap_or_default();
    let explained = blocked.into_iter().filter_map(|(address, block)| {
        let signature = signatures.get(&block.signature)?;
        Some(BlockedAddress {
            address,
            since_step: block.since_step,
            since: clock.time(block.since_step),
            class: signature.class.name(),
            technique: signature.class.technique(),
            signature: block.signature,
            author: signature.author,
        })
    });
    Ok(explained.collect())
}
