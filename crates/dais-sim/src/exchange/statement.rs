//! What agents said in one step, gathered by author and checked against their seals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dais_ledger::Entry;
use dais_protocol::{AgentId, Seal, Sighting, Signature, Statement, VerifyingKey, Vote, verify_batch};

use crate::exchange::record;
use crate::workers::Workers;

/// Signatures, sightings and votes of one step, each sorted by author.
pub(crate) struct Statements {
    published: Vec<Arc<Signature>>,
    sightings: Vec<Sighting>,
    votes: Vec<Vote>,
    /// The ledger entries of each author, in the order its seal covers.
    entries: BTreeMap<AgentId, Vec<Entry>>,
}

/// Seals verified together at least: a batch is cheaper the larger it is.
const BATCH_MIN: usize = 32;

impl Statements {
    pub(crate) fn new(mut published: Vec<Arc<Signature>>, mut sightings: Vec<Sighting>, mut votes: Vec<Vote>) -> Self {
        published.sort_by_key(|signature| signature.author);
        sightings.sort_by_key(|sighting| sighting.agent);
        votes.sort_by_key(|vote| vote.voter);
        let mut entries = BTreeMap::<AgentId, Vec<Entry>>::new();
        for signature in &published {
            entries.entry(signature.author).or_default().push(record::signature(signature));
        }
        for sighting in &sightings {
            entries.entry(sighting.agent).or_default().push(record::sighting(sighting));
        }
        for vote in &votes {
            entries.entry(vote.voter).or_default().push(record::vote(vote));
        }
        Self { published, sightings, votes, entries }
    }

    pub(crate) fn votes(&self) -> &[Vote] {
        &self.votes
    }

    pub(crate) fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }

    /// Authors whose words carry no seal, or one that does not fit.
    pub(crate) fn check(
        &self,
        t: u32,
        seals: &[(AgentId, Seal)],
        keys: &[VerifyingKey],
        workers: &Workers,
    ) -> BTreeSet<AgentId> {
        let sealed: BTreeMap<AgentId, Seal> = seals.iter().copied().collect();
        let said: Vec<(AgentId, &[Entry], Option<Seal>)> = self
            .entries
            .iter()
            .map(|(agent, entries)| (*agent, entries.as_slice(), sealed.get(agent).copied()))
            .collect();
        let parts: Vec<&[_]> = said.chunks(workers.part(said.len(), BATCH_MIN)).collect();
        let refused: Vec<Vec<AgentId>> = workers.map(parts, |said| unsealed(t, said, keys));
        refused.into_iter().flatten().collect()
    }

    /// Forgets everything that these authors said.
    pub(crate) fn drop_authors(&mut self, refused: &BTreeSet<AgentId>) {
        self.published.retain(|signature| !refused.contains(&signature.author));
        self.sightings.retain(|sighting| !refused.contains(&sighting.agent));
        self.votes.retain(|vote| !refused.contains(&vote.voter));
        self.entries.retain(|author, _| !refused.contains(author));
    }

    /// All entries of the step: each author's words, then its seal. They are gone from here then.
    pub(crate) fn take_entries(&mut self, t: u32, seals: &[(AgentId, Seal)]) -> Vec<Entry> {
        let sealed: BTreeMap<AgentId, Seal> = seals.iter().copied().collect();
        let mut all = Vec::new();
        for (agent, entries) in std::mem::take(&mut self.entries) {
            all.extend(entries);
            all.extend(sealed.get(&agent).map(|seal| record::seal(agent, t, seal)));
        }
        all
    }
}

/// Who of these authors has no seal on what it said, or one that does not fit.
fn unsealed(t: u32, said: &[(AgentId, &[Entry], Option<Seal>)], keys: &[VerifyingKey]) -> Vec<AgentId> {
    let (sealed, bare): (Vec<_>, Vec<_>) = said.iter().partition(|(_, _, seal)| seal.is_some());
    let messages = sealed.iter().map(|(agent, entries, seal)| {
        let digests: Vec<[u8; 32]> = entries.iter().map(|entry| record::digest_bytes(&entry.leaf_hash())).collect();
        let message = Statement { agent: *agent, step: t, digests: &digests }.message();
        seal.map(|seal| (keys[agent.index()], message, seal))
    });
    let messages: Vec<_> = messages.flatten().collect();
    let items: Vec<(VerifyingKey, &[u8], Seal)> =
        messages.iter().map(|(key, message, seal)| (*key, message.as_slice(), *seal)).collect();
    let bad = verify_batch(&items).err().unwrap_or_default();
    bare.iter().map(|(agent, _, _)| *agent).chain(bad.into_iter().map(|place| sealed[place].0)).collect()
}
