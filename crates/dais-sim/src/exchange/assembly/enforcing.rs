//! What follows from an accepted signature: it is in force for a while, and the addresses sighted under it are blocked.

use std::collections::BTreeSet;
use std::sync::Arc;

use dais_protocol::{Matcher, Sighting, Signature, SignatureId};

use super::Assembly;
use super::accepted::Accepted;
use crate::exchange::message::Decisions;
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
        let challengers = BTreeSet::new();
        let accepted = Accepted { signature, matcher, radius, truth, challengers, order, expires_step };
        self.in_force.insert(id, accepted);
    }

    /// Blocks an address once those who sighted it are trusted enough together.
    pub(crate) fn sight(&mut self, sightings: &[Sighting], decisions: &mut Decisions) {
        for sighting in sightings.iter().filter(|sighting| self.in_force.contains_key(&sighting.signature)) {
            for &source in &sighting.sources {
                if !self.sighters.contains_key(&source) && self.sighters.len() >= self.bylaws.exchange.sighted_max {
                    self.sighters.pop_first();
                }
                let sighters = self.sighters.entry(source).or_default();
                sighters.insert(sighting.agent);
                let trust: f32 = sighters.iter().map(|&agent| self.trust.weight(agent)).sum();
                if trust >= self.bylaws.exchange.sighting_trust {
                    self.sighters.remove(&source);
                    decisions.blocks.push((source, sighting.signature));
                }
            }
        }
        for (source, _) in &decisions.blocks {
            if self.blocked.len() >= self.bylaws.exchange.sighted_max {
                self.blocked.pop_first();
            }
            self.counts.blocks += u64::from(self.blocked.insert(*source));
        }
    }
}
