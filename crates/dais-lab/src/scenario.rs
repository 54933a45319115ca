//! A scenario: the complete description of a run, as a YAML file holds it.

mod key;

use std::path::{Path, PathBuf};

use dais_sim::{AdversaryGroup, Behaviour, Mode, Rules, ScenarioError};
use dais_traffic::{Partition, PoolParams, RecordedParams, SyntheticParams};
use serde::{Deserialize, Serialize};

pub use key::KeyError;

use crate::name::nearest;

/// The complete description of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Name, for people and for the run's folder; where not given, that of the file.
    pub name: String,
    /// Seed; the command line draws one where it is missing.
    pub seed: Option<u64>,
    /// Worlds to run on the same traffic.
    pub worlds: Vec<Mode>,
    /// Where the flows come from.
    pub traffic: Traffic,
    /// How agents observe, vote, trust and lie.
    pub rules: Rules,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "synthetic".to_owned(),
            seed: None,
            worlds: Mode::ALL.to_vec(),
            traffic: Traffic::Synthetic(SyntheticParams::default()),
            rules: Rules::default(),
        }
    }
}

/// What liars do where nothing else is said: they publish signatures of normal traffic and invert their votes.
pub const LIES: [Behaviour; 2] = [Behaviour::Poisoner, Behaviour::Inverter];

/// Where the flows of a run come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traffic {
    /// Generated sites and campaigns.
    Synthetic(SyntheticParams),
    /// Files of logs or labelled tables.
    Files(Files),
}

/// Files of one run; all hold the same kind of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// The files; relative paths start at the scenario's folder.
    pub paths: Vec<PathBuf>,
    /// Schema file of labelled tables that are not recognised by content.
    pub schema: Option<PathBuf>,
    /// Largest share of broken rows, 0 to 1; where not given 0 for labelled tables and 0.01 for logs.
    pub max_bad_rows: Option<f64>,
    /// How rows become traffic; where not given, rows with times are played back and others are drawn from a pool.
    pub play: Option<Play>,
}

/// How the rows of files become traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Play {
    /// Agents draw rows; attack families reach the sites one after another.
    Pool(PoolParams),
    /// Rows are played back by their times.
    Recorded(RecordedParams),
}

/// The name a scenario file gives, if it gives one.
#[derive(Default, Deserialize)]
struct Named {
    name: Option<String>,
}

/// A scenario that cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioFileError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is no scenario.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why, with the line.
        message: String,
    },
    /// A parameter out of its range.
    #[error(transparent)]
    Rules(#[from] ScenarioError),
    /// No world to run, or one twice.
    #[error("`worlds` is {0}: allowed are isolated, collaborative and oracle, each once, at least one")]
    Worlds(String),
}

