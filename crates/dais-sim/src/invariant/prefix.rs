//! The log only grows: every head continues the one before.

use dais_ledger::{ConsistencyProof, Head};

use super::View;

pub(super) fn check(
    view: &View<'_>,
    known: &mut Option<Head>,
    prove: &dyn Fn(u64) -> Option<ConsistencyProof>,
) -> Result<(), String> {
    let before = std::mem::replace(known, view.head);
    let (Some(before), Some(now)) = (before, view.head) else { return Ok(()) };
    let proof =
        prove(before.size).ok_or_else(|| format!("nothing shows that {} entries are still there", before.size))?;
    proof.verify_between(&before, &now).map_err(|error| format!("{} entries are not continued: {error}", before.size))
}
