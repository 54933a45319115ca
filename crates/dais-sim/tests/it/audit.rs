//! A run's ledger proves its own decisions, and shows where somebody changed it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::sync::Arc;

use dais_ledger::{COORDINATOR, Damage, Entry, HeadKey, Kind, Ledger, LedgerError, MemoryStorage, Origin, Storage};
use dais_protocol::{Decision, Motion, Outcome, Span, Verdict, Vote};
use dais_sim::{
    AdversaryGroup, Audit, Behaviour, Check, Depth, ExchangeCounts, Execution, Fault, Finished, GENESIS_FORMAT,
    Genesis, Mode, Plan, Rules, Seed, Stop, Witnessed, World, Wrong, appointed, audit, replay,
};
use dais_traffic::{Source, SyntheticParams};

const STEPS: u32 = 30;

/// A run with liars, failing agents, small committees that escalate, and revocations.
fn turbulent() -> Rules {
    let mut rules = Rules {
        adversaries: vec![
            AdversaryGroup::new(0.25, &[Behaviour::Poisoner, Behaviour::Inverter]),
            AdversaryGroup::new(0.1, &[Behaviour::Silent]),
        ],
        failure_rate: 0.02,
        ..Rules::default()
    };
    rules.policy.committee_max = 5;
    rules.policy.margin = 0.1;
    rules.exchange.challengers_min = 1;
    rules.agent.doubt_matches_min = 1;
    rules.agent.doubt_share = 0.05;
    rules.agent.ordinary_p = 0.1;
    rules.agent.burst_p = 0.02;
    rules.agent.block_ttl = Span::Steps(5);
    rules
}

pub(crate) struct Played {
    pub(crate) storage: Box<dyn Storage>,
    pub(crate) witnessed: Witnessed,
    counts: ExchangeCounts,
}

fn witnesses(rules: &Rules) -> Vec<String> {
    appointed(Seed(7), 12, &rules.exchange).iter().map(ToString::to_string).collect()
}

pub(crate) fn play(rules: Rules) -> Played {
    let params = SyntheticParams { sites: 12, steps: STEPS, flows_per_step: 40.0, ..SyntheticParams::default() };
    let source = params.build(7).unwrap();
    let genesis = Genesis {
        format: GENESIS_FORMAT.to_owned(),
        seed: Seed(7),
        agents: 12,
        steps: STEPS,
        scenario: String::new(),
        schema: String::new(),
        features: source.schema().numeric.len(),
        categories: source.schema().categorical.len(),
        files: Vec::new(),
        rules: rules.clone(),
        witnesses: witnesses(&rules),
    };
    let plan = Plan {
        seed: Seed(7),
        rules,
        execution: Execution { threads: 1, use_parallel_threshold: usize::MAX },
        origin: Origin::new("dais/test").unwrap(),
        genesis: genesis.encode(),
        stop: Stop::default(),
    };
    let mut world = World::new(Mode::Collaborative, &plan, Arc::new(source), Box::new(MemoryStorage::new())).unwrap();
    for _ in 0..STEPS {
        world.step(&mut ()).unwrap();
    }
    let finished = world.finish().unwrap();
    let Finished { ledger, witnessed, counts, .. } = finished;
    Played { storage: ledger.unwrap().into_storage(), witnessed, counts }
}

