//! What was found comes first: on the screen, in the summary, and as lists for other programs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::verify::{a_run, a_run_that_blocks};
use crate::{dais, data, json, printed, refusal, text};

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn signatures_stand_in_the_summary_and_first_on_the_screen_the_worst_first() {
    let place = tempfile::tempdir().unwrap();
    let screen = printed(dais(place.path()).args(crate::SMALL).args(["--seed", "7"]));
    let summary = summary(&place.path().join("runs/synthetic-7"));
    let found = summary["found"].as_array().unwrap();
    let signatures = |what: &str| summary["signatures"][what].as_u64().unwrap() as usize;
    assert!((signatures("published")..=signatures("offered")).contains(&found.len()), "{found:?}");
    let accepted = |one: &Value| one["outcome"] == "accepted" && one["revoked"] == false;
    let first_other = found.iter().position(|one| !accepted(one)).unwrap_or(found.len());
    assert!(first_other > 0 && found[first_other..].iter().all(|one| !accepted(one)), "{found:?}");
    let worst = &found[0];
    let flows = |at: usize| found[at]["flows"].as_u64().unwrap();
    assert!((1..first_other).all(|at| flows(at - 1) >= flows(at)), "{found:?}");
    assert!(worst["truth"].is_string() && worst["votes"]["confirm"].as_u64() > Some(0), "{worst}");
    assert!(worst["time"].is_null(), "generated traffic has no clock");
    let place_of = |part: &str| screen.find(part).unwrap_or_else(|| panic!("{part} in {screen}"));
    let id = &worst["id"].as_str().unwrap()[..8];
    assert!(place_of("What was found") < place_of(id) && place_of(id) < place_of("macro recall"), "{screen}");
    let report = fs::read_to_string(place.path().join("runs/synthetic-7/report.html")).unwrap();
    assert!(report.find("What was found").unwrap() < report.find("Detection</h2>").unwrap());
    assert!(report.contains(id));
}

#[test]
fn the_next_commands_of_a_run_work_as_they_are_printed() {
    let place = tempfile::tempdir().unwrap();
    let screen = printed(dais(place.path()).args(crate::SMALL).args(["--seed", "7"]));
    let next = screen.split_once("Next\n").expect("a section").1;
    let commands: Vec<Vec<&str>> =
        next.lines().map(|line| line.split_once("dais ").expect("a command").1.split(' ').collect()).collect();
    assert!((2..=3).contains(&commands.len()), "{next}");
    for command in commands {
        assert!(!printed(dais(place.path()).args(&command)).is_empty(), "{command:?}");
    }
}

#[test]
fn a_blocklist_holds_what_the_ledger_says_is_blocked_in_every_format() {
    let folder = a_run_that_blocks();
    let plain = printed(dais(folder.path()).args(["blocklist", "r"]));
    let addresses: Vec<&str> = plain.lines().collect();
    assert!(!addresses.is_empty());
    for address in &addresses {
        let explained = json(dais(folder.path()).args(["explain", "r", address, "--json"]));
        assert_eq!(explained["blocked"], true, "{address}");
    }
    for format in ["csv", "nft", "zeek"] {
        let written = printed(dais(folder.path()).args(["blocklist", "r", "--format", format]));
        assert!(addresses.iter().all(|address| written.contains(*address)), "{format}: {written}");
    }
    assert!(refusal(dais(folder.path()).args(["blocklist", "nowhere"])).contains("no ledger here"));
}

#[test]
fn a_signature_of_labelled_traffic_is_explained_with_what_the_labels_say() {
    let folder = a_run();
    let summary = summary(&folder.path().join("r"));
    let worst = &summary["found"][0];
    let (id, truth) = (worst["id"].as_str().unwrap(), worst["truth"].as_str().unwrap());
    let screen = printed(dais(folder.path()).args(["explain", "r", id]));
    assert!(screen.contains(&format!("the labels say: most of its flows are {truth}")), "{screen}");
}

