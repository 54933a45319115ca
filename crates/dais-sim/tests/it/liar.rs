//! What liars of every kind can do in whole runs.

use std::sync::Arc;

use dais_ledger::{Kind, MemoryStorage, Origin};
use dais_protocol::{Outcome, Signature, Vote};
use dais_sim::{
    AdversaryGroup, Behaviour, Execution, Finished, GENESIS_FORMAT, Genesis, Invariants, Mode, Placement, Plan, Rules,
    Seed, StepTally, Stop, World, appointed, audit, behaviours,
};
use dais_traffic::{Source, SyntheticParams};

const AGENTS: u32 = 20;
const STEPS: u32 = 24;

struct Lived {
    tally: StepTally,
    finished: Finished,
    lies: Vec<Vec<Behaviour>>,
}

fn traffic() -> Arc<dyn Source> {
    let params = SyntheticParams { sites: AGENTS, steps: STEPS, flows_per_step: 40.0, ..SyntheticParams::default() };
    Arc::new(params.build(7).expect("parameters in range"))
}

fn live(mode: Mode, groups: &[AdversaryGroup]) -> Lived {
    live_by(mode, Rules { adversaries: groups.to_vec(), ..Rules::default() })
}

/// Lives a run, and checks after every step what must hold.
fn live_by(mode: Mode, rules: Rules) -> Lived {
    let source = traffic();
    let genesis = Genesis {
        format: GENESIS_FORMAT.to_owned(),
        seed: Seed(7),
        agents: AGENTS,
        steps: STEPS,
        scenario: String::new(),
        schema: String::new(),
        features: source.schema().numeric.len(),
        categories: source.schema().categorical.len(),
        files: Vec::new(),
        rules: rules.clone(),
        witnesses: appointed(Seed(7), AGENTS, &rules.exchange).iter().map(ToString::to_string).collect(),
    };
    let plan = Plan {
        seed: Seed(7),
        rules,
        execution: Execution { threads: 2, use_parallel_threshold: 2 },
        origin: Origin::new("dais/liar").expect("a name"),
        genesis: genesis.encode(),
        stop: Stop::default(),
    };
    let lies = behaviours(&plan, AGENTS as usize);
    let mut world = World::new(mode, &plan, source, Box::new(MemoryStorage::new())).expect("a world");
    let mut tally = StepTally::default();
    let mut invariants = Invariants::default();
    for _ in 0..STEPS {
        tally.add(&world.step(&mut ()).expect("a step"));
        world.check(&mut invariants).unwrap_or_else(|broken| panic!("{broken}, seed 7"));
    }
    Lived { tally, finished: world.finish().expect("an end"), lies }
}

fn recall(tally: &StepTally) -> f64 {
    let (flows, found) = tally.families.iter().fold((0, 0), |(a, b), family| (a + family.flows, b + family.found));
    found as f64 / flows as f64
}

fn false_positives(tally: &StepTally) -> f64 {
    tally.false_alarms as f64 / tally.benign as f64
}

fn liars(share: f64, behaviours: &[Behaviour]) -> [AdversaryGroup; 1] {
    [AdversaryGroup::new(share, behaviours)]
}

/// Mean trust of liars and of honest agents.
fn trust(lived: &Lived) -> (f32, f32) {
    let mean = |liars: bool| {
        let who = lived.finished.trust.iter().zip(&lived.lies).filter(|(_, lies)| lies.is_empty() != liars);
        let trust: Vec<f32> = who.map(|(trust, _)| *trust).collect();
        trust.iter().sum::<f32>() / trust.len() as f32
    };
    (mean(true), mean(false))
}

fn recorded<T>(finished: &Finished, kind: Kind, read: impl Fn(&[u8]) -> T) -> Vec<(u32, T)> {
    let entries = finished.ledger.as_ref().expect("a ledger").entries_since(0);
    let entries = entries.map(|entry| entry.expect("readable").1).filter(|entry| entry.kind == kind);
    entries.map(|entry| (entry.author, read(&entry.body))).collect()
}