pub(crate) fn entries(storage: &dyn Storage) -> Vec<Entry> {
    let mut entries = Vec::new();
    let all = 0..storage.len().unwrap();
    storage
        .scan(all, &mut |row| {
            entries.push(Entry::decode(row.bytes).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    entries
}

/// Seals other entries as a whole new log, in batches as the original: what somebody can do who holds a key.
pub(crate) fn forge(original: &dyn Storage, changed: &[Entry], key: &HeadKey) -> Result<Box<dyn Storage>, LedgerError> {
    let mut ledger = Ledger::create(MemoryStorage::new(), original.identity()?.unwrap().origin, key.clone())?;
    let is_founding = |entry: &Entry| matches!(entry.kind, Kind::Genesis | Kind::Member);
    for batch in changed.chunk_by(|a, b| a.step == b.step && is_founding(a) == is_founding(b)) {
        ledger.append_batch(batch)?;
    }
    Ok(Box::new(ledger.into_storage()))
}

/// What an audit finds first in changed entries that somebody sealed with a key of their own.
fn finding(storage: &dyn Storage, changed: &[Entry]) -> Fault {
    let forged = forge(storage, changed, &HeadKey::from_seed([9; 32])).unwrap();
    audit(&*forged).unwrap_err()
}

fn position(entries: &[Entry], fits: impl Fn(&Entry) -> bool) -> usize {
    entries.iter().position(fits).expect("the run holds such an entry")
}

#[test]
fn a_quiet_run_proves_its_decisions() {
    let played = play(Rules::default());
    let Audit { steps, seals, decisions, votes_counted, votes_refused, entries, .. } = audit(&*played.storage).unwrap();
    let counts = played.counts;
    let closed = counts.accepted + counts.rejected + counts.disputed + counts.expired;
    assert_eq!((steps, votes_counted, votes_refused), (STEPS, counts.votes, counts.refused_votes));
    assert!(seals > 0 && decisions >= closed && closed > 0, "{seals} seals, {decisions} decisions");
    assert_eq!(entries[&Kind::Signature], counts.offered);
}

#[test]
fn a_run_with_liars_failures_escalations_and_revocations_proves_its_decisions() {
    let played = play(turbulent());
    let counts = played.counts;
    assert!(counts.escalated > 0 && counts.rejected > 0, "{counts:?}");
    let mut revocations = 0;
    let genesis = replay(&*played.storage, Depth::Decisions, &mut |step| {
        revocations += step.outcomes.iter().filter(|(_, decision)| decision.motion == Motion::Revoke).count();
    });
    assert_eq!(genesis.unwrap().agents, 12);
    assert!(revocations > 0, "{counts:?}");
    assert_eq!(audit(&*played.storage).unwrap().votes_counted, counts.votes);
}

#[test]
fn a_changed_vote_breaks_its_authors_seal() {
    let played = play(Rules::default());
    let mut changed = entries(&*played.storage);
    let at = position(&changed, |entry| entry.kind == Kind::Vote);
    let mut vote = Vote::decode(&changed[at].body).unwrap();
    vote.verdict = if vote.verdict == Verdict::Confirm { Verdict::Refute } else { Verdict::Confirm };
    changed[at].body = vote.encode();
    let fault = finding(&*played.storage, &changed);
    let place = fault.place.unwrap();
    let Wrong::Seal { first, last } = *fault.wrong else { panic!("{fault}") };
    assert_eq!((fault.check, place.kind, place.author), (Check::Seals, Kind::Seal, vote.voter.0));
    assert!((first..=last).contains(&(at as u64)), "{fault}");
}

#[test]
fn a_changed_outcome_does_not_follow_from_the_votes() {
    let played = play(Rules::default());
    let mut changed = entries(&*played.storage);
    let accepted = |entry: &Entry| Decision::decode(&entry.body).unwrap().outcome == Outcome::Accepted;
    let at = position(&changed, |entry| entry.kind == Kind::Outcome && accepted(entry));
    let original = Decision::decode(&changed[at].body).unwrap();
    for forged in [
        Decision { radius: original.radius * 1.5, ..original.clone() },
        Decision { outcome: Outcome::Rejected, radius: 0.0, ..original.clone() },
        Decision { confirmations: original.confirmations + 1, ..original.clone() },
    ] {
        changed[at].body = forged.encode();
        let fault = finding(&*played.storage, &changed);
        assert_eq!((fault.check, fault.place.unwrap().index), (Check::Decisions, at as u64), "{fault}");
        assert!(matches!(*fault.wrong, Wrong::Outcome { .. }), "{fault}");
    }
}

#[test]
fn removed_and_invented_outcomes_are_named() {
    let played = play(Rules::default());
    let original = entries(&*played.storage);
    let at = position(&original, |entry| entry.kind == Kind::Outcome);
    let mut removed = original.clone();
    removed.remove(at);
    let fault = finding(&*played.storage, &removed);
    assert!(matches!(*fault.wrong, Wrong::OutcomeMissing { .. }), "{fault}");
    let mut invented = original.clone();
    invented.insert(at + 1, original[at].clone());
    let fault = finding(&*played.storage, &invented);
    assert!(matches!(*fault.wrong, Wrong::Unfounded { .. }), "{fault}");
    assert_eq!(fault.place.unwrap().index, at as u64 + 1);
}

#[test]
fn removed_words_and_seals_are_named() {
    let played = play(Rules::default());
    let original = entries(&*played.storage);
    let vote = position(&original, |entry| entry.kind == Kind::Vote);
    let seal = position(&original, |entry| entry.kind == Kind::Seal);
    let mut silenced = original.clone();
    silenced.remove(vote);
    let fault = finding(&*played.storage, &silenced);
    assert!(matches!(fault.check, Check::Seals | Check::Record), "{fault}");
    let mut unsealed = original.clone();
    unsealed.remove(seal);
    let fault = finding(&*played.storage, &unsealed);
    assert!(matches!(*fault.wrong, Wrong::Unsealed), "{fault}");
    assert_eq!(fault.place.unwrap().author, original[seal].author);
}

#[test]
fn a_life_that_jumps_is_named() {
    let played = play(Rules::default());
    let mut changed = entries(&*played.storage);
    let at = position(&changed, |entry| entry.kind == Kind::Lifecycle);
    changed[at].body.drain(0..3);
    let fault = finding(&*played.storage, &changed);
    assert_eq!((fault.check, fault.place.unwrap().index), (Check::Lifecycle, at as u64), "{fault}");
}

#[test]
fn other_members_rules_and_bodies_are_named() {
    let played = play(Rules::default());
    let original = entries(&*played.storage);
    let mut member = original.clone();
    member[3].body[0] ^= 1;
    let fault = finding(&*played.storage, &member);
    assert_eq!((fault.check, fault.place.unwrap().index), (Check::Record, 3), "{fault}");
    let mut rules = original.clone();
    let mut genesis = Genesis::decode(&rules[0].body).unwrap();
    genesis.rules.policy.threshold = 0.99;
    rules[0].body = genesis.encode();
    assert_eq!(finding(&*played.storage, &rules).check, Check::Decisions);
    let mut witnesses = original.clone();
    let mut genesis = Genesis::decode(&witnesses[0].body).unwrap();
    genesis.witnesses.swap(0, 1);
    witnesses[0].body = genesis.encode();
    let fault = finding(&*played.storage, &witnesses);
    assert!(matches!(*fault.wrong, Wrong::Witnesses), "{fault}");
    let mut body = original.clone();
    let at = position(&body, |entry| entry.kind == Kind::Outcome);
    body[at].body.push(0);
    let fault = finding(&*played.storage, &body);
    assert!(matches!(*fault.wrong, Wrong::Body(_)) && fault.place.unwrap().author == COORDINATOR, "{fault}");
}

#[test]
fn a_log_resealed_with_another_key_is_not_that_of_the_run() {
    let played = play(Rules::default());
    let fault = finding(&*played.storage, &entries(&*played.storage));
    assert_eq!(fault.check, Check::Key);
    assert!(matches!(*fault.wrong, Wrong::HeadKey { .. }), "{fault}");
}

#[test]
fn a_missing_head_between_two_steps_is_named() {
    let played = play(Rules::default());
    let all = entries(&*played.storage);
    let mut ledger =
        Ledger::create(MemoryStorage::new(), Origin::new("dais/x").unwrap(), HeadKey::from_seed([9; 32])).unwrap();
    let founding = position(&all, |entry| !matches!(entry.kind, Kind::Genesis | Kind::Member));
    ledger.append_batch(&all[..founding]).unwrap();
    ledger.append_batch(&all[founding..]).unwrap();
    let fault = audit(&ledger.into_storage()).unwrap_err();
    assert!(matches!(*fault.wrong, Wrong::HeadMissing { .. }), "{fault}");
}

#[test]
fn a_log_without_a_run_is_not_one() {
    let mut ledger =
        Ledger::create(MemoryStorage::new(), Origin::new("dais/x").unwrap(), HeadKey::from_seed([9; 32])).unwrap();
    assert!(matches!(*audit(ledger.storage()).unwrap_err().wrong, Wrong::NotARun));
    ledger.append_batch(&[Entry { kind: Kind::Vote, step: 0, author: 0, body: vec![1] }]).unwrap();
    let fault = audit(ledger.storage()).unwrap_err();
    assert!(matches!(*fault.wrong, Wrong::NotARun) && fault.place.unwrap().index == 0, "{fault}");
    let empty = MemoryStorage::new();
    let fault = audit(&empty).unwrap_err();
    assert!(matches!(*fault.wrong, Wrong::Damaged { damage: Damage::Headless { .. }, .. }), "{fault}");
}
