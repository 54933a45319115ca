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
        305,
        "351341aa2659978cd8687364dfc60502e6a421e7f4d59ab00e1bd37a6bdaa64e",
        "2435c2479b3bb20a0ed63ce119fd3a06bf8f467185fc7d901997ec079e08818b",
    ),
    (
        "poisoners",
        821,
        "d82015e4af286e65c5e816541529ea83c13f35e7cb7615647f79cdcdd07eae64",
        "d5c585f1d83569a9457a6922963bced97fe5b078d97e3c24e0b749d3f0ece573",
    ),
    (
        "inverters that publish poison",
        843,
        "dee7d7f8bb7724eb95dce782ff708f981981356cd56d0ef908b942aec0d35666",
        "38286b37f9df713a2a56bd4ad40449147a5db67d8ddb496b49a7d1674aac23c4",
    ),
    (
        "random voters",
        305,
        "dab3e96b37d425cf6d428f89fca5ccb2290d62584151128f9a686e4a56fd814c",
        "392ec3701f426af08d521c459accabddcf3e1d76268f5bf0c9f858e709a9b960",
    ),
    (
        "silent agents",
        187,
        "0df2c98f779f9110f68668a5843b88f832633c2f798aec0879391dad8ffbff7d",
        "f085d5820ad375b8b548416be925495d5863c91893ed2b90cf72fc6fd3b44344",
    ),
    (
        "drift, gate and abstention",
        535,
        "162e44191fb1296d06312f000b1ad9c357b72128d26adcac464aadfa1a9dabbc",
        "0b8d10a94d71fa60345aa7f8b12140384a76f920a3801b5588a69a50e856465b",
    ),
    (
        "a two-faced coordinator",
        305,
        "351341aa2659978cd8687364dfc60502e6a421e7f4d59ab00e1bd37a6bdaa64e",
        "863b3720f54cdacc898d24ec96785c6d9471d53f966ecc76971470766e7feaf1",
    ),
    (
        "failing agents and small memories",
        341,
        "07f87dd309ba89d72638bd71dfece483f2fe31873de18ed5c9f3059c00aecc10",
        "51b130d931fcc552fcdf825f6c828dea2d95cad5e52d0925f1f50e50458a85bd",
    ),
    ("isolated agents", 0, "", "3fb1b32aaa5573c88c4bb6ae7bc7b6986b9e59d12c30ed7930f81e17e5b22f8e"),
    ("the oracle", 0, "", "07b2e902e611df4dc7747384fa18aad5401dc1be4a2ed4df852ea918dc84672f"),
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
