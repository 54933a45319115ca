//! From flags, scenario file and built-in defaults to the scenario of a run; flags win over the file.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use dais_lab::{Files, Material, Scenario, Traffic, stem};
use serde_json::Value;

use crate::args::input::InputArgs;

/// The scenario before its files are read.
pub(crate) fn describe(args: &InputArgs) -> anyhow::Result<Scenario> {
    let mut scenario = match &args.scenario {
        Some(path) => Scenario::read(path).map_err(|error| with_hint(error, path))?,
        None => Scenario::default(),
    };
    if !args.data.is_empty() {
        if args.scenario.is_none() {
            scenario.name = name_of(&args.data);
        }
        match &mut scenario.traffic {
            Traffic::Files(files) => files.paths.clone_from(&args.data),
            Traffic::Synthetic(_) if args.scenario.is_none() => {
                scenario.traffic = Traffic::Files(Files { paths: args.data.clone(), ..Files::default() });
            }
            Traffic::Synthetic(_) => bail!("--data: the scenario generates its traffic; give one of the two"),
        }
    }
    let with_files = |given: bool, flag: &str| match (&scenario.traffic, given) {
        (Traffic::Synthetic(_), true) => Err(anyhow!("{flag} is for traffic from files: give them with --data")),
        _ => Ok(()),
    };
    with_files(args.schema.is_some(), "--schema")?;
    with_files(args.max_bad_rows.is_some(), "--max-bad-rows")?;
    if let Traffic::Files(files) = &mut scenario.traffic {
        if args.schema.is_some() {
            files.schema.clone_from(&args.schema);
        }
        files.max_bad_rows = args.max_bad_rows.or(files.max_bad_rows);
    }
    for (key, value) in &args.set {
        set(&mut scenario, key, value).with_context(|| format!("--set {key}={value}"))?;
    }
    if !args.worlds.is_empty() {
        scenario.worlds.clone_from(&args.worlds);
    }
    scenario.check()?;
    Ok(scenario)
}

/// A file that is no scenario may well be data.
fn with_hint(error: dais_lab::ScenarioFileError, path: &Path) -> anyhow::Error {
    let name = path.to_string_lossy();
    if name.ends_with(".yaml") || name.ends_with(".yml") || !path.is_file() {
        error.into()
    } else {
        anyhow!("{name} is no scenario file (YAML): give files of traffic with --data")
    }
}

/// Completes the scenario once its files are read: the choices that depend on what they hold.
pub(crate) fn complete(scenario: &mut Scenario, material: &Material, args: &InputArgs) -> anyhow::Result<()> {
    material.settle(&mut scenario.traffic);
    let said = |flag: &'static str| move |reason: &'static str| anyhow!("{flag}: {reason}");
    if let Some(partition) = args.partition {
        scenario.set_partition(partition).map_err(said("--partition"))?;
    }
    if let Some(agents) = args.agents {
        scenario.set_agents(agents).map_err(said("--agents"))?;
    }
    if let Some(steps) = args.steps {
        scenario.set_steps(steps).map_err(said("--steps"))?;
    }
    Ok(())
}

/// A name for a run on these files: that of the file, or of the folder where there are several.
fn name_of(files: &[PathBuf]) -> String {
    let first = files.first().map_or(Path::new(""), PathBuf::as_path);
    let whole = std::path::absolute(first).unwrap_or_else(|_| first.to_owned());
    let folder = || whole.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = if files.len() > 1 { folder().unwrap_or_default() } else { stem(first) };
    if name.is_empty() { "data".to_owned() } else { name }
}

/// Sets one key of a scenario by its path.
pub(crate) fn set(scenario: &mut Scenario, path: &str, text: &str) -> anyhow::Result<()> {
    let value: Value = serde_saphyr::from_str(text).map_err(|_| anyhow!("the value is no YAML"))?;
    let mut tree = serde_json::to_value(&*scenario).context("the scenario has no tree")?;
    // Rules are the bulk of a scenario and may be named without their prefix.
    let first = path.split('.').next().unwrap_or(path);
    let is_of_rules =
        tree.get(first).is_none() && tree["rules"].as_object().is_some_and(|rules| rules.contains_key(first));
    let path = if is_of_rules { &format!("rules.{path}") } else { path };
    complete_path(&mut tree, path);
    *place(&mut tree, path)? = value;
    *scenario = serde_json::from_value(tree)?;
    Ok(())
}

/// Writes out the keys on the way that the scenario has but leaves out of what is written while they have no value: those
/// that it reads when they are null.
fn complete_path(tree: &mut Value, path: &str) {
    let mut pointer = String::new();
    for key in path.split('.') {
        let Some(Value::Object(map)) = tree.pointer_mut(&pointer) else { return };
        if !map.contains_key(key) {
            map.insert(key.to_owned(), Value::Null);
            if serde_json::from_value::<Scenario>(tree.clone()).is_err() {
                if let Some(Value::Object(map)) = tree.pointer_mut(&pointer) {
                    map.remove(key);
                }
                return;
            }
        }
        pointer = format!("{pointer}/{key}");
    }
}

