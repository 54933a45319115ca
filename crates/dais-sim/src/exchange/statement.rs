//! What agents state in one part of a step, and what of it holds: sealed by its author over its own bytes, dated now,
//! readable by whoever audits it later, and no more than one author may say.

use dais_ledger::Entry;
use dais_protocol::{AgentId, Purpose, SEALED_BYTES, Seal, SealContext, Statement, VerifyingKey, verify_batch};

use crate::agent::observe::SIGHTED_MAX;
use crate::exchange::bylaws::Bylaws;
use crate::exchange::message::{Ballots, Words};
use crate::exchange::record;
use crate::workers::Workers;

/// Votes beyond the open ballots that may be stated, for those who measure anew.
const VOTES_SPARE: usize = 8;

/// Seals verified together at least: a batch is cheaper the larger it is.
const BATCH_MIN: usize = 32;

/// What one agent states in one part of a step.
pub(crate) trait Stated {
    /// What its seal is given for.
    const PURPOSE: Purpose;

    /// Who states it.
    fn agent(&self) -> AgentId;

    fn seal(&self) -> Option<Seal>;

    /// Whether nothing is stated.
    fn is_empty(&self) -> bool;

    /// Whether every item is its author's, of step `t` and possible, and the quotas are kept.
    fn fits(&self, t: u32, bylaws: &Bylaws) -> bool;

    /// Digests of the items, in the order in which they are recorded; what the seal covers.
    fn digests(&self) -> Vec<[u8; 32]>;

    /// The items as ledger entries, without the seal.
    fn entries(&self) -> Vec<Entry>;
}

impl Stated for Words {
    const PURPOSE: Purpose = Purpose::Offer;

    fn agent(&self) -> AgentId {
        self.agent
    }

    fn seal(&self) -> Option<Seal> {
        self.seal
    }

    fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.sightings.is_empty() && self.challenges.is_empty()
    }

    fn fits(&self, t: u32, bylaws: &Bylaws) -> bool {
        let (numeric, categorical) = bylaws.shape;
        let named: usize = self.sightings.iter().map(|sighting| sighting.sources.len()).sum();
        self.offers.len() <= bylaws.offers_max
            && named <= SIGHTED_MAX
            && self.challenges.len() <= bylaws.signatures_max
            && self.offers.iter().all(|offer| offer.check_offer(self.agent, t, numeric, categorical).is_ok())
            && self.sightings.iter().all(|sighting| sighting.check(self.agent, t).is_ok())
            && self.challenges.iter().all(|challenge| challenge.check(self.agent, t).is_ok())
    }

    fn digests(&self) -> Vec<[u8; 32]> {
        let offers = self.offers.iter().map(|offer| *offer.id().as_bytes());
        let sightings = self.sightings.iter().map(dais_protocol::Sighting::digest);
        offers.chain(sightings).chain(self.challenges.iter().map(dais_protocol::Challenge::digest)).collect()
    }

    fn entries(&self) -> Vec<Entry> {
        let offers = self.offers.iter().map(|offer| record::signature(offer));
        let sightings = self.sightings.iter().map(record::sighting);
        offers.chain(sightings).chain(self.challenges.iter().map(record::challenge)).collect()
    }
}

impl Stated for Ballots {
    const PURPOSE: Purpose = Purpose::Vote;

    fn agent(&self) -> AgentId {
        self.agent
    }

    fn seal(&self) -> Option<Seal> {
        self.seal
    }

    fn is_empty(&self) -> bool {
        self.votes.is_empty()
    }

    fn fits(&self, t: u32, bylaws: &Bylaws) -> bool {
        // A second vote on a ballot is recorded: it is the proof against its author.
        self.votes.len() <= 2 * bylaws.ballots_max() + VOTES_SPARE
            && self.votes.iter().all(|vote| vote.check(self.agent, t).is_ok())
    }

    fn digests(&self) -> Vec<[u8; 32]> {
        self.votes.iter().map(dais_protocol::Vote::digest).collect()
    }

    fn entries(&self) -> Vec<Entry> {
        self.votes.iter().map(record::vote).collect()
    }
}

/// The seal of an agent's statement in a log.
pub(crate) fn sealed<S: Stated>(stated: &S, t: u32, log: &str, key: &dais_protocol::SealKey) -> Seal {
    let statement = Statement { agent: stated.agent(), step: t, digests: &stated.digests() };
    SealContext { log, purpose: S::PURPOSE }.seal(key, &statement)
}

/// Who checks seals: the log they are given in, and the public keys of the members.
pub(crate) struct Notary<'a> {
    pub(crate) log: &'a str,
    pub(crate) keys: &'a [VerifyingKey],
    pub(crate) workers: &'a Workers,
}

/// What holds of what was stated in step `t`, in the order of agents and one statement each, and how many did not hold.
/// Without a notary, as where there is no ledger, seals are not asked for.
pub(crate) fn held<S: Stated + Sync + Send>(
    t: u32,
    bylaws: &Bylaws,
    mut stated: Vec<S>,
    notary: Option<&Notary<'_>>,
) -> (Vec<S>, u64) {
    stated.retain(|said| !said.is_empty());
    let said = stated.len();
    stated.sort_by_key(Stated::agent);
    stated.retain(|said| said.fits(t, bylaws));
    if let Some(notary) = notary {
        let parts: Vec<&[S]> = stated.chunks(notary.workers.part(stated.len(), BATCH_MIN)).collect();
        let held = notary.workers.map(parts, |part| part_held(t, part, notary)).into_iter().flatten();
        let held: Vec<bool> = held.collect();
        let mut held = held.into_iter();
        stated.retain(|_| held.next() == Some(true));
    }
    stated.dedup_by_key(|said| said.agent());
    let refused = (said - stated.len()) as u64;
    (stated, refused)
}

/// Of each statement, whether its seal holds.
fn part_held<S: Stated>(t: u32, part: &[S], notary: &Notary<'_>) -> Vec<bool> {
    let mut held = vec![false; part.len()];
    let mut items: Vec<(usize, VerifyingKey, [u8; SEALED_BYTES], Seal)> = Vec::with_capacity(part.len());
    let context = SealContext { log: notary.log, purpose: S::PURPOSE };
    for (place, said) in part.iter().enumerate() {
        let (Some(seal), Some(&key)) = (said.seal(), notary.keys.get(said.agent().index())) else { continue };
        let statement = Statement { agent: said.agent(), step: t, digests: &said.digests() };
        items.push((place, key, context.message(&statement), seal));
    }
    let batch: Vec<(VerifyingKey, &[u8], Seal)> =
        items.iter().map(|(_, key, message, seal)| (*key, message.as_slice(), *seal)).collect();
    let bad = verify_batch(&batch).err().unwrap_or_default();
    for (place, ..) in &items {
        held[*place] = true;
    }
    for item in bad {
        held[items[item].0] = false;
    }
    held
}

/// The entries of what holds: each author's items, then its seal.
pub(crate) fn entries<S: Stated>(t: u32, stated: &[S]) -> Vec<Entry> {
    let mut all = Vec::new();
    for said in stated {
        all.extend(said.entries());
        all.extend(said.seal().map(|seal| record::seal(said.agent(), t, &seal)));
    }
    all
}

#[cfg(test)]
mod tests;
