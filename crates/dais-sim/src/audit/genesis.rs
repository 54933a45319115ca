//! The first entry of a run's ledger: what the history that follows is a function of, and the rules by which it decided.

use serde::{Deserialize, Serialize};

use crate::params::error::ScenarioError;
use crate::params::rules::Rules;
use crate::seed::Seed;

/// Name and version of what a run's genesis entry holds.
pub const GENESIS_FORMAT: &str = "dais-run-v3";

/// The body of a run's first ledger entry, as JSON: with it, every later decision can be recomputed from the entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// [`GENESIS_FORMAT`]: the rules by which runs of earlier formats decided are no longer known.
    pub format: String,
    /// Seed of the run; the keys of agents and ledger follow from it.
    pub seed: Seed,
    /// Agents of the run, numbered from 0.
    pub agents: u32,
    /// Steps that were asked for.
    pub steps: u32,
    /// SHA-256 of the scenario without names, paths and the choice of worlds, in hex.
    pub scenario: String,
    /// SHA-256 of the feature schema, in hex.
    pub schema: String,
    /// Numeric features of the schema.
    pub features: usize,
    /// Categorical features of the schema.
    pub categories: usize,
    /// SHA-256 of each input file, in hex.
    pub files: Vec<String>,
    /// How agents observe, vote and trust, and how ballots are decided.
    pub rules: Rules,
    /// Witnesses of the ledger, each with name and public key as a C2SP `vkey`; they follow from the seed
    /// ([`crate::appointed`]).
    #[serde(default)]
    pub witnesses: Vec<String>,
}

/// A body that is no genesis.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// It is not the JSON that [`Genesis::encode`] writes.
    #[error("it is not the description of a run: {0}")]
    Json(String),
    /// It has another format.
    #[error("its format is `{found}`, this version reads `{GENESIS_FORMAT}`: read it with the version that wrote it")]
    Format {
        /// The format it names.
        found: String,
    },
    /// Its rules cannot be used.
    #[error("its rules cannot be used: {0}")]
    Rules(#[from] ScenarioError),
}

impl Genesis {
    /// The body of the entry.
    ///
    /// # Panics
    /// Never: plain data with string keys is JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data with string keys")
    }

    /// Reads a body.
    ///
    /// # Errors
    /// Bytes that [`Genesis::encode`] would not write, another format, rules out of their ranges.
    pub fn decode(body: &[u8]) -> Result<Self, GenesisError> {
        let genesis: Self = serde_json::from_slice(body).map_err(|error| Self::other_format(body, &error))?;
        if genesis.format != GENESIS_FORMAT {
            return Err(GenesisError::Format { found: genesis.format });
        }
        genesis.rules.check()?;
        if genesis.encode() == body { Ok(genesis) } else { Err(GenesisError::Json("not in canonical form".to_owned())) }
    }

    /// What is wrong with a body that is no genesis of this format: its format, if it names another.
    fn other_format(body: &[u8], error: &serde_json::Error) -> GenesisError {
        let value: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let format = value.and_then(|value| value.get("format")?.as_str().map(str::to_owned));
        match format {
            Some(found) if found != GENESIS_FORMAT => GenesisError::Format { found },
            _ => GenesisError::Json(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genesis() -> Genesis {
        Genesis {
            format: GENESIS_FORMAT.to_owned(),
            seed: Seed(7),
            agents: 3,
            steps: 10,
            scenario: "aa".to_owned(),
            schema: "bb".to_owned(),
            features: 4,
            categories: 1,
            files: Vec::new(),
            rules: Rules::default(),
            witnesses: vec!["w".to_owned()],
        }
    }

    #[test]
    fn a_genesis_is_read_back() {
        let genesis = genesis();
        assert_eq!(Genesis::decode(&genesis.encode()), Ok(genesis));
    }

    #[test]
    fn other_bytes_are_refused_by_name() {
        let spaced = [genesis().encode().as_slice(), b" "].concat();
        assert!(matches!(Genesis::decode(&spaced), Err(GenesisError::Json(_))));
        let other = Genesis { format: "x".to_owned(), ..genesis() };
        assert!(matches!(Genesis::decode(&other.encode()), Err(GenesisError::Format { found }) if found == "x"));
        let mut unfit = genesis();
        unfit.rules.policy.quorum = 7.0;
        assert!(matches!(Genesis::decode(&unfit.encode()), Err(GenesisError::Rules(_))));
    }
}
