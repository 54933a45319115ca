//! `dais ledger`: looking into the ledger of a run.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use base64ct::{Base64, Encoding};
use dais_ledger::{
    ConsistencyProof, Digest, Durability, Entry, HeadKey, InclusionProof, Kind, Ledger, Origin, SqliteStorage, Storage,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::verify::{a_run, entries};
use crate::{dais, json, printed, refusal, text};

/// One run for all tests that only read.
static RUN: LazyLock<TempDir> = LazyLock::new(a_run);

pub(crate) fn key() -> HeadKey {
    HeadKey::from_seed([9; 32])
}

pub(crate) fn votes(count: u32) -> Vec<Entry> {
    (0..count).map(|author| Entry { kind: Kind::Vote, step: author / 4, author, body: vec![7; 100] }).collect()
}

/// A ledger of so many entries, in batches of ten, whose key is known.
pub(crate) fn a_ledger(path: &Path, count: u32) -> Ledger<SqliteStorage> {
    let storage = SqliteStorage::create(path, Durability::Normal).unwrap();
    let mut ledger = Ledger::create(storage, Origin::new("dais/operated").unwrap(), key()).unwrap();
    for batch in votes(count).chunks(10) {
        ledger.append_batch(batch).unwrap();
    }
    ledger
}

/// The exit code and the JSON of a call.
pub(crate) fn outcome(command: &mut assert_cmd::Command) -> (Option<i32>, Value) {
    let output = command.output().unwrap();
    let found = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output.status.code(), found)
}