impl Scenario {
    /// Reads a scenario file. Relative paths in it are made to start at its folder.
    ///
    /// # Errors
    /// A file that cannot be read, YAML that is no scenario (with line and column), parameters out of range.
    pub fn read(path: &Path) -> Result<Self, ScenarioFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioFileError::Read { path: path.to_owned(), source })?;
        let mut scenario: Self = serde_saphyr::from_str(&text)
            .map_err(|error| ScenarioFileError::Parse { path: path.to_owned(), message: explained(&error) })?;
        let Named { name } = serde_saphyr::from_str(&text).unwrap_or_default();
        if let (None, Some(stem)) = (name, path.file_stem()) {
            scenario.name = stem.to_string_lossy().into_owned();
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Traffic::Files(files) = &mut scenario.traffic {
            for file in files.paths.iter_mut().chain(&mut files.schema) {
                *file = folder.join(&*file);
            }
        }
        scenario.check()?;
        Ok(scenario)
    }

    /// Checks what can be checked without the traffic.
    ///
    /// # Errors
    /// The first parameter out of its range, with the allowed one.
    pub fn check(&self) -> Result<(), ScenarioFileError> {
        self.rules.check()?;
        let distinct = self.worlds.iter().enumerate().all(|(place, mode)| !self.worlds[..place].contains(mode));
        if self.worlds.is_empty() || !distinct {
            let names: Vec<&str> = self.worlds.iter().map(|mode| mode.name()).collect();
            return Err(ScenarioFileError::Worlds(format!("[{}]", names.join(", "))));
        }
        Ok(())
    }

    /// The scenario as YAML, with every default written out.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).expect("a scenario has string keys and finite numbers only")
    }

    /// Sets the number of agents, where the scenario decides it.
    ///
    /// # Errors
    /// Traffic whose sites are decided by something else: says by what.
    pub fn set_agents(&mut self, agents: u32) -> Result<(), &'static str> {
        match &mut self.traffic {
            Traffic::Synthetic(params) => params.sites = agents,
            Traffic::Files(files) => match &mut files.play {
                Some(Play::Pool(params)) => params.agents = agents,
                Some(Play::Recorded(params)) => match &mut params.partition {
                    Partition::Iid { sites } | Partition::Dirichlet { sites, .. } => *sites = agents,
                    Partition::File | Partition::SourceSubnet { .. } | Partition::DestinationSubnet { .. } => {
                        return Err("recorded traffic has one agent a site: choose the sites by the partition, \
                                    for instance iid:10");
                    }
                },
                None => return Err(UNSETTLED),
            },
        }
        Ok(())
    }

    /// Sets the alert level of all agents; the suspect and quarantine levels are raised where they would lie below it.
    pub fn set_alert_level(&mut self, alert_p: f32) {
        let agent = &mut self.rules.agent;
        agent.detector.alert_p = alert_p;
        agent.detector.suspect_p = agent.detector.suspect_p.max(alert_p);
        agent.quarantine_p = agent.quarantine_p.max(alert_p);
    }

    /// Makes a share of the agents, 0 to 1, lie in these ways, in place of the adversaries that the scenario has.
    pub fn set_liars(&mut self, share: f64, behaviours: &[Behaviour]) {
        let group = AdversaryGroup::new(share, behaviours);
        self.rules.adversaries = if share > 0.0 { vec![group] } else { Vec::new() };
    }

    /// Sets the number of steps.
    ///
    /// # Errors
    /// Files of which it is not chosen yet how they are played.
    pub fn set_steps(&mut self, steps: u32) -> Result<(), &'static str> {
        match &mut self.traffic {
            Traffic::Synthetic(params) => params.steps = steps,
            Traffic::Files(files) => match &mut files.play {
                Some(Play::Pool(params)) => params.steps = steps,
                Some(Play::Recorded(params)) => params.steps = steps,
                None => return Err(UNSETTLED),
            },
        }
        Ok(())
    }

    /// Sets how recorded flows are dealt to sites.
    ///
    /// # Errors
    /// Traffic that is not recorded with times: says what decides its sites.
    pub fn set_partition(&mut self, partition: Partition) -> Result<(), &'static str> {
        match &mut self.traffic {
            Traffic::Synthetic(_) => Err("generated traffic is made for its sites: choose the number of agents"),
            Traffic::Files(files) => match &mut files.play {
                Some(Play::Pool(_)) => Err("rows without times are drawn for each agent from all files: choose the \
                                            number of agents, or name the column with times in a schema file"),
                Some(Play::Recorded(params)) => {
                    params.partition = partition;
                    Ok(())
                }
                None => Err(UNSETTLED),
            },
        }
    }
}

/// What is wrong with YAML, and the word that may be meant where one is not known.
fn explained(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error::{SerdeUnknownField, SerdeUnknownVariant};
    let (SerdeUnknownField { field: word, expected, .. } | SerdeUnknownVariant { variant: word, expected, .. }) =
        error.without_snippet()
    else {
        return error.to_string();
    };
    let near = nearest(word, expected.iter().copied());
    let meant = near.map(|near| format!("\n  did you mean `{near}`?")).unwrap_or_default();
    format!("{}{meant}", error.to_string().trim_end())
}

/// Why a choice cannot be made before the files are read.
const UNSETTLED: &str = "how the files are played is decided when they are read";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_scenario_reads_back_the_same() {
        let scenario = Scenario { seed: Some(7), ..Scenario::default() };
        let read: Scenario = serde_saphyr::from_str(&scenario.to_yaml()).expect("own output");
        assert_eq!(read, scenario);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = serde_saphyr::from_str::<Scenario>("name: x\nsteeps: 3\n").expect_err("no such key");
        assert!(error.to_string().contains("steeps"), "{error}");
    }

    #[test]
    fn a_world_named_twice_is_refused() {
        let scenario = Scenario { worlds: vec![Mode::Oracle, Mode::Oracle], ..Scenario::default() };
        assert!(matches!(scenario.check(), Err(ScenarioFileError::Worlds(names)) if names == "[oracle, oracle]"));
    }
}
