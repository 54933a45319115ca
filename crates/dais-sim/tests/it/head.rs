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
        "9ade2dc3f17445500944ddad3e59b517c66f42b6dda53ba38ed97d24ef8612aa",
        "fe693fabd7c0e69781e071085059acbc3243cd215da3ab98c95970e41d9f3b0e",
    ),
    (
        "poisoners",
        229,
        "151e69ca8b37521f9590545c37cef5d9f9111955bbeab8d911546d42f6132680",
        "1839b84c4b57b42611028e305b12d02001e2d295cc6e54d948515116d6bfbccb",
    ),
    (
        "inverters that publish poison",
        229,
        "e51665675a945e79176d952c2a041ee115af85309617225467c57b85c30c07f4",
        "8da3cd931e4a0cea6920e4f4bb3aeb96d23e412584a36d593c8c95ed9daec4fc",
    ),
    (
        "random voters",
        285,
        "069b0788342e25db25b9416f48f7a5998304cd0e6ca81d52832971b576aa5eb3",
        "4a427131ff6ff18ae23227aa169058606571e012119f93ccfe292ef85f826b89",
    ),
    (
        "silent agents",
        178,
        "7b07d61b186991ee3862b6e407d1eb39219e2f2fe4c7e8a7c149e3eef360864b",
        "3bb64de6e652b4cbfc4b0c32060bb264ef178c162bf194958f4e33eb8fc7c085",
    ),
    (
        "drift, gate and abstention",
        426,
        "d721fb522b0a96c7639b5e5cf9a413dce196802f6c49ddaefcaa407fe9ccc8b4",
        "dff2bc1c5c14c59613a783d8c21765fbc548f1eeec01cadf62f73faae903f4f6",
    ),
    (
        "a two-faced coordinator",
        285,
        "9ade2dc3f17445500944ddad3e59b517c66f42b6dda53ba38ed97d24ef8612aa",
        "c0b221197473992fa91b4671e1093c2eb1078c72c26297bc24c0cd795f374c92",
    ),
    (
        "failing agents and small memories",
        305,
        "a0d4d345816c856e93fc3cc559dfdc33f2d59cf119ec0dab9dc61b2caf2af3c0",
        "011538148bc68d35d1312a177f328eb05929808957fc1a7ac2a773a785e2b149",
    ),
    ("isolated agents", 0, "", "3fb1b32aaa5573c88c4bb6ae7bc7b6986b9e59d12c30ed7930f81e17e5b22f8e"),
    ("the oracle", 0, "", "87f9af5af7093a003c8dff1809eea04ab5db23da1a0be19a93667d4a4c0828a6"),
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
