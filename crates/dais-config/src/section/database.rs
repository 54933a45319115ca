//! The ledger: in a file or on a server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::Secret;

/// What keeps a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseType {
    /// A file.
    Sqlite,
    /// A PostgreSQL server.
    Postgresql,
    /// A MySQL or MariaDB server.
    Mysql,
}

/// How the way to a database server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SslMode {
    /// Not at all.
    Disable,
    /// Always; the server's certificate must come from a known authority and name the host.
    Require,
    /// The same as `require`.
    VerifyFull,
}

/// Where ledgers are kept, and how long a server is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseParams {
    /// What keeps the ledger: a file (`sqlite`), or a `postgresql` or `mysql` server.
    pub r#type: DatabaseType,
    /// File of the ledger with `type: sqlite`. Without it the ledger is `ledger.db` in the folder of each run.
    pub path: Option<PathBuf>,
    /// Name or address of the server.
    pub host: Option<String>,
    /// Port of the server, 1 to 65535. Without it the usual one of the `type`.
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// Name of the database on the server.
    pub database: Option<String>,
    /// Who to log in as.
    pub username: Option<String>,
    /// Password of that user. Better given as the file that the variable `DATABASE_PASSWORD_FILE` names.
    pub password: Option<Secret>,
    /// How the way to the server is encrypted. Without a value whatever leaves this machine is.
    pub ssl_mode: Option<SslMode>,
    /// Connections that are kept open for readers, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub connection_pool_size: u32,
    /// Connections that may be opened beyond `connection_pool_size` while all are in use, 0 to 1000.
    #[schemars(range(min = 0, max = 1000))]
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub max_overflow: u32,
    /// How long one attempt to connect may take, in seconds, 0.001 to 3600.
    #[schemars(range(min = 0.001, max = 3600.0))]
    pub timeout: f64,
    /// How often it is tried again while the server is away, 0 to 1000; 0 is never.
    #[schemars(range(min = 0, max = 1000))]
    pub retry_attempts: u32,
    /// Shortest first wait before it is tried again, in seconds, 0 to 60; each wait is twice the one before, up to
    /// 5 seconds.
    #[schemars(range(min = 0.0, max = 60.0))]
    pub retry_delay: f64,
    /// Age at which a connection is replaced before its next use, in seconds, 0 to 31536000; 0 is never.
    #[schemars(range(min = 0.0, max = 31_536_000.0))]
    pub connection_recycle: f64,
}

impl Default for DatabaseParams {
    fn default() -> Self {
        Self {
            r#type: DatabaseType::Sqlite,
            path: None,
            host: None,
            port: None,
            database: None,
            username: None,
            password: None,
            ssl_mode: None,
            connection_pool_size: 5,
            max_overflow: 10,
            timeout: 5.0,
            retry_attempts: 10,
            retry_delay: 0.1,
            connection_recycle: 1800.0,
        }
    }
}

impl DatabaseParams {
    /// Rules that concern several keys, each as the key and what is wrong with it.
    pub fn check(&self) -> Vec<(String, String)> {
        let server = match self.r#type {
            DatabaseType::Sqlite => return Vec::new(),
            DatabaseType::Postgresql => "postgresql",
            DatabaseType::Mysql => "mysql",
        };
        let needed = [("host", self.host.is_none()), ("database", self.database.is_none())];
        let missing = needed.into_iter().filter(|(_, missing)| *missing);
        missing.map(|(key, _)| (key.to_owned(), format!("is needed with `database.type: {server}`"))).collect()
    }
}
