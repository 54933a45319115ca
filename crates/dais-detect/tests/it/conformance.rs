//! What every detector promises, checked for each of them.

use dais_detect::{
    Columns, Copod, CopodParams, Detector, Ecod, EcodParams, Ensemble, EnsembleParams, ExtendedForest,
    ExtendedForestParams, FitError, ForestParams, HalfSpaceParams, HalfSpaceTrees, Hbos, HbosParams, IsolationForest,
    Loda, LodaParams, Lof, LofParams, Mahalanobis, MahalanobisParams, NeighbourDistance, NeighbourParams,
    RandomCutForest, RandomCutParams, RankEnsemble, RankEnsembleParams, Scratch,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::{normal, rows_of};

/// A detector, and how it is fitted with its default parameters.
pub(crate) trait Fitted: Detector + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + Sized {
    /// The most features it can learn.
    const FEATURES_MAX: usize = usize::MAX;

    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError>;
}

impl Fitted for IsolationForest {
    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError> {
        ForestParams::default().fit(view, seed)
    }
}

impl Fitted for NeighbourDistance {
    fn fitted(view: Columns<'_>, _: u64) -> Result<Self, FitError> {
        NeighbourParams::default().fit(view)
    }
}

impl Fitted for Ensemble {
    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError> {
        EnsembleParams::default().fit(view, seed, &mut Scratch::default())
    }
}

impl Fitted for Ecod {
    fn fitted(view: Columns<'_>, _: u64) -> Result<Self, FitError> {
        EcodParams::default().fit(view)
    }
}

impl Fitted for Copod {
    fn fitted(view: Columns<'_>, _: u64) -> Result<Self, FitError> {
        CopodParams::default().fit(view)
    }
}

impl Fitted for Hbos {
    fn fitted(view: Columns<'_>, _: u64) -> Result<Self, FitError> {
        HbosParams::default().fit(view)
    }
}

impl Fitted for Mahalanobis {
    const FEATURES_MAX: usize = 512;

    fn fitted(view: Columns<'_>, _: u64) -> Result<Self, FitError> {
        MahalanobisParams::default().fit(view)
    }
}

impl Fitted for ExtendedForest {
    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError> {
        ExtendedForestParams::default().fit(view, seed)
    }
}

impl Fitted for Lof {
    fn fitted(view: Columns<'_>, _: u64) -> Result<Self, FitError> {
        LofParams::default().fit(view)
    }
}

impl Fitted for RankEnsemble {
    const FEATURES_MAX: usize = 512;

    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError> {
        RankEnsembleParams::default().fit(view, seed, &mut Scratch::default())
    }
}

impl Fitted for HalfSpaceTrees {
    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError> {
        HalfSpaceParams::default().fit(view, seed)
    }
}

impl Fitted for Loda {
    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError> {
        LodaParams::default().fit(view, seed)
    }
}

impl Fitted for RandomCutForest {
    fn fitted(view: Columns<'_>, seed: u64) -> Result<Self, FitError> {
        RandomCutParams::default().fit(view, seed)
    }
}

/// Runs a check for every detector, each as a test of its own.
macro_rules! every_detector {
    ($($check:ident),+ $(,)?) => {
        mod forest { $(#[test] fn $check() { super::$check::<dais_detect::IsolationForest>(); })+ }
        mod neighbours { $(#[test] fn $check() { super::$check::<dais_detect::NeighbourDistance>(); })+ }
        mod ensemble { $(#[test] fn $check() { super::$check::<dais_detect::Ensemble>(); })+ }
        mod ecod { $(#[test] fn $check() { super::$check::<dais_detect::Ecod>(); })+ }
        mod copod { $(#[test] fn $check() { super::$check::<dais_detect::Copod>(); })+ }
        mod hbos { $(#[test] fn $check() { super::$check::<dais_detect::Hbos>(); })+ }
        mod mahalanobis { $(#[test] fn $check() { super::$check::<dais_detect::Mahalanobis>(); })+ }
        mod extended_forest { $(#[test] fn $check() { super::$check::<dais_detect::ExtendedForest>(); })+ }
        mod lof { $(#[test] fn $check() { super::$check::<dais_detect::Lof>(); })+ }
        mod rank_ensemble { $(#[test] fn $check() { super::$check::<dais_detect::RankEnsemble>(); })+ }
        mod half_space_trees { $(#[test] fn $check() { super::$check::<dais_detect::HalfSpaceTrees>(); })+ }
        mod loda { $(#[test] fn $check() { super::$check::<dais_detect::Loda>(); })+ }
        mod random_cut_forest { $(#[test] fn $check() { super::$check::<dais_detect::RandomCutForest>(); })+ }
    };
}

every_detector! {
    the_same_seed_gives_the_same_model_and_scores,
    a_score_does_not_depend_on_how_a_batch_is_split,
    row_order_and_other_rows_do_not_change_a_score,
    a_strided_view_scores_like_a_dense_one,
    outliers_score_higher_than_ordinary_rows,
    no_score_is_nan_whatever_the_row,
    constant_features_and_duplicate_rows_are_fine,
    one_row_can_be_learned_and_scored,
    an_empty_batch_has_no_scores,
    few_rows_of_many_features_are_fine,
    a_model_survives_serialisation,
    a_model_tells_its_memory,
    what_cannot_be_learned_is_refused_with_its_place,
    a_batch_of_another_width_panics,
}

pub(crate) fn scores(model: &impl Detector, view: Columns<'_>) -> Vec<f32> {
    let mut scores = vec![f32::NAN; view.rows()];
    model.score(view, &mut scores, &mut Scratch::default());
    scores
}

pub(crate) fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

fn the_same_seed_gives_the_same_model_and_scores<D: Fitted>() {
    let data = normal(300, 6, 1);
    let view = Columns::new(&data, 300, 6);
    let (first, second) = (D::fitted(view, 9).unwrap(), D::fitted(view, 9).unwrap());
    assert_eq!(first, second);
    assert_eq!(bits(&scores(&first, view)), bits(&scores(&second, view)));
}

fn a_score_does_not_depend_on_how_a_batch_is_split<D: Fitted>() {
    for features in [1, 3, 4, 5, 20] {
        let (baseline, batch) = (normal(300, features, 1), normal(2_500, features, 2));
        let model = D::fitted(Columns::new(&baseline, 300, features), 9).unwrap();
        let view = Columns::new(&batch, 2_500, features);
        let whole = scores(&model, view);
        for size in [1, 7, 16, 100, 1_024] {
            let mut scratch = Scratch::default();
            let mut parts = vec![f32::NAN; 2_500];
            let last = if size == 1 { 40 } else { 2_500 };
            for start in (0..last).step_by(size) {
                let end = (start + size).min(2_500);
                model.score(view.slice(start..end), &mut parts[start..end], &mut scratch);
            }
            assert_eq!(bits(&whole[..last]), bits(&parts[..last]), "{features} features, batches of {size}");
        }
    }
}

fn row_order_and_other_rows_do_not_change_a_score<D: Fitted>() {
    let (baseline, batch) = (normal(200, 5, 1), normal(333, 5, 2));
    let model = D::fitted(Columns::new(&baseline, 200, 5), 9).unwrap();
    let view = Columns::new(&batch, 333, 5);
    let in_order = scores(&model, view);
    let order: Vec<usize> = (0..333).map(|i| i * 100 % 333).collect();
    let shuffled = rows_of(view, &order);
    let of_shuffled = scores(&model, Columns::new(&shuffled, 333, 5));
    let expected: Vec<f32> = order.iter().map(|&row| in_order[row]).collect();
    assert_eq!(bits(&expected), bits(&of_shuffled));
}

fn a_strided_view_scores_like_a_dense_one<D: Fitted>() {
    let data = normal(400, 6, 3);
    let strided = Columns::with_stride(&data, 130, 6, 400);
    let dense = rows_of(strided, &(0..130).collect::<Vec<_>>());
    let dense = Columns::new(&dense, 130, 6);
    let (of_strided, of_dense) = (D::fitted(strided, 4).unwrap(), D::fitted(dense, 4).unwrap());
    assert_eq!(of_strided, of_dense);
    assert_eq!(bits(&scores(&of_strided, strided)), bits(&scores(&of_dense, dense)));
}

fn outliers_score_higher_than_ordinary_rows<D: Fitted>() {
    for features in [1, 2, 8, 40] {
        let (baseline, mut batch) = (normal(512, features, 1), normal(120, features, 2));
        for column in batch.chunks_exact_mut(120) {
            column[110..].iter_mut().for_each(|value| *value = 9.0 + 0.1 * *value);
        }
        let model = D::fitted(Columns::new(&baseline, 512, features), 9).unwrap();
        let scores = scores(&model, Columns::new(&batch, 120, features));
        let highest = scores[..110].iter().copied().fold(f32::MIN, f32::max);
        let lowest = scores[110..].iter().copied().fold(f32::MAX, f32::min);
        assert!(lowest >= highest, "{features} features: outliers from {lowest}, ordinary rows up to {highest}");
    }
}

fn no_score_is_nan_whatever_the_row<D: Fitted>() {
    let baseline = normal(256, 3, 1);
    let model = D::fitted(Columns::new(&baseline, 256, 3), 9).unwrap();
    let extremes = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE, -0.0];
    for &a in &extremes {
        for &b in &extremes {
            let scores = scores(&model, Columns::new(&[a, 0.0, b, a, 0.5, b], 2, 3));
            assert!(scores.iter().all(|score| score.is_finite()), "{a} {b}: {scores:?}");
        }
    }
    // Values at the ends of the range can be learned too.
    let wide: Vec<f32> = (0..64).map(|i| [f32::MAX, f32::MIN, 0.0, 1.0][i % 4]).collect();
    let model = D::fitted(Columns::new(&wide, 64, 1), 9).unwrap();
    assert!(scores(&model, Columns::new(&wide, 64, 1)).iter().all(|score| score.is_finite()));
}

fn constant_features_and_duplicate_rows_are_fine<D: Fitted>() {
    let constant = vec![4.0; 100 * 3];
    let view = Columns::new(&constant, 100, 3);
    let model = D::fitted(view, 9).unwrap();
    let of_equal = scores(&model, view);
    assert!(of_equal.iter().all(|score| score.is_finite() && score.to_bits() == of_equal[0].to_bits()));

    // One feature of twenty varies, and half of its values are equal.
    let mut data = vec![1.0; 100 * 20];
    data[700..800].iter_mut().enumerate().for_each(|(row, value)| *value = row.saturating_sub(50) as f32);
    let model = D::fitted(Columns::new(&data, 100, 20), 9).unwrap();
    let mut batch = vec![1.0; 2 * 20];
    batch[14..16].copy_from_slice(&[0.0, 200.0]);
    let scores = scores(&model, Columns::new(&batch, 2, 20));
    assert!(scores[1] > scores[0], "{scores:?}");
}

fn one_row_can_be_learned_and_scored<D: Fitted>() {
    let model = D::fitted(Columns::new(&[1.0, 2.0], 1, 2), 9).unwrap();
    let scores = scores(&model, Columns::new(&[1.0, 50.0, 2.0, 50.0], 2, 2));
    assert!(scores.iter().all(|score| score.is_finite()) && scores[1] >= scores[0], "{scores:?}");
}

fn an_empty_batch_has_no_scores<D: Fitted>() {
    let data = normal(50, 2, 1);
    let model = D::fitted(Columns::new(&data, 50, 2), 9).unwrap();
    model.score(Columns::new(&[], 0, 2), &mut [], &mut Scratch::default());
}

fn few_rows_of_many_features_are_fine<D: Fitted>() {
    for features in [255, 256, 257, 3_000] {
        let data = normal(20, features, 1);
        let view = Columns::new(&data, 20, features);
        if features > D::FEATURES_MAX {
            let error = D::fitted(view, 9).unwrap_err();
            assert_eq!(error, FitError::TooManyFeatures { features, max: D::FEATURES_MAX });
            continue;
        }
        let model = D::fitted(view, 9).unwrap();
        assert_eq!(model.features(), features);
        let far = vec![60.0; features];
        let ordinary = scores(&model, view);
        assert!(scores(&model, Columns::new(&far, 1, features))[0] >= ordinary[7], "{features} features");
    }
}

fn a_model_survives_serialisation<D: Fitted>() {
    for (rows, features) in [(1, 1), (40, 3), (300, 300)] {
        let data = normal(rows, features, 1);
        let view = Columns::new(&data, rows, features);
        let model = D::fitted(view, 9).unwrap();
        let bytes = postcard::to_allocvec(&model).unwrap();
        let again: D = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(model, again);
        assert_eq!(bits(&scores(&model, view)), bits(&scores(&again, view)));
    }
}

fn a_model_tells_its_memory<D: Fitted>() {
    let data = normal(700, 12, 1);
    let model = D::fitted(Columns::new(&data, 700, 12), 9).unwrap();
    // What is stated is what has to be stored, but for shapes and parameters; integers may be stored longer.
    let (stated, stored) = (model.size_bytes(), postcard::to_allocvec(&model).unwrap().len());
    assert!(stated > 0 && stored <= stated + stated / 2 + 200, "{stored} bytes stored, {stated} stated");
}

fn what_cannot_be_learned_is_refused_with_its_place<D: Fitted>() {
    assert_eq!(D::fitted(Columns::new(&[], 0, 3), 9).unwrap_err(), FitError::NoRows);
    assert_eq!(D::fitted(Columns::new(&[], 3, 0), 9).unwrap_err(), FitError::NoFeatures);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut data = normal(300, 2, 1);
        data[300 + 123] = bad;
        let error = D::fitted(Columns::new(&data, 300, 2), 9).unwrap_err();
        assert_eq!(error, FitError::NonFinite { row: 123, feature: 1 });
    }
}

fn a_batch_of_another_width_panics<D: Fitted>() {
    let data = normal(50, 2, 1);
    let model = D::fitted(Columns::new(&data, 50, 2), 9).unwrap();
    let panics = |rows: usize, features: usize, scores: usize| {
        let batch = vec![0.0; rows * features];
        let score = std::panic::AssertUnwindSafe(|| {
            let view = Columns::new(&batch, rows, features);
            model.score(view, &mut vec![0.0; scores], &mut Scratch::default());
        });
        std::panic::catch_unwind(score).is_err()
    };
    assert!(panics(2, 3, 2) && panics(2, 1, 2) && panics(2, 2, 3));
    assert!(!panics(2, 2, 2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_finite_rows_can_be_learned_and_scored_alike_twice(
        rows in 1usize..80,
        features in 1usize..6,
        seed: u64,
        values in proptest::collection::vec(prop_oneof![-1e30f32..1e30, -3.0f32..3.0, Just(0.0f32)], 80 * 6),
    ) {
        let view = Columns::new(&values[..rows * features], rows, features);
        let model = Ensemble::fitted(view, seed).unwrap();
        let first = scores(&model, view);
        prop_assert!(first.iter().all(|score| score.is_finite()));
        prop_assert_eq!(bits(&first), bits(&scores(&model, view)));
        let p_values: Vec<f32> = first.iter().map(|&score| model.p_value(score)).collect();
        prop_assert!(p_values.iter().all(|&p| p > 0.0 && p <= 1.0));
    }
}
