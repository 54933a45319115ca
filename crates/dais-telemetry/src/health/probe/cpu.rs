use std::sync::{Mutex, PoisonError};

use sysinfo::System;

use crate::health::{Check, Finding, HealthParams};

/// Checks the mean load of all processors since the last call. A busy processor is no fault, so it is never worse than
/// degraded.
pub fn cpu(params: &HealthParams) -> Check {
    let most = params.cpu_max_percent;
    let system = Mutex::new(System::new().map(|mut system| {
        // Load is a difference: this is where the first one begins.
        system.refresh_cpu_usage();
        system
    }));
    Check::new("cpu", params, move || {
        let mut system = system.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *system {
            Ok(system) => {
                system.refresh_cpu_usage();
                finding(f64::from(system.global_cpu_usage()), most, system.cpus().len())
            }
            Err(error) => Finding::degraded(format!("cannot look at the system: {error}")),
        }
    })
}

fn finding(percent: f64, most: f64, processors: usize) -> Finding {
    let detail = format!("{percent:.0} % of {processors} processors used");
    let finding = if percent > most {
        Finding::degraded(format!("{detail}, more than {most:.0} %"))
    } else {
        Finding::healthy(detail)
    };
    finding.figure("cpu_percent", percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::State;

    #[test]
    fn a_load_above_the_limit_is_degraded_and_never_worse() {
        assert_eq!([finding(90.0, 95.0, 2).state, finding(100.0, 95.0, 2).state], [State::Healthy, State::Degraded]);
    }
}
