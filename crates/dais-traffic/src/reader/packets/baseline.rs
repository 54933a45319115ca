//! Flows of Zeek's test traces, against what Zeek's own tests say they are.
//!
//! The traces belong to Zeek and are not part of this repository: `DAIS_ZEEK` names a folder `testing/btest` of its source.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{ConnState, Protocol};

use super::super::bytes::Bytes;
use super::super::tally::Tally;
use super::super::{Format, ReadOptions};
use super::table::Ended;
use super::{Packets, recognise};

/// Least share of traces of which each connection has the same direction and state.
const SHARE_MIN: f64 = 0.95;
/// The same with the same history.
const HISTORY_SHARE_MIN: f64 = 0.9;

/// Connections between the same ends, as text with how often: with direction and state, and with the history as well.
#[derive(Default)]
struct Between {
    ours: u64,
    theirs: u64,
    /// In either direction.
    undirected: BTreeMap<String, i64>,
    state: BTreeMap<String, i64>,
    history: BTreeMap<String, i64>,
}

/// What is compared of a trace, by protocol and ends in no order.
#[derive(Default)]
struct Compared(BTreeMap<[String; 3], Between>);

impl Compared {
    fn add(&mut self, protocol: &str, [from, to]: [String; 2], state: &str, history: &str, ours: bool) {
        let mut ends = [from.clone(), to.clone()];
        ends.sort_unstable();
        let [low, high] = ends;
        let between = self.0.entry([protocol.to_owned(), low, high]).or_default();
        // Letters that this program does not tell.
        let told: String = history.chars().filter(|letter| !"CcGgTtWwXx-".contains(*letter)).collect();
        let count = if ours { 1 } else { -1 };
        (between.ours, between.theirs) = (between.ours + u64::from(ours), between.theirs + u64::from(!ours));
        *between.undirected.entry(state.to_owned()).or_default() += count;
        let flow = format!("{protocol} {from} {to} {state}");
        *between.history.entry(format!("{flow} {told}")).or_default() += count;
        *between.state.entry(flow).or_default() += count;
    }
}

fn read(file: &Path) -> Option<Vec<Ended>> {
    let bytes = std::fs::read(file).ok()?;
    let format = recognise(&bytes)?;
    assert!(matches!(format, Format::Pcap | Format::PcapNg));
    let name = file.display().to_string();
    let wanted = |head: &[u8]| if recognise(head).is_some() { 0 } else { 1 << 16 };
    let bytes = Bytes::open(&name, bytes.as_slice(), wanted).ok()?;
    let mut tally = Tally::new(&name, 1.0);
    let mut packets = Packets::open(bytes, format, &ReadOptions::default()).ok()?;
    let mut flows = Vec::new();
    while let Some(flow) = packets.next_ended(&mut tally).ok()? {
        flows.push(flow);
    }
    Some(flows)
}

/// Adds what this program reads; Zeek has no states but for TCP and UDP.
fn add_own(compared: &mut Compared, flows: &[Ended]) {
    for Ended { flow, history } in flows {
        let ends = [(flow.source, flow.source_port), (flow.destination, flow.destination_port)];
        let state = if matches!(flow.protocol, Protocol::Tcp | Protocol::Udp) { flow.state } else { ConnState::Oth };
        let letters = if flow.protocol == Protocol::Tcp { history.letters() } else { b"" };
        let ends = ends.map(|(address, port)| format!("{address}:{port}"));
        compared.add(flow.protocol.name(), ends, state.name(), &String::from_utf8_lossy(letters), true);
    }
}

