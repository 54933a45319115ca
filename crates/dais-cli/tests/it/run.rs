//! A run from end to end.

use std::fs;

use crate::{SMALL, dais, json, printed, refusal, table, text};

#[test]
fn a_small_run_leaves_its_files_and_a_summary_on_one_screen() {
    let place = tempfile::tempdir().unwrap();
    let screen = printed(dais(place.path()).args(SMALL).args(["--seed", "7"]));
    for part in
        ["synthetic · seed 7 · 8 agents · 10 steps", "macro recall", "false positive rate", "signatures", "head "]
    {
        assert!(screen.contains(part), "{part} in {screen}");
    }
    assert!(screen.lines().count() <= 60, "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= 100), "{screen}");
    assert!(!screen.contains('\x1b'), "no colours where there is no terminal");
    let folder = place.path().join("runs/synthetic-7");
    for name in ["summary.json", "report.html", "ledger.db", "checkpoint", "scenario.yaml"] {
        assert!(fs::metadata(folder.join(name)).unwrap().len() > 100, "{name}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 5);
    assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn json_is_one_object_with_every_promised_key() {
    let place = tempfile::tempdir().unwrap();
    let summary = json(dais(place.path()).args(SMALL).args(["--seed", "7", "--json"]));
    let numbers = [
        "/seed",
        "/agents",
        "/steps",
        "/wall_s",
        "/agent_steps_per_s",
        "/flows",
        "/flows_per_s",
        "/votes",
        "/signatures/published",
        "/signatures/accepted",
        "/signatures/rejected",
        "/signatures/expired",
        "/signatures/disputed",
        "/ledger/entries",
        "/ledger/witnesses",
        "/ledger/cosigned",
        "/ledger/split_views",
    ];
    for key in numbers {
        assert!(summary.pointer(key).is_some_and(serde_json::Value::is_number), "{key} in {summary}");
    }
    for world in ["isolated", "collaborative", "oracle"] {
        for figure in ["recall", "macro_recall", "precision", "f1", "fpr", "delay_steps_median"] {
            assert!(summary.pointer(&format!("/detection/{world}/{figure}")).is_some(), "{world} {figure}");
        }
    }
    assert_eq!(summary["scenario"], "synthetic");
    assert_eq!(summary["ledger"]["head"].as_str().map(str::len), Some(64));
    assert!(summary.get("gap_closed").is_some() && summary.get("peak_rss_mb").is_some());
    let written = fs::read_to_string(place.path().join("runs/synthetic-7/summary.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written, summary, "the file says the same");
}

#[test]
fn worlds_that_are_left_out_are_not_run() {
    let place = tempfile::tempdir().unwrap();
    let summary = json(dais(place.path()).args(SMALL).args(["--worlds", "isolated,oracle", "--json", "--out", "x"]));
    let worlds: Vec<&String> = summary["detection"].as_object().unwrap().keys().collect();
    assert_eq!(worlds, ["isolated", "oracle"]);
    assert!(summary["ledger"]["head"].is_null());
    assert!(!place.path().join("x/ledger.db").exists(), "nothing was shared, so there is no ledger");
}

#[test]
fn a_table_is_run_by_its_drafted_schema_and_named_after_its_file() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("office.csv"), table()).unwrap();
    let schema = printed(dais(place.path()).args(["schema", "office.csv"]));
    assert!(schema.contains("column: label") && schema.contains("guess 100"), "{schema}");
    fs::write(place.path().join("office.yaml"), schema).unwrap();
    let flags = ["run", "--data", "office.csv", "--agents", "4", "--steps", "6", "--seed", "3", "--json"];
    let drafted = json(dais(place.path()).args(flags));
    let given = json(dais(place.path()).args(flags).args(["--schema", "office.yaml", "--out", "given"]));
    assert_eq!((&drafted["scenario"], &drafted["agents"], &drafted["steps"]), (&"office".into(), &4.into(), &6.into()));
    // The schema has another name, and with it the ledger another beginning; what is detected is the same.
    assert_eq!(drafted["detection"], given["detection"]);
    assert!(place.path().join("runs/office-3/report.html").exists());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = tempfile::tempdir().unwrap();
    let script =
        format!("{} run --agents 4 --steps 3 --seed 1 | head -1; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_dais"));
    let output = std::process::Command::new("bash").args(["-c", &script]).current_dir(place.path()).output().unwrap();
    let lines = text(&output.stdout);
    assert!(lines.starts_with("synthetic") && lines.ends_with("\n0\n"), "{lines}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn quiet_prints_nothing_and_a_drawn_seed_is_shown_otherwise() {
    let place = tempfile::tempdir().unwrap();
    let output = dais(place.path()).args(SMALL).args(["--quiet", "--out", "a"]).output().unwrap();
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
    let summary = json(dais(place.path()).args(SMALL).args(["--json", "--out", "b"]));
    let seed = summary["seed"].as_u64().unwrap();
    let scenario = fs::read_to_string(place.path().join("b/scenario.yaml")).unwrap();
    assert!(scenario.contains(&format!("seed: {seed}\n")), "{scenario}");
}

#[test]
fn version_and_help_are_fine_and_unknown_flags_are_not() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(printed(dais(place.path()).arg("--version")), format!("dais {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["run", "sweep", "explain", "verify", "schema"] {
        assert!(printed(dais(place.path()).args([command, "--help"])).contains("Usage: dais"), "{command}");
    }
    assert!(refusal(dais(place.path()).args(["run", "--agent", "3"])).contains("--agents"));
    assert!(refusal(dais(place.path()).args(["run", "--agents", "0"])).contains("--agents"));
    assert!(refusal(dais(place.path()).args(["run", "--worlds", "mars"])).contains("isolated"));
}
