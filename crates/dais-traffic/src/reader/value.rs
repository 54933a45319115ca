//! Single values in foreign bytes: numbers, times, addresses, protocols.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use encoding_rs::WINDOWS_1252;

use crate::{Protocol, Service};

use super::error::Flaw;

/// Seconds since 1970 beyond which a time is taken for damage: the year 5138.
const TIME_MAX_S: f64 = 1e11;

/// Text of a field.
pub(crate) fn text<'a>(column: &str, field: &'a [u8]) -> Result<&'a str, Flaw> {
    std::str::from_utf8(field).map_err(|_| Flaw::field(column, "UTF-8 text", field))
}

/// Text of a field of a table, by Windows-1252 where it is no UTF-8: what Windows programs write that know no better.
pub(crate) fn decoded(field: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(field).map_or_else(|_| WINDOWS_1252.decode_without_bom_handling(field).0, Cow::Borrowed)
}

/// Whether a field holds one of the words for nothing, or a quotient by zero, of which nothing is known either.
pub(crate) fn is_missing(field: &[u8]) -> bool {
    const WORDS: [&str; 12] = ["", "-", "--", "?", "na", "n/a", "nan", "null", "none", "inf", "infinity", "(empty)"];
    let field = field.trim_ascii();
    let unsigned = field.strip_prefix(b"-").or_else(|| field.strip_prefix(b"+")).unwrap_or(field);
    WORDS.iter().any(|word| unsigned.eq_ignore_ascii_case(word.as_bytes()))
}

/// A whole number in hexadecimal, such as `0x000b`.
fn hexadecimal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u64::from_str_radix(digits, 16).ok()
}

/// A finite number.
pub(crate) fn number(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    if let Some(value) = short_decimal(field) {
        return Ok(value);
    }
    let value = std::str::from_utf8(field).ok().and_then(|text| text.trim().parse::<f64>().ok());
    match value {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err(Flaw::field(column, "a finite number", field)),
        None => hexadecimal(field).map(|whole| whole as f64).ok_or_else(|| Flaw::field(column, "a number", field)),
    }
}

/// A number of digits with at most one point, as most are: where the digits are a whole number that an `f64` holds, they
/// and the power of ten are exact, and so is their quotient but for one rounding (Clinger 1990).
fn short_decimal(field: &[u8]) -> Option<f64> {
    const BYTES_MAX: usize = 17;
    const POWERS: [f64; BYTES_MAX] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];
    if field.len() > BYTES_MAX {
        return None;
    }
    let (mut digits, mut point) = (0_u64, None);
    for (at, byte) in field.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    if digits > 1 << f64::MANTISSA_DIGITS {
        return None;
    }
    let Some(point) = point else { return (!field.is_empty()).then_some(digits as f64) };
    let behind = field.len() - point - 1;
    (field.len() > 1).then(|| digits as f64 / POWERS[behind])
}

/// A whole number of at most 19 digits and nothing else.
fn short_whole(field: &[u8]) -> Option<u64> {
    const DIGITS_MAX: usize = 19;
    if field.is_empty() || field.len() > DIGITS_MAX {
        return None;
    }
    field.iter().try_fold(0_u64, |whole, byte| byte.is_ascii_digit().then(|| whole * 10 + u64::from(byte - b'0')))
}

