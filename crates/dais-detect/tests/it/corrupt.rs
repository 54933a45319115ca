//! A model from foreign bytes is checked before it is used.

use dais_detect::{
    Adwin, AdwinParams, Columns, Copod, Ecod, Ensemble, EnsembleParams, ExtendedForest, HalfSpaceTrees, Hbos, Loda,
    Lof, Mahalanobis, Online, RandomCutForest, RankEnsemble, RobustBaseline, RobustBaselineParams, Scratch, Support,
    SupportParams,
};
use proptest::prelude::*;

use crate::conformance::Fitted;
use crate::data::normal;

/// Places in the bytes of a model, and what is written there.
type Damage = [(prop::sample::Index, u8)];

fn is_refused_or_scores<D: Fitted>(damage: &Damage) -> Result<(), TestCaseError> {
    let data = normal(40, 3, 1);
    let model = D::fitted(Columns::new(&data, 40, 3), 1).unwrap();
    let mut bytes = postcard::to_allocvec(&model).unwrap();
    for (place, value) in damage {
        let place = place.index(bytes.len());
        bytes[place] = *value;
    }
    if let Ok(model) = postcard::from_bytes::<D>(&bytes) {
        let batch: Vec<f32> = (0..40 * model.features()).map(|i| [0.5, -7.0, f32::MAX, f32::NAN][i % 4]).collect();
        let mut scores = vec![0.0; 40];
        model.score(Columns::new(&batch, 40, model.features()), &mut scores, &mut Scratch::default());
        prop_assert!(scores.iter().all(|score| !score.is_nan()), "{scores:?}");
        let mut contributions = vec![0.0; model.features()];
        let view = Columns::new(&batch, 40, model.features());
        // It explains or says that it cannot; it does not panic.
        let _ = model.explain(view, 3, &mut contributions, &mut Scratch::default());
    }
    Ok(())
}

/// Bytes with the damage done.
fn damaged(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    for (place, value) in damage {
        let place = place.index(bytes.len());
        bytes[place] = *value;
    }
    bytes
}

/// Damages what follows a stream; if it is accepted all the same, it goes on.
fn damaged_followers_are_refused_or_go_on(damage: &Damage) -> Result<(), TestCaseError> {
    let mut window = AdwinParams::default().start().unwrap();
    let mut baseline = RobustBaselineParams::default().start().unwrap();
    for row in 0..200u8 {
        window.add(f32::from(row % 7));
        baseline.learn(f32::from(row % 7));
    }
    if let Ok(mut window) = postcard::from_bytes::<Adwin>(&damaged(postcard::to_allocvec(&window).unwrap(), damage)) {
        for row in 0..500u16 {
            window.add(f32::from(row % 7));
        }
        prop_assert!(!window.is_empty());
    }
    let bytes = damaged(postcard::to_allocvec(&baseline).unwrap(), damage);
    if let Ok(mut baseline) = postcard::from_bytes::<RobustBaseline>(&bytes) {
        for row in 0..500u16 {
            baseline.learn(f32::from(row % 7));
            prop_assert!(baseline.location().is_finite() && baseline.scale() >= 0.0);
        }
    }
    let support = SupportParams { margin: 0.0, codes: vec![1] }.fit(Columns::new(&normal(20, 3, 1), 20, 3)).unwrap();
    let bytes = damaged(postcard::to_allocvec(&support).unwrap(), damage);
    if let Ok(support) = postcard::from_bytes::<Support>(&bytes) {
        let row = vec![f32::NAN; support.features()];
        prop_assert!(support.beyond(Columns::new(&row, 1, row.len()), 0).is_some());
    }
    Ok(())
}

/// Damages a stored model that learned 300 rows; if it is accepted all the same, it scores and learns.
fn damaged_bytes_are_refused_or_give_a_model_that_goes_on<D: Fitted + Online>(
    damage: &[(prop::sample::Index, u8)],
) -> Result<(), TestCaseError> {
    let data = normal(300, 3, 1);
    let model = D::fitted(Columns::new(&data, 300, 3), 1).unwrap();
    let mut bytes = postcard::to_allocvec(&model).unwrap();
    for (place, value) in damage {
        // Shapes and parameters stand at the beginning and behind the window: half of the damage is done there.
        let span = if value % 2 == 0 { bytes.len() } else { bytes.len().min(24) };
        bytes[place.index(span)] = *value;
    }
    if let Ok(mut model) = postcard::from_bytes::<D>(&bytes) {
        let batch = vec![0.5; 300 * model.features()];
        let view = Columns::new(&batch, 300, model.features());
        let mut scores = vec![0.0; 300];
        model.score(view, &mut scores, &mut Scratch::default());
        prop_assert!(scores.iter().all(|score| !score.is_nan()));
        model.learn(view).unwrap();
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_are_refused_or_give_a_model_that_scores(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        damaged_followers_are_refused_or_go_on(&damage)?;
        is_refused_or_scores::<Ensemble>(&damage)?;
        is_refused_or_scores::<Ecod>(&damage)?;
        is_refused_or_scores::<Copod>(&damage)?;
        is_refused_or_scores::<Hbos>(&damage)?;
        is_refused_or_scores::<Mahalanobis>(&damage)?;
        is_refused_or_scores::<ExtendedForest>(&damage)?;
        is_refused_or_scores::<Lof>(&damage)?;
        is_refused_or_scores::<RankEnsemble>(&damage)?;
        damaged_bytes_are_refused_or_give_a_model_that_goes_on::<HalfSpaceTrees>(&damage)?;
        damaged_bytes_are_refused_or_give_a_model_that_goes_on::<Loda>(&damage)?;
        damaged_bytes_are_refused_or_give_a_model_that_goes_on::<RandomCutForest>(&damage)?;
    }
}

#[test]
fn a_forest_whose_node_names_a_feature_that_does_not_exist_is_refused() {
    let data = normal(40, 3, 1);
    let params = EnsembleParams { neighbours: None, ..EnsembleParams::default() };
    let model = params.fit(Columns::new(&data, 40, 3), 1, &mut Scratch::default()).unwrap();
    let bytes = postcard::to_allocvec(&model).unwrap();
    // Features of the ensemble, the forest is there, its features, subsample, depth, 8-bit codes, their number.
    assert_eq!(&bytes[..6], [3, 1, 3, 40, 6, 0]);
    let mut damaged = bytes.clone();
    damaged[9] = 3;
    assert!(postcard::from_bytes::<Ensemble>(&bytes).is_ok());
    assert!(postcard::from_bytes::<Ensemble>(&damaged).is_err());
}
