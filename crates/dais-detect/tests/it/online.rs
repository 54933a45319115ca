//! What every detector promises that learns from a stream, checked for each of them.

use dais_detect::{
    Columns, FitError, HalfSpaceParams, HalfSpaceTrees, Loda, LodaParams, Online, RandomCutForest, RandomCutParams,
};

use crate::conformance::{Fitted, bits, scores};
use crate::data::normal;

/// A detector that learns from a stream, and how it starts with its default parameters.
trait Started: Fitted + Online + Clone {
    fn started(features: usize, seed: u64) -> Result<Self, FitError>;
}

impl Started for HalfSpaceTrees {
    fn started(features: usize, seed: u64) -> Result<Self, FitError> {
        HalfSpaceParams::default().start(features, seed)
    }
}

impl Started for Loda {
    fn started(features: usize, seed: u64) -> Result<Self, FitError> {
        LodaParams::default().start(features, seed)
    }
}

impl Started for RandomCutForest {
    fn started(features: usize, seed: u64) -> Result<Self, FitError> {
        RandomCutParams::default().start(features, seed)
    }
}

/// Runs a check for every detector that learns from a stream, each as a test of its own.
macro_rules! every_online_detector {
    ($($check:ident),+ $(,)?) => {
        mod half_space_trees { $(#[test] fn $check() { super::$check::<dais_detect::HalfSpaceTrees>(); })+ }
        mod loda { $(#[test] fn $check() { super::$check::<dais_detect::Loda>(); })+ }
        mod random_cut_forest { $(#[test] fn $check() { super::$check::<dais_detect::RandomCutForest>(); })+ }
    };
}

every_online_detector! {
    learning_in_one_or_many_batches_gives_the_same_bits,
    a_fit_is_a_fresh_model_that_learned_the_rows_in_order,
    a_model_that_has_not_learned_finds_all_rows_alike,
    no_rows_teach_nothing,
    a_refused_batch_changes_nothing,
    scoring_does_not_learn,
    memory_stays_what_it_was_at_the_start,
    after_the_horizon_the_old_normal_is_strange_and_the_new_one_ordinary,
    what_lies_behind_the_horizon_does_not_tell_the_new_normal_from_attacks,
    a_model_goes_on_after_serialisation_as_if_it_had_never_stopped,
}

/// Rows around `centre` in every feature.
fn around(centre: f32, rows: usize, features: usize, seed: u64) -> Vec<f32> {
    normal(rows, features, seed).into_iter().map(|value| centre + value).collect()
}

fn learning_in_one_or_many_batches_gives_the_same_bits<D: Started>() {
    let horizon = D::started(3, 7).unwrap().horizon();
    let rows = 2 * horizon + 77;
    let data = normal(rows, 3, 1);
    let view = Columns::new(&data, rows, 3);
    let mut whole = D::started(3, 7).unwrap();
    whole.learn(view).unwrap();
    let of_whole = scores(&whole, view);
    for size in [1, 2, 37, 256, 1_000] {
        let mut parts = D::started(3, 7).unwrap();
        for start in (0..rows).step_by(size) {
            parts.learn(view.slice(start..rows.min(start + size))).unwrap();
        }
        assert_eq!(whole, parts, "batches of {size}");
        assert_eq!(bits(&of_whole), bits(&scores(&parts, view)), "batches of {size}");
    }
}

fn a_fit_is_a_fresh_model_that_learned_the_rows_in_order<D: Started>() {
    for rows in [1, 2, 100, 700] {
        let data = normal(rows, 4, 1);
        let view = Columns::new(&data, rows, 4);
        let mut model = D::started(4, 7).unwrap();
        model.learn(view).unwrap();
        assert_eq!(model, D::fitted(view, 7).unwrap(), "{rows} rows");
    }
}

fn a_model_that_has_not_learned_finds_all_rows_alike<D: Started>() {
    let model = D::started(2, 7).unwrap();
    let scores = scores(&model, Columns::new(&[0.0, 5.0, f32::NAN, -1.0, 1.0e30, 0.0], 3, 2));
    assert!(scores[0].is_finite() && scores.iter().all(|score| score.to_bits() == scores[0].to_bits()), "{scores:?}");
}

fn no_rows_teach_nothing<D: Started>() {
    let data = normal(300, 2, 1);
    let model = D::fitted(Columns::new(&data, 300, 2), 7).unwrap();
    let mut same = model.clone();
    same.learn(Columns::new(&[], 0, 2)).unwrap();
    assert_eq!(model, same);
}

fn a_refused_batch_changes_nothing<D: Started>() {
    let data = normal(900, 2, 1);
    let model = D::fitted(Columns::new(&data, 900, 2), 7).unwrap();
    let mut same = model.clone();
    for bad in [f32::NAN, f32::INFINITY] {
        let mut data = normal(900, 2, 2);
        data[900 + 890] = bad;
        let error = same.learn(Columns::new(&data, 900, 2)).unwrap_err();
        assert_eq!(error, FitError::NonFinite { row: 890, feature: 1 });
    }
    let error = same.learn(Columns::new(&data[..900], 300, 3)).unwrap_err();
    assert_eq!(error, FitError::OtherFeatures { features: 3, expected: 2 });
    assert_eq!(model, same);
    assert_eq!(D::started(0, 7).unwrap_err(), FitError::NoFeatures);
}

fn scoring_does_not_learn<D: Started>() {
    let data = normal(600, 2, 1);
    let model = D::fitted(Columns::new(&data, 600, 2), 7).unwrap();
    let same = model.clone();
    let far = around(50.0, 2_000, 2, 2);
    scores(&model, Columns::new(&far, 2_000, 2));
    assert_eq!(model, same);
}

fn memory_stays_what_it_was_at_the_start<D: Started>() {
    for features in [1, 20, 300] {
        let mut model = D::started(features, 7).unwrap();
        let at_start = model.size_bytes();
        let rows = model.horizon() + 100;
        for batch in 0..4 {
            let data = around(batch as f32, rows, features, batch);
            model.learn(Columns::new(&data, rows, features)).unwrap();
            assert_eq!(model.size_bytes(), at_start);
        }
        // What is stated is what has to be stored, but for shapes and parameters; integers may be stored shorter.
        let stored = postcard::to_allocvec(&model).unwrap().len();
        assert!(stored <= at_start + at_start / 2 + 200, "{stored} bytes stored, {at_start} stated");
    }
}

fn after_the_horizon_the_old_normal_is_strange_and_the_new_one_ordinary<D: Started>() {
    let mut model = D::started(3, 7).unwrap();
    let rows = model.horizon();
    let (old, new) = (around(0.0, rows, 3, 1), around(9.0, rows, 3, 2));
    let (of_old, of_new) = (around(0.0, 200, 3, 3), around(9.0, 200, 3, 4));
    let mean = |model: &D, values: &[f32]| {
        let scores = scores(model, Columns::new(values, 200, 3));
        scores.iter().map(|&score| f64::from(score)).sum::<f64>() / 200.0
    };
    model.learn(Columns::new(&old, rows, 3)).unwrap();
    let (old_before, new_before) = (mean(&model, &of_old), mean(&model, &of_new));
    model.learn(Columns::new(&new, rows, 3)).unwrap();
    let (old_after, new_after) = (mean(&model, &of_old), mean(&model, &of_new));
    assert!(old_before < new_before && new_after < old_after);
    // The two have changed places: each is now about as strange as the other was.
    let apart = new_before - old_before;
    assert!((old_after - new_before).abs() < 0.25 * apart, "old: {old_before} to {old_after}, new: {new_before}");
    assert!((new_after - old_before).abs() < 0.25 * apart, "new: {new_before} to {new_after}, old: {old_before}");
}

fn what_lies_behind_the_horizon_does_not_tell_the_new_normal_from_attacks<D: Started>() {
    let mut model = D::started(2, 7).unwrap();
    let rows = model.horizon();
    // The scale changes a thousandfold; an attack among the new rows is far from them, and close to them on the old scale.
    let old: Vec<f32> = around(0.0, rows, 2, 1).into_iter().map(|value| 1_000.0 * value).collect();
    let new = around(300.0, rows, 2, 2);
    model.learn(Columns::new(&old, rows, 2)).unwrap();
    model.learn(Columns::new(&new, rows, 2)).unwrap();
    let (ordinary, attack) = (around(300.0, 200, 2, 3), around(310.0, 200, 2, 4));
    let ordinary = scores(&model, Columns::new(&ordinary, 200, 2));
    let attack = scores(&model, Columns::new(&attack, 200, 2));
    let wins = ordinary.iter().map(|score| attack.iter().filter(|attack| *attack > score).count()).sum::<usize>();
    assert!(wins >= 39_000, "{wins} of 40000 pairs");
}

fn a_model_goes_on_after_serialisation_as_if_it_had_never_stopped<D: Started>() {
    for rows in [5, 1_111] {
        let (first, second) = (normal(rows, 3, 1), normal(900, 3, 2));
        let mut model = D::fitted(Columns::new(&first, rows, 3), 7).unwrap();
        let mut again: D = postcard::from_bytes(&postcard::to_allocvec(&model).unwrap()).unwrap();
        model.learn(Columns::new(&second, 900, 3)).unwrap();
        again.learn(Columns::new(&second, 900, 3)).unwrap();
        assert_eq!(model, again);
    }
}