/// An address such as `10.0.0.1` in the one form that is written so.
fn plain_ipv4(field: &[u8]) -> Option<Ipv4Addr> {
    let (mut octets, mut place, mut digits, mut octet) = ([0_u8; 4], 0, 0, 0_u16);
    for byte in field {
        match byte {
            // A leading zero could be taken for octal, so the general reader decides.
            b'0'..=b'9' if digits < 3 && (digits == 0 || octet > 0) => {
                octet = octet * 10 + u16::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && place < 3 => {
                octets[place] = u8::try_from(octet).ok()?;
                (place, digits, octet) = (place + 1, 0, 0);
            }
            _ => return None,
        }
    }
    if place != 3 || digits == 0 {
        return None;
    }
    octets[3] = u8::try_from(octet).ok()?;
    Some(Ipv4Addr::from(octets))
}

/// A duration or another amount that cannot be negative.
pub(crate) fn amount(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    let value = number(column, field)?;
    if value >= 0.0 { Ok(value) } else { Err(Flaw::field(column, "a number of at least 0", field)) }
}

/// A whole number of bytes or packets.
pub(crate) fn count(column: &str, field: &[u8]) -> Result<u64, Flaw> {
    let text = || std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    let value = short_whole(field).or_else(text);
    value.ok_or_else(|| Flaw::field(column, "a whole number of at least 0", field))
}

/// A port number, in decimal or, as Argus writes those of ICMP, hexadecimal.
pub(crate) fn port(column: &str, field: &[u8]) -> Result<u16, Flaw> {
    let text = || std::str::from_utf8(field).ok().and_then(|text| text.trim().trim_end_matches(".0").parse().ok());
    let hexadecimal = || hexadecimal(field).and_then(|port| u16::try_from(port).ok());
    let value = short_whole(field).and_then(|port| u16::try_from(port).ok()).or_else(text).or_else(hexadecimal);
    value.ok_or_else(|| Flaw::field(column, "a port from 0 to 65535", field))
}

/// An address of IP version 4 or 6.
pub(crate) fn address(column: &str, field: &[u8]) -> Result<IpAddr, Flaw> {
    if let Some(address) = plain_ipv4(field) {
        return Ok(IpAddr::V4(address));
    }
    let value = std::str::from_utf8(field).ok().and_then(|text| text.trim().parse().ok());
    value.ok_or_else(|| Flaw::field(column, "an IP address", field))
}

/// Seconds since 1970 or since the start of a capture.
pub(crate) fn seconds(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    known_seconds(column, number(column, field)?)
}

/// Seconds that are a time and no damage; a greater number counts milli-, micro- or nanoseconds.
pub(crate) fn known_seconds(column: &str, value: f64) -> Result<f64, Flaw> {
    if value.abs() < TEN_DIGITS {
        return Ok(value);
    }
    let seconds = of_finer_unit(value).or_else(|| (value.abs() <= TIME_MAX_S).then_some(value));
    seconds.ok_or_else(|| Flaw::field(column, "a time in seconds", value.to_string().as_bytes()))
}

/// Greater than any number of ten digits.
const TEN_DIGITS: f64 = 1e10;

/// Seconds of a time in milli-, micro- or nanoseconds.
///
/// From 2001 to 2033 seconds have ten digits of which the first is 1, so what follows these is a fraction; this also holds
/// where zeros at its end were lost. Other times are told by how many digits there are.
fn of_finer_unit(value: f64) -> Option<f64> {
    const MANY: f64 = 1e19;
    if !(TEN_DIGITS..MANY).contains(&value) {
        return None;
    }
    let mut unit = 10.0;
    while value / unit >= TEN_DIGITS {
        unit *= 10.0;
    }
    if value / unit < 2e9 {
        return Some(value / unit);
    }
    let unit = if value < 1e14 {
        1e3
    } else if value < 1e17 {
        1e6
    } else {
        1e9
    };
    (value > TIME_MAX_S).then_some(value / unit)
}

/// A point in time by RFC 3339, with `+0200` besides `+02:00` and a space besides `T`; UTC where no offset is given.
pub(crate) fn timestamp(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    let wrong = || Flaw::field(column, "a time such as 2021-06-06T15:57:37.272281+02:00", field);
    let text = std::str::from_utf8(field).map_err(|_| wrong())?.trim();
    let stamp = if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        stamp
    } else {
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| wrong())?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?.timestamp()
    };
    Ok(stamp.as_microsecond() as f64 / 1e6)
}

/// A time in seconds or, failing that, by RFC 3339.
pub(crate) fn time(column: &str, field: &[u8]) -> Result<f64, Flaw> {
    seconds(column, field).or_else(|_| timestamp(column, field))
}

