//! `dais ledger check-proof`: what was printed is checked without the ledger.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use dais_ledger::{HeadKey, Origin};
use tempfile::TempDir;

use crate::ledger::{a_ledger, key, outcome};
use crate::{dais, printed, refusal};

/// A folder with proofs of a log of 95 entries, and nothing of the log; with the log's key.
fn proofs() -> (TempDir, String) {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let ledger = a_ledger(&elsewhere.path().join("l.db"), 95);
    let vkey = key().verifier().to_vkey(ledger.origin());
    ledger.into_storage().close().unwrap();
    let save = |name: &str, flags: &[&str]| {
        let proof = printed(dais(elsewhere.path()).args(["ledger", "prove", "l.db"]).args(flags));
        fs::write(folder.path().join(name), proof).unwrap();
    };
    save("entry", &["42"]);
    save("entry.json", &["42", "--json"]);
    save("older", &["3", "--size", "50"]);
    save("grown", &["--from", "50"]);
    save("grown.json", &["--from", "50", "--json"]);
    save("odd", &["--from", "37"]);
    (folder, vkey)
}

fn check(folder: &Path, proof: &str, vkey: &str, flags: &[&str]) -> Command {
    let mut command = dais(folder);
    command.args(["ledger", "check-proof", proof, "--key", vkey]).args(flags);
    command
}

#[test]
fn printed_proofs_hold_without_the_ledger() {
    let (folder, vkey) = proofs();
    let holds = |proof: &str, flags: &[&str]| printed(&mut check(folder.path(), proof, &vkey, flags));
    for proof in ["entry", "entry.json"] {
        let said = holds(proof, &[]);
        assert!(said.starts_with("verified: entry 42 is in the log dais/operated of 95 entries"), "{said}");
        assert!(said.contains("vote of a42 in step 10"), "{said}");
    }
    for (proof, flags) in [("grown", &["--old", "older"][..]), ("grown.json", &["--old", "older"]), ("grown.json", &[])]
    {
        let said = holds(proof, flags);
        assert!(said.contains("of 95 entries begins with that of 50 entries"), "{said}");
        assert_eq!(said.contains("compare it"), flags.is_empty(), "{said}");
    }
    let (code, found) = outcome(&mut check(folder.path(), "entry", &vkey, &["--json"]));
    assert_eq!((code, &found["ok"], &found["entry"]["author"]), (Some(0), &true.into(), &"a42".into()));
    let leaf = found["leaf"].as_str().unwrap();
    assert!(holds("entry", &["--leaf", leaf]).contains(leaf));
    let text = fs::read_to_string(folder.path().join("entry")).unwrap();
    let short: String =
        text.lines().filter(|line| !line.starts_with("extra ")).map(|line| line.to_owned() + "\n").collect();
    let said = printed(check(folder.path(), "-", &vkey, &["--leaf", leaf]).write_stdin(short));
    assert!(said.contains("entry 42 is in the log"), "{said}");
}

#[test]
fn what_does_not_hold_is_named() {
    let (folder, vkey) = proofs();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let fails = |proof: String, vkey: &str, flags: &[&str]| {
        let mut command = check(folder.path(), "-", vkey, flags);
        let (code, found) = outcome(command.arg("--json").write_stdin(proof));
        assert_eq!((code, &found["ok"]), (Some(1), &false.into()), "{found}");
        found["message"].as_str().unwrap().to_owned()
    };
    let entry = text("entry");
    assert!(fails(entry.replace("index 42", "index 43"), &vkey, &[]).contains("leads to the root"));
    assert!(fails(entry.replace("index 42", "index 99"), &vkey, &[]).contains("sizes"));
    assert!(fails(entry.replace("index 42", "index 042"), &vkey, &[]).contains("line 3 of the proof"));
    assert!(fails(entry.replacen("BwcHBwcH", "BwcHBwcI", 1), &vkey, &[]).contains("leads to the root"));
    assert!(fails(entry.replace("\n95\n", "\n96\n"), &vkey, &[]).contains("does not hold"));
    assert!(fails(entry.replace("\n\n", "\n"), &vkey, &[]).contains("proof"));
    assert!(fails(String::new(), &vkey, &[]).contains("line 1 of the proof"));
    assert!(fails("{}".to_owned(), &vkey, &[]).contains("this is no proof"));
    let without: String =
        entry.lines().filter(|line| !line.starts_with("extra ")).map(|line| line.to_owned() + "\n").collect();
    assert!(fails(without, &vkey, &[]).contains("leaf hash is needed"));
    assert!(fails(entry.clone(), &vkey, &["--leaf", &"00".repeat(32)]).contains("asked was about"));
    let foreign = HeadKey::from_seed([1; 32]).verifier();
    let (same, other) = (Origin::new("dais/operated").unwrap(), Origin::new("dais/other").unwrap());
    assert!(
        fails(entry.clone(), &foreign.to_vkey(&same), &[]).contains("no signature of `dais/operated` with this key")
    );
    assert!(fails(entry, &key().verifier().to_vkey(&other), &[]).contains("expected dais/other"));

    let grown = text("grown");
    assert!(fails(grown.clone(), &vkey, &["--old-root", &"00".repeat(32)]).contains("leads to the root"));
    assert!(fails(text("odd"), &vkey, &["--old", "older"]).contains("the proof starts from 37 entries"));
    let json = text("grown.json");
    assert!(
        fails(json.replace("\"new_size\":95", "\"new_size\":94"), &vkey, &["--old", "older"])
            .contains("its head has 95")
    );
    assert!(fails(text("entry.json").replace("\"entry\":\"", "\"entry\":\"0"), &vkey, &[]).contains("the entry"));
    let message = refusal(check(folder.path(), "-", &vkey, &[]).write_stdin(grown));
    assert!(message.contains("--old FILE"), "{message}");
    assert!(refusal(&mut check(folder.path(), "nowhere", &vkey, &[])).contains("nowhere"));
}
