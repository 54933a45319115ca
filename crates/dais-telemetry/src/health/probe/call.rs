use std::fmt::Display;
use std::time::Instant;

use crate::health::{Check, Finding, HealthParams};

/// Checks that the storage answers. Without it nothing can be recorded: it is critical.
pub fn storage<E: Display>(params: &HealthParams, ping: impl Fn() -> Result<(), E> + Send + Sync + 'static) -> Check {
    let check = Check::new("storage", params, move || {
        let asked = Instant::now();
        match ping() {
            Ok(()) => {
                let took_ms = asked.elapsed().as_secs_f64() * 1e3;
                Finding::healthy(format!("answers in {took_ms:.1} ms")).figure("answer_ms", took_ms)
            }
            Err(error) => Finding::unhealthy(format!("does not answer: {error}")),
        }
    });
    check.critical()
}

/// A ledger that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Number of entries.
    pub entries: u64,
    /// Root of the head, as it is shown to people.
    pub root: String,
}

/// Checks the head of the ledger as `verify` does. It depends on the check `storage` and is critical: what does not
/// verify must not be relied on. One wrong head is enough.
pub fn ledger<E: Display>(
    params: &HealthParams,
    verify: impl Fn() -> Result<Verified, E> + Send + Sync + 'static,
) -> Check {
    let check = Check::new("ledger", params, move || match verify() {
        Ok(Verified { entries, root }) => {
            Finding::healthy(format!("head of {entries} entries verified: {root}")).figure("entries", entries as f64)
        }
        Err(error) => Finding::unhealthy(format!("the head does not verify: {error}")),
    });
    Check { failures_min: 1, ..check.critical().after("storage") }
}