#[test]
fn the_audit_holds_and_a_tenth_of_liars_does_no_harm_whatever_they_do() {
    let isolated = live(Mode::Isolated, &[]);
    for behaviour in Behaviour::ALL {
        let lived = live(Mode::Collaborative, &liars(0.1, &[behaviour]));
        let (found, alarms) = (recall(&lived.tally), false_positives(&lived.tally));
        let name = behaviour.name();
        println!("{name}: recall {found:.3}, false positives {alarms:.4}, trust {:?}", trust(&lived));
        assert!(found > recall(&isolated.tally) - 0.01, "{name}: recall {found}, alone {}", recall(&isolated.tally));
        let alone = false_positives(&isolated.tally);
        assert!(alarms < alone + 0.01, "{name}: false positives {alarms}, alone {alone}");
        let storage = lived.finished.ledger.expect("a ledger").into_storage();
        audit(&*storage).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
}

#[test]
fn offers_without_a_seal_keep_nobody_from_a_vote() {
    let honest = live(Mode::Collaborative, &[]).finished.counts;
    let smothered = live(Mode::Collaborative, &liars(0.2, &[Behaviour::Smotherer])).finished.counts;
    assert!(smothered.refused_seals > 0, "nobody tried: {smothered:?}");
    assert!(
        smothered.accepted * 2 > honest.accepted,
        "{} accepted, {} without liars",
        smothered.accepted,
        honest.accepted
    );
}

#[test]
fn nobody_is_made_the_author_of_what_another_says() {
    let lived = live(Mode::Collaborative, &liars(0.2, &[Behaviour::Forger]));
    assert!(lived.finished.counts.refused_seals > 0, "nobody tried");
    let signatures = recorded(&lived.finished, Kind::Signature, |body| Signature::decode(body).expect("readable"));
    assert!(!signatures.is_empty());
    for (author, signature) in signatures {
        assert_eq!(author, signature.author.0);
        assert!(lived.lies[author as usize].is_empty(), "{author} forges and seals");
    }
}

#[test]
fn what_cannot_be_read_back_is_not_recorded() {
    let lived = live(Mode::Collaborative, &liars(0.3, &[Behaviour::Spoiler]));
    assert!(lived.finished.counts.refused_seals > 0, "nobody tried");
    let votes = recorded(&lived.finished, Kind::Vote, |body| Vote::decode(body).is_ok());
    assert!(!votes.is_empty() && votes.iter().all(|(_, readable)| *readable));
}

#[test]
fn a_few_cannot_revoke_what_was_accepted_and_lose_trust_by_trying() {
    let lived = live(Mode::Collaborative, &liars(0.2, &[Behaviour::Revoker]));
    let challenges = recorded(&lived.finished, Kind::Challenge, |_| ());
    assert!(challenges.iter().any(|(author, ())| !lived.lies[*author as usize].is_empty()), "nobody tried");
    let counts = &lived.finished.counts;
    assert!(counts.accepted > 0 && counts.revoked * 10 <= counts.accepted, "{counts:?}");
    let (liars, honest) = trust(&lived);
    assert!(liars < honest, "liars {liars}, honest {honest}");
}

#[test]
fn slander_by_a_tenth_blocks_nobody_who_is_not_blocked_without() {
    let honest = live(Mode::Collaborative, &[]);
    for behaviour in [Behaviour::Slanderer, Behaviour::Framer] {
        let lived = live(Mode::Collaborative, &liars(0.1, &[behaviour]));
        let (before, after) = (false_positives(&honest.tally), false_positives(&lived.tally));
        assert!(after < before + 0.005, "{behaviour:?}: {before} without, {after} with");
    }
}

#[test]
fn who_votes_twice_ends_without_trust() {
    let lived = live(Mode::Collaborative, &liars(0.2, &[Behaviour::Equivocator]));
    for (trust, lies) in lived.finished.trust.iter().zip(&lived.lies) {
        assert_eq!(*trust <= 0.0, !lies.is_empty(), "trust {trust} of {lies:?}");
    }
}

#[test]
fn a_flood_is_refused_as_a_whole() {
    let lived = live(Mode::Collaborative, &liars(0.1, &[Behaviour::Flooder]));
    assert!(lived.finished.counts.refused_seals > 0, "nobody tried");
    let by_liars = recorded(&lived.finished, Kind::Signature, |_| ());
    assert!(by_liars.iter().all(|(author, ())| lived.lies[*author as usize].is_empty()));
}

#[test]
fn who_is_cut_off_keeps_its_own_findings() {
    let groups = [AdversaryGroup { placement: Placement::Region, ..AdversaryGroup::new(0.5, &[Behaviour::Eclipser]) }];
    let (isolated, lived) = (live(Mode::Isolated, &[]), live(Mode::Collaborative, &groups));
    assert!(recall(&lived.tally) > recall(&isolated.tally) - 0.02);
    let said = recorded(&lived.finished, Kind::Vote, |_| ());
    assert!(said.iter().all(|(author, ())| !lived.lies[*author as usize].is_empty()), "all honest agents are cut off");
}

#[test]
fn outcomes_are_recorded_under_every_lie() {
    let lived = live(Mode::Collaborative, &liars(0.3, &[Behaviour::Sybil]));
    let outcomes =
        recorded(&lived.finished, Kind::Outcome, |body| dais_protocol::Decision::decode(body).expect("read"));
    assert!(outcomes.iter().any(|(_, decision)| decision.outcome == Outcome::Accepted));
}

#[test]
fn what_must_hold_after_every_step_holds_under_every_lie() {
    for behaviour in Behaviour::ALL {
        let lived = live(Mode::Collaborative, &liars(0.3, &[behaviour]));
        assert!(lived.finished.counts.votes > 0, "{behaviour:?}");
    }
}

#[test]
fn an_allow_list_wins_over_every_slander() {
    let mut rules = Rules { adversaries: liars(0.5, &[Behaviour::Sybil]).to_vec(), ..Rules::default() };
    rules.exchange.sighters_min = 1;
    rules.exchange.sighters_share = 0.0;
    let blocked = |rules: &Rules| live_by(Mode::Collaborative, rules.clone()).tally.blocked;
    assert!(blocked(&rules) > 0, "nobody is blocked at all");
    rules.agent.allow = ["0.0.0.0/0", "::/0"].map(|prefix| prefix.parse().expect("a prefix")).to_vec();
    assert_eq!(blocked(&rules), 0);
}