#[test]
fn reading_a_run_leaves_its_folder_as_it_was() {
    let folder = a_run();
    let names = || {
        let entries = fs::read_dir(folder.path().join("r")).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name(), fs::read(entry.path()).unwrap())
            })
            .collect();
        names.sort_unstable();
        names
    };
    let before = names();
    let id = summary(&folder.path().join("r"))["found"][0]["id"].as_str().unwrap().to_owned();
    for command in [
        vec!["verify", "r"],
        vec!["explain", "r", &id],
        vec!["blocklist", "r"],
        vec!["ledger", "stats", "r"],
        vec!["ledger", "show", "r", "--limit", "3"],
        vec!["ledger", "verify", "r"],
    ] {
        printed(dais(folder.path()).args(&command));
        assert!(names() == before, "{command:?} changed the folder");
    }
}

#[test]
fn recorded_traffic_has_times_of_its_clock_and_loads_again_to_be_explained() {
    let Some(files) = data(&["zeek_small/nmap_scans_172.16.1.11.conn.json.log.gz"]) else { return };
    let place = tempfile::tempdir().unwrap();
    let run = ["run", "--partition", "source-subnet:24", "--steps", "20", "--seed", "1", "--out", "r", "--data"];
    let screen = printed(dais(place.path()).args(run).args(&files));
    let summary = summary(&place.path().join("r"));
    let begin_s = summary["clock"]["begin_s"].as_f64().expect("a clock");
    assert!(begin_s > 1e9, "{begin_s}");
    let Some(worst) = summary["found"].as_array().unwrap().first() else {
        assert!(!summary["advice"].as_array().unwrap().is_empty(), "nothing was found, and it says why: {screen}");
        return;
    };
    assert!(worst["time"].as_str().unwrap().ends_with('Z'), "{worst}");
    let explained = printed(dais(place.path()).args(["explain", "r", worst["id"].as_str().unwrap()]));
    assert!(explained.contains("of the author's site at the beginning of the run"), "{explained}");
}

/// Flows of a Zeek log without labels: hosts of a network that ask a server, and one that scans it.
fn unlabelled(hosts: u32) -> String {
    let mut log = String::new();
    for row in 0..2_000_u32 {
        let (host, port) = if row % 40 == 39 { (200, 1 + row % 1_000) } else { (row % hosts, 443) };
        let state = if host == 200 { "S0" } else { "SF" };
        let line = format!(
            "{{\"ts\":{}.5,\"uid\":\"C{row}\",\"id.orig_h\":\"10.0.{}.{}\",\"id.orig_p\":{},\"id.resp_h\":\"10.9.0.2\",\
             \"id.resp_p\":{port},\"proto\":\"tcp\",\"conn_state\":\"{state}\",\"orig_bytes\":{},\"resp_bytes\":900,\
             \"orig_pkts\":6,\"resp_pkts\":5,\"duration\":0.4}}\n",
            1_700_000_000 + row,
            host % 4,
            host + 1,
            40_000 + row,
            300 + row % 7
        );
        log.push_str(&line);
    }
    log
}

#[test]
fn a_run_without_labels_never_speaks_of_the_truth() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("conn.log"), unlabelled(12)).unwrap();
    let run = ["run", "--data", "conn.log", "--partition", "source-subnet:24", "--steps", "20", "--seed", "1"];
    let screen = printed(dais(place.path()).args(run));
    let report = fs::read_to_string(place.path().join("runs/conn-1/report.html")).unwrap();
    assert!(!screen.contains("as the truth says") && !report.contains("By the truth"), "{screen}");
}

#[test]
fn a_site_alone_is_told_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("conn.log"), unlabelled(12)).unwrap();
    let screen = printed(dais(place.path()).args(["run", "--data", "conn.log", "--steps", "20", "--seed", "1"]));
    assert!(screen.contains("nobody to vote with it") && screen.contains("dais watch"), "{screen}");
    let few: String = unlabelled(12).lines().take(20).fold(String::new(), |text, line| text + line + "\n");
    fs::write(place.path().join("few.log"), few).unwrap();
    let screen = printed(dais(place.path()).args(["run", "--data", "few.log", "--steps", "5", "--seed", "1"]));
    assert!(screen.contains("No agent had a model"), "{screen}");
}

