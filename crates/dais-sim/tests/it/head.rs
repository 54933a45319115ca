//! Ten small runs whose ledger heads are held: what is built differently must not decide differently.
//!
//! A change that is meant to move a history changes the table below, and says so in the CHANGELOG.

use std::sync::Arc;

use dais_detect::{AdwinParams, RobustBaselineParams};
use dais_ledger::{MemoryStorage, Origin, leaf_hash};
use dais_protocol::Span;
use dais_sim::{AdversaryGroup, Behaviour, Execution, Mode, Plan, Rules, Seed, StepTally, Stop, World};
use dais_traffic::{Source, SyntheticParams};

pub(super) const STEPS: u32 = 18;
pub(super) const SITES: u32 = 11;

/// Name, entries and root of the ledger (none in worlds without one), and the hash of what was counted.
const HELD: [(&str, u64, &str, &str); 10] = [
    (
        "honest agents",
        318,
        "284e066ec31fb427e629c5fd3992e453ed113d43d4f73282da40afa496224623",
        "dc4763bc29b05703fdac5053b1d4bc331ef4a072ddb5c59e4c4fb68cd00e2449",
    ),
    (
        "poisoners",
        1067,
        "749c633b8f43d82c23d8d9d08ca1e8f51768848347ac3654f21860f0f04cc7e2",
        "945ceb13a9fcb4dd75cb4911cc090487d3bf1a8474da31f6003ed534c8f49917",
    ),
    (
        "inverters that publish poison",
        1101,
        "03483010f54ea20dd571d8780ba0141fc5e7a40c7f6c1986a456fa5939c99dea",
        "8209c4e2211ef76f191009af0c4fb462e15cb74e45014f7dcdccde542e576aa4",
    ),
    (
        "random voters",
        318,
        "e069ee29fd4ba38d1d06b3e9407a183bc68d3c5a62d42863eddcb30dd378b972",
        "acf09fe37ba45cfff1c028e81332bad813aebb02da4581a85f2989d3102a2751",
    ),
    (
        "silent agents",
        194,
        "18c7d57f4d95ea7815d03182e8e22a543023324bfbbdb2f2535cfadadb48ceb5",
        "fda96f2b3f4f7d734b7001bd3de4813cfaf93c8f38bb27919fd7b16e8cabb8be",
    ),
    (
        "drift, gate and abstention",
        400,
        "abdec5e9670b27100920e6b7010f1fd17537f515ae81175e18f16ac2929e8dd9",
        "702343b51d4c46a45017e989f4c035dc0c7a1d0cf73dfa9416d32d3d481d2cd7",
    ),
    (
        "a two-faced coordinator",
        318,
        "284e066ec31fb427e629c5fd3992e453ed113d43d4f73282da40afa496224623",
        "a6402e492a25b9032f80df023288b176d63191edd6e8b928b4a6b5e88584c7ef",
    ),
    (
        "failing agents and small memories",
        395,
        "317052f76977320769d84bd4cfd1f9e5cd6a0125745ef426fc07a1c3d76484ae",
        "b9a5470f77af2ac1fc15697fb79500f80e9062e8b37ee9359cab0cf66b24e0c8",
    ),
    ("isolated agents", 0, "", "4c2620e5769bb9e97dada6faa9ff6c0471eb5c6b3d327f58c30e2be31b6ee546"),
    ("the oracle", 0, "", "ac1d1c753595912fdd818343b8b88a86f3125e6a58c586d3d04619bd1475ab78"),
];

/// One of the ten runs.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) mode: Mode,
    pub(super) rules: Rules,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let sharing = |name, change: &dyn Fn(&mut Rules)| {
        let mut rules = Rules::default();
        change(&mut rules);
        Scenario { name, mode: Mode::Collaborative, rules }
    };
    let lying = |name, behaviours: &[Behaviour]| {
        let group = AdversaryGroup::new(0.3, behaviours);
        sharing(name, &|rules| rules.adversaries = vec![group.clone()])
    };
    vec![
        sharing("honest agents", &|_| ()),
        lying("poisoners", &[Behaviour::Poisoner]),
        lying("inverters that publish poison", &[Behaviour::Poisoner, Behaviour::Inverter]),
        lying("random voters", &[Behaviour::RandomVoter]),
        lying("silent agents", &[Behaviour::Silent]),
        sharing("drift, gate and abstention", &|rules| {
            rules.agent.drift = Some(AdwinParams::default());
            rules.agent.gate = Some(RobustBaselineParams::default());
            rules.agent.abstain_margin = Some(0.25);
        }),
        sharing("a two-faced coordinator", &|rules| {
            rules.exchange.two_faced_from = Some(4);
            rules.exchange.witness_steps = 3;
        }),
        sharing("failing agents and small memories", &|rules| {
            rules.failure_rate = 0.15;
            rules.exchange.ballots_max = 3;
            rules.exchange.sighted_max = 2;
            rules.agent.signatures_max = 2;
            rules.agent.signature_ttl = Span::Steps(5);
            rules.agent.blocks_max = 3;
            rules.agent.block_ttl = Span::Steps(4);
        }),
        Scenario { name: "isolated agents", mode: Mode::Isolated, rules: Rules::default() },
        Scenario { name: "the oracle", mode: Mode::Oracle, rules: Rules::default() },
    ]
}

pub(super) fn traffic() -> Arc<dyn Source> {
    let params = SyntheticParams { sites: SITES, steps: STEPS, flows_per_step: 40.0, ..SyntheticParams::default() };
    Arc::new(params.build(7).expect("parameters in range"))
}

pub(super) fn plan(rules: Rules) -> Plan {
    Plan {
        seed: Seed(7),
        rules,
        execution: Execution { threads: 1, use_parallel_threshold: 1 },
        origin: Origin::new("dais/head").expect("a name"),
        genesis: b"test".to_vec(),
        stop: Stop::default(),
    }
}

/// Entries and root of the ledger, and the hash of all that was counted.
pub(super) fn lived(mut world: World) -> (u64, String, String) {
    let mut total = StepTally::default();
    for _ in 0..STEPS {
        total.add(&world.step(&mut ()).expect("a step"));
    }
    let finished = world.finish().expect("an end");
    let checkpoint = finished.witnessed.checkpoint.as_ref().map(ToString::to_string);
    let counted = (&total, &finished.curve, &finished.first_sights, &finished.contacts, checkpoint);
    let counted = leaf_hash(&postcard::to_allocvec(&counted).expect("plain data"));
    let head = finished.ledger.as_ref().map(|ledger| ledger.head().head);
    let (size, root) = head.map_or((0, String::new()), |head| (head.size, head.root.to_string()));
    (size, root, counted.to_string())
}

#[test]
fn ten_runs_end_with_the_heads_they_always_had() {
    let source = traffic();
    let mut found = Vec::new();
    for Scenario { name, mode, rules } in scenarios() {
        let world = World::new(mode, &plan(rules), Arc::clone(&source), Box::new(MemoryStorage::new()));
        let (size, root, counted) = lived(world.expect("a world"));
        found.push((name, size, root, counted));
    }
    let held: Vec<_> =
        HELD.iter().map(|&(name, size, root, counted)| (name, size, root.into(), counted.into())).collect();
    assert_eq!(found, held, "found: {found:#?}");
}
