use std::sync::{Mutex, PoisonError};

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::MB;
use crate::health::{Check, Finding, HealthParams};

/// Checks the memory of the process against its limit, and what the system has left. In a container with a limit of
/// its own that is what counts.
pub fn memory(params: &HealthParams) -> Check {
    let (limit, floor) = (params.memory_max_mb as f64, params.memory_free_min_mb as f64);
    let system = Mutex::new(System::new());
    Check::new("memory", params, move || {
        let mut system = system.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *system {
            Ok(system) => look(system).finding(limit, floor),
            Err(error) => Finding::degraded(format!("cannot look at the system: {error}")),
        }
    })
}

/// Megabytes.
#[derive(Clone, Copy, Debug)]
struct Memory {
    process: Option<f64>,
    available: f64,
    total: f64,
}

fn look(system: &mut System) -> Memory {
    system.refresh_memory();
    let own = sysinfo::get_current_pid().ok();
    if let Some(own) = own {
        let what = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, what);
    }
    let process = own.and_then(|own| system.process(own)).map(|process| process.memory() as f64 / MB);
    let mut memory =
        Memory { process, available: system.available_memory() as f64 / MB, total: system.total_memory() as f64 / MB };
    if let Some(group) = system.cgroup_limits().filter(|group| group.total_memory < system.total_memory()) {
        memory.available = memory.available.min(group.free_memory as f64 / MB);
        memory.total = group.total_memory as f64 / MB;
    }
    memory
}

impl Memory {
    fn finding(self, limit: f64, floor: f64) -> Finding {
        let Self { process, available, total } = self;
        let used = process.unwrap_or(0.0);
        let finding = if limit > 0.0 && used > limit {
            Finding::unhealthy(format!("the process uses {used:.0} MB, {limit:.0} MB are its limit"))
        } else if available < floor / 2.0 {
            Finding::unhealthy(format!("{available:.0} MB of {total:.0} MB are left on the system"))
        } else if limit > 0.0 && used > 0.9 * limit {
            Finding::degraded(format!("the process uses {used:.0} MB, near its limit of {limit:.0} MB"))
        } else if available < floor {
            Finding::degraded(format!("{available:.0} MB of {total:.0} MB are left on the system"))
        } else {
            Finding::healthy(format!("{used:.0} MB used by the process, {available:.0} MB of {total:.0} MB left"))
        };
        let finding = finding.figure("system_available_mb", available).figure("system_total_mb", total);
        process.into_iter().fold(finding, |finding, used| finding.figure("process_mb", used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::State;

    #[test]
    fn the_limit_of_the_process_and_the_rest_of_the_system_both_count() {
        let state =
            |used, available| Memory { process: Some(used), available, total: 8000.0 }.finding(1000.0, 200.0).state;
        assert_eq!(state(500.0, 4000.0), State::Healthy);
        assert_eq!(state(950.0, 4000.0), State::Degraded);
        assert_eq!(state(1001.0, 4000.0), State::Unhealthy);
        assert_eq!(state(500.0, 150.0), State::Degraded);
        assert_eq!(state(500.0, 99.0), State::Unhealthy);
    }

    #[test]
    fn this_process_and_this_system_have_memory() {
        let finding = (memory(&HealthParams::default()).probe)();
        assert!(finding.figures["process_mb"] > 0.5, "{finding:?}");
        assert!(finding.figures["system_total_mb"] >= finding.figures["system_available_mb"]);
    }
}
