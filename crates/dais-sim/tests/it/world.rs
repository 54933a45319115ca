//! Whole histories: same seed, same history; failing agents; liars.

use std::sync::Arc;

use dais_ledger::{MemoryStorage, Origin};
use dais_protocol::Motion;
use dais_sim::{
    AdversaryGroup, Behaviour, ExchangeCounts, Execution, Finished, Lifecycle, Mode, Plan, Rules, Seed, StepTally,
    Stop, World, WorldError, behaviours,
};
use dais_traffic::{
    Batch, BatchBuilder, Context, Family, Observation, Schema, Source, SyntheticParams, Truth, flow_schema,
};

const STEPS: u32 = 24;

fn traffic(sites: u32) -> Arc<dyn Source> {
    let params = SyntheticParams { sites, steps: STEPS, flows_per_step: 40.0, ..SyntheticParams::default() };
    Arc::new(params.build(7).expect("parameters in range"))
}

fn plan(threads: usize, rules: Rules) -> Plan {
    Plan {
        seed: Seed(7),
        rules,
        execution: Execution { threads, use_parallel_threshold: 2 },
        origin: Origin::new("dais/test").expect("a name"),
        genesis: b"test".to_vec(),
        stop: Stop::default(),
    }
}

fn world(mode: Mode, plan: &Plan, source: &Arc<dyn Source>) -> World {
    World::new(mode, plan, Arc::clone(source), Box::new(MemoryStorage::new())).expect("a world")
}

fn live(mut world: World, steps: u32) -> (StepTally, Finished) {
    let mut total = StepTally::default();
    for _ in 0..steps {
        total.add(&world.step(&mut ()).expect("a step"));
    }
    (total, world.finish().expect("an end"))
}

fn head(finished: &Finished) -> String {
    finished.ledger.as_ref().expect("a ledger").head().head.root.to_string()
}

/// The text of the last head with all its cosignatures.
fn checkpoint(finished: &Finished) -> String {
    finished.witnessed.checkpoint.as_ref().expect("a checkpoint").to_string()
}

