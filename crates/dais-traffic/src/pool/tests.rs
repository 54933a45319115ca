use std::fmt::Write;

use super::*;
use crate::{Input, ReadOptions, TableSchema, read};

/// A table of `rows` rows: services in turn, every tenth row an attack of the family `worm`, the last one `rare`.
fn set(files: &[usize]) -> TableSet {
    let schema = TableSchema::from_yaml(
        "{name: t, numeric: [{name: a, low: 0, high: 1000}], categorical: [{name: service}], label: {column: y, benign: [ok]}}",
    )
    .expect("a sound schema");
    let options = ReadOptions { schema: Some(schema), ..ReadOptions::default() };
    let table = |(file, rows): (usize, &usize)| {
        let mut text = "a,service,y\n".to_owned();
        for row in 0..*rows {
            let label = if row + 1 == *rows {
                "rare"
            } else if row % 10 == 0 {
                "worm"
            } else {
                "ok"
            };
            writeln!(text, "{},s{},{label}", row % 1_000, row % 7).expect("text grows");
        }
        match read(&format!("file {file}"), text.as_bytes(), &options) {
            Ok(Input::Table(table)) => table,
            other => panic!("{other:?}"),
        }
    };
    TableSet::new(files.iter().enumerate().map(table).collect()).expect("tables of one layout")
}

fn pool(params: PoolParams) -> Pool {
    Pool::new(set(&[1_000, 800]), params, 0).expect("sound parameters")
}

#[test]
fn families_with_too_few_rows_stay_out() {
    let names: Vec<String> = pool(PoolParams::default()).families().iter().map(|f| f.name.clone()).collect();
    assert_eq!(names, ["worm"]);
    let all = pool(PoolParams { family_rows_min_last: 1, ..PoolParams::default() });
    assert_eq!(all.families().len(), 2);
}

#[test]
fn where_no_family_has_enough_rows_all_take_part() {
    let pool = Pool::new(set(&[100, 100]), PoolParams::default(), 0).expect("sound parameters");
    assert_eq!(pool.families().len(), 2);
}

#[test]
fn a_campaign_reaches_one_site_after_another_at_the_set_pace() {
    let pool = pool(PoolParams::default());
    let mut arrivals: Vec<u32> = (0..30).map(|site| pool.arrival(FamilyId(0), site)).collect();
    assert!(!arrivals.is_sorted(), "sites are reached in random order");
    arrivals.sort_unstable();
    let expected: Vec<u32> = (0..30).map(|rank| arrivals[0] + (f64::from(rank) * 0.7) as u32).collect();
    assert_eq!(arrivals, expected);
    assert!(arrivals[0] < 25);
}

#[test]
fn the_pace_follows_the_number_of_agents_and_steps() {
    let pool = pool(PoolParams { agents: 300, steps: 100, ..PoolParams::default() });
    let arrivals: Vec<u32> = (0..300).map(|site| pool.arrival(FamilyId(0), site)).collect();
    let (first, last) = (arrivals.iter().min().copied(), arrivals.iter().max().copied());
    assert_eq!(last.zip(first).map(|(last, first)| last - first), Some(41));
}

#[test]
fn a_campaign_stays_for_its_steps_with_its_share_of_flows() {
    let pool = pool(PoolParams::default());
    let arrival = pool.arrival(FamilyId(0), 3);
    let attacks = |step| {
        let seen = pool.observe(3, step, &mut Context::default());
        seen.truth.labels().iter().filter(|label| **label == Label::Attack(FamilyId(0))).count()
    };
    assert_eq!([arrival, arrival + 5, arrival + 6].map(attacks), [7, 7, 0]);
}

#[test]
fn baselines_come_from_the_first_file_and_steps_from_the_others() {
    let ramp = |files: &[usize]| Pool::new(set(files), PoolParams::default(), 0).expect("sound parameters");
    let single = ramp(&[1_000]);
    let raw = |batch: &Batch| batch.numeric_column(0).iter().map(|x| x * 1_000.0).collect::<Vec<f32>>();
    assert!(raw(&single.baseline(0, 500)).iter().all(|row| *row < 499.5));
    assert!(raw(&single.observe(0, 49, &mut Context::default()).batch).iter().all(|row| *row > 499.5));
    assert_eq!(single.baseline(0, 500).rows(), 500);
}

#[test]
fn sites_differ_in_their_mix_unless_told_otherwise() {
    let spread = |params: PoolParams| {
        let pool = pool(params);
        let count = |site| pool.baseline(site, 2_000).code_column(0).iter().filter(|code| **code == 1).count();
        let counts: Vec<usize> = (0..10).map(count).collect();
        counts.iter().max().zip(counts.iter().min()).map(|(max, min)| max - min)
    };
    assert!(spread(PoolParams::default()) > Some(400));
    assert!(spread(PoolParams { mix_common: 1.0, ..PoolParams::default() }) < Some(200));
}

#[test]
fn unsound_parameters_are_refused() {
    let refused = |params| Pool::new(set(&[100, 100]), params, 0).expect_err("unsound").to_string();
    assert!(refused(PoolParams { agents: 0, ..PoolParams::default() }).contains("agents is 0"));
    assert!(refused(PoolParams { mix_weight: 0.0, ..PoolParams::default() }).contains("mix_weight"));
    assert!(refused(PoolParams { attack_share: f64::NAN, ..PoolParams::default() }).contains("attack_share"));
    assert!(refused(PoolParams { mix_feature: Some("x".into()), ..PoolParams::default() }).contains("service"));
}

#[test]
fn tables_without_benign_rows_are_refused() {
    let refused = Pool::new(set(&[1, 100]), PoolParams::default(), 0).expect_err("no benign row");
    assert!(matches!(refused, PoolError::NoBenign { .. }), "{refused}");
}
