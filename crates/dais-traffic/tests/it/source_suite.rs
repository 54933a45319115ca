//! What every source of traffic must keep to, run for each of them.

use std::fmt::Write;

use dais_traffic::{
    Context, Family, FlowLog, Input, Label, Observation, Partition, Pool, PoolParams, ReadOptions, Recorded,
    RecordedParams, Source, SyntheticParams, TableSet, read,
};

use crate::data::{self, CTU_165, CTU_167, CTU_234, NSL_TEST, NSL_TRAIN};

/// Runs the whole suite; `steps` are looked at.
pub(crate) fn check(source: &dyn Source, steps: u32) {
    assert!(source.sites() > 0, "there are sites");
    source.schema().check().expect("the schema is sound");
    check_families(source.families());
    let sites: Vec<u32> = (0..source.sites() as u32).collect();
    assert!(sites.iter().all(|site| !source.site_name(*site).is_empty()), "sites have names");
    assert!(source.step_s().is_none_or(|step_s| step_s > 0.0), "a step takes time");
    for site in &sites {
        let baseline = source.baseline(*site, 64);
        assert!(baseline.rows() <= 64, "a baseline is at most as long as asked for");
        assert_eq!(baseline, source.baseline(*site, 64), "a baseline is deterministic");
    }
    let forwards = history(source, &sites, steps);
    let backwards: Vec<u32> = sites.iter().rev().copied().collect();
    let mut again = history(source, &backwards, steps);
    again.reverse();
    assert!(forwards == again, "what a site observes does not depend on the order in which sites are asked");
    let rows: usize = forwards.iter().flatten().map(|seen| check_observation(source, seen)).sum();
    assert!(rows > 0, "the suite looked at flows");
}

/// Observations by site in the given order, then by step; all sites take a step before any takes the next.
fn history(source: &dyn Source, sites: &[u32], steps: u32) -> Vec<Vec<Observation>> {
    let mut contexts = vec![Context::default(); sites.len()];
    let mut seen = vec![Vec::new(); sites.len()];
    for step in 0..steps {
        for (place, site) in sites.iter().enumerate() {
            seen[place].push(source.observe(*site, step, &mut contexts[place]));
        }
    }
    seen
}

fn check_families(families: &[Family]) {
    let mut names: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), families.len(), "families have names of their own");
    for technique in families.iter().filter_map(|family| family.technique.as_deref()) {
        assert!(technique.starts_with('T') && technique.len() >= 5, "{technique} is a technique id");
    }
}

/// Checks one observation and gives its rows.
fn check_observation(source: &dyn Source, Observation { batch, truth }: &Observation) -> usize {
    let schema = source.schema();
    assert_eq!(truth.labels().len(), batch.rows(), "one label a row");
    assert_eq!(batch.numeric().len(), batch.rows() * schema.numeric.len(), "all numeric features are there");
    assert_eq!(batch.codes().len(), batch.rows() * schema.categorical.len(), "all categorical features are there");
    assert!(batch.numeric().iter().all(|value| (0.0..=1.0).contains(value)), "values are in [0, 1]");
    for (k, feature) in schema.categorical.iter().enumerate() {
        let known = |code: &u16| usize::from(*code) < feature.codes();
        assert!(batch.code_column(k).iter().all(known), "codes of {} are in its dictionary", feature.name);
    }
    if let Some(times) = batch.time_s() {
        assert!(times.is_sorted() && times.len() == batch.rows(), "rows are in order of time");
    }
    if let Some(endpoints) = batch.endpoints() {
        assert_eq!(endpoints.destination.len(), batch.rows(), "one endpoint a row");
    }
    for label in truth.labels() {
        if let Label::Attack(family) = label {
            assert!(usize::from(family.0) < source.families().len(), "{family:?} is a family of the source");
        }
    }
    batch.rows()
}

fn small_log(name: &str, shift: u32) -> FlowLog {
    let mut text = "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts\tlabel\tdetailedlabel\n".to_owned();
    for k in 0..400 {
        let label = ["Benign\t-", "Malicious\tScan", "Background\t-"][k as usize % 3];
        let (time, source, target, port) = (f64::from((k * 37 + shift) % 1_000) / 2.0, k % 5, k % 9, k % 13 + 70);
        writeln!(
            text,
            "{time}\t10.0.{shift}.{source}\t4000\t10.1.0.{target}\t{port}\ttcp\thttp\t0.5\t{k}\t2000\tSF\t3\t4\t{label}"
        )
        .expect("text grows");
    }
    match read(name, text.as_bytes(), &ReadOptions::default()) {
        Ok(Input::Flows(log)) => log,
        other => panic!("{other:?}"),
    }
}

#[test]
fn recorded_logs_keep_to_the_rules_under_every_partition() {
    for partition in [
        Partition::File,
        Partition::SourceSubnet { prefix: 24 },
        Partition::DestinationSubnet { prefix: 30 },
        Partition::Iid { sites: 3 },
        Partition::Dirichlet { sites: 3, alpha: 0.5 },
    ] {
        let params = RecordedParams { partition, steps: 7, leave_out: Vec::new() };
        let source = Recorded::from_logs(vec![small_log("a", 0), small_log("b", 1)], &params, 5).expect("two logs");
        check(&source, 8);
        assert_eq!(source.flows(), 800, "{partition:?} loses no flow");
    }
}

fn pool(agents: u32) -> Pool {
    let mut text = "bytes,service,label\n".to_owned();
    for k in 0..2_000 {
        let label = if k % 9 == 0 { "worm" } else { "normal" };
        writeln!(text, "{},s{},{label}", k * 31 % 5_000, k % 6).expect("text grows");
    }
    match read("t", text.as_bytes(), &ReadOptions::default()) {
        Ok(Input::Table(table)) => {
            let set = TableSet::new(vec![table]).expect("one table");
            Pool::new(set, PoolParams { agents, steps: 20, ..PoolParams::default() }, 5).expect("sound parameters")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn pools_keep_to_the_rules() {
    check(&pool(1), 20);
    check(&pool(12), 20);
}

#[test]
fn synthetic_worlds_keep_to_the_rules() {
    let params = SyntheticParams { sites: 12, steps: 20, flows_per_step: 40.0, ..SyntheticParams::default() };
    check(&params.build(5).expect("sound parameters"), 20);
}

#[test]
fn a_pool_step_does_not_depend_on_the_steps_before() {
    let pool = pool(3);
    let in_order = history(&pool, &[0, 1, 2], 10);
    assert_eq!(in_order[2][9], pool.observe(2, 9, &mut Context::default()));
}

#[test]
fn the_real_data_sets_keep_to_the_rules() {
    let (Some(train), Some(test)) = (data::table(NSL_TRAIN), data::table(NSL_TEST)) else { return };
    let set = TableSet::new(vec![train, test]).expect("one layout");
    let pool = Pool::new(set, PoolParams::default(), 5).expect("sound parameters");
    check(&pool, 5);
    assert_eq!((pool.sites(), pool.families().len()), (30, 20));

    let logs: Vec<FlowLog> = [CTU_167, CTU_165, CTU_234].into_iter().filter_map(data::log).collect();
    let recorded = Recorded::from_logs(logs, &RecordedParams::default(), 5).expect("three logs");
    check(&recorded, recorded.steps());
    assert_eq!((recorded.sites(), recorded.flows()), (3, 5_663 + 9_048 + 5_347));
}
