//! The first entry of a run's ledger: what the history that follows is a function of, and the rules by which it decided.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::params::error::ScenarioError;
use crate::params::rules::Rules;
use crate::seed::Seed;

/// Name and version of what a run's genesis entry holds.
pub const GENESIS_FORMAT: &str = "dais-run-v2";

/// The version before, which is still read: it knew no witnesses.
const UNWITNESSED_FORMAT: &str = "dais-run-v1";

/// What the version before did not have among the parameters of the exchange.
const UNWITNESSED_LACKS: [&str; 3] = ["witnesses", "witness_steps", "two_faced_from"];

/// The body of a run's first ledger entry, as JSON: with it, every later decision can be recomputed from the entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// [`GENESIS_FORMAT`], or an older one.
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
    #[error("its format is `{found}`, this version reads `{GENESIS_FORMAT}`")]
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
        let mut genesis: Self = serde_json::from_slice(body).map_err(|error| GenesisError::Json(error.to_string()))?;
        genesis.rules.check()?;
        let canonical = match genesis.format.as_str() {
            GENESIS_FORMAT => genesis.encode() == body,
            UNWITNESSED_FORMAT => {
                genesis.rules.exchange.witnesses = 0;
                genesis
                    .without_witnesses()
                    .is_some_and(|all| serde_json::from_slice(body).is_ok_and(|body: Value| body == all))
            }
            _ => return Err(GenesisError::Format { found: genesis.format }),
        };
        if canonical { Ok(genesis) } else { Err(GenesisError::Json("not in canonical form".to_owned())) }
    }

    /// What the version before wrote of it.
    fn without_witnesses(&self) -> Option<Value> {
        let mut value: Value = serde_json::from_slice(&self.encode()).ok()?;
        value.as_object_mut()?.remove("witnesses");
        let exchange = value.get_mut("rules")?.get_mut("exchange")?.as_object_mut()?;
        for key in UNWITNESSED_LACKS {
            exchange.remove(key);
        }
        Some(value)
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
    fn the_genesis_of_a_run_that_knew_no_witnesses_is_read() {
        let genesis = Genesis { format: UNWITNESSED_FORMAT.to_owned(), witnesses: Vec::new(), ..genesis() };
        let old = genesis.without_witnesses().expect("an object").to_string();
        let read = Genesis::decode(old.as_bytes()).expect("the version before");
        assert_eq!((read.rules.exchange.witnesses, &read.witnesses), (0, &Vec::new()));
        assert!(matches!(Genesis::decode(&genesis.encode()), Err(GenesisError::Json(_))), "it had no such keys");
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
