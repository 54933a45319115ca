//! Slow poison: who moves a share of an agent's traffic a bit each step is not learned, and honest drift is.

use std::sync::Arc;

use dais_detect::RobustBaselineParams;
use dais_ledger::{MemoryStorage, Origin};
use dais_sim::{Execution, Mode, Plan, Rules, Seed, StepTally, Stop, World};
use dais_traffic::{
    Batch, BatchBuilder, Context, Family, FamilyId, Label, Numeric, Observation, Schema, Source, Transform, Truth,
};
use rand_philox::{Philox, u32_to_unit_f32};

const SITES: u32 = 4;
const ROWS: u32 = 40;
const STEPS: u32 = 160;
/// The steps between which traffic moves, and the first of those that count.
const MOVES: (u32, u32) = (10, 120);
const RESTS: u32 = 135;
const SEEDS: u64 = 5;

/// What moves, by `far`, between the steps [`MOVES`].
#[derive(Clone, Copy)]
enum Moves {
    /// All honest traffic.
    Everything,
    /// This share of every site's traffic, which ends as an attack.
    Poison(f32),
}

struct Moving {
    schema: Schema,
    families: Vec<Family>,
    seed: u64,
    moves: Moves,
    far: f32,
}

impl Moving {
    fn new(seed: u64, moves: Moves, far: f32) -> Self {
        let feature = |name: &str| Numeric {
            name: name.into(),
            unit: String::new(),
            transform: Transform::Identity,
            low: 0.0,
            high: 1.0,
        };
        let numeric = vec![feature("x"), feature("y"), feature("z")];
        let schema = Schema { name: "moving".into(), numeric, categorical: vec![] };
        Self { schema, families: vec![Family::named("frog")], seed, moves, far }
    }

    fn batch(&self, rows: u32, gone: f32, stream: u64) -> (Batch, Vec<Label>) {
        let mut words = Philox::from_u64_seed(1_000_000 * self.seed + stream);
        let mut builder = BatchBuilder::new(&self.schema, rows as usize);
        let mut labels = Vec::new();
        for _ in 0..rows {
            let mut unit = || u32_to_unit_f32(words.next_u32());
            let (is_poison, moved) = match self.moves {
                Moves::Everything => (false, gone),
                Moves::Poison(share) if unit() < share => (true, gone),
                Moves::Poison(_) => (false, 0.0),
            };
            let mut near = |centre: f32| centre + 0.1 * (0..3).map(|_| unit()).sum::<f32>();
            let row = [near(0.1 + self.far * moved), near(0.3), near(0.3)];
            builder.push(&row, &[], None, None);
            labels.push(if is_poison && gone > 0.0 { Label::Attack(FamilyId(0)) } else { Label::Benign });
        }
        (builder.finish(), labels)
    }
}

impl Source for Moving {
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn families(&self) -> &[Family] {
        &self.families
    }
    fn sites(&self) -> usize {
        SITES as usize
    }
    fn site_name(&self, site: u32) -> String {
        site.to_string()
    }
    fn flows_per_step(&self) -> f64 {
        64.0
    }

    fn step_s(&self) -> Option<f64> {
        None
    }
    fn baseline(&self, site: u32, rows: usize) -> Batch {
        self.batch(rows as u32, 0.0, site.into()).0
    }
    fn observe(&self, site: u32, step: u32, _: &mut Context) -> Observation {
        let (from, to) = MOVES;
        let gone = (step.saturating_sub(from) as f32 / (to - from) as f32).min(1.0);
        let (batch, labels) = self.batch(ROWS, gone, u64::from(1_000 * site + step + 100));
        Observation { batch, truth: Truth::new(labels) }
    }
}

/// Counts of the last steps, in which what moved has come to rest, over all seeds.
fn lived(moves: Moves, far: f32, gate: Option<&RobustBaselineParams>) -> StepTally {
    let mut last = StepTally::default();
    for seed in 0..SEEDS {
        let mut rules = Rules::default();
        rules.agent.gate = gate.cloned();
        let plan = Plan {
            seed: Seed(seed),
            rules,
            execution: Execution { threads: 1, use_parallel_threshold: 2 },
            origin: Origin::new("dais/test").expect("a name"),
            genesis: b"test".to_vec(),
            stop: Stop::default(),
        };
        let source: Arc<dyn Source> = Arc::new(Moving::new(seed, moves, far));
        let mut world = World::new(Mode::Isolated, &plan, source, Box::new(MemoryStorage::new())).expect("a world");
        for step in 0..STEPS {
            let tally = world.step(&mut ()).expect("a step");
            if step == RESTS {
                let snapshot = world.snapshot().expect("bytes");
                world.restore(&snapshot).expect("own bytes");
            }
            if step >= RESTS {
                last.add(&tally);
            }
        }
    }
    last
}

/// Scores have the tail of an exponential distribution: a band of six scales trims about one honest flow in a hundred.
fn gate() -> RobustBaselineParams {
    RobustBaselineParams { band: 6.0, ..RobustBaselineParams::default() }
}

fn recall(tally: &StepTally) -> f64 {
    tally.families[0].found as f64 / tally.families[0].flows as f64
}

fn false_alarms(tally: &StepTally) -> f64 {
    tally.false_alarms as f64 / tally.benign as f64
}

#[test]
fn slow_poison_makes_itself_ordinary_without_the_gate_and_not_with_it() {
    for share in [0.05, 0.1, 0.2] {
        let without = lived(Moves::Poison(share), 0.6, None);
        let with = lived(Moves::Poison(share), 0.6, Some(&gate()));
        println!(
            "share {share}: of {} flows of the attack {:.3} are found without, {:.3} with; false alarms {:.4}, {:.4}",
            with.families[0].flows,
            recall(&without),
            recall(&with),
            false_alarms(&without),
            false_alarms(&with),
        );
        assert!(recall(&without) < 0.5 && recall(&with) > 0.95 && false_alarms(&with) < 0.04, "share {share}");
    }
}

#[test]
fn honest_drift_is_followed_through_the_gate() {
    for far in [0.0, 0.15, 0.6] {
        let without = false_alarms(&lived(Moves::Everything, far, None));
        let with = false_alarms(&lived(Moves::Everything, far, Some(&gate())));
        println!("by {far}: false alarms {without:.4} without, {with:.4} with");
        assert!(with < without + 0.015, "by {far}: {without} without, {with} with");
    }
}
