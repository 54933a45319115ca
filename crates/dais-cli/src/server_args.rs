//! How long a ledger on a database server is waited for.

use std::time::Duration;

use clap::Args;
use dais_ledger::{Durability, ServerSettings, StorageOptions};

use crate::value;

/// Settings of a ledger on a server; a ledger in a file heeds none of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ledger on a server")]
pub(crate) struct ServerArgs {
    /// How long one attempt to connect may take
    #[arg(long = "ledger-timeout", value_name = "SECONDS", env = "DATABASE_TIMEOUT", default_value = "5")]
    #[arg(value_parser = value::patience, hide_short_help = true)]
    timeout: Duration,
    /// How often it is tried again while the server is away; 0: never
    #[arg(long = "ledger-retry-attempts", value_name = "N", env = "DATABASE_RETRY_ATTEMPTS", default_value_t = 10)]
    #[arg(hide_short_help = true)]
    retry_attempts: u32,
    /// The shortest first wait before it is tried again; each wait is twice the one before, up to 5 seconds
    #[arg(long = "ledger-retry-delay", value_name = "SECONDS", env = "DATABASE_RETRY_DELAY", default_value = "0.1")]
    #[arg(value_parser = value::seconds, hide_short_help = true)]
    retry_delay: Duration,
    /// Age at which a connection is replaced before its next use; 0: never
    #[arg(long = "ledger-recycle", value_name = "SECONDS", env = "DATABASE_CONNECTION_RECYCLE")]
    #[arg(default_value = "1800", value_parser = value::seconds, hide_short_help = true)]
    recycle: Duration,
}

impl ServerArgs {
    /// How a ledger is opened; a file with `durability`.
    pub(crate) fn options(&self, durability: Durability) -> StorageOptions {
        let server = ServerSettings {
            connect_timeout: self.timeout,
            retry_attempts: self.retry_attempts,
            retry_delay: self.retry_delay,
            recycle: self.recycle,
            ..ServerSettings::default()
        };
        StorageOptions { durability, server, ..StorageOptions::default() }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        server: ServerArgs,
    }

    #[test]
    fn what_help_calls_the_defaults_are_those_of_the_ledger() {
        let line = Line::parse_from(["dais"]);
        assert_eq!(line.server.options(Durability::default()), StorageOptions::default());
    }

    #[test]
    fn seconds_may_have_a_fraction_and_have_bounds() {
        let line = Line::parse_from(["dais", "--ledger-timeout", "0.5", "--ledger-recycle", "0"]);
        assert_eq!(line.server.timeout, Duration::from_millis(500));
        assert_eq!(line.server.recycle, Duration::ZERO);
        for wrong in ["0", "-1", "NaN", "1e99", "soon"] {
            assert!(Line::try_parse_from(["dais", &format!("--ledger-timeout={wrong}")]).is_err(), "{wrong}");
        }
    }
}
