//! Seals that wait to be checked together: a batch is cheaper the larger it is.

use dais_protocol::{STATEMENT_BYTES, Seal, Statement, VerifyingKey, verify_batch};

use crate::audit::fault::{Check, Fault, Place, Wrong};
use crate::audit::step_entries::Sealed;

/// Seals that are checked together.
const BATCH: usize = 1024;

/// A seal that waits to be checked with others.
struct Waiting {
    place: Place,
    first: u64,
    key: VerifyingKey,
    message: [u8; STATEMENT_BYTES],
    seal: Seal,
}

/// Seals that wait to be checked, in the order of the ledger.
#[derive(Default)]
pub(super) struct WaitingSeals(Vec<Waiting>);

impl WaitingSeals {
    /// Adds the seals of a step, and checks all when they are many. `keys` are those of the agents, by number.
    pub(super) fn add(&mut self, seals: &[Sealed], keys: &[VerifyingKey]) -> Result<(), Fault> {
        for sealed in seals {
            let statement = Statement { agent: sealed.agent, step: sealed.place.step, digests: &sealed.digests };
            self.0.push(Waiting {
                place: sealed.place,
                first: sealed.place.index - sealed.digests.len() as u64,
                key: keys[sealed.agent.index()],
                message: statement.message(),
                seal: sealed.seal,
            });
        }
        if self.0.len() >= BATCH { self.check() } else { Ok(()) }
    }

    /// The fault that lies first: this one, or a seal that waits.
    pub(super) fn first_of(&mut self, fault: Fault) -> Fault {
        let index = |fault: &Fault| fault.place.map_or(u64::MAX, |place| place.index);
        match self.check() {
            Err(earlier) if index(&earlier) < index(&fault) => earlier,
            Err(_) | Ok(()) => fault,
        }
    }

    /// Checks all; names the first that does not fit.
    pub(super) fn check(&mut self) -> Result<(), Fault> {
        let waiting = std::mem::take(&mut self.0);
        let items: Vec<(VerifyingKey, &[u8], Seal)> =
            waiting.iter().map(|waiting| (waiting.key, waiting.message.as_slice(), waiting.seal)).collect();
        let Err(bad) = verify_batch(&items) else { return Ok(()) };
        let Waiting { place, first, .. } = waiting[bad[0]];
        let wrong = Wrong::Seal { first, last: place.index - 1 };
        Err(Fault::new(Check::Seals, Some(place), wrong))
    }
}