/// The place of a key in the tree of a scenario. What is not there yet is refused with the keys there are, but below a
/// key without a value.
fn place<'a>(tree: &'a mut Value, path: &str) -> anyhow::Result<&'a mut Value> {
    let mut place = tree;
    let mut above = String::from("the scenario");
    for key in path.split('.') {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
            place = place.as_object_mut().map(|map| map.entry(key).or_insert(Value::Null)).context("just made")?;
        } else if let Value::Array(items) = place {
            let count = items.len();
            let item = key.parse::<usize>().ok().and_then(|index| items.get_mut(index));
            place =
                item.with_context(|| format!("{above} is a list of {count}, counted from 0: `{key}` is not in it"))?;
        } else if let Value::Object(map) = place {
            if !map.contains_key(key) {
                let known: Vec<&str> = map.keys().map(String::as_str).collect();
                bail!("{above} has no key `{key}`; there are: {}", known.join(", "));
            }
            place = map.get_mut(key).context("looked up")?;
        } else {
            bail!("{above} is {place}, which has no keys below it");
        }
        above = format!("`{key}`");
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use dais_lab::Play;

    use super::*;

    #[test]
    fn a_key_is_set_by_its_path_with_or_without_rules() {
        let mut scenario = Scenario::default();
        set(&mut scenario, "rules.agent.retrain_every", "7").expect("a key");
        set(&mut scenario, "policy.threshold", "0.75").expect("a key of the rules");
        set(&mut scenario, "adversaries", "[{share: 0.2, behaviours: [silent]}]").expect("a list");
        set(&mut scenario, "adversaries.0.share", "0.3").expect("an item");
        assert_eq!(scenario.rules.agent.retrain_every, 7);
        assert!((scenario.rules.policy.threshold - 0.75).abs() < f32::EPSILON);
        assert!((scenario.rules.adversaries[0].share - 0.3).abs() < f64::EPSILON);
    }

    #[test]
    fn setting_a_key_leaves_all_others_as_they_were() {
        let mut scenario = Scenario::default();
        set(&mut scenario, "seed", "18446744073709551615").expect("a key");
        assert_eq!(scenario, Scenario { seed: Some(u64::MAX), ..Scenario::default() });
    }

    #[test]
    fn what_is_not_there_is_refused_with_what_there_is() {
        let refused = |path: &str, text: &str| {
            let error = set(&mut Scenario::default(), path, text).expect_err("no such key");
            format!("{error:#}")
        };
        assert!(refused("agent.retrain", "1").contains("retrain_every"));
        assert!(refused("nam", "x").contains("there are: name"));
        assert!(refused("name.x", "1").contains("no keys below"));
        assert!(refused("worlds.7", "oracle").contains("a list of 3"));
        assert!(refused("agent.retrain_every", "often").contains("often"));
    }

    #[test]
    fn a_key_that_is_left_out_while_it_has_no_value_is_set_too() {
        let mut scenario = Scenario::default();
        set(&mut scenario, "agent.drift.delta", "0.01").expect("a key below one without a value");
        set(&mut scenario, "rules.agent.gate", "{band: 6}").expect("a value with keys");
        set(&mut scenario, "agent.abstain_margin", "0.5").expect("a number");
        let agent = &scenario.rules.agent;
        assert_eq!(agent.drift.as_ref().map(|drift| drift.delta), Some(0.01));
        assert_eq!(agent.gate.as_ref().map(|gate| gate.band), Some(6.0));
        assert_eq!(agent.abstain_margin, Some(0.5));
        set(&mut scenario, "agent.gate.confirm_rows", "64").expect("a second key below it");
        assert_eq!(scenario.rules.agent.gate.as_ref().map(|gate| (gate.band, gate.confirm_rows)), Some((6.0, 64)));
        for key in ["drift", "gate", "abstain_margin"] {
            set(&mut scenario, &format!("agent.{key}"), "null").expect("off again");
        }
        assert_eq!(scenario, Scenario::default());
        let refused = |path: &str, text: &str| {
            let error = set(&mut Scenario::default(), path, text).expect_err("no such key");
            format!("{error:#}")
        };
        assert!(refused("agent.drift.delt", "0.01").contains("delta"));
        assert!(refused("agent.gate", "often").contains("often"));
    }

    #[test]
    fn how_files_are_played_may_be_set_before_they_are_read() {
        let traffic = Traffic::Files(Files::default());
        let mut scenario = Scenario { traffic, ..Scenario::default() };
        set(&mut scenario, "traffic.files.play.pool.flows_per_step", "9").expect("a key");
        let Traffic::Files(Files { play: Some(Play::Pool(pool)), .. }) = scenario.traffic else {
            panic!("a pool");
        };
        assert_eq!(pool.flows_per_step, 9);
    }

    #[test]
    fn a_run_is_named_after_its_file_or_folder() {
        let name = |files: &[&str]| name_of(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(name(&["data/nsl_kdd/KDDTrain+.csv.gz", "data/nsl_kdd/KDDTest+.csv.gz"]), "nsl_kdd");
        assert_eq!(name(&["data/eve_home.json.gz"]), "eve_home");
        assert_eq!(name(&["x/site.conn.log.labeled.gz"]), "site");
    }
}
