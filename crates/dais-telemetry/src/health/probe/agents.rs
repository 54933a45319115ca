use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::health::{Check, Finding, HealthParams};

/// How many agents are in which state, told by whoever steps them.
#[derive(Debug, Default)]
pub struct AgentCounts {
    active: AtomicU64,
    recovering: AtomicU64,
    failed: AtomicU64,
}

impl AgentCounts {
    /// Sets all counts: agents that take part, that try again, and that were given up or retired.
    pub fn set(&self, active: u64, recovering: u64, failed: u64) {
        self.active.store(active, Ordering::Relaxed);
        self.recovering.store(recovering, Ordering::Relaxed);
        self.failed.store(failed, Ordering::Relaxed);
    }

    fn finding(&self, most: f64, most_failed: f64) -> Finding {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        let (active, recovering, failed) = (of(&self.active), of(&self.recovering), of(&self.failed));
        let all = active + recovering + failed;
        let share = |count: f64| if all > 0.0 { count / all } else { 0.0 };
        let detail = format!("{active:.0} active, {recovering:.0} recovering, {failed:.0} failed");
        let finding = if share(failed) > most_failed {
            Finding::unhealthy(format!("{detail}: more than {:.0} % failed", 100.0 * most_failed))
        } else if share(failed + recovering) > most {
            Finding::degraded(format!("{detail}: more than {:.0} % do not take part", 100.0 * most))
        } else {
            Finding::healthy(detail)
        };
        finding.figure("active", active).figure("recovering", recovering).figure("failed", failed)
    }
}

/// Checks how many agents take part.
pub fn agents(params: &HealthParams, counts: Arc<AgentCounts>) -> Check {
    let (most, most_failed) = (params.failed_agents_max_share, params.failed_agents_unhealthy_share);
    Check::new("agents", params, move || counts.finding(most, most_failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::State;

    #[test]
    fn too_many_agents_that_do_not_take_part_are_told() {
        let counts = AgentCounts::default();
        let state = |active, recovering, failed| {
            counts.set(active, recovering, failed);
            counts.finding(0.1, 0.5).state
        };
        assert_eq!(state(0, 0, 0), State::Healthy);
        assert_eq!(state(90, 5, 5), State::Healthy);
        assert_eq!(state(89, 6, 5), State::Degraded);
        assert_eq!(state(40, 0, 60), State::Unhealthy);
    }
}
