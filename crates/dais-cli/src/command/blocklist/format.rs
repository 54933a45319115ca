//! A blocklist as other programs read it.

use std::net::IpAddr;

use dais_lab::BlockedAddress;

use crate::args::blocklist::Format;

/// The addresses in a format, with the name of the run where that has comments.
pub(super) fn text(blocked: &[BlockedAddress], format: Format, run: &str) -> String {
    match format {
        Format::Plain => lines(blocked.iter().map(|one| one.address.to_string())),
        Format::Csv => csv(blocked),
        Format::Nft => nft(blocked, run),
        Format::Zeek => zeek(blocked),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

fn csv(blocked: &[BlockedAddress]) -> String {
    let head = "address,since_step,since,class,technique,signature,author".to_owned();
    let row = |one: &BlockedAddress| {
        let since = one.since.as_deref().unwrap_or_default();
        let technique = one.technique.unwrap_or_default();
        format!(
            "{},{},{since},{},{technique},{},{}",
            one.address, one.since_step, one.class, one.signature, one.author.0
        )
    };
    lines(std::iter::once(head).chain(blocked.iter().map(row)))
}

/// A table of its own, which replaces the one of an earlier blocklist as a whole.
fn nft(blocked: &[BlockedAddress], run: &str) -> String {
    let of = |wanted: fn(&IpAddr) -> bool| {
        let fitting: Vec<String> =
            blocked.iter().map(|one| one.address).filter(wanted).map(|address| address.to_string()).collect();
        // A set without elements says nothing of them.
        if fitting.is_empty() { String::new() } else { format!("        elements = {{ {} }}\n", fitting.join(", ")) }
    };
    let (v4, v6) = (of(IpAddr::is_ipv4), of(IpAddr::is_ipv6));
    let run = run.replace(['\n', '\r'], " ");
    format!(
        "#!/usr/sbin/nft -f\n# addresses that the agents of {run} block\ntable inet dais\ndelete table inet dais\n\
         table inet dais {{\n    set blocked4 {{\n        type ipv4_addr\n{v4}    }}\n    set blocked6 {{\n        type \
         ipv6_addr\n{v6}    }}\n    chain incoming {{\n        type filter hook prerouting priority -300; policy accept;\n        \
         ip saddr @blocked4 drop\n        ip6 saddr @blocked6 drop\n    }}\n}}\n"
    )
}

/// Tabs between columns, as the input framework of Zeek demands.
fn zeek(blocked: &[BlockedAddress]) -> String {
    let head = "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc".to_owned();
    let row = |one: &BlockedAddress| {
        format!("{}\tIntel::ADDR\tdais\t{}, signature {}", one.address, one.class, one.signature.short())
    };
    lines(std::iter::once(head).chain(blocked.iter().map(row)))
}

#[cfg(test)]
mod tests {
    use dais_protocol::{AgentId, SignatureId};

    use super::*;

    fn blocked() -> Vec<BlockedAddress> {
        let one = |address: &str| BlockedAddress {
            address: address.parse().unwrap(),
            since_step: 9,
            since: Some("2017-07-05T09:03:00Z".to_owned()),
            class: "port scan",
            technique: Some("T1046"),
            signature: SignatureId::from_bytes([0xab; 32]),
            author: AgentId(3),
        };
        ["192.0.2.7", "198.51.100.1", "2001:db8::1"].map(one).into()
    }

    #[test]
    fn each_format_holds_every_address() {
        let written = |format| text(&blocked(), format, "runs/office-7");
        assert_eq!(written(Format::Plain), "192.0.2.7\n198.51.100.1\n2001:db8::1\n");
        let csv = written(Format::Csv);
        let id = "ab".repeat(32);
        assert!(csv.contains(&format!("\n192.0.2.7,9,2017-07-05T09:03:00Z,port scan,T1046,{id},3\n")), "{csv}");
        let nft = written(Format::Nft);
        assert!(nft.contains("elements = { 192.0.2.7, 198.51.100.1 }"), "{nft}");
        assert!(nft.contains("elements = { 2001:db8::1 }"), "{nft}");
        let zeek = written(Format::Zeek);
        assert!(zeek.contains("\n192.0.2.7\tIntel::ADDR\tdais\tport scan, signature abababababab\n"), "{zeek}");
    }

    #[test]
    fn an_empty_blocklist_is_a_sound_file_too() {
        let nft = text(&[], Format::Nft, "x");
        assert!(!nft.contains("elements") && nft.contains("set blocked4"), "{nft}");
        assert_eq!(text(&[], Format::Plain, "x"), "");
        assert_eq!(text(&[], Format::Csv, "x").lines().count(), 1);
    }
}
