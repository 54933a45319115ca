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

/// Least share of traces of which each flow has the same ends, direction and state.
const SHARE_MIN: f64 = 0.97;
/// The same with the same history.
const HISTORY_SHARE_MIN: f64 = 0.9;

/// One connection as text, and how often there is one like it.
type Flows = BTreeMap<String, i64>;

/// What is compared of a trace: ends with direction and state, and the same with the history.
struct Compared {
    state: Flows,
    history: Flows,
}

impl Compared {
    fn new() -> Self {
        Self { state: Flows::new(), history: Flows::new() }
    }

    fn add(&mut self, ends: &str, state: &str, history: &str, count: i64) {
        // Letters that this program does not tell.
        let told: String = history.chars().filter(|letter| !"CcGgTtWwXx-".contains(*letter)).collect();
        *self.state.entry(format!("{ends} {state}")).or_default() += count;
        *self.history.entry(format!("{ends} {state} {told}")).or_default() += count;
    }
}

fn read(file: &Path) -> Option<Vec<Ended>> {
    let bytes = std::fs::read(file).ok()?;
    let format = recognise(&bytes)?;
    assert!(matches!(format, Format::Pcap | Format::PcapNg));
    let name = file.display().to_string();
    let bytes = Bytes::open(&name, bytes.as_slice(), |_| 1 << 16).ok()?;
    let mut tally = Tally::new(&name, 1.0);
    let mut packets = Packets::open(bytes, format, &ReadOptions::default()).ok()?;
    let mut flows = Vec::new();
    while let Some(flow) = packets.next_ended(&mut tally).ok()? {
        flows.push(flow);
    }
    Some(flows)
}

/// Adds what this program reads; UDP of Zeek has letters too, and its ICMP has no state.
fn add_own(compared: &mut Compared, flows: &[Ended]) {
    for Ended { flow, history } in flows {
        let ends = format!(
            "{} {}:{} {}:{}",
            flow.protocol.name(),
            flow.source,
            flow.source_port,
            flow.destination,
            flow.destination_port
        );
        let state = if matches!(flow.protocol, Protocol::Tcp | Protocol::Udp) { flow.state } else { ConnState::Oth };
        let history =
            if flow.protocol == Protocol::Tcp { String::from_utf8_lossy(history.letters()) } else { "".into() };
        compared.add(&ends, state.name(), &history, 1);
    }
}

/// Takes away what a `conn.log` says; `None` where that lacks a column or tells of tunnels.
fn take_away(compared: &mut Compared, log: &str) -> Option<()> {
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
            return None;
        }
        let [protocol, source, source_port, destination, destination_port, state, history] =
            places.map(|at| fields[at]);
        let protocol = if protocol == "unknown_transport" { "other" } else { protocol };
        let icmp = !matches!(protocol, "tcp" | "udp");
        let (source_port, destination_port) = if icmp { ("0", "0") } else { (source_port, destination_port) };
        let ends = format!("{protocol} {source}:{source_port} {destination}:{destination_port}");
        compared.add(&ends, state, if protocol == "tcp" { history } else { "" }, -1);
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

/// Compares one trace with its log; what differs of states and of histories, as lines, or why that cannot be told.
fn compare(root: &Path, baseline: &Path, tests: &BTreeMap<String, PathBuf>) -> Result<[Vec<String>; 2], &'static str> {
    let name = baseline.parent().and_then(|folder| folder.file_name()?.to_str()).ok_or("no name")?;
    let test = tests.get(name).and_then(|test| std::fs::read(test).ok()).ok_or("no test of that name")?;
    let test = String::from_utf8_lossy(&test);
    let trace = trace(&test).ok_or("not exactly one trace")?;
    let log = std::fs::read_to_string(baseline).map_err(|_| "no log")?;
    let mut compared = Compared::new();
    take_away(&mut compared, &log).ok_or("columns are missing, or tunnels are unpacked")?;
    add_own(&mut compared, &read(&root.join("Traces").join(trace)).ok_or("no trace that is read")?);
    let Compared { state, history } = compared;
    Ok([state, history].map(|flows| {
        let differ = flows.into_iter().filter(|(_, count)| *count != 0);
        differ.map(|(flow, count)| format!("{name}: {}{flow}", if count > 0 { "+" } else { "-" })).collect()
    }))
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
    for (at, (what, share_min)) in
        [("ends, direction and state", SHARE_MIN), ("history as well", HISTORY_SHARE_MIN)].into_iter().enumerate()
    {
        let same = found.iter().filter(|differences| differences[at].is_empty()).count();
        eprintln!("{what}: {same} of {} traces are as Zeek has them", found.len());
        found.iter().flat_map(|differences| &differences[at]).for_each(|line| eprintln!("  {line}"));
        assert!(same as f64 >= share_min * found.len() as f64, "{what}: {same} of {}", found.len());
    }
}