#[test]
fn a_history_is_the_same_for_any_number_of_threads() {
    let source = traffic(13);
    let run = |threads| live(world(Mode::Collaborative, &plan(threads, Rules::default()), &source), STEPS);
    let (tally, first) = run(1);
    assert!(first.counts.votes > 0 && first.counts.accepted > 0, "nothing to compare: {:?}", first.counts);
    for threads in [2, 7, 1] {
        let (other_tally, other) = run(threads);
        assert_eq!(head(&other), head(&first), "{threads} threads");
        assert_eq!(checkpoint(&other), checkpoint(&first), "{threads} threads");
        assert_eq!((&other_tally, other.counts), (&tally, first.counts), "{threads} threads");
        assert_eq!(
            other.trust.iter().map(|t| t.to_bits()).collect::<Vec<_>>(),
            first.trust.iter().map(|t| t.to_bits()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn another_seed_gives_another_history() {
    let source = traffic(6);
    let run =
        |seed| live(world(Mode::Collaborative, &Plan { seed: Seed(seed), ..plan(1, Rules::default()) }, &source), 6).1;
    assert_ne!(head(&run(1)), head(&run(2)));
}

#[test]
fn a_world_that_goes_back_to_its_snapshot_lives_the_same_history_again() {
    let source = traffic(9);
    let mut rules = Rules::default();
    rules.exchange.witness_steps = 5;
    let plan = plan(1, rules);
    let mut one = world(Mode::Collaborative, &plan, &source);
    for _ in 0..STEPS / 3 {
        one.step(&mut ()).expect("a step");
    }
    let snapshot = one.snapshot().expect("bytes");
    for _ in STEPS / 3..STEPS / 2 {
        one.step(&mut ()).expect("a step");
    }
    one.restore(&snapshot).expect("own bytes");
    let (_, restored) = live(one, STEPS - STEPS / 3);
    let (_, straight) = live(world(Mode::Collaborative, &plan, &source), STEPS);
    assert_eq!(head(&restored), head(&straight));
    assert_eq!((checkpoint(&restored), restored.witnessed.cosigned()), (checkpoint(&straight), 7));
}

#[test]
fn a_resumed_world_records_nothing_twice_and_ends_alike_on_any_number_of_threads() {
    let source = traffic(13);
    for mode in Mode::ALL {
        let mut rules = Rules { failure_rate: 0.05, ..Rules::default() };
        rules.adversaries.push(AdversaryGroup::new(0.2, &[Behaviour::Poisoner]));
        rules.exchange.two_faced_from = Some(4);
        let plan = plan(2, rules);
        let mut whole = world(mode, &plan, &source);
        let mut snapshot = Vec::new();
        for step in 0..STEPS {
            whole.step(&mut ()).expect("a step");
            if step == STEPS / 2 {
                snapshot = whole.snapshot().expect("bytes");
            }
        }
        let straight = whole.finish().expect("an end");
        let counts = straight.counts;
        let (ended, witnessed) = (straight.ledger.as_ref().map(|ledger| *ledger.head()), straight.witnessed.clone());
        let storage =
            straight.ledger.map_or_else(|| Box::new(MemoryStorage::new()) as _, dais_ledger::Ledger::into_storage);
        let other = Plan { execution: Execution { threads: 3, use_parallel_threshold: 1 }, ..plan.clone() };
        let resumed = World::resume(&other, Arc::clone(&source), storage, &snapshot).expect("its own snapshot");
        assert_eq!((resumed.mode(), resumed.next_step()), (mode, STEPS / 2 + 1));
        let (_, resumed) = live(resumed, STEPS - STEPS / 2 - 1);
        assert_eq!(resumed.counts, counts, "{mode}");
        assert_eq!(resumed.ledger.as_ref().map(|ledger| *ledger.head()), ended, "{mode}");
        assert_eq!(resumed.curve, straight.curve, "{mode}");
        assert_eq!(resumed.witnessed.split_views, witnessed.split_views, "{mode}");
        assert_eq!(witnessed.split_views.is_empty(), mode != Mode::Collaborative, "{mode}");
    }
}

#[test]
fn a_world_begun_again_on_its_ledger_records_nothing_twice() {
    let source = traffic(6);
    let (_, once) = live(world(Mode::Collaborative, &plan(1, Rules::default()), &source), STEPS);
    let last = *once.ledger.as_ref().expect("a ledger").head();
    let again = |seed, storage| {
        let plan = Plan { seed: Seed(seed), ..plan(1, Rules::default()) };
        let world = World::new(Mode::Collaborative, &plan, Arc::clone(&source), storage)?;
        Ok::<_, WorldError>(live(world, STEPS).1)
    };
    let twice = again(7, once.ledger.expect("a ledger").into_storage()).expect("the same history");
    assert_eq!(*twice.ledger.as_ref().expect("a ledger").head(), last);
    assert!(again(8, twice.ledger.expect("a ledger").into_storage()).is_err(), "another run's ledger");
}

#[test]
fn a_step_that_is_stopped_leaves_the_world_to_its_snapshot() {
    let source = traffic(6);
    let plan = plan(2, Rules::default());
    let mut world = world(Mode::Collaborative, &plan, &source);
    world.step(&mut ()).expect("a step");
    plan.stop.ask();
    assert!(matches!(world.step(&mut ()), Err(WorldError::Shard(dais_sim::ShardError::Stopped))));
    assert_eq!(world.lives()[&Lifecycle::Active], 6);
}

#[test]
fn what_is_told_of_a_step_is_what_was_counted() {
    let source = traffic(13);
    let mut world = world(Mode::Collaborative, &plan(1, Rules::default()), &source);
    let (mut opened, mut published, mut votes, mut decided, mut learned) = (0, 0, 0, 0, 0);
    for _ in 0..STEPS {
        world.step(&mut ()).expect("a step");
        let facts = world.report();
        opened += facts.opened.len() as u64;
        published += facts.opened.iter().filter(|opened| opened.motion == Motion::Adopt).count() as u64;
        votes += facts.votes.iter().map(|vote| vote.confirmations + vote.refutations + vote.abstentions).sum::<u32>();
        decided += facts.decided.len() as u64;
        learned += facts.learned.len() as u64;
        assert!(facts.decided.iter().all(|decided| decided.opened_step <= decided.decision.step));
        assert_eq!((facts.active, facts.entries), (13, world.head().expect("a ledger").head.size));
    }
    let counts = world.counts();
    assert!(decided > 0, "nothing to compare");
    assert_eq!((published, u64::from(votes)), (counts.published, counts.votes));
    assert!(learned <= counts.accepted && learned > 0, "{learned} learned");
    let ended = counts.accepted + counts.rejected + counts.disputed + counts.expired + counts.revoked;
    assert_eq!(decided, ended);
    assert_eq!(world.report().open as u64, opened - decided);
}

#[test]
fn a_snapshot_brings_back_what_witnesses_remember() {
    let source = traffic(9);
    let lived = |witness_steps| {
        let mut rules = Rules::default();
        rules.exchange.witness_steps = witness_steps;
        let mut world = world(Mode::Collaborative, &plan(1, rules), &source);
        for _ in 0..STEPS / 2 {
            world.step(&mut ()).expect("a step");
        }
        world
    };
    // One ledger, since it does not hold when heads were cosigned; and witnesses that have not seen it yet.
    let (watched, mut unwatched) = (lived(5), lived(STEPS));
    assert_eq!(watched.head(), unwatched.head());
    let snapshot = watched.snapshot().expect("bytes");
    assert_ne!(unwatched.snapshot().expect("bytes"), snapshot);
    unwatched.restore(&snapshot).expect("bytes of a world alike");
    assert_eq!(unwatched.snapshot().expect("bytes"), snapshot);
    let (_, finished) = live(unwatched, STEPS - STEPS / 2);
    assert_eq!(checkpoint(&finished), checkpoint(&live(watched, STEPS - STEPS / 2).1));
    assert_eq!(finished.witnessed.cosigned(), 7);
}

#[test]
fn a_snapshot_cut_short_is_refused() {
    let source = traffic(3);
    let mut world = world(Mode::Isolated, &plan(1, Rules::default()), &source);
    let mut snapshot = world.snapshot().expect("bytes");
    let whole = snapshot.clone();
    for piece in 0..snapshot.len() {
        snapshot[piece].truncate(whole[piece].len() / 2);
        assert!(world.restore(&snapshot).is_err(), "piece {piece}");
        snapshot[piece].clone_from(&whole[piece]);
    }
    snapshot.pop();
    assert!(world.restore(&snapshot).is_err());
    world.restore(&whole).expect("its own");
}

#[test]
fn agents_that_fail_are_retired_while_the_others_go_on() {
    let source = traffic(10);
    let rules = Rules { failure_rate: 0.5, ..Rules::default() };
    let (tally, finished) = live(world(Mode::Collaborative, &plan(2, rules), &source), STEPS);
    let ledger = finished.ledger.expect("a ledger");
    let lives: Vec<_> = ledger
        .entries_since(0)
        .map(|entry| entry.expect("readable").1)
        .filter(|entry| entry.kind == dais_ledger::Kind::Lifecycle)
        .collect();
    // One body is triples of from, to and cause; `Recovering` is 5, `Failed` 6, `Active` 4.
    let became =
        |state: u8| lives.iter().flat_map(|entry| entry.body.chunks(3)).filter(|change| change[1] == state).count();
    assert!(became(5) > 0, "some recover");
    assert!(became(6) > 0, "some are retired");
    assert!(lives.iter().flat_map(|entry| entry.body.chunks(3)).any(|change| change[..2] == [5, 4]), "some come back");
    assert!(tally.flows > 0 && finished.counts.votes > 0, "the others go on");
}

#[test]
fn an_agent_without_failures_never_recovers() {
    let source = traffic(5);
    let (_, finished) = live(world(Mode::Collaborative, &plan(1, Rules::default()), &source), 8);
    let ledger = finished.ledger.expect("a ledger");
    let entries: Vec<_> = ledger.entries_since(0).map(|entry| entry.expect("readable").1).collect();
    let lives: Vec<_> = entries.iter().filter(|entry| entry.kind == dais_ledger::Kind::Lifecycle).collect();
    assert!(!lives.is_empty());
    assert!(lives.iter().flat_map(|entry| entry.body.chunks(3)).all(|change| change[1] != 5));
}

#[test]
fn liars_end_with_less_trust_than_honest_agents() {
    let source = traffic(20);
    for lies in
        [vec![Behaviour::Poisoner, Behaviour::Inverter], vec![Behaviour::RandomVoter], vec![Behaviour::Inverter]]
    {
        let group = AdversaryGroup::new(0.3, &lies);
        let plan = plan(2, Rules { adversaries: vec![group], ..Rules::default() });
        let who = behaviours(&plan, 20);
        assert_eq!(who.iter().filter(|lies| !lies.is_empty()).count(), 6);
        let (_, finished) = live(world(Mode::Collaborative, &plan, &source), STEPS);
        let mean = |liars: bool| {
            let group: Vec<f32> =
                finished.trust.iter().zip(&who).filter(|(_, lies)| lies.is_empty() != liars).map(|(t, _)| *t).collect();
            group.iter().sum::<f32>() / group.len() as f32
        };
        assert!(mean(true) < mean(false) - 0.1, "{lies:?}: liars {} honest {}", mean(true), mean(false));
    }
}

#[test]
fn silent_agents_say_nothing_and_ballots_still_close() {
    let source = traffic(12);
    let group = AdversaryGroup::new(0.25, &[Behaviour::Silent]);
    let plan = plan(1, Rules { adversaries: vec![group], ..Rules::default() });
    let who = behaviours(&plan, 12);
    let (_, finished) = live(world(Mode::Collaborative, &plan, &source), STEPS);
    assert!(finished.counts.accepted + finished.counts.rejected > 0);
    let ledger = finished.ledger.expect("a ledger");
    let spoken: Vec<u32> = ledger
        .entries_since(0)
        .map(|entry| entry.expect("readable").1)
        .filter(|entry| {
            matches!(entry.kind, dais_ledger::Kind::Vote | dais_ledger::Kind::Signature | dais_ledger::Kind::Seal)
        })
        .map(|entry| entry.author)
        .collect();
    assert!(!spoken.is_empty());
    assert!(spoken.iter().all(|&author| who[author as usize].is_empty()));
}

#[test]
fn sharing_helps_and_the_oracle_never_accepts_a_benign_pattern() {
    let source = traffic(16);
    let recall = |mode| {
        let (tally, finished) = live(world(mode, &plan(2, Rules::default()), &source), STEPS);
        let (flows, found) = tally.families.iter().fold((0, 0), |(a, b), family| (a + family.flows, b + family.found));
        (found as f64 / flows as f64, finished.counts)
    };
    let (isolated, _): (f64, ExchangeCounts) = recall(Mode::Isolated);
    let (collaborative, _) = recall(Mode::Collaborative);
    let (_, oracle) = recall(Mode::Oracle);
    assert!(collaborative > isolated, "{collaborative} against {isolated}");
    assert!(oracle.accepted > 0 && oracle.accepted_benign == 0, "{oracle:?}");
}

/// Sites without a single flow.
struct Nothing(Schema);

impl Source for Nothing {
    fn schema(&self) -> &Schema {
        &self.0
    }
    fn families(&self) -> &[Family] {
        &[]
    }
    fn sites(&self) -> usize {
        4
    }
    fn site_name(&self, site: u32) -> String {
        site.to_string()
    }
    fn flows_per_step(&self) -> f64 {
        1.0
    }

    fn step_s(&self) -> Option<f64> {
        None
    }
    fn baseline(&self, _: u32, _: usize) -> Batch {
        BatchBuilder::new(&self.0, 0).finish()
    }
    fn observe(&self, site: u32, _: u32, _: &mut Context) -> Observation {
        Observation { batch: self.baseline(site, 0), truth: Truth::new(Vec::new()) }
    }
}

#[test]
fn traffic_without_flows_is_a_quiet_run() {
    let source: Arc<dyn Source> = Arc::new(Nothing(flow_schema()));
    for mode in Mode::ALL {
        let (tally, finished) = live(world(mode, &plan(1, Rules::default()), &source), 5);
        assert_eq!((tally.flows, finished.counts.offered), (0, 0));
    }
}

#[test]
fn a_parameter_out_of_range_is_named() {
    let source = traffic(2);
    let mut rules = Rules::default();
    rules.agent.baseline_rows = 3;
    let error =
        World::new(Mode::Isolated, &plan(1, rules), source, Box::new(MemoryStorage::new())).expect_err("too few rows");
    assert!(error.to_string().contains("agent.baseline_rows") && error.to_string().contains("64 to"), "{error}");
}