#[test]
fn entries_are_listed_and_filtered() {
    let all = entries(&RUN.path().join("r/ledger.db"));
    let shown = |flags: &[&str]| printed(dais(RUN.path()).args(["ledger", "show", "r"]).args(flags));
    let lines = |flags: &[&str]| -> Vec<Value> {
        shown(flags).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(lines(&["--json"]).len(), all.len());
    let expected = |wanted: &dyn Fn(&Entry) -> bool| all.iter().filter(|entry| wanted(entry)).count();
    let of_kind = lines(&["--json", "--kind", "vote"]);
    assert_eq!(of_kind.len(), expected(&|entry| entry.kind == Kind::Vote));
    assert!(of_kind.iter().all(|vote| vote["body"]["verdict"].is_string()), "votes are decoded");
    let of_author = lines(&["--json", "--author", "a3", "--step", "2"]);
    assert_eq!(of_author.len(), expected(&|entry| entry.author == 3 && entry.step == 2));
    assert!(!of_author.is_empty());
    let outcomes = shown(&["--author", "coordinator", "--kind", "outcome", "--limit", "1"]);
    assert!(outcomes.contains("adopt") && outcomes.contains("there are more"), "{outcomes}");
    let table = shown(&["--limit", "5"]);
    let column = table.lines().next().unwrap().find("says").unwrap();
    assert!(table.lines().skip(1).take(5).all(|line| line.as_bytes()[column - 1] == b' '), "{table}");
    assert!(table.contains("run of 8 agents and 10 steps, seed 7"), "{table}");
    assert!(shown(&["--step", "999"]).contains("0 of"));
}

#[test]
fn every_kind_of_entry_is_shown_in_full() {
    let all = entries(&RUN.path().join("r/ledger.db"));
    let mut kinds = 0;
    for kind in Kind::ALL {
        // Nobody challenges anything in so short a run.
        let Some(index) = all.iter().position(|entry| entry.kind == kind) else { continue };
        kinds += 1;
        let show = |flags: &[&str]| {
            let mut command = dais(RUN.path());
            command.args(["ledger", "show", "r/ledger.db", &index.to_string()]).args(flags);
            command
        };
        let found = json(&mut show(&["--json"]));
        assert_eq!(found["index"], index as u64);
        assert_eq!(found["leaf"], all[index].leaf_hash().to_string());
        let decoded = found["body"]["hex"].is_null();
        assert_eq!(decoded, !matches!(kind, Kind::Member | Kind::Seal), "{found}");
        let screen = printed(&mut show(&[]));
        assert!(screen.contains(&all[index].leaf_hash().to_string()), "{screen}");
    }
    assert!(kinds >= Kind::ALL.len() - 1, "{kinds}");
}

#[test]
fn a_proof_leads_from_the_entry_to_the_sealed_head() {
    let all = entries(&RUN.path().join("r/ledger.db"));
    let found = json(dais(RUN.path()).args(["ledger", "prove", "r", "20", "--json"]));
    let proof: InclusionProof = serde_json::from_value(found["proof"].clone()).unwrap();
    let root: Digest = serde_json::from_value(found["head"]["head"]["root"].clone()).unwrap();
    assert_eq!((proof.index, proof.size), (20, all.len() as u64));
    proof.verify(&all[20].leaf_hash(), &root).unwrap();

    let screen = printed(dais(RUN.path()).args(["ledger", "prove", "r", "20"]));
    let extra = Base64::encode_string(&all[20].encode());
    let first = format!("c2sp.org/tlog-proof@v1\nextra {extra}\nindex 20\n");
    let (path, checkpoint) = screen.strip_prefix(&first).unwrap().split_once("\n\n").unwrap();
    let decoded = path.lines().map(|line| Digest::from_bytes(Base64::decode_vec(line).unwrap().try_into().unwrap()));
    assert_eq!(decoded.collect::<Vec<_>>(), proof.path);
    assert_eq!(checkpoint, found["checkpoint"]);
    assert!(checkpoint.contains(&format!("\n{}\n{}\n\n\u{2014} ", all.len(), Base64::encode_string(root.as_bytes()))));
}

#[test]
fn a_log_is_proved_to_have_only_grown() {
    let folder = TempDir::new().unwrap();
    let ledger = a_ledger(&folder.path().join("l.db"), 95);
    let found = json(dais(folder.path()).args(["ledger", "prove", "l.db", "--from", "37", "--to", "50", "--json"]));
    let proof: ConsistencyProof = serde_json::from_value(found["proof"].clone()).unwrap();
    proof.verify(&ledger.root_at(37).unwrap(), &ledger.root_at(50).unwrap()).unwrap();
    assert_eq!(found["head"]["head"]["root"], ledger.root_at(50).unwrap().to_string());
    let screen = printed(dais(folder.path()).args(["ledger", "prove", "l.db", "--from", "37"]));
    assert!(screen.starts_with("old 37\n") && screen.contains("\n\ndais/operated\n95\n"), "{screen}");
    let prove = |flags: &[&str]| refusal(dais(folder.path()).args(["ledger", "prove", "l.db"]).args(flags));
    let unsealed = prove(&["3", "--size", "42"]);
    assert!(unsealed.contains("no head of 42 entries was sealed") && unsealed.contains("50"), "{unsealed}");
    assert!(prove(&["95"]).contains("no entry 95"));
    assert!(prove(&["--from", "90", "--to", "50"]).contains("no state of 90"));
    assert!(prove(&["3", "--size", "96"]).contains("no state of 96"));
}

#[test]
fn the_log_is_verified_and_the_first_bad_entry_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    a_ledger(&path, 95).into_storage().close().unwrap();
    let verify = |flags: &[&str]| {
        let mut command = dais(folder.path());
        command.args(["ledger", "verify", "l.db", "--json"]).args(flags);
        outcome(&mut command)
    };
    let (code, found) = verify(&[]);
    assert_eq!(
        (code, &found["ok"], &found["entries"], &found["heads"]),
        (Some(0), &true.into(), &95.into(), &11.into())
    );
    let public = |key: &HeadKey| serde_json::to_value(key.verifier()).unwrap().as_str().unwrap().to_owned();
    assert_eq!(verify(&["--public-key", &public(&key())]).0, Some(0));
    let (code, found) = verify(&["--public-key", &public(&HeadKey::from_seed([1; 32]))]);
    assert!(code == Some(1) && found["message"].as_str().unwrap().contains("expected"), "{found}");
    let screen = printed(dais(folder.path()).args(["ledger", "verify", "l.db"]));
    assert!(screen.contains("95 entries and 11 heads") && screen.contains("--public-key"), "{screen}");

    let bytes = votes(95)[42].encode();
    let mut file = fs::read(&path).unwrap();
    let at = file.windows(bytes.len()).rposition(|window| window == bytes).unwrap();
    file[at + 20] ^= 1;
    fs::write(&path, file).unwrap();
    let (code, found) = verify(&[]);
    assert_eq!((code, &found["ok"], &found["entry"]), (Some(1), &false.into(), &42.into()));
    for command in [vec!["show", "l.db"], vec!["tail", "l.db", "-n", "90"], vec!["stats", "l.db"]] {
        let output = dais(folder.path()).arg("ledger").args(&command).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(text(&output.stderr).contains("entry 42 was altered"), "{command:?}");
    }
}

#[test]
fn statistics_count_what_is_there() {
    let all = entries(&RUN.path().join("r/ledger.db"));
    let found = json(dais(RUN.path()).args(["ledger", "stats", "r", "--json"]));
    assert_eq!((&found["entries"], &found["agents"], &found["last_step"]), (&all.len().into(), &8.into(), &10.into()));
    let votes = all.iter().filter(|entry| entry.kind == Kind::Vote);
    let bytes: usize = votes.clone().map(|entry| entry.body.len()).sum();
    assert_eq!(found["kinds"]["vote"]["entries"], votes.count());
    assert_eq!(found["kinds"]["vote"]["body_bytes"], bytes);
    assert_eq!(found["file_bytes"], fs::metadata(RUN.path().join("r/ledger.db")).unwrap().len());
    let screen = printed(dais(RUN.path()).args(["ledger", "stats", "r"]));
    assert!(screen.contains("8 agents and the coordinator") && screen.contains("outcome"), "{screen}");
}

