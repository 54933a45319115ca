//! Values on the command line that are more than a number or a path.

use std::net::IpAddr;
use std::time::Duration;

use dais_ledger::{COORDINATOR, HeadVerifier, Kind, Origin};
use dais_sim::{Behaviour, Mode};
use dais_traffic::Partition;
use ipnet::IpNet;
use jiff::Timestamp;

/// Length of networks where none is given, in bits.
const PREFIX: u8 = 24;
/// The longest time that may be asked for: a year.
const SECONDS_MAX: f64 = 31_536_000.0;

pub(crate) fn world(text: &str) -> Result<Mode, String> {
    let known = Mode::ALL.into_iter().find(|mode| mode.name() == text);
    known.ok_or_else(|| "expected isolated, collaborative or oracle".to_owned())
}

/// A way of lying.
pub(crate) fn behaviour(text: &str) -> Result<Behaviour, String> {
    match text.replace('_', "-").as_str() {
        "poisoner" => Ok(Behaviour::Poisoner),
        "inverter" => Ok(Behaviour::Inverter),
        "random-voter" => Ok(Behaviour::RandomVoter),
        "silent" => Ok(Behaviour::Silent),
        _ => Err("expected poisoner, inverter, random-voter or silent".to_owned()),
    }
}

pub(crate) fn partition(text: &str) -> Result<Partition, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let partition = match parts[..] {
        ["file"] => Partition::File,
        ["source-subnet"] => Partition::SourceSubnet { prefix: PREFIX },
        ["source-subnet", prefix] => Partition::SourceSubnet { prefix: number("a length in bits", prefix)? },
        ["destination-subnet"] => Partition::DestinationSubnet { prefix: PREFIX },
        ["destination-subnet", prefix] => Partition::DestinationSubnet { prefix: number("a length in bits", prefix)? },
        ["iid", sites] => Partition::Iid { sites: number("a number of sites", sites)? },
        ["dirichlet", sites, alpha] => Partition::Dirichlet {
            sites: number("a number of sites", sites)?,
            alpha: number("a number above 0", alpha)?,
        },
        _ => {
            let known = "file, source-subnet[:24], destination-subnet[:24], iid:N or dirichlet:N:ALPHA";
            return Err(format!("expected {known}"));
        }
    };
    partition.check().map_err(|error| error.to_string())?;
    Ok(partition)
}

fn number<T: std::str::FromStr>(expected: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("expected {expected}, found `{text}`"))
}

/// A network, or a single address.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map_err(|_| "expected an address or a network such as 10.0.0.0/8".to_owned())
}

/// A point in time in seconds since 1970.
pub(crate) fn moment(text: &str) -> Result<f64, String> {
    let stamp = || text.parse::<Timestamp>().map(|stamp| stamp.as_microsecond() as f64 / 1e6);
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    let wrong = |_| "expected seconds since 1970 or a time such as 2026-11-21T08:00:00Z".to_owned();
    seconds.map_or_else(|| stamp().map_err(wrong), Ok)
}

/// A share of a whole.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share: f64 = number("a share from 0 to 1", text)?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("expected a share from 0 to 1".to_owned()) }
}

/// A p-value to alert at.
pub(crate) fn level(text: &str) -> Result<f32, String> {
    let level: f32 = number("a level between 0 and 1", text)?;
    if level > 0.0 && level < 1.0 { Ok(level) } else { Err("expected a level above 0 and below 1".to_owned()) }
}

/// A time in seconds, at most a year.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = number("a number of seconds", text)?;
    if (0.0..=SECONDS_MAX).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("expected 0 to {SECONDS_MAX} seconds"))
    }
}

/// A time in seconds that something may take.
pub(crate) fn patience(text: &str) -> Result<Duration, String> {
    seconds(text)
        .and_then(|time| if time.is_zero() { Err("expected more than 0 seconds".to_owned()) } else { Ok(time) })
}

