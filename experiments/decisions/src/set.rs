//! Sets of traffic, by name.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use dais_lab::{Scenario, Traffic};
use dais_sim::Mode;
use dais_traffic::{Campaigns, SyntheticParams};
use serde_json::Value;

/// A set of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// Generated traffic with campaigns.
    Synthetic,
    /// Generated traffic without attacks, with so many flows a step.
    Quiet(u32),
    /// NSL-KDD, drawn from a pool.
    NslKdd,
    /// Three hosts of CTU-50.
    Ctu50,
}

const ALL: [(&str, Set); 6] = [
    ("synthetic", Set::Synthetic),
    ("quiet-10", Set::Quiet(10)),
    ("quiet-100", Set::Quiet(100)),
    ("quiet-1000", Set::Quiet(1_000)),
    ("nsl-kdd", Set::NslKdd),
    ("ctu-50", Set::Ctu50),
];

impl Set {
    pub(crate) fn all() -> Vec<Self> {
        ALL.map(|(_, set)| set).to_vec()
    }

    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        let known = ALL.map(|(name, _)| name).join(", ");
        let found = ALL.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, set)| set).with_context(|| format!("there is no set `{name}`: expected {known}"))
    }

    pub(crate) fn name(self) -> &'static str {
        ALL.into_iter().find(|(_, set)| *set == self).map_or("", |(name, _)| name)
    }

    /// Its scenario; nothing where its files are not there.
    pub(crate) fn scenario(self) -> anyhow::Result<Option<Scenario>> {
        match self {
            Self::Synthetic => Ok(Some(Scenario::default())),
            Self::Quiet(flows) => Ok(Some(quiet(flows))),
            Self::NslKdd => of_file("nsl-kdd.yaml"),
            Self::Ctu50 => of_file("zeek-ctu50.yaml"),
        }
    }
}

/// Sites without attacks; of many flows a few sites suffice.
fn quiet(flows: u32) -> Scenario {
    let few = flows > 500;
    let params = SyntheticParams {
        sites: if few { 4 } else { 12 },
        steps: if few { 40 } else { 100 },
        flows_per_step: flows.into(),
        campaigns: Campaigns::Listed(Vec::new()),
        ..SyntheticParams::default()
    };
    Scenario { worlds: vec![Mode::Isolated], traffic: Traffic::Synthetic(params), ..Scenario::default() }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the real traffic.
fn data() -> PathBuf {
    std::env::var_os("DAIS_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from)
}

/// A scenario of the repository, with its files in the folder of the real traffic.
fn of_file(name: &str) -> anyhow::Result<Option<Scenario>> {
    let mut scenario = Scenario::read(&root().join("scenarios").join(name))?;
    let Traffic::Files(files) = &mut scenario.traffic else { bail!("{name}: its traffic is not in files") };
    for path in &mut files.paths {
        let within: Vec<_> = path.components().rev().take(2).collect();
        *path = within.iter().rev().fold(data(), |folder, part| folder.join(part));
    }
    let is_there = files.paths.iter().all(|path| path.is_file());
    Ok(is_there.then_some(scenario))
}

/// The scenario with keys set to YAML-like values, as `rules.agent.detector.alert_p=0.05`.
pub(crate) fn with(scenario: Scenario, settings: &[(String, String)]) -> anyhow::Result<Scenario> {
    let mut value = serde_json::to_value(scenario)?;
    for (key, text) in settings {
        let mut place = &mut value;
        for part in key.split('.') {
            place = place.get_mut(part).with_context(|| format!("{key}: the scenario has no `{part}`"))?;
        }
        *place = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
    }
    serde_json::from_value(value).context("--set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_one_name() {
        for (name, set) in ALL {
            assert_eq!((Set::named(name).expect("a set"), set.name()), (set, name));
        }
        assert!(Set::named("unknown").is_err());
    }

    #[test]
    fn a_key_is_set_and_an_unknown_one_is_refused() {
        let set = |key: &str, text: &str| with(Scenario::default(), &[(key.to_owned(), text.to_owned())]);
        let scenario = set("rules.policy.burst", "null").expect("a key");
        assert_eq!(scenario.rules.policy.burst, None);
        assert!(set("rules.policy.bursts", "null").is_err_and(|error| error.to_string().contains("bursts")));
        assert!(set("rules.agent.budget.gain", "much").is_err());
    }
}
