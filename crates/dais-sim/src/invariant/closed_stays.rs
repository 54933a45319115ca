//! A closed outcome changes only by a revocation: no signature is decided on twice.

use std::collections::BTreeMap;

use dais_protocol::{Motion, Outcome, SignatureId};

use super::View;

/// Outcomes remembered; the rest of a longer run is not compared with them.
const OUTCOMES_MAX: usize = 100_000;

pub(super) fn check(view: &View<'_>, known: &mut BTreeMap<SignatureId, Outcome>) -> Result<(), String> {
    for decision in &view.decided {
        let id = decision.signature;
        match decision.motion {
            Motion::Adopt => {
                if let Some(before) = known.get(&id) {
                    return Err(format!("{} was {before:?}, now it is {:?}", id.short(), decision.outcome));
                }
                if known.len() < OUTCOMES_MAX {
                    known.insert(id, decision.outcome);
                }
            }
            Motion::Revoke if known.get(&id).is_some_and(|before| *before != Outcome::Accepted) => {
                return Err(format!("{} is to be revoked and was never accepted", id.short()));
            }
            Motion::Revoke => {}
        }
    }
    Ok(())
}
