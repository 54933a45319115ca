//! What agents said in one step, gathered by author and checked against their seals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dais_ledger::Entry;
use dais_protocol::{AgentId, Seal, Sighting, Signature, Statement, VerifyingKey, Vote, verify_batch};

use crate::record;

/// Signatures, sightings and votes of one step, each sorted by author.
pub(crate) struct Statements {
    published: Vec<Arc<Signature>>,
    sightings: Vec<Sighting>,
    votes: Vec<Vote>,
}

/// The ledger entries of one author, in the order its seal covers.
type ByAuthor = BTreeMap<AgentId, Vec<Entry>>;

impl Statements {
    pub(crate) fn new(mut published: Vec<Arc<Signature>>, mut sightings: Vec<Sighting>, mut votes: Vec<Vote>) -> Self {
        published.sort_by_key(|signature| signature.author);
        sightings.sort_by_key(|sighting| sighting.agent);
        votes.sort_by_key(|vote| vote.voter);
        Self { published, sightings, votes }
    }

    pub(crate) fn votes(&self) -> &[Vote] {
        &self.votes
    }

    pub(crate) fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }

    fn by_author(&self) -> ByAuthor {
        let mut entries = ByAuthor::new();
        for signature in &self.published {
            entries.entry(signature.author).or_default().push(record::signature(signature));
        }
        for sighting in &self.sightings {
            entries.entry(sighting.agent).or_default().push(record::sighting(sighting));
        }
        for vote in &self.votes {
            entries.entry(vote.voter).or_default().push(record::vote(vote));
        }
        entries
    }

    /// Authors whose words carry no seal, or one that does not fit.
    pub(crate) fn check(&self, t: u32, seals: &[(AgentId, Seal)], keys: &[VerifyingKey]) -> BTreeSet<AgentId> {
        let by_author = self.by_author();
        let sealed: BTreeMap<AgentId, Seal> = seals.iter().copied().collect();
        let mut refused: BTreeSet<AgentId> =
            by_author.keys().filter(|agent| !sealed.contains_key(agent)).copied().collect();
        let mut authors = Vec::new();
        let mut messages = Vec::new();
        for (agent, entries) in &by_author {
            let Some(seal) = sealed.get(agent) else { continue };
            let digests: Vec<[u8; 32]> = entries.iter().map(|entry| record::digest_bytes(&entry.leaf_hash())).collect();
            let statement = Statement { agent: *agent, step: t, digests: &digests };
            authors.push(*agent);
            messages.push((keys[agent.index()], statement.message(), *seal));
        }
        let items: Vec<(VerifyingKey, &[u8], Seal)> =
            messages.iter().map(|(key, message, seal)| (*key, message.as_slice(), *seal)).collect();
        if let Err(bad) = verify_batch(&items) {
            refused.extend(bad.into_iter().map(|place| authors[place]));
        }
        refused
    }

    /// Forgets everything that these authors said.
    pub(crate) fn drop_authors(&mut self, refused: &BTreeSet<AgentId>) {
        self.published.retain(|signature| !refused.contains(&signature.author));
        self.sightings.retain(|sighting| !refused.contains(&sighting.agent));
        self.votes.retain(|vote| !refused.contains(&vote.voter));
    }

    /// All entries of the step: each author's words, then its seal.
    pub(crate) fn entries(&self, t: u32, seals: &[(AgentId, Seal)]) -> Vec<Entry> {
        let sealed: BTreeMap<AgentId, Seal> = seals.iter().copied().collect();
        let mut all = Vec::new();
        for (agent, entries) in self.by_author() {
            all.extend(entries);
            all.extend(sealed.get(&agent).map(|seal| record::seal(agent, t, seal)));
        }
        all
    }
}