/// A key of the scenario and its value.
pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as agent.retrain_every=10")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// The public key of a ledger.
pub(crate) fn public_key(text: &str) -> Result<HeadVerifier, String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "expected 64 hexadecimal digits".to_owned())?;
    HeadVerifier::from_bytes(bytes).map_err(|error| error.to_string())
}

/// Name and public key of a log in the C2SP form `name+id+key`.
pub(crate) fn vkey(text: &str) -> Result<(Origin, HeadVerifier), String> {
    HeadVerifier::from_vkey(text).map_err(|error| error.to_string())
}

/// A time between two checks, at least a second.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a time such as 30s, 15m, 6h or 1d, found `{text}`");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u32 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
    if count == 0 { Err(wrong()) } else { Ok(Duration::from_secs(u64::from(count) * seconds)) }
}

/// A time: so long before now, or a time stamp.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(span) = interval(text) {
        return Timestamp::now().checked_sub(span).map_err(|error| error.to_string());
    }
    let wrong = || format!("expected a time span such as 30m, 1h or 2d, or 2026-11-21T08:00:00Z, found `{text}`");
    text.parse().map_err(|_| wrong())
}

/// The kind of an entry, by the name that JSON shows.
pub(crate) fn kind(text: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| format!("expected one of {}", Kind::ALL.map(Kind::name).join(", ")))
}

/// The author of an entry: an agent, as a number or as it is shown, or the coordinator.
pub(crate) fn author(text: &str) -> Result<u32, String> {
    if text == "coordinator" {
        return Ok(COORDINATOR);
    }
    number("an agent such as 12 or a12, or `coordinator`", text.strip_prefix('a').unwrap_or(text))
}

/// The author as it is shown.
pub(crate) fn author_name(author: u32) -> String {
    if author == COORDINATOR { "coordinator".to_owned() } else { format!("a{author}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_partition_is_understood() {
        assert_eq!(partition("file"), Ok(Partition::File));
        assert_eq!(partition("source-subnet"), Ok(Partition::SourceSubnet { prefix: 24 }));
        assert_eq!(partition("destination-subnet:16"), Ok(Partition::DestinationSubnet { prefix: 16 }));
        assert_eq!(partition("iid:5"), Ok(Partition::Iid { sites: 5 }));
        assert_eq!(partition("dirichlet:8:0.5"), Ok(Partition::Dirichlet { sites: 8, alpha: 0.5 }));
        for wrong in ["", "files", "iid", "iid:0", "iid:x", "source-subnet:33", "dirichlet:3:0", "dirichlet:3"] {
            assert!(partition(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_and_levels_have_bounds() {
        assert!(share("0").is_ok() && share("1").is_ok() && share("1.1").is_err() && share("NaN").is_err());
        assert!(level("0.02").is_ok() && level("0").is_err() && level("1").is_err() && level("NaN").is_err());
    }

    #[test]
    fn what_is_shown_of_an_entry_may_be_asked_for() {
        for shown in Kind::ALL {
            assert_eq!(kind(shown.name()), Ok(shown));
        }
        for shown in [0, 12, COORDINATOR] {
            assert_eq!(author(&author_name(shown)), Ok(shown));
        }
        assert!(kind("Vote").is_err() && author("b1").is_err() && author("").is_err());
        assert!(public_key("00").is_err() && public_key(&"00".repeat(32)).is_ok());
    }

    #[test]
    fn a_time_has_a_unit_and_is_not_nothing() {
        assert_eq!(interval("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(interval("15m"), Ok(Duration::from_mins(15)));
        assert_eq!((interval("6h"), interval("1d")), (Ok(Duration::from_hours(6)), Ok(Duration::from_hours(24))));
        for wrong in ["", "5", "0s", "-1s", "1w", "ss", "1.5h", "5µ", "5000000000d"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_setting_may_hold_further_equal_signs() {
        assert_eq!(setting("name=a=b"), Ok(("name".to_owned(), "a=b".to_owned())));
        assert!(setting("name").is_err());
    }
}
