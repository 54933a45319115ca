//! `dais explain` on a run.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;

use dais_ledger::{Entry, InclusionProof, Kind};
use dais_protocol::{Decision, Motion, Outcome, Signature, SignatureId, Vote};
use serde_json::Value;

use crate::verify::{a_run, a_run_that_blocks, entries};
use crate::{dais, printed, refusal, text};

fn signatures(all: &[Entry]) -> Vec<Signature> {
    let published = all.iter().filter(|entry| entry.kind == Kind::Signature);
    published.map(|entry| Signature::decode(&entry.body).unwrap()).collect()
}

/// An accepted signature of the run that names sources.
fn accepted(all: &[Entry]) -> (SignatureId, Signature, Decision) {
    let outcomes = all.iter().filter(|entry| entry.kind == Kind::Outcome);
    let mut accepted = outcomes.filter_map(|entry| {
        let decision = Decision::decode(&entry.body).unwrap();
        (decision.motion == Motion::Adopt && decision.outcome == Outcome::Accepted).then_some(decision)
    });
    let published = signatures(all);
    let found = accepted.find_map(|decision| {
        let signature = published.iter().find(|signature| signature.id() == decision.signature)?;
        (!signature.sources.is_empty()).then(|| (decision.signature, signature.clone(), decision))
    });
    found.expect("the run accepts a signature with sources")
}

#[test]
fn a_signature_is_explained_from_flow_to_proof() {
    let folder = a_run();
    let all = entries(&folder.path().join("r/ledger.db"));
    let (id, signature, decision) = accepted(&all);
    let screen = printed(dais(folder.path()).args(["explain", "r", &id.to_string(), "--all"]));
    let votes =
        all.iter().filter(|entry| entry.kind == Kind::Vote && Vote::decode(&entry.body).unwrap().signature == id);
    for vote in votes {
        assert!(screen.contains(&format!("  a{} ", vote.author)), "{screen}");
    }
    for part in [
        "Flow",
        "Alert",
        "why it looked strange: ",
        " %",
        "Votes",
        "Outcome",
        "accepted in step",
        "verified",
        "sd",
        &signature.sources[0].to_string(),
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert!(!screen.contains("NOT VERIFIED") && !screen.contains('\x1b'), "{screen}");

    let short = &id.to_string()[..12];
    let found: Value =
        serde_json::from_str(&printed(dais(folder.path()).args(["explain", "r", short, "--json"]))).unwrap();
    assert_eq!((&found["subject"], &found["id"]), (&"signature".into(), &id.to_string().into()));
    let published = &found["published"];
    let proof: InclusionProof = serde_json::from_value(published["proof"].clone()).unwrap();
    let entry = &all[usize::try_from(proof.index).unwrap()];
    assert_eq!(Signature::decode(&entry.body).unwrap(), signature);
    let root = serde_json::from_value(found["head"]["root"].clone()).unwrap();
    proof.verify(&entry.leaf_hash(), &root).expect("the proof leads from the entry to the head");
    assert_eq!(found["outcomes"][0]["decision"]["confirmations"], decision.confirmations);
    assert!(found["flow"]["ordinary_flows"].as_u64().unwrap() > 0);
    let reasons = found["flow"]["reasons"].as_array().unwrap();
    let shares: Vec<f64> = reasons.iter().map(|reason| reason["share"].as_f64().unwrap()).collect();
    assert!((1..=5).contains(&shares.len()) && shares.is_sorted_by(|a, b| a >= b), "{reasons:?}");
    let first = reasons[0]["name"].as_str().unwrap();
    assert!(screen.contains(&format!("why it looked strange: {first} ")), "{screen}");
}

#[test]
fn a_blocked_address_is_explained_by_who_named_it() {
    let folder = a_run_that_blocks();
    let all = entries(&folder.path().join("r/ledger.db"));
    let blocked = printed(dais(folder.path()).args(["blocklist", "r"]));
    let address = blocked.lines().next().expect("an address is blocked");
    let found: Value =
        serde_json::from_str(&printed(dais(folder.path()).args(["explain", "r", address, "--json"]))).unwrap();
    assert_eq!((&found["subject"], &found["blocked"]), (&"address".into(), &true.into()));
    let ids: BTreeSet<String> = all
        .iter()
        .filter(|entry| entry.kind == Kind::Signature)
        .map(|entry| Signature::decode(&entry.body).unwrap().id().to_string())
        .collect();
    let first = &found["blocks"][0];
    assert!(first["since_step"].is_u64() && ids.contains(first["signature"].as_str().unwrap()), "{found}");
    let screen = printed(dais(folder.path()).args(["explain", "r", address]));
    assert!(screen.contains("blocked since step") && screen.contains("  head "), "{screen}");
}

#[test]
fn an_address_that_nothing_names_is_said_to_be_free() {
    let folder = a_run();
    let all = entries(&folder.path().join("r/ledger.db"));
    let named: BTreeSet<IpAddr> = signatures(&all).into_iter().flat_map(|signature| signature.sources).collect();
    let near = named.iter().find_map(|address| match address {
        IpAddr::V4(address) => {
            Some(IpAddr::from((address.to_bits() ^ 0xff).to_be_bytes())).filter(|near| !named.contains(near))
        }
        IpAddr::V6(_) => None,
    });
    let near = near.expect("the run names addresses").to_string();
    let output = dais(folder.path()).args(["explain", "r", &near]).output().unwrap();
    let screen = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{screen}");
    assert!(screen.contains("nothing here blocks it") && screen.contains("near it"), "{screen}");
}

#[test]
fn what_is_neither_signature_nor_address_is_refused() {
    let folder = a_run();
    assert!(refusal(dais(folder.path()).args(["explain", "r", "hello"])).contains("neither an address"));
    assert!(refusal(dais(folder.path()).args(["explain", "r", "abc"])).contains("at least 4"));
    assert!(refusal(dais(folder.path()).args(["explain", "r", &"0".repeat(64)])).contains("no signature"));
    assert!(refusal(dais(folder.path()).args(["explain", "elsewhere", "abcd"])).contains("no ledger here"));
}

#[test]
fn without_scenario_and_summary_the_ledger_still_explains() {
    let folder = a_run();
    let (id, ..) = accepted(&entries(&folder.path().join("r/ledger.db")));
    fs::remove_file(folder.path().join("r/scenario.yaml")).unwrap();
    let screen = printed(dais(folder.path()).args(["explain", "r", &id.to_string()]));
    assert!(screen.contains("could not be loaded again"), "{screen}");
    fs::remove_file(folder.path().join("r/summary.json")).unwrap();
    let screen = printed(dais(folder.path()).args(["explain", "r", &id.to_string()]));
    assert!(screen.contains("the schema") && screen.contains("verified"), "{screen}");
}
