//! Witnesses of whole runs: of honest ones, of a two-faced coordinator, and of a history that is rewritten afterwards.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use dais_ledger::{Checkpoint, Entry, Head, HeadKey, HeadVerifier, Kind, MemoryStorage, Storage};
use dais_sim::{Accusation, Cause, Cosignature, Cosigned, Doubt, Rules, accusation, audit, cosigned, transitions};
use rand_philox::philox4x32_10;

use super::audit::{Played, entries, forge, play};

fn watched_by(witnesses: u32) -> Rules {
    let mut rules = Rules::default();
    rules.exchange.witnesses = witnesses;
    rules.exchange.witness_steps = 7;
    rules
}

/// The key of the heads: whoever knows a run's seed has it.
fn log_key() -> HeadKey {
    let mut seed = [0; 32];
    let words = [0, 1].map(|index| philox4x32_10([2, 0, 0, index], [7, 0]));
    for (bytes, word) in seed.chunks_exact_mut(4).zip(words.as_flattened()) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    HeadKey::from_seed(seed)
}

fn verdict(storage: &dyn Storage, checkpoint: Option<&str>) -> Cosigned {
    cosigned(storage, checkpoint.map(str::as_bytes)).unwrap().expect("a run")
}

fn text(played: &Played) -> String {
    played.witnessed.checkpoint.as_ref().unwrap().to_string()
}

#[test]
fn the_last_head_of_an_honest_run_is_cosigned_by_all() {
    let played = play(watched_by(7));
    assert_eq!((played.witnessed.witnesses, played.witnessed.cosigned()), (7, 7));
    assert!(played.witnessed.split_views.is_empty());
    let found = verdict(&*played.storage, Some(&text(&played)));
    assert_eq!((found.held(), &found.doubt, found.unknown.len()), (7, &None, 0));
    assert_eq!(found.head, played.storage.latest_head().unwrap().map(|signed| signed.head));
    // Generated steps last a minute.
    let times: Vec<&Cosignature> = found.witnesses.iter().map(|(_, cosignature)| cosignature).collect();
    assert!(times.iter().all(|time| matches!(time, Cosignature::Holds { time_s: 1.. })), "{times:?}");
}

#[test]
fn a_run_without_witnesses_needs_no_checkpoint() {
    let played = play(watched_by(0));
    assert!(played.witnessed.checkpoint.is_none());
    let found = verdict(&*played.storage, None);
    assert_eq!((found.doubt, found.witnesses.len()), (None, 0));
}

#[test]
fn removed_changed_and_foreign_cosignatures_are_named() {
    let played = play(watched_by(7));
    let whole = text(&played);
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let name = |at: usize| verdict(&*played.storage, Some(&whole)).witnesses[at].0.clone();

    let six = verdict(&*played.storage, Some(&joined(&lines[..lines.len() - 1])));
    assert_eq!((six.held(), &six.witnesses[6], &six.doubt), (6, &(name(6), Cosignature::Missing), &None));
    let three = verdict(&*played.storage, Some(&joined(&lines[..lines.len() - 4])));
    assert_eq!(three.doubt, Some(Doubt::TooFew { found: 3, witnesses: 7, needed: 4 }));
    assert_eq!(verdict(&*played.storage, None).doubt, Some(Doubt::NoCheckpoint { witnesses: 7 }));

    // The key id stands in the first characters, the signature behind.
    let bent = |line: &str, from_end: usize| {
        let at = line.len() - from_end;
        let other = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &line[..at], &line[at + 1..])
    };
    let second = bent(lines[6], 20);
    let mut changed = lines.clone();
    changed[6] = &second;
    let found = verdict(&*played.storage, Some(&joined(&changed)));
    assert_eq!((found.held(), found.doubt), (6, Some(Doubt::Invalid { name: name(1) })));
    let own = bent(lines[4], 20);
    changed[4] = &own;
    assert!(matches!(verdict(&*played.storage, Some(&joined(&changed))).doubt, Some(Doubt::Unsigned(_))));

    let foreign = joined(&[&lines[..], &["\u{2014} somebody.example AAAAAAAA"]].concat());
    let found = verdict(&*played.storage, Some(&foreign));
    assert_eq!((found.held(), found.unknown[0].as_str(), found.doubt), (7, "somebody.example", None));
    assert!(matches!(verdict(&*played.storage, Some("no checkpoint")).doubt, Some(Doubt::Malformed(_))));
    let elsewhere = whole.replacen("dais/test", "dais/other", 1);
    assert!(matches!(verdict(&*played.storage, Some(&elsewhere)).doubt, Some(Doubt::OtherLog { .. })));
}

/// Gives the first transition of an agent another cause, which no rule forbids.
fn rewrite(entries: &mut [Entry]) {
    let entry = entries.iter_mut().find(|entry| entry.kind == Kind::Lifecycle).unwrap();
    assert_eq!(transitions(&entry.body).unwrap()[0].2, Cause::Progress);
    entry.body[2] = Cause::Crash as u8;
}

