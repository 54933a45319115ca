//! How long a ledger on a database server is waited for.

use std::time::Duration;

use clap::Args;
use dais_config::DatabaseParams;
use dais_ledger::{Durability, ServerSettings, StorageOptions};

use crate::args::value;

/// Settings of a ledger on a server; a ledger in a file heeds none of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ledger on a server")]
pub(crate) struct ServerArgs {
    /// How long one attempt to connect may take [default: 5]
    #[arg(long = "ledger-timeout", value_name = "SECONDS", env = "DATABASE_TIMEOUT")]
    #[arg(value_parser = value::patience, hide_short_help = true)]
    timeout: Option<Duration>,
    /// How often it is tried again while the server is away; 0: never [default: 10]
    #[arg(long = "ledger-retry-attempts", value_name = "N", env = "DATABASE_RETRY_ATTEMPTS", hide_short_help = true)]
    retry_attempts: Option<u32>,
    /// The shortest first wait before it is tried again; each wait is twice the one before, up to 5 seconds [default: 0.1]
    #[arg(long = "ledger-retry-delay", value_name = "SECONDS", env = "DATABASE_RETRY_DELAY")]
    #[arg(value_parser = value::seconds, hide_short_help = true)]
    retry_delay: Option<Duration>,
    /// Age at which a connection is replaced before its next use; 0: never [default: 1800]
    #[arg(long = "ledger-recycle", value_name = "SECONDS", env = "DATABASE_CONNECTION_RECYCLE")]
    #[arg(value_parser = value::seconds, hide_short_help = true)]
    recycle: Option<Duration>,
}

impl ServerArgs {
    /// How a ledger is opened; a file with `durability`.
    pub(crate) fn options(&self, durability: Durability) -> StorageOptions {
        self.options_over(durability, &DatabaseParams::default())
    }

    /// As [`ServerArgs::options`], with what the configuration says where the flags do not.
    pub(crate) fn options_over(&self, durability: Durability, configured: &DatabaseParams) -> StorageOptions {
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let server = ServerSettings {
            connect_timeout: self.timeout.unwrap_or_else(|| seconds(configured.timeout)),
            retry_attempts: self.retry_attempts.unwrap_or(configured.retry_attempts),
            retry_delay: self.retry_delay.unwrap_or_else(|| seconds(configured.retry_delay)),
            recycle: self.recycle.unwrap_or_else(|| seconds(configured.connection_recycle)),
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
        assert_eq!(line.server.timeout, Some(Duration::from_millis(500)));
        assert_eq!(line.server.recycle, Some(Duration::ZERO));
        for wrong in ["0", "-1", "NaN", "1e99", "soon"] {
            assert!(Line::try_parse_from(["dais", &format!("--ledger-timeout={wrong}")]).is_err(), "{wrong}");
        }
    }
}