/// Transport protocol by the name that logs give it, in any case.
pub(crate) fn protocol(name: &str) -> Protocol {
    match name {
        "tcp" | "TCP" => return Protocol::Tcp,
        "udp" | "UDP" => return Protocol::Udp,
        _ => {}
    }
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
    // What most flows are.
    match names {
        "" | "-" | "failed" => return Service::None,
        "dns" => return Service::Dns,
        "http" => return Service::Http,
        "ssl" | "tls" => return Service::Tls,
        _ => {}
    }
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
        "imap" | "pop3" | "imaps" | "pop3s" | "mailbox" => Service::Mailbox,
        "ftp" | "ftp-data" | "ftp_data" | "tftp" => Service::Ftp,
        "smb" | "dce_rpc" | "dcerpc" | "netbios" | "nbns" | "krb" | "krb5" | "krb_tcp" | "kerberos" | "ldap"
        | "ldap_tcp" | "ldap_udp" | "ntlm" | "windows" => Service::Windows,
        "rdp" | "rfb" | "vnc" => Service::Rdp,
        "mysql" | "pgsql" | "postgresql" | "tds" | "redis" | "mongodb" | "database" => Service::Database,
        "mqtt" | "coap" | "iot" => Service::Iot,
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
    fn short_decimals_are_the_numbers_that_the_standard_library_reads() {
        for text in [
            "0",
            "0.00",
            "007",
            "255",
            "0.17",
            "1.",
            ".5",
            "123456789.12345",
            "999999999999999",
            "0.1",
            "4503599.627370",
            "1655071198.444458",
            "9007199254740992",
            "9007199254.740991",
            "0.000000000000001",
        ] {
            let expected: f64 = text.parse().expect("a number");
            assert_eq!(short_decimal(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
        for text in ["", ".", "1.2.3", "1e5", "-1", "+1", " 1", "9007199254740993", "123456789012345678"] {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn short_whole_numbers_are_the_numbers_that_the_standard_library_reads() {
        for text in ["0", "007", "65536", "9999999999999999999"] {
            assert_eq!(short_whole(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in ["", "-1", "+1", " 1", "1.", "18446744073709551615"] {
            assert_eq!(short_whole(text.as_bytes()), None, "{text}");
        }
        assert_eq!(count("c", b"18446744073709551615").ok(), Some(u64::MAX));
        assert_eq!(port("c", b" +80 ").ok(), Some(80));
        for (text, expected) in [("0x000b", Some(11)), ("0xFFFF", Some(65_535)), ("0x10000", None), ("80.0", Some(80))]
        {
            assert_eq!(port("c", text.as_bytes()).ok(), expected, "{text}");
        }
    }

    #[test]
    fn plain_addresses_are_the_addresses_that_the_standard_library_reads() {
        for text in ["0.0.0.0", "255.255.255.255", "10.0.20.100"] {
            assert_eq!(plain_ipv4(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in
            ["", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.5", "01.2.3.4", "00.1.1.1", "256.1.1.1", "1.1.1.999", "1.1.1.1 "]
        {
            assert_eq!(plain_ipv4(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_in_finer_units_are_told_by_their_digits() {
        for (text, expected) in [
            ("1714979075309", 1_714_979_075.309),
            ("1594168228968772", 1_594_168_228.968_772),
            ("159416822896877", 1_594_168_228.968_77),
            ("15941682289687", 1_594_168_228.968_7),
            ("160817248971", 1_608_172_489.71),
            ("16081724897", 1_608_172_489.7),
            ("25000000000", 25_000_000_000.0),
            ("1594168228968772123", 1_594_168_228.968_772_1),
            ("899251200000", 899_251_200.0),
            ("2145916800000000", 2_145_916_800.0),
            ("1714979075.309", 1_714_979_075.309),
            ("50.5", 50.5),
        ] {
            let seconds = seconds("t", text.as_bytes()).unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"));
            assert!((seconds - expected).abs() < 1e-5, "{text}: {seconds}");
        }
        assert!(seconds("t", b"1e30").is_err() && seconds("t", b"-1714979075309").is_err());
    }

    #[test]
    fn words_for_nothing_and_quotients_by_zero_are_missing() {
        for text in ["", " ", "-", "?", "NaN", "Infinity", "-inf", "+Infinity", "NULL", "n/a", "(empty)"] {
            assert!(is_missing(text.as_bytes()), "{text}");
        }
        for text in ["0", "-1", "x", "nano"] {
            assert!(!is_missing(text.as_bytes()), "{text}");
        }
        assert_eq!(decoded(b"Web Attack \x96 XSS"), "Web Attack \u{2013} XSS");
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
        for bad in ["2021-13-06T15:57:37Z", "2021-06-06T15:57:37+99:00", "2021-06-06T15:57:37+02:0", "soon", ""] {
            assert!(timestamp("t", bad.as_bytes()).is_err(), "{bad}");
        }
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
