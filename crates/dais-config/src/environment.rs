//! Where a deployment stands.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a deployment stands; it names the file that is laid over `default.yaml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// On the desk of a developer.
    #[default]
    Development,
    /// Where a release is tried before it goes into production.
    Staging,
    /// Where it matters.
    Production,
    /// On a small machine near the traffic.
    Edge,
    /// In a container.
    Docker,
    /// In automated tests.
    Test,
}

impl Environment {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Development, Self::Staging, Self::Production, Self::Edge, Self::Docker, Self::Test];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Edge => "edge",
            Self::Docker => "docker",
            Self::Test => "test",
        }
    }

    /// The environment of a name, whatever its case; `dev`, `prod`, `stage` and `testing` are understood.
    pub fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "dev" => Some(Self::Development),
            "stage" => Some(Self::Staging),
            "prod" => Some(Self::Production),
            "testing" => Some(Self::Test),
            name => Self::ALL.into_iter().find(|environment| environment.name() == name),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
