//! Honest agents with equal views decide alike: what follows from the decisions is what the exchange has in force.

use super::View;
use crate::exchange::in_force::InForce;

pub(super) fn check(t: u32, view: &View<'_>, agents_view: &mut InForce) -> Result<(), String> {
    let next = t.saturating_add(1);
    agents_view.learn(next, view.decisions, view.params);
    let mut agents: Vec<_> = agents_view.adopted.iter().map(|adopted| adopted.id).collect();
    agents.sort_unstable();
    // What ends with this step is gone for agents when they learn, for the exchange when it convenes.
    let missing = agents.iter().find(|id| !view.in_force.contains(id));
    missing.map_or(Ok(()), |id| Err(format!("agents apply {}, which is not in force", id.short())))
}
