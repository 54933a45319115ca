//! What the assembly opens ballots on: offers and challenges.

use std::sync::Arc;

use dais_protocol::{AgentId, Ballot, Matcher, Motion, Signature, SignatureId, committee};

use super::Assembly;
use crate::exchange::message::Proposal;
use crate::exchange::open_ballot::OpenBallot;
use crate::params::mode::Mode;
use crate::truth::tally::SignatureTruth;

impl Assembly {
    /// Opens a ballot on every offer that is sound and that no open or accepted signature covers. The most trusted
    /// author's offer goes first. `seed` draws the committees.
    pub(crate) fn offer(&mut self, t: u32, seed: &[u8; 32], mut offers: Vec<Proposal>) {
        self.counts.offered += offers.len() as u64;
        offers.sort_by(|a, b| {
            let weight = |offer: &Proposal| self.trust.weight(offer.signature.author);
            let support = |offer: &Proposal| offer.signature.support;
            weight(b).total_cmp(&weight(a)).then(support(b).cmp(&support(a))).then(a.id.cmp(&b.id))
        });
        let (features, categories) = self.bylaws.shape;
        for offer in offers {
            if offer.signature.check(features, categories).is_err() {
                self.counts.refused_offers += 1;
            } else if self.covered(&offer.signature) {
                self.counts.covered += 1;
            } else if self.open.len() >= self.bylaws.exchange.ballots_max {
                self.counts.refused_offers += 1;
            } else {
                self.counts.published += 1;
                let matcher = Arc::new(Matcher::new(&offer.signature.pattern));
                self.open_ballot(t, seed, Motion::Adopt, offer.signature, offer.id, matcher, offer.truth);
            }
        }
    }

    fn covered(&self, signature: &Signature) -> bool {
        let medoid = &signature.medoid;
        let within = |matcher: &Matcher, radius: f32| matcher.distance(&medoid.numeric, &medoid.codes) <= radius;
        let by_accepted = self.in_force.values().any(|accepted| within(&accepted.matcher, accepted.radius));
        by_accepted || self.open.values().any(|open| within(&open.matcher, open.signature.radius))
    }

    #[expect(clippy::too_many_arguments, reason = "one call for each motion, each with all parts at hand")]
    fn open_ballot(
        &mut self,
        t: u32,
        seed: &[u8; 32],
        motion: Motion,
        signature: Arc<Signature>,
        id: SignatureId,
        matcher: Arc<Matcher>,
        truth: SignatureTruth,
    ) {
        let members = committee(seed, &self.active, self.bylaws.policy.committee_size(0));
        let ballot = Ballot::open(motion, id, signature.author, members, t);
        self.open.insert((id, motion.code()), OpenBallot { ballot, signature, matcher, truth });
    }

    /// Remembers who challenges what, and opens a revocation ballot on what enough agents have challenged.
    pub(crate) fn challenge(&mut self, t: u32, seed: &[u8; 32], challenges: Vec<(AgentId, SignatureId)>) {
        for (agent, id) in challenges {
            if let Some(accepted) = self.in_force.get_mut(&id) {
                accepted.challengers.insert(agent);
            }
        }
        if self.bylaws.mode == Mode::Oracle {
            return;
        }
        let needed = self.bylaws.exchange.challengers_min;
        let doubted = self.in_force.iter().filter(|(_, accepted)| accepted.challengers.len() >= needed);
        let due: Vec<SignatureId> = doubted.map(|(id, _)| *id).collect();
        for id in due {
            self.move_revocation(t, seed, id);
        }
    }

    /// Opens a revocation ballot, unless one is open or the signature is not in force.
    pub(crate) fn move_revocation(&mut self, t: u32, seed: &[u8; 32], id: SignatureId) {
        if self.is_open(id, Motion::Revoke) {
            return;
        }
        let Some(accepted) = self.in_force.get_mut(&id) else { return };
        accepted.challengers.clear();
        let (signature, matcher, truth) =
            (Arc::clone(&accepted.signature), Arc::clone(&accepted.matcher), accepted.truth);
        self.open_ballot(t, seed, Motion::Revoke, signature, id, matcher, truth);
    }
}
