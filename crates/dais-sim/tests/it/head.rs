//! Ten small runs whose ledger heads are held: what is built differently must not decide differently.
//!
//! A change that is meant to move a history changes the table below, and says so in the CHANGELOG.

use std::sync::Arc;

use dais_detect::{AdwinParams, RobustBaselineParams};
use dais_ledger::{MemoryStorage, Origin, leaf_hash};
use dais_sim::{AdversaryGroup, Behaviour, Execution, Mode, Plan, Rules, Seed, StepTally, Stop, World};
use dais_traffic::{Source, SyntheticParams};

pub(super) const STEPS: u32 = 18;
pub(super) const SITES: u32 = 11;

/// Name, entries and root of the ledger (none in worlds without one), and the hash of what was counted.
const HELD: [(&str, u64, &str, &str); 10] = [
    (
        "honest agents",
        285,
        "3732193464175aa12bda4f4f4b6c59761d3a905f2b79c644f6154a67e9eb9ec8",
        "87f0bb2b35fdd0728252d3e203e451f887bf7109482b022aad4608fca80a763d",
    ),
    (
        "poisoners",
        724,
        "3c48ab795ac8b5cedbf9920aa4f00bca5dd8b31e992a7fdae59912c48c9ae97b",
        "8c59b2dee5b3155a4943c29e176c31805c736a156a4a18c98e5a6994ec6aa849",
    ),
    (
        "inverters that publish poison",
        745,
        "d905747b9fa203c08f30b1caa4241b186a6f8d9c90d0a94d3e90cbd2750ec2d7",
        "541cd9b6e98ce7f5f615015677304f23d7b56d9e1ad23615d6ad71e71d3daf51",
    ),
    (
        "random voters",
        285,
        "48fe12b7c0aa2e95cfd6faf7fac9aa6da56c31100312132c4f7d32967049aa3f",
        "d1e932f8dcab407a6e1a9a1dea398b0cf079fffb106c90667f2cd2f0a26e98d4",
    ),
    (
        "silent agents",
        178,
        "16294c0cdb15bb44c4c827c1a40dd343292f0375afa8054ba39adc3e798115e9",
        "614be5badf0097b1afcee1f81f8eb3ad9f12a5de2187ac3ab135379d69d669dc",
    ),
    (
        "drift, gate and abstention",
        426,
        "7d1e042224396d4d4fecd584ff77239b5249cdd0efc305fe4e265f2063e37acc",
        "2ec26fd950ce4c3174ddd6bcd1537d6da737f6c3a756c1a3556d437d754fabd9",
    ),
    (
        "a two-faced coordinator",
        285,
        "3732193464175aa12bda4f4f4b6c59761d3a905f2b79c644f6154a67e9eb9ec8",
        "94d161689a2978626cec7d089a608da7ac57fd05d1bf23dfd956edf32756c297",
    ),
    (
        "failing agents and small memories",
        305,
        "bf14976d7bc031dd36cf58c0c5c23442a5f2cc7b7277956d1b556f5c7b5bb9b1",
        "c6a8564397eb24d1c36dd9a852a9c0a4239d903a19e9830ea37c721273c7f055",
    ),
    ("isolated agents", 0, "", "3fb1b32aaa5573c88c4bb6ae7bc7b6986b9e59d12c30ed7930f81e17e5b22f8e"),
    ("the oracle", 0, "", "e7ae862119b37f4fc7cd7f9a27a0b82156fed0c8adc7ec392d787fa27a5bbb15"),
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
        let group = AdversaryGroup { share: 0.3, behaviours: behaviours.to_vec() };
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
            rules.agent.signature_ttl_steps = 5;
            rules.agent.blocks_max = 3;
            rules.agent.block_ttl_steps = 4;
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