#[test]
fn runs_of_one_name_never_collide() {
    let place = tempfile::tempdir().unwrap();
    for folder in ["synthetic-7", "synthetic-7-2", "synthetic-7-3"] {
        printed(dais(place.path()).args(crate::SMALL).args(["--seed", "7", "--worlds", "isolated"]));
        assert!(place.path().join("runs").join(folder).join("summary.json").is_file(), "{folder}");
    }
}

#[test]
fn liars_are_drawn_and_lie_in_the_ways_that_were_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let run = |flags: &[&str]| json(dais(place.path()).args(crate::SMALL).args(["--seed", "7", "--json"]).args(flags));
    assert_eq!(run(&["--liars", "0.25", "--out", "a"])["adversaries"], 2);
    assert_eq!(run(&["--liars", "0.25", "--adversary", "silent,random-voter", "--out", "b"])["adversaries"], 2);
    let scenario = fs::read_to_string(place.path().join("b/scenario.yaml")).unwrap();
    assert!(scenario.contains("silent") && scenario.contains("random_voter"), "{scenario}");
    assert!(refusal(dais(place.path()).args(["run", "--liars", "2"])).contains("0 to 1"));
    assert!(refusal(dais(place.path()).args(["run", "--adversary", "silent"])).contains("--liars"));
    assert!(refusal(dais(place.path()).args(["run", "--liars", "0.1", "--adversary", "x"])).contains("inverter"));
}

#[test]
fn a_key_given_to_the_wrong_flag_is_told_which_one_takes_it() {
    let place = tempfile::tempdir().unwrap();
    let refused = |flags: &[&str]| refusal(dais(place.path()).arg("run").args(flags));
    let message = refused(&["--set", "monitoring.enable_prometheus=true"]);
    assert!(message.contains("--configure monitoring.enable_prometheus=true"), "{message}");
    let message = refused(&["--configure", "policy.threshold=0.7"]);
    assert!(message.contains("--set policy.threshold=0.7"), "{message}");
    assert!(refused(&["--set", "agent.retrain_evry=3"]).contains("did you mean `retrain_every`?"));
    assert!(refused(&["--set", "agent.retrain_every=-3"]).contains("-3"));
}

#[test]
fn a_single_address_may_be_allowed_in_a_scenario_and_by_set() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("my.yaml"), "rules: {agent: {allow: [192.0.2.7]}}\n").unwrap();
    let flags = ["run", "my.yaml", "--agents", "4", "--steps", "3", "--seed", "1", "--quiet"];
    printed(dais(place.path()).args(flags).args(["--out", "a"]));
    printed(dais(place.path()).args(flags).args(["--set", "agent.allow=[2001:db8::1, 10.0.0.0/8]", "--out", "b"]));
    let scenario = fs::read_to_string(place.path().join("b/scenario.yaml")).unwrap();
    assert!(scenario.contains("2001:db8::1/128") && scenario.contains("10.0.0.0/8"), "{scenario}");
}

#[test]
fn a_mistake_in_a_scenario_file_is_told_with_its_line_and_what_may_be_meant() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("my.yaml"), "name: x\nrules:\n  agent:\n    retrain_evry: 3\n").unwrap();
    let message = refusal(dais(place.path()).args(["run", "my.yaml"]));
    assert!(message.contains("my.yaml") && message.contains('4') && message.contains("retrain_evry"), "{message}");
    assert!(message.contains("did you mean `retrain_every`?"), "{message}");
}

#[test]
fn an_unknown_command_is_answered_with_what_may_be_meant() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("flows.csv"), "a,b\n").unwrap();
    for (word, meant) in
        [("rnu", "dais run"), ("blocklst", "blocklist"), ("flows.csv", "dais run --data flows.csv"), ("zzzz", "sweep")]
    {
        let message = refusal(dais(place.path()).arg(word));
        assert!(message.contains(meant), "{word}: {message}");
    }
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let place = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(dais(place.path()).args(["completions", shell]));
        assert!(script.contains("blocklist") && script.contains("liars"), "{shell}");
    }
    assert!(printed(dais(place.path()).arg("man")).starts_with(".ie"), "roff");
    let output = dais(place.path()).args(["man", "--out", "man1"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    for page in ["dais.1", "dais-run.1", "dais-ledger-show.1"] {
        assert!(place.path().join("man1").join(page).is_file(), "{page}");
    }
}