#[test]
fn history_rewritten_by_the_holder_of_the_key_is_found_by_the_checkpoint_alone() {
    let played = play(watched_by(7));
    let mut all = entries(&*played.storage);
    rewrite(&mut all);
    let forged = forge(&*played.storage, &all, &log_key()).unwrap();
    let audited = audit(&*forged).unwrap();
    let Some(cosigned) = played.witnessed.checkpoint.as_ref().map(|checkpoint| *checkpoint.head()) else { panic!() };
    assert_eq!(audited.head.size, cosigned.size, "it holds in itself, and has as many entries");
    let found = verdict(&*forged, Some(&text(&played)));
    assert_eq!(found.doubt, Some(Doubt::Rewritten { cosigned, found: Some(audited.head.root) }));

    let last_step = all.last().unwrap().step;
    all.retain(|entry| entry.step < last_step);
    let cut = forge(&*played.storage, &all, &log_key()).unwrap();
    assert_eq!(
        verdict(&*cut, Some(&text(&played))).doubt,
        Some(Doubt::Cut { cosigned: cosigned.size, size: all.len() as u64 })
    );
}

#[test]
fn entries_after_the_cosigned_head_are_not_covered() {
    let played = play(watched_by(1));
    let all = entries(&*played.storage);
    let size = all.len() as u64;
    let last = played.storage.next_head(None).unwrap().unwrap();
    assert_eq!(last.head, Head::empty());
    let first = played.storage.next_head(Some(0)).unwrap().unwrap();
    let older = Checkpoint::new(played.storage.identity().unwrap().unwrap().origin, &first, &log_key().verifier());
    assert_eq!(
        verdict(&*played.storage, Some(&older.to_string())).doubt,
        Some(Doubt::TooFew { found: 0, witnesses: 1, needed: 1 })
    );
    let none = play(watched_by(0));
    let origin = none.storage.identity().unwrap().unwrap().origin;
    let first = none.storage.next_head(Some(0)).unwrap().unwrap();
    let older = Checkpoint::new(origin, &first, &log_key().verifier());
    let found = verdict(&*none.storage, Some(&older.to_string()));
    assert_eq!(found.doubt, Some(Doubt::Older { cosigned: first.head.size, size }));
}

fn two_faced(from: u32) -> Rules {
    let mut rules = watched_by(7);
    rules.exchange.two_faced_from = Some(from);
    rules
}

#[test]
fn a_two_faced_coordinator_is_convicted_by_its_own_seals() {
    let played = play(two_faced(3));
    let honest = play(watched_by(7));
    let witnessed = &played.witnessed;
    assert_eq!(witnessed.split_views.len(), 1, "all witnesses hold the same proof");
    let proof = &witnessed.split_views[0];
    assert_eq!(proof.verify(&log_key().verifier()), Ok(()));
    assert_eq!(witnessed.cosigned(), 0, "who holds the proof cosigns nothing more");
    assert!(matches!(
        verdict(&*played.storage, Some(&text(&played))).doubt,
        Some(Doubt::TooFew { found: 0, witnesses: 7, needed: 4 })
    ));

    let text = proof.to_string();
    let Some(Accusation::Proven { here: Some(here), .. }) = accusation(&*played.storage, &text).unwrap() else {
        panic!("a proof against this log");
    };
    assert!(proof.heads().iter().any(|signed| signed.head.root == here));
    assert!(
        matches!(accusation(&*honest.storage, &text).unwrap(), Some(Accusation::Proven { .. })),
        "one key, one name"
    );
    let foreign = forge(&*honest.storage, &entries(&*honest.storage), &HeadKey::from_seed([9; 32])).unwrap();
    assert!(matches!(accusation(&*foreign, &text).unwrap(), Some(Accusation::Foreign(_))));
    assert!(matches!(accusation(&*foreign, "slander").unwrap(), Some(Accusation::Void(_))));
    assert_eq!(accusation(&MemoryStorage::new(), &text).unwrap(), None);
}

#[test]
fn a_coordinator_that_has_not_lied_yet_is_not_accused() {
    let played = play(two_faced(u32::MAX));
    assert_eq!((played.witnessed.cosigned(), played.witnessed.split_views.len()), (7, 0));
    let expected = play(watched_by(7));
    let (found, expected) = (played.storage.latest_head().unwrap(), expected.storage.latest_head().unwrap());
    assert_ne!(found.unwrap().head.root, expected.unwrap().head.root, "the rules tell them apart");
}

#[test]
fn retired_agents_cosign_no_more_and_are_missed() {
    let mut rules = watched_by(7);
    rules.failure_rate = 0.5;
    let played = play(rules);
    let found = verdict(&*played.storage, Some(&text(&played)));
    assert!(found.held() < 7, "some witness is retired");
    let verifier = HeadVerifier::from_bytes(played.storage.identity().unwrap().unwrap().public_key).unwrap();
    assert!(played.witnessed.checkpoint.unwrap().signed_by(&verifier).is_ok());
}
