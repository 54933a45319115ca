use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Health checks: how often, and the limits from which on a part of the system counts as degraded or unhealthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthParams {
    /// Whether health is checked while something runs.
    #[schemars(extend("x-reload" = false))]
    pub enable: bool,
    /// Seconds between two calls of a check, 0.1 to 86400.
    #[schemars(range(min = 0.1, max = 86400))]
    pub interval_s: f64,
    /// Seconds after which a check that does not return counts as unhealthy, 0.01 to 3600.
    #[schemars(range(min = 0.01, max = 3600))]
    pub timeout_s: f64,
    /// Worse findings in a row until a check shows the worse state, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub failures_min: u32,
    /// Better findings in a row until a check shows the better state, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub recoveries_min: u32,
    /// Findings remembered for each check, 1 to 10000.
    #[schemars(range(min = 1, max = 10000))]
    pub history_len: usize,
    /// Megabytes (10⁶ bytes) that must be free on the file system of the run; below it is unhealthy.
    pub disk_free_min_mb: u64,
    /// Megabytes free on the file system of the run below which it is degraded; at least `disk_free_min_mb`.
    pub disk_free_warn_mb: u64,
    /// Megabytes of memory the process may use: unhealthy above, degraded above nine tenths of it. 0 is no limit.
    pub memory_max_mb: u64,
    /// Megabytes of memory that must be available on the system; below it is degraded, below half of it unhealthy.
    pub memory_free_min_mb: u64,
    /// Mean load of all processors since the last check, in percent, above which they are degraded, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub cpu_max_percent: f64,
    /// Seconds that the clock may gain or lose on a steady one between two checks, 0.001 to 86400.
    #[schemars(range(min = 0.001, max = 86400))]
    pub clock_jump_max_s: f64,
    /// Seconds without a finished step after which a run is unhealthy, 0.1 to 86400; never before `stall_factor` allows.
    #[schemars(range(min = 0.1, max = 86400))]
    pub stall_s: f64,
    /// Times the median step time without a finished step before a run is unhealthy, 1 to 10000: runs with long steps
    /// are given longer than `stall_s`.
    #[schemars(range(min = 1, max = 10000))]
    pub stall_factor: f64,
    /// Share of agents failed or recovering above which agents are degraded, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub failed_agents_max_share: f64,
    /// Share of agents failed above which agents are unhealthy, 0 to 1; at least `failed_agents_max_share`.
    #[schemars(range(min = 0, max = 1))]
    pub failed_agents_unhealthy_share: f64,
    /// Other services that a run needs, each asked at every interval.
    pub dependencies: Vec<Dependency>,
}

/// A service that is reached over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dependency {
    /// Name of the check, unlike any other's.
    pub name: String,
    /// Where it is: `tcp://HOST:PORT` is connected to; `http://…` and `https://…` are asked with GET and must answer
    /// with a status below 400.
    pub address: String,
    /// Whether all is unhealthy without it; degraded otherwise.
    pub critical: bool,
}

impl Default for HealthParams {
    fn default() -> Self {
        Self {
            enable: true,
            interval_s: 30.0,
            timeout_s: 5.0,
            failures_min: 2,
            recoveries_min: 2,
            history_len: 100,
            disk_free_min_mb: 200,
            disk_free_warn_mb: 1000,
            memory_max_mb: 0,
            memory_free_min_mb: 200,
            cpu_max_percent: 98.0,
            clock_jump_max_s: 2.0,
            stall_s: 60.0,
            stall_factor: 20.0,
            failed_agents_max_share: 0.1,
            failed_agents_unhealthy_share: 0.5,
            dependencies: Vec::new(),
        }
    }
}

impl HealthParams {
    /// What is wrong across fields, each with the path of the field in this struct; empty if nothing is.
    #[must_use]
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if self.disk_free_warn_mb < self.disk_free_min_mb {
            wrong.push((
                "disk_free_warn_mb".to_owned(),
                format!("must be at least disk_free_min_mb, which is {}", self.disk_free_min_mb),
            ));
        }
        if self.failed_agents_unhealthy_share < self.failed_agents_max_share {
            wrong.push((
                "failed_agents_unhealthy_share".to_owned(),
                format!("must be at least failed_agents_max_share, which is {}", self.failed_agents_max_share),
            ));
        }
        let mut names = BTreeSet::new();
        for (index, dependency) in self.dependencies.iter().enumerate() {
            if dependency.name.is_empty() {
                wrong.push((format!("dependencies[{index}].name"), "must not be empty".to_owned()));
            } else if super::probe::BUILT_IN.contains(&dependency.name.as_str()) || !names.insert(&dependency.name) {
                let message = format!("another check is named `{}` already", dependency.name);
                wrong.push((format!("dependencies[{index}].name"), message));
            }
            if let Err(message) = super::probe::Address::parse(&dependency.address) {
                wrong.push((format!("dependencies[{index}].address"), message));
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_order() {
        assert_eq!(HealthParams::default().check(), []);
    }

    #[test]
    fn limits_that_contradict_one_another_and_addresses_that_are_none_are_told_all_at_once() {
        let dependency =
            |name: &str, address: &str| Dependency { name: name.into(), address: address.into(), critical: false };
        let params = HealthParams {
            disk_free_warn_mb: 1,
            dependencies: vec![
                dependency("disk", "tcp://db:5432"),
                dependency("broker", "broker:5672"),
                dependency("broker", "http://h"),
            ],
            ..HealthParams::default()
        };
        let places: Vec<String> = params.check().into_iter().map(|(place, _)| place).collect();
        assert_eq!(
            places,
            ["disk_free_warn_mb", "dependencies[0].name", "dependencies[1].address", "dependencies[2].name"]
        );
    }
}
