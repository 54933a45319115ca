//! What the assembly opens ballots on: offers and challenges.

use std::collections::BTreeMap;
use std::sync::Arc;

use dais_protocol::{AgentId, Ballot, Challenge, Matcher, Motion, Signature, SignatureId, ballot_seed, committee};
use serde::{Deserialize, Serialize};

use super::Assembly;
use crate::exchange::message::Proposal;
use crate::exchange::open_ballot::OpenBallot;
use crate::params::mode::Mode;
use crate::truth::tally::SignatureTruth;

/// How often an offer waits for an open ballot that covers it.
const WAITS_MAX: u8 = 2;

/// Open ballots on signatures of one author.
const AUTHOR_BALLOTS_MAX: usize = 8;

/// An offer that waits for a ballot that covers it. If that ends without an accepted signature that covers it too, it
/// has its turn before any new offer: nobody can keep others from a vote with signatures that are not accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    signature: Arc<Signature>,
    id: SignatureId,
    truth: SignatureTruth,
    waits: u8,
}

impl Assembly {
    /// Opens a ballot on every offer that no accepted signature covers; what an open ballot covers waits for its end.
    /// The first offer of every author goes before any second one, the more trusted author first, and what nobody can
    /// choose, the draw, decides between equals. `draw` follows from what was offered.
    pub(crate) fn offer(&mut self, t: u32, draw: &[u8; 32], offers: Vec<Proposal>) {
        self.counts.offered += offers.len() as u64;
        for waiting in std::mem::take(&mut self.waiting) {
            self.admit_offer(t, draw, waiting);
        }
        for Proposal { signature, id, truth } in self.in_turn(draw, offers) {
            self.admit_offer(t, draw, Waiting { signature, id, truth, waits: 0 });
        }
    }

    /// The offers in the order in which they have their turn.
    fn in_turn(&self, draw: &[u8; 32], offers: Vec<Proposal>) -> Vec<Proposal> {
        let mut ranks: BTreeMap<AgentId, u32> = BTreeMap::new();
        let mut ranked: Vec<(u32, f32, [u8; 32], Proposal)> = Vec::with_capacity(offers.len());
        for offer in offers {
            let author = offer.signature.author;
            let rank = ranks.entry(author).or_default();
            *rank += 1;
            ranked.push((*rank, self.trust.weight(author), ballot_seed(draw, Motion::Adopt, offer.id), offer));
        }
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        ranked.into_iter().map(|(.., offer)| offer).collect()
    }

    fn admit_offer(&mut self, t: u32, draw: &[u8; 32], offer: Waiting) {
        let by_author = self.open.values().filter(|open| open.signature.author == offer.signature.author).count();
        let bound = self.bylaws.ballots_max();
        if self.is_covered(&offer) {
            self.counts.covered += 1;
        } else if offer.waits < WAITS_MAX && self.is_at_vote(&offer.signature) && self.waiting.len() < bound {
            self.waiting.push(Waiting { waits: offer.waits + 1, ..offer });
        } else if self.open.len() >= bound || by_author >= AUTHOR_BALLOTS_MAX {
            self.counts.refused_offers += 1;
        } else {
            self.counts.published += 1;
            let matcher = Arc::new(Matcher::new(&offer.signature.pattern));
            self.open_ballot(t, draw, Motion::Adopt, offer.signature, offer.id, matcher, offer.truth);
        }
    }

    /// Whether an accepted signature covers the offer, or it was offered before.
    fn is_covered(&self, offer: &Waiting) -> bool {
        let medoid = &offer.signature.medoid;
        let within = |matcher: &Matcher, radius: f32| matcher.distance(&medoid.numeric, &medoid.codes) <= radius;
        self.is_open(offer.id, Motion::Adopt)
            || self.in_force.values().any(|accepted| within(&accepted.matcher, accepted.radius))
    }

    /// Whether a signature that covers this one is at vote.
    fn is_at_vote(&self, signature: &Signature) -> bool {
        let medoid = &signature.medoid;
        let adopting = self.open.values().filter(|open| open.ballot.motion() == Motion::Adopt);
        let mut distances = adopting.map(|open| (open.matcher.distance(&medoid.numeric, &medoid.codes), open));
        distances.any(|(distance, open)| distance <= open.signature.radius)
    }

    #[expect(clippy::too_many_arguments, reason = "one call for each motion, each with all parts at hand")]
    fn open_ballot(
        &mut self,
        t: u32,
        draw: &[u8; 32],
        motion: Motion,
        signature: Arc<Signature>,
        id: SignatureId,
        matcher: Arc<Matcher>,
        truth: SignatureTruth,
    ) {
        let seed = ballot_seed(draw, motion, id);
        let members = committee(&seed, &self.active, self.bylaws.policy.committee_size(0));
        let ballot = Ballot::open(motion, id, signature.author, members, t);
        let open = OpenBallot { ballot, signature, matcher, truth, challengers: Vec::new() };
        self.open.insert((id, motion.code()), open);
    }

    /// Remembers who challenges what, and opens a revocation ballot on what enough agents have challenged. Each agent may
    /// challenge an accepted signature once.
    pub(crate) fn challenge(&mut self, t: u32, draw: &[u8; 32], challenges: &[Challenge]) {
        for challenge in challenges {
            if let Some(accepted) = self.in_force.get_mut(&challenge.signature)
                && accepted.have_challenged.insert(challenge.agent)
            {
                accepted.challengers.insert(challenge.agent);
            }
        }
        if self.bylaws.mode == Mode::Oracle {
            return;
        }
        let needed = self.bylaws.exchange.challengers_min;
        let doubted = self.in_force.iter().filter(|(_, accepted)| accepted.challengers.len() >= needed);
        let due: Vec<SignatureId> = doubted.map(|(id, _)| *id).collect();
        for id in due {
            self.move_revocation(t, draw, id);
        }
    }

    /// Opens a revocation ballot, unless one is open.
    fn move_revocation(&mut self, t: u32, draw: &[u8; 32], id: SignatureId) {
        if self.is_open(id, Motion::Revoke) || self.open.len() >= self.bylaws.ballots_max() {
            return;
        }
        let Some(accepted) = self.in_force.get_mut(&id) else { return };
        let challengers = std::mem::take(&mut accepted.challengers).into_iter().collect();
        let (signature, matcher, truth) =
            (Arc::clone(&accepted.signature), Arc::clone(&accepted.matcher), accepted.truth);
        self.open_ballot(t, draw, Motion::Revoke, signature, id, matcher, truth);
        if let Some(open) = self.open.get_mut(&(id, Motion::Revoke.code())) {
            open.challengers = challengers;
        }
    }
}
