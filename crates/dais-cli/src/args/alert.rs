//! `dais alert`.

use clap::{Args, Subcommand};
use dais_alert::Matcher;
use jiff::{SignedDuration, Timestamp};

use super::group::setting::SettingArgs;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais alert test team
  dais alert test team --config staging.yaml
  dais alert rules
  dais alert silence add alertname=CheckDegraded check=disk --for 2h --comment 'moving disks'
  dais alert dead-letters --resend";

/// `dais alert`.
#[derive(Debug, Args)]
pub(crate) struct AlertArgs {
    #[command(subcommand)]
    pub(crate) command: AlertCommand,
    /// Print JSON in place of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Send a test message to a channel and say what happened
    Test {
        /// Name of the channel
        channel: String,
    },
    /// Show the rules that are looked at
    Rules,
    /// Keep alerts quiet for a time, see and end that
    #[command(subcommand)]
    Silence(SilenceCommand),
    /// Show the messages that could not be delivered
    DeadLetters {
        /// Send them again; those that are delivered are forgotten
        #[arg(long)]
        resend: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SilenceCommand {
    /// Keep alerts quiet for a time
    Add {
        /// Which alerts: label=value or label!=value, * for any text; all of them must hold
        #[arg(required = true, value_name = "MATCHER")]
        matchers: Vec<Matcher>,
        /// How long, such as 90m, 2h or 1d
        #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = span)]
        length: SignedDuration,
        /// From when, such as 2026-05-01T22:00:00Z [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<Timestamp>,
        /// Why
        #[arg(long, default_value = "", hide_default_value = true)]
        comment: String,
    },
    /// Show the silences that are not over
    List,
    /// End a silence
    Remove {
        /// Its id, as `list` shows it
        id: String,
    },
}

/// The longest silence.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

fn span(text: &str) -> Result<SignedDuration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.trim().parse::<u16>().ok());
    let length = match days {
        Some(days) => SignedDuration::from_hours(i64::from(days) * 24),
        None => text.parse().map_err(|error: jiff::Error| error.to_string())?,
    };
    if !length.is_positive() || length > LONGEST {
        return Err("must be more than nothing and at most 366 days".to_owned());
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_days_hours_and_minutes() {
        assert_eq!(span("1d"), Ok(SignedDuration::from_hours(24)));
        assert_eq!(span("2h 30m"), Ok(SignedDuration::from_mins(150)));
        for wrong in ["", "0s", "-1h", "367d", "soon", "5"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
