//! One run, and the figures that come of it.

use std::error::Error;
use std::sync::Arc;

use dais_ledger::{MemoryStorage, Origin};
use dais_sim::{
    AdversaryGroup, Execution, GENESIS_FORMAT, Genesis, Mode, Plan, Rules, Seed, StepTally, Stop, World, appointed,
    audit, behaviours,
};
use dais_traffic::{Source, SyntheticParams};

use crate::Size;

/// The figures of a run, or their means over seeds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) recall: f64,
    pub(crate) false_positives: f64,
    /// Mean trust of those who lie, and of the others.
    pub(crate) liars: f64,
    pub(crate) honest: f64,
    /// Share of the runs whose audit holds.
    pub(crate) audited: f64,
}

/// The means over all seeds of runs with these liars.
pub(crate) fn mean(mode: Mode, size: Size, groups: &[AdversaryGroup]) -> Result<Figures, Box<dyn Error>> {
    let mut sum = Figures::default();
    for seed in 1..=size.seeds {
        let one = live(mode, size, seed, groups)?;
        sum.recall += one.recall;
        sum.false_positives += one.false_positives;
        sum.liars += one.liars;
        sum.honest += one.honest;
        sum.audited += one.audited;
    }
    let seeds = size.seeds.max(1) as f64;
    Ok(Figures {
        recall: sum.recall / seeds,
        false_positives: sum.false_positives / seeds,
        liars: sum.liars / seeds,
        honest: sum.honest / seeds,
        audited: sum.audited / seeds,
    })
}

fn live(mode: Mode, size: Size, seed: u64, groups: &[AdversaryGroup]) -> Result<Figures, Box<dyn Error>> {
    let Size { agents, steps, .. } = size;
    let source: Arc<dyn Source> =
        Arc::new(SyntheticParams { sites: agents, steps, ..SyntheticParams::default() }.build(seed)?);
    let plan = plan(&*source, size, seed, groups);
    let mut world = World::new(mode, &plan, source, Box::new(MemoryStorage::new()))?;
    let mut tally = StepTally::default();
    for _ in 0..steps {
        tally.add(&world.step(&mut ())?);
    }
    let finished = world.finish()?;
    let (flows, found) = tally.families.iter().fold((0, 0), |(a, b), family| (a + family.flows, b + family.found));
    let lies = behaviours(&plan, agents as usize);
    let trust = |liars: bool| {
        let who = finished.trust.iter().zip(&lies).filter(|(_, lies)| lies.is_empty() != liars);
        let trust: Vec<f64> = who.map(|(trust, _)| f64::from(*trust)).collect();
        trust.iter().sum::<f64>() / trust.len().max(1) as f64
    };
    let (liars, honest) = (trust(true), trust(false));
    let holds = finished.ledger.is_none_or(|ledger| audit(&ledger.into_storage()).is_ok());
    Ok(Figures {
        recall: found as f64 / flows.max(1) as f64,
        false_positives: tally.false_alarms as f64 / tally.benign.max(1) as f64,
        liars,
        honest,
        audited: f64::from(u8::from(holds)),
    })
}

fn plan(source: &dyn Source, size: Size, seed: u64, groups: &[AdversaryGroup]) -> Plan {
    let rules = Rules { adversaries: groups.to_vec(), ..Rules::default() };
    let schema = source.schema();
    let genesis = Genesis {
        format: GENESIS_FORMAT.to_owned(),
        seed: Seed(seed),
        agents: size.agents,
        steps: size.steps,
        scenario: String::new(),
        schema: String::new(),
        features: schema.numeric.len(),
        categories: schema.categorical.len(),
        files: Vec::new(),
        witnesses: appointed(Seed(seed), size.agents, &rules.exchange).iter().map(ToString::to_string).collect(),
        rules: rules.clone(),
    };
    Plan {
        seed: Seed(seed),
        rules,
        execution: Execution::default(),
        origin: Origin::new("dais/liars").expect("letters and a slash name a log"),
        genesis: genesis.encode(),
        stop: Stop::default(),
    }
}
