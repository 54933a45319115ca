//! No modules of a crate need one another in a circle.
//!
//! Modules that stand beside one another are compared, from the rooms at the root of a crate down to the files of every
//! folder; a room counts with all that is within it. One needs the other if it names anything of it, by whatever path:
//! `crate::…`, `super::…`, or through a re-export, which leads to the module that declares the item.
//!
//! A module and what is within it are one thing and no circle: the parts of a room may use what the room's own file
//! declares, and this file may use and re-export its parts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::module::{Crate, Mention, Mentions};
use crate::tree::{self, TextFile};

/// Circles that are still there: the module they lie in, and their members. An entry that is no longer a circle has to go.
const KNOWN: [(&str, &[&str]); 17] = [
    ("crates/dais-alert/src", &["alert", "channel", "default_rule", "delivery", "params"]),
    ("crates/dais-lab/src", &["folder", "load"]),
    ("crates/dais-ledger/src", &["checkpoint", "head"]),
    ("crates/dais-ledger/src/backup", &["manifest", "store"]),
    ("crates/dais-ledger/src/storage", &["location", "server"]),
    ("crates/dais-protocol/src", &["policy", "rule"]),
    ("crates/dais-telemetry/src", &["log", "metric"]),
    ("crates/dais-telemetry/src/health", &["check", "params", "probe"]),
    ("crates/dais-telemetry/src/health", &["monitor", "registry", "report", "standing"]),
    ("crates/dais-telemetry/src/metric", &["catalogue", "page"]),
    ("crates/dais-telemetry/src/metric", &["resource", "run"]),
    ("crates/dais-telemetry/src/trace", &["courier", "exporter", "signature_traces"]),
    ("crates/dais-traffic/src", &["reader", "table"]),
    ("crates/dais-traffic/src/reader", &["arff", "detect", "lines", "netflow", "packets", "wrapping"]),
    ("crates/dais-traffic/src/reader/packets", &["capture", "pcap", "pcapng"]),
    ("crates/dais-traffic/src/reader/packets", &["open", "table"]),
    ("crates/dais-traffic/src/table", &["draft", "label"]),
];

/// Modules beside one another of which each needs every other one.
#[derive(Debug, PartialEq, Eq)]
struct Circle {
    /// The module they lie in, as a path of the file system without an ending.
    within: String,
    members: BTreeSet<String>,
    /// One way around, with what is named at each step.
    way: String,
}

/// The root files of libraries and binaries.
fn roots(files: &[TextFile]) -> Vec<String> {
    let is_root = |path: &&str| ["/src/lib.rs", "/src/main.rs"].iter().any(|end| path.ends_with(end));
    files.iter().map(|file| file.path.as_str()).filter(is_root).map(str::to_owned).collect()
}

/// All circles of one crate.
fn circles(root: &str, mentions: &Mentions) -> Vec<Circle> {
    let mut circles = Vec::new();
    for (within, mentions) in mentions {
        let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to) in mentions.keys() {
            needs.entry(from).or_default().insert(to);
        }
        let mut seen = BTreeSet::new();
        for &start in needs.keys() {
            let members: BTreeSet<_> =
                reached(start, &needs).filter(|other| reached(other, &needs).any(|one| one == start)).collect();
            if members.is_empty() || !seen.insert(members.clone()) {
                continue;
            }
            let folder = root.trim_end_matches(".rs").trim_end_matches("/lib").trim_end_matches("/main");
            let within = [&[folder.to_owned()], within.as_slice()].concat().join("/");
            let way = way_around(start, &needs, mentions);
            circles.push(Circle { within, members: members.into_iter().map(str::to_owned).collect(), way });
        }
    }
    circles
}

/// What is needed by `start`, directly or by what it needs; `start` itself only if it lies on a circle.
fn reached<'a>(start: &'a str, needs: &'a BTreeMap<&'a str, BTreeSet<&'a str>>) -> impl Iterator<Item = &'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(next) = open.pop() {
        open.extend(needs.get(next).into_iter().flatten().filter(|&&other| reached.insert(other)));
    }
    reached.into_iter()
}

/// The shortest way from `start` back to itself.
fn way_around(
    start: &str,
    needs: &BTreeMap<&str, BTreeSet<&str>>,
    mentions: &BTreeMap<(String, String), Mention>,
) -> String {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let (None, Some(next)) = (from.get(start), open.pop_front()) {
        for &other in needs.get(next).into_iter().flatten() {
            if !from.contains_key(other) {
                from.insert(other, next);
                open.push_back(other);
            }
        }
    }
    let mut steps = Vec::new();
    let mut at = start;
    while let Some(&before) = from.get(at).filter(|_| steps.is_empty() || at != start) {
        let Mention { by, written } = &mentions[&(before.to_owned(), at.to_owned())];
        steps.push(format!("{} names {}", by.join("/"), written.join("::")));
        at = before;
    }
    steps.reverse();
    steps.join(", ")
}