/// Adds what a `conn.log` says, but for what is within tunnels; `None` where that lacks a column.
fn add_log(compared: &mut Compared, log: &str) -> Option<()> {
    let header = log.lines().find_map(|line| line.strip_prefix("#fields\t"))?;
    let place = |name: &str| header.split('\t').position(|column| column == name);
    let names = ["proto", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "conn_state", "history"];
    let mut places = [0; 7];
    for (at, name) in names.into_iter().enumerate() {
        places[at] = place(name)?;
    }
    let tunnel = place("tunnel_parents");
    for line in log.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        if tunnel.is_some_and(|at| !matches!(fields[at], "-" | "(empty)")) {
            continue;
        }
        let [protocol, source, source_port, destination, destination_port, state, history] =
            places.map(|at| fields[at]);
        let protocol = if protocol == "unknown_transport" { "other" } else { protocol };
        let icmp = !matches!(protocol, "tcp" | "udp");
        let (source_port, destination_port) = if icmp { ("0", "0") } else { (source_port, destination_port) };
        let ends = [format!("{source}:{source_port}"), format!("{destination}:{destination_port}")];
        compared.add(protocol, ends, state, if protocol == "tcp" { history } else { "" }, false);
    }
    Some(())
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The one trace that a test reads, where it is the only one.
fn trace(test: &str) -> Option<&str> {
    let end = |rest: &str| rest.find(|letter: char| letter.is_whitespace() || "|;&\"'".contains(letter));
    let mut traces: Vec<&str> = test
        .lines()
        .flat_map(|line| line.split("-r ").skip(1).chain(line.split("-Cr ").skip(1)))
        .filter_map(|rest| rest.strip_prefix("$TRACES/").or_else(|| rest.strip_prefix("${TRACES}/")))
        .map(|rest| &rest[..end(rest).unwrap_or(rest.len())])
        .collect();
    traces.sort_unstable();
    traces.dedup();
    match traces.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// What was found of one trace.
#[derive(Default)]
struct Found {
    /// What differs of directions and states, and what of histories as well, as lines.
    differences: [Vec<String>; 2],
    /// Pairs of ends that both tell of, that only this program does, that only Zeek does.
    ends: [u64; 3],
}

/// Compares one trace with its log: the connections between ends that both know; or why that cannot be told.
fn compare(root: &Path, baseline: &Path, tests: &BTreeMap<String, PathBuf>) -> Result<Found, &'static str> {
    let name = baseline.parent().and_then(|folder| folder.file_name()?.to_str()).ok_or("no name")?;
    let test = tests.get(name).and_then(|test| std::fs::read(test).ok()).ok_or("no test of that name")?;
    let test = String::from_utf8_lossy(&test);
    let trace = trace(&test).ok_or("not exactly one trace")?;
    let log = std::fs::read_to_string(baseline).map_err(|_| "no log")?;
    let mut compared = Compared::default();
    add_log(&mut compared, &log).ok_or("columns are missing")?;
    add_own(&mut compared, &read(&root.join("Traces").join(trace)).ok_or("no trace that is read")?);
    let mut found = Found::default();
    // Without its scripts Zeek knows no ports to tell a direction by, where no SYN does.
    let bare = test.lines().any(|line| line.contains("zeek ") && line.contains(" -b "));
    for Between { ours, theirs, undirected, mut state, history } in compared.0.into_values() {
        found.ends[if theirs == 0 { 1 } else { 2 * usize::from(ours == 0) }] += 1;
        if ours == 0 || theirs == 0 {
            continue;
        }
        if bare && undirected.values().all(|count| *count == 0) {
            state.clear();
        }
        for (lines, flows) in found.differences.iter_mut().zip([state, history]) {
            let differ = flows.into_iter().filter(|(_, count)| *count != 0);
            lines.extend(differ.map(|(flow, count)| format!("{name}: {}{flow}", if count > 0 { "+" } else { "-" })));
        }
    }
    Ok(found)
}

#[test]
#[expect(clippy::print_stderr, reason = "figures and a skipped test must be seen")]
fn flows_are_those_of_zeek() {
    let Some(root) = std::env::var_os("DAIS_ZEEK").map(PathBuf::from) else {
        eprintln!("SKIPPED: DAIS_ZEEK names no folder testing/btest of Zeek's source");
        return;
    };
    let mut all = Vec::new();
    files(&root, &mut all);
    let parts = |path: &Path| path.strip_prefix(&root).ok().map(Path::to_path_buf);
    let tests: BTreeMap<String, PathBuf> = all
        .iter()
        .filter_map(|path| Some((parts(path)?.with_extension("").to_str()?.replace('/', "."), path.clone())))
        .filter(|(name, _)| !["Baseline", "Traces", "Files"].iter().any(|folder| name.starts_with(folder)))
        .collect();
    let baselines = all.iter().filter(|path| path.ends_with("conn.log") && path.starts_with(root.join("Baseline")));
    let (mut found, mut left_out) = (Vec::new(), BTreeMap::<&str, u64>::new());
    for baseline in baselines {
        match compare(&root, baseline, &tests) {
            Ok(differences) => found.push(differences),
            Err(why) => *left_out.entry(why).or_default() += 1,
        }
    }
    eprintln!("{} traces are compared; others not: {left_out:?}", found.len());
    assert!(found.len() > 50, "only {} traces were compared", found.len());
    let ends = [0, 1, 2].map(|at| found.iter().map(|one| one.ends[at]).sum::<u64>());
    eprintln!(
        "pairs of ends: {} in both, {} only here (filters, bare Zeek), {} only in Zeek",
        ends[0], ends[1], ends[2]
    );
    let mut shares = Vec::new();
    for (at, what) in ["direction and state", "history as well"].into_iter().enumerate() {
        let same = found.iter().filter(|one| one.differences[at].is_empty()).count();
        eprintln!("{what}: {same} of {} traces are as Zeek has them", found.len());
        found.iter().flat_map(|one| &one.differences[at]).for_each(|line| eprintln!("  {line}"));
        shares.push(same as f64 / found.len() as f64);
    }
    assert!(shares[0] >= SHARE_MIN && shares[1] >= HISTORY_SHARE_MIN, "{shares:?}");
}
