//! An agent that watches its own p-values trains when its traffic changes, not when the clock says so.

use std::sync::Arc;

use dais_detect::AdwinParams;
use dais_ledger::{MemoryStorage, Origin};
use dais_protocol::Span;
use dais_sim::{Execution, Mode, Plan, Rules, Seed, Stop, World};
use dais_traffic::{
    Batch, BatchBuilder, Context, Family, Label, Numeric, Observation, Schema, Source, Transform, Truth,
};
use rand_philox::{Philox, u32_to_unit_f32};

const SITES: u32 = 4;
const ROWS: u32 = 40;
const STEPS: u32 = 60;

/// Honest traffic whose habits move between the steps 10 and 40.
struct Moving {
    schema: Schema,
    far: f32,
}

impl Moving {
    fn by(far: f32) -> Self {
        let feature = |name: &str| Numeric {
            name: name.into(),
            unit: String::new(),
            transform: Transform::Identity,
            low: 0.0,
            high: 1.0,
        };
        let numeric = vec![feature("x"), feature("y"), feature("z")];
        Self { schema: Schema { name: "moving".into(), numeric, categorical: vec![] }, far }
    }

    fn batch(&self, rows: u32, share: f32, stream: u64) -> Batch {
        let mut words = Philox::from_u64_seed(stream);
        let mut builder = BatchBuilder::new(&self.schema, rows as usize);
        for _ in 0..rows {
            let mut near = |centre: f32| centre + 0.1 * (0..3).map(|_| u32_to_unit_f32(words.next_u32())).sum::<f32>();
            let row = [near(0.1 + self.far * share), near(0.3), near(0.3)];
            builder.push(&row, &[], None, None);
        }
        builder.finish()
    }
}

impl Source for Moving {
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn families(&self) -> &[Family] {
        &[]
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
        self.batch(rows as u32, 0.0, site.into())
    }
    fn observe(&self, site: u32, step: u32, _: &mut Context) -> Observation {
        let share = (step.saturating_sub(10) as f32 / 30.0).min(1.0);
        let batch = self.batch(ROWS, share, u64::from(1_000 * site + step + 100));
        Observation { batch, truth: Truth::new(vec![Label::Benign; ROWS as usize]) }
    }
}

/// False alarms of the last steps, when the traffic has come to rest, and the last head, of agents that are never
/// trained again but for drift.
fn lived(far: f32, drift: Option<AdwinParams>) -> (u64, String) {
    let mut rules = Rules::default();
    rules.agent.retrain_every = Span::Steps(1_000);
    rules.agent.drift = drift;
    let plan = Plan {
        seed: Seed(7),
        rules,
        execution: Execution { threads: 1, use_parallel_threshold: 2 },
        origin: Origin::new("dais/test").expect("a name"),
        genesis: b"test".to_vec(),
        stop: Stop::default(),
    };
    let source: Arc<dyn Source> = Arc::new(Moving::by(far));
    let mut world = World::new(Mode::Collaborative, &plan, source, Box::new(MemoryStorage::new())).expect("a world");
    let mut alarms = 0;
    for step in 0..STEPS {
        let snapshot = world.snapshot().expect("bytes");
        world.restore(&snapshot).expect("own bytes");
        let tally = world.step(&mut ()).expect("a step");
        alarms += if step >= 45 { tally.false_alarms } else { 0 };
    }
    let ledger = world.finish().expect("an end").ledger.expect("a ledger");
    (alarms, ledger.head().head.root.to_string())
}

#[test]
fn drift_trains_a_model_that_knows_the_new_habits() {
    let (before, _) = lived(0.15, None);
    let (after, head) = lived(0.15, Some(AdwinParams::default()));
    println!("of {} flows {before} are false alarms without, {after} with drift noticed", 15 * ROWS * SITES);
    assert!(after < before, "{after} with, {before} without");
    assert_eq!(lived(0.15, Some(AdwinParams::default())).1, head, "the same history again");
}

#[test]
fn without_a_change_watching_changes_nothing() {
    assert_eq!(lived(0.0, Some(AdwinParams::default())), lived(0.0, None));
}