/// Circles that are not known, and known ones that are gone.
fn unexpected(circles: &[Circle], known: &[(&str, &[&str])]) -> Vec<String> {
    let is_same = |circle: &Circle, (within, members): &(&str, &[&str])| {
        circle.within == *within && circle.members.iter().map(String::as_str).eq(members.iter().copied())
    };
    let is_known = |circle: &&Circle| known.iter().any(|one| is_same(circle, one));
    let new = circles.iter().filter(|circle| !is_known(circle)).map(|circle| {
        let members: Vec<_> = circle.members.iter().map(String::as_str).collect();
        format!("{}: {} need one another: {}", circle.within, members.join(", "), circle.way)
    });
    let gone =
        known.iter().filter(|one| !circles.iter().any(|circle| is_same(circle, one))).map(|(within, members)| {
            format!("{within}: {} are not a circle any more: take the entry out", members.join(", "))
        });
    new.chain(gone).collect()
}

#[test]
fn no_modules_need_one_another_in_a_circle() {
    let files = tree::rust_files();
    let (mut modules, mut found) = (0, Vec::new());
    for root in roots(&files) {
        let read = Crate::read(&root, &files);
        modules += read.len();
        found.extend(circles(&root, &read.mentions()));
    }
    crate::assert_kept("circles of modules", modules, &unexpected(&found, &KNOWN));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let files: Vec<_> = files.iter().map(|(path, text)| TextFile::sample(&format!("a/src/{path}"), text)).collect();
        let found = circles("a/src/lib.rs", &Crate::read("a/src/lib.rs", &files).mentions());
        found.into_iter().map(|circle| circle.members.into_iter().collect()).collect()
    }

    #[test]
    fn two_files_that_import_each_other_are_reported_by_whatever_path() {
        let root = ("lib.rs", "mod one; mod two; pub use one::One; pub use two::Two;");
        for to_two in [
            "use crate::two::Two; pub struct One;",
            "use crate::Two; pub struct One;",
            "use super::two; pub struct One(two::Two);",
            "use super::*; pub struct One(Two);",
            "pub struct One; fn a() -> crate::two::Two { loop {} }",
            "pub struct One; fn a() { let _ = vec![crate::two::Two]; }",
            "pub struct One; impl One { fn a() { use crate::Two as Other; } }",
        ] {
            let files = [root, ("one.rs", to_two), ("two.rs", "use crate::one::One; pub struct Two;")];
            assert_eq!(circles_of(&files), [["one", "two"]], "{to_two}");
            let straight = [root, ("one.rs", to_two), ("two.rs", "pub struct Two;")];
            assert!(circles_of(&straight).is_empty(), "{to_two}");
        }
    }

    #[test]
    fn rooms_that_need_one_another_are_reported_though_no_two_files_do() {
        let files = [
            ("lib.rs", "mod hall; mod attic;"),
            ("hall.rs", "mod door; mod lamp; pub use door::Door; pub struct Hall;"),
            ("hall/door.rs", "use crate::attic::Roof; pub struct Door;"),
            ("hall/lamp.rs", "pub struct Lamp;"),
            ("attic.rs", "mod beam; mod roof; pub use roof::Roof;"),
            ("attic/beam.rs", "use crate::hall::Hall;"),
            ("attic/roof.rs", "pub struct Roof;"),
        ];
        assert_eq!(circles_of(&files), [["attic", "hall"]]);
    }

    #[test]
    fn a_longer_circle_is_reported_with_all_its_members_and_a_way_around() {
        let root = ("a/src/lib.rs", "mod a; mod b; mod c; mod d;");
        let texts = [
            root,
            ("a/src/a.rs", "use crate::b::B; pub struct A;"),
            ("a/src/b.rs", "use crate::c::C; pub struct B;"),
            ("a/src/c.rs", "use crate::a::A; use crate::d::D; pub struct C;"),
            ("a/src/d.rs", "pub struct D;"),
        ];
        let files = texts.map(|(path, text)| TextFile::sample(path, text));
        let found = circles("a/src/lib.rs", &Crate::read("a/src/lib.rs", &files).mentions());
        let report = "a/src: a, b, c need one another: a names crate::b::B, b names crate::c::C, c names crate::a::A";
        assert_eq!(unexpected(&found, &[]), [report]);
        assert!(unexpected(&found, &[("a/src", &["a", "b", "c"])]).is_empty());
        let gone = unexpected(&[], &[("a/src", &["a", "b"])]);
        assert_eq!(gone, ["a/src: a, b are not a circle any more: take the entry out"]);
    }

    #[test]
    fn a_room_and_its_parts_are_no_circle_and_neither_are_tests() {
        let files = [
            ("lib.rs", "mod room; mod other; pub use room::Room;"),
            (
                "room.rs",
                "mod part; pub use part::Part; pub struct Room(part::Part); #[cfg(test)] mod tests { use crate::other::Other; }",
            ),
            ("room/part.rs", "use super::Room; use crate::Room as Same; pub struct Part;"),
            ("other.rs", "use crate::Room; pub struct Other;"),
        ];
        assert!(circles_of(&files).is_empty());
    }
}