#[test]
fn the_last_entries_are_shown_and_new_ones_followed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let mut ledger = a_ledger(&path, 20);
    let lines = printed(dais(folder.path()).args(["ledger", "tail", "l.db", "-n", "3", "--json"]));
    let indices = |text: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["index"].clone()).collect()
    };
    assert_eq!(indices(&lines), [17, 18, 19]);

    let mut command = Command::new(env!("CARGO_BIN_EXE_dais"));
    command.args(["ledger", "tail", "l.db", "-n", "1", "--follow", "--json"]).current_dir(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut followed = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || indices(&followed.next().unwrap().unwrap());
    assert_eq!(next(), [19]);
    ledger.append_batch(&votes(2)).unwrap();
    assert_eq!((next(), next()), (vec![20.into()], vec![21.into()]));
    ledger.append_batch(&votes(1)).unwrap();
    assert_eq!(next(), [22]);
    // Nobody reads any more, and nothing is appended any more: it ends all the same.
    drop(followed);
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
#[cfg(unix)]
fn following_ends_on_ctrl_c() {
    let folder = TempDir::new().unwrap();
    let _open = a_ledger(&folder.path().join("l.db"), 20);
    let mut command = Command::new(env!("CARGO_BIN_EXE_dais"));
    command.args(["ledger", "tail", "l.db", "--follow"]).current_dir(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut followed = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(followed.by_ref().take(10).count(), 10);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
#[cfg(unix)]
fn a_reader_that_has_read_enough_is_no_error() {
    let folder = TempDir::new().unwrap();
    a_ledger(&folder.path().join("l.db"), 5_000).into_storage().close().unwrap();
    for command in ["show l.db --limit 5000", "show l.db --json", "tail l.db -n 5000", "tail l.db -n 5000 --follow"] {
        let script = format!("set -o pipefail; {} ledger {command} | head -n 1", env!("CARGO_BIN_EXE_dais"));
        let mut command = assert_cmd::Command::new("bash");
        let output = command.args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{script}");
        assert_eq!(text(&output.stdout).lines().count(), 1);
    }
}

#[test]
fn a_file_is_written_anew_and_its_log_stays() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let head = *a_ledger(&path, 500).head();
    let said = printed(dais(folder.path()).args(["ledger", "vacuum", "l.db"]));
    assert!(said.contains("500 entries and the head are the same"), "{said}");
    let storage = SqliteStorage::open_read_only(&path).unwrap();
    assert_eq!(dais_ledger::verify(&storage, &key().verifier()).unwrap().head, head);
    assert_eq!(storage.latest_head().unwrap(), Some(head));
}

#[test]
fn the_format_is_the_newest_and_later_ones_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    a_ledger(&path, 5).into_storage().close().unwrap();
    assert!(printed(dais(folder.path()).args(["ledger", "migrate", "l.db"])).contains("format 1, the newest"));
    // The header of SQLite files holds the version of their content, big-endian, at offset 60.
    let mut file = fs::read(&path).unwrap();
    file[60..64].copy_from_slice(&2_u32.to_be_bytes());
    fs::write(&path, file).unwrap();
    for command in ["migrate", "stats", "vacuum", "show", "verify"] {
        let refused = refusal(dais(folder.path()).args(["ledger", command, "l.db"]));
        assert!(refused.contains("format 2") && refused.contains("reads up to 1"), "{command}: {refused}");
    }
}

#[test]
fn wrong_usage_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text"), "no ledger").unwrap();
    let refused = |arguments: &[&str]| refusal(dais(folder.path()).arg("ledger").args(arguments));
    assert!(refused(&["show", "nowhere"]).contains("no ledger here"));
    assert!(refused(&["stats", "."]).contains("ledger.db"));
    assert!(refused(&["tail", "text"]).contains("not a dais ledger"));
    assert!(refused(&["show", "text", "--kind", "ballot"]).contains("sighting"));
    assert!(refused(&["show", "text", "--author", "x"]).contains("coordinator"));
    assert!(refused(&["verify", "text", "--public-key", "00"]).contains("64 hexadecimal"));
    assert!(refused(&["prove", "text"]).contains("INDEX"));
    assert!(refused(&["show", "text", "3", "--step", "1"]).contains("cannot be used"));
    let size = entries(&RUN.path().join("r/ledger.db")).len();
    let beyond = refusal(dais(RUN.path()).args(["ledger", "show", "r", &size.to_string()]));
    assert!(beyond.contains(&format!("no entry {size}")), "{beyond}");
}
