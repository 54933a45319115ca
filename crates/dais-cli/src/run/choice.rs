//! From flags, scenario file and built-in defaults to the scenario of a run; flags win over the file.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use dais_config::Loaded;
use dais_lab::{Files, KeyError, Material, Scenario, Traffic, stem};

use crate::args::group::input::InputArgs;

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

/// Files that name a run; of the others the number is told.
const NAMES_MAX: usize = 2;
/// Characters of a name; folders are named after it.
const NAME_CHARS_MAX: usize = 60;

/// A name for a run on these files: their own, without folder and endings.
fn name_of(files: &[PathBuf]) -> String {
    let named: Vec<String> = files.iter().take(NAMES_MAX).map(|file| stem(file)).collect();
    let others = files.len() - named.len();
    let others = if others > 0 { format!("-and-{others}-more") } else { String::new() };
    let name: String = named.join("-").chars().take(NAME_CHARS_MAX).collect();
    if name.is_empty() { "data".to_owned() } else { name + &others }
}

/// Sets one key of a scenario; a key of the configuration is told from one that nothing has.
fn set(scenario: &mut Scenario, key: &str, value: &str) -> anyhow::Result<()> {
    scenario.set(key, value).map_err(|error| {
        let of_configuration = Loaded::default().value(key).is_some();
        if of_configuration && matches!(error, KeyError::Unknown { .. }) {
            anyhow!("it is a key of the configuration, not of the scenario: give it as --configure {key}={value}")
        } else {
            error.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_after_its_files() {
        let name = |files: &[&str]| name_of(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(name(&["data/nsl_kdd/KDDTrain+.csv.gz", "data/nsl_kdd/KDDTest+.csv.gz"]), "KDDTrain+-KDDTest+");
        assert_eq!(name(&["data/eve_home.json.gz"]), "eve_home");
        assert_eq!(name(&["x/site.conn.log.labeled.gz"]), "site");
        assert_eq!(name(&["a.csv", "b.csv", "c.csv", "d.csv"]), "a-b-and-2-more");
    }
}
