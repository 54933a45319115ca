//! Single values in foreign bytes: numbers, times, addresses, protocols.

use std::net::IpAddr;

use crate::{Protocol, Service};

use super::error::Flaw;

/// Seconds since 1970 beyond which a time is taken for damage: the year 5138.
const TIME_MAX_S: f64 = 1e11;

/// Text of a field.
pub(crate) fn text<'a>(column: &str, field: &'a [u8]) -> Result<&'a str, Flaw> {
    std::str::from_utf8(field).map_err(|_| Flaw::field(column, "UTF-8 text", field))
}

/// A finite number.
pub(crate) fn number(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    // Most fields of flow tables are a single digit.
    if let [digit @ b'0'..=b'9'] = field {
        return Ok(f64::from(digit - b'0'));
    }
    let value = std::str::from_utf8(field).ok().and_then(|text| text.trim().parse::<f64>().ok());
    match value {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err(Flaw::field(column, "a finite number", field)),
        None => Err(Flaw::field(column, "a number", field)),
    }
}

/// A duration or another amount that cannot be negative.
pub(crate) fn amount(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    let value = number(column, field)?;
    if value >= 0.0 { Ok(value) } else { Err(Flaw::field(column, "a number of at least 0", field)) }
}

/// A whole number of bytes or packets.
pub(crate) fn count(column: &str, field: &[u8]) -> Result<u64, Flaw> {
    let value = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    value.ok_or_else(|| Flaw::field(column, "a whole number of at least 0", field))
}

/// A port number.
pub(crate) fn port(column: &str, field: &[u8]) -> Result<u16, Flaw> {
    let value = std::str::from_utf8(field).ok().and_then(|text| text.trim().parse().ok());
    value.ok_or_else(|| Flaw::field(column, "a port from 0 to 65535", field))
}

/// An address of IP version 4 or 6.
pub(crate) fn address(column: &str, field: &[u8]) -> Result<IpAddr, Flaw> {
    let value = std::str::from_utf8(field).ok().and_then(|text| text.trim().parse().ok());
    value.ok_or_else(|| Flaw::field(column, "an IP address", field))
}

/// Seconds since 1970 or since the start of a capture.
pub(crate) fn seconds(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    let value = number(column, field)?;
    if value.abs() <= TIME_MAX_S { Ok(value) } else { Err(Flaw::field(column, "a time in seconds", field)) }
}

/// A point in time by RFC 3339, with `+0200` besides `+02:00` and a space besides `T`; UTC where no offset is given.
pub(crate) fn timestamp(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    let wrong = || Flaw::field(column, "a time such as 2021-06-06T15:57:37.272281+02:00", field);
    let text = std::str::from_utf8(field).map_err(|_| wrong())?.trim();
    let stamp = match text.parse::<jiff::Timestamp>() {
        Ok(stamp) => stamp,
        Err(_) => {
            let civil: jiff::civil::DateTime = text.parse().map_err(|_| wrong())?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?.timestamp()
        }
    };
    Ok(stamp.as_microsecond() as f64 / 1e6)
}

/// A time in seconds or, failing that, by RFC 3339.
pub(crate) fn time(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    seconds(column, field).or_else(|_| timestamp(column, field))
}

/// Transport protocol by the name that logs give it, in any case.
pub(crate) fn protocol(name: &str) -> Protocol {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if is("tcp") {
        Protocol::Tcp
    } else if is("udp") {
        Protocol::Udp
    } else if is("icmp") || is("icmp6") || is("ipv6-icmp") || is("icmpv6") {
        Protocol::Icmp
    } else {
        Protocol::Other
    }
}

/// Application protocol by the name that Zeek or Suricata gives it; of several (`gssapi,smb`) the best known.
pub(crate) fn service(names: &str) -> Service {
    let known = names.split(',').filter(|name| !name.starts_with('-')).map(one_service);
    known.fold(Service::None, |best, next| match (best, next) {
        (Service::None, _) => next,
        (Service::Other, next) if next != Service::None => next,
        _ => best,
    })
}

fn one_service(name: &str) -> Service {
    let lower = name.trim().to_ascii_lowercase();
    match lower.as_str() {
        "" | "-" | "failed" | "unknown" | "none" => Service::None,
        "dns" | "mdns" | "llmnr" => Service::Dns,
        "http" | "http2" => Service::Http,
        "ssl" | "tls" | "https" | "dtls" | "quic" => Service::Tls,
        "ssh" => Service::Ssh,
        "smtp" | "submission" => Service::Smtp,
        "imap" | "pop3" | "imaps" | "pop3s" => Service::Mailbox,
        "ftp" | "ftp-data" | "ftp_data" | "tftp" => Service::Ftp,
        "smb" | "dce_rpc" | "dcerpc" | "netbios" | "nbns" | "krb" | "krb5" | "krb_tcp" | "kerberos" | "ldap"
        | "ldap_tcp" | "ldap_udp" | "ntlm" => Service::Windows,
        "rdp" | "rfb" | "vnc" => Service::Rdp,
        "mysql" | "pgsql" | "postgresql" | "tds" | "redis" | "mongodb" => Service::Database,
        "mqtt" | "coap" => Service::Iot,
        "ntp" => Service::Ntp,
        "dhcp" => Service::Dhcp,
        "snmp" => Service::Snmp,
        _ => Service::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_nan_and_infinity_are_no_numbers() {
        for bad in ["abc", "", "NaN", "inf", "-Infinity", "1e999", "1,5", "\u{ff11}"] {
            assert!(number("c", bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(number("c", b" -2.5e3").ok().map(f64::to_bits), Some((-2500.0_f64).to_bits()));
    }

    #[test]
    fn timestamps_with_and_without_offset_agree() {
        let expected = 1_622_987_857.272_281_f64;
        for text in [
            "2021-06-06T15:57:37.272281+0200",
            "2021-06-06T15:57:37.272281+02:00",
            "2021-06-06T13:57:37.272281Z",
            "2021-06-06 13:57:37.272281",
        ] {
            let seconds = timestamp("t", text.as_bytes()).unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"));
            assert!((seconds - expected).abs() < 1e-6, "{text}: {seconds}");
        }
        assert!(timestamp("t", b"2021-13-06T15:57:37Z").is_err());
    }

    #[test]
    fn of_several_services_the_best_known_counts() {
        assert_eq!(service("gssapi,smb"), Service::Windows);
        assert_eq!(service("-ssl,http"), Service::Http);
        assert_eq!(service("-"), Service::None);
        assert_eq!(service("irc"), Service::Other);
    }

    #[test]
    fn addresses_of_both_versions_are_read() {
        assert!(address("a", b"10.0.0.1").is_ok_and(|address| address.is_ipv4()));
        assert!(address("a", b"fd2d:ab8c:225::1").is_ok_and(|address| address.is_ipv6()));
        assert!(address("a", b"10.0.0.256").is_err());
    }
}
