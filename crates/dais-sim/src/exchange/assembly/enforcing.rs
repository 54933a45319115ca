//! What follows from an accepted signature: it is in force for a while, and the addresses sighted under it are blocked.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use dais_protocol::{Matcher, Sighting, Signature, SignatureId};

use super::Assembly;
use super::accepted::Accepted;
use crate::exchange::message::{Adoption, Decisions};
use crate::truth::tally::SignatureTruth;

impl Assembly {
    /// Signatures whose time is over in step `t` are no longer in force.
    pub(super) fn expire(&mut self, t: u32) {
        self.in_force.retain(|_, accepted| accepted.expires_step > t);
    }

    /// Puts a signature in force from the next step on, as agents do when they learn of it.
    pub(super) fn enforce(
        &mut self,
        t: u32,
        id: SignatureId,
        signature: Arc<Signature>,
        matcher: Arc<Matcher>,
        radius: f32,
        truth: SignatureTruth,
    ) {
        let next = t.saturating_add(1);
        self.expire(next);
        if self.in_force.len() >= self.bylaws.signatures_max {
            let oldest = self.in_force.iter().min_by_key(|(_, accepted)| accepted.order).map(|(id, _)| *id);
            oldest.and_then(|id| self.in_force.remove(&id));
        }
        let expires_step = next.saturating_add(self.bylaws.signature_ttl_steps);
        let order = self.counts.accepted;
        let (challengers, have_challenged) = (BTreeSet::new(), BTreeSet::new());
        let accepted =
            Accepted { signature, matcher, radius, truth, challengers, have_challenged, order, expires_step };
        self.in_force.insert(id, accepted);
    }

    /// Blocks an address once enough agents, with enough trust together, say that it matches a signature in force. What
    /// the author of a signature names as sources of an accepted signature is one such voice.
    pub(crate) fn sight(&mut self, t: u32, sightings: &[Sighting], decisions: &mut Decisions) {
        let adopted: Vec<Sighting> = decisions.adopted.iter().map(|adoption| author_sighting(t, adoption)).collect();
        for sighting in adopted.iter().chain(sightings) {
            if self.in_force.contains_key(&sighting.signature) {
                sighting.sources.iter().for_each(|&source| self.sight_one(t, sighting, source, decisions));
            }
        }
        for (source, _) in &decisions.blocks {
            if self.blocked.len() >= self.bylaws.exchange.sighted_max {
                self.blocked.pop_first();
            }
            self.counts.blocks += u64::from(self.blocked.insert(*source));
        }
    }

    fn sight_one(&mut self, t: u32, sighting: &Sighting, source: IpAddr, decisions: &mut Decisions) {
        let params = &self.bylaws.exchange;
        let since = t.saturating_sub(params.sighting_ttl_steps);
        if !self.sighters.contains_key(&source) && self.sighters.len() >= params.sighted_max {
            self.sighters.retain(|_, sighters| sighters.values().any(|&step| step >= since));
            if self.sighters.len() >= params.sighted_max {
                self.sighters.pop_first();
            }
        }
        let sighters = self.sighters.entry(source).or_default();
        sighters.retain(|_, step| *step >= since);
        sighters.insert(sighting.agent, t);
        let trust: f32 = sighters.keys().map(|&agent| self.trust.weight(agent)).sum();
        if sighters.len() >= params.sighters_needed(self.active.len()) && trust >= params.sighting_trust {
            self.sighters.remove(&source);
            decisions.blocks.push((source, sighting.signature));
        }
    }
}

/// The sources that an author names, as what it saw.
fn author_sighting(t: u32, adoption: &Adoption) -> Sighting {
    let Adoption { signature, .. } = adoption;
    Sighting::new(signature.author, t, signature.id(), signature.sources.clone())
}
