//! A judgement says what it cannot know, and no more often than it must.

use dais_detect::{
    AdwinParams, Calibration, Columns, Detector, FitError, ForestParams, Judge, Judgement, Scratch, Support,
    SupportParams, Unknown, rows_needed,
};

use crate::data::normal;

fn calibration(rows: usize) -> Calibration {
    Calibration::new((0..rows).map(|row| row as f32).collect())
}

fn judge(calibration: &Calibration, alpha: f32) -> Judge<'_> {
    Judge { alpha, calibration: Some(calibration), support: None, has_drifted: false }
}

#[test]
fn with_one_row_less_than_needed_nothing_can_be_suspicious_and_with_all_of_them_it_can() {
    let any = Columns::new(&[0.0], 1, 1);
    for alpha in [0.5, 0.3, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001, 1.0 / 3.0, 1.0 / 49.0] {
        let needed = rows_needed(alpha);
        let (enough, few) = (calibration(needed), calibration((needed - 1).max(1)));
        assert!(enough.p_value(f32::MAX) <= alpha, "{needed} rows reach {alpha}");
        assert_eq!(judge(&enough, alpha).judge(f32::MAX, any, 0), Judgement::Suspicious);
        if needed > 1 {
            assert!(few.p_value(f32::MAX) > alpha, "{} rows do not reach {alpha}", needed - 1);
            let why = Unknown::TooFewRows { rows: needed - 1, needed };
            assert_eq!(judge(&few, alpha).judge(f32::MAX, any, 0), Judgement::Unknown(why));
        }
    }
    for never in [0.0, -1.0, f32::NAN, f32::NEG_INFINITY] {
        assert_eq!(rows_needed(never), usize::MAX);
    }
    assert_eq!((rows_needed(1.0), rows_needed(f32::INFINITY)), (0, 0));
    assert!(rows_needed(f32::MIN_POSITIVE) > 1 << 60);
}

#[test]
fn without_a_model_or_after_drift_nothing_is_known_until_a_refit() {
    let any = Columns::new(&[0.0], 1, 1);
    let own = calibration(200);
    let none = Judge { alpha: 0.02, calibration: None, support: None, has_drifted: false };
    assert_eq!(none.judge(1e9, any, 0), Judgement::Unknown(Unknown::NotFitted));

    // The p-values of an unchanged stream are uniform; then all rows are strange.
    let mut stream = AdwinParams::default().start().unwrap();
    let mut has_drifted = false;
    for row in 0..2_000 {
        let score = if row < 1_000 { (row * 37 % 200) as f32 } else { 250.0 };
        has_drifted |= stream.add(own.p_value(score)).is_some();
        let judgement = Judge { has_drifted, ..judge(&own, 0.02) }.judge(score, any, 0);
        match row {
            0..1_000 => assert!(!has_drifted, "row {row}"),
            1_000..1_064 => {}
            _ => assert_eq!(judgement, Judgement::Unknown(Unknown::Drifted), "row {row}"),
        }
    }
    let refitted = Calibration::new((0..200).map(|row| 150.0 + row as f32).collect());
    assert_eq!(judge(&refitted, 0.02).judge(250.0, any, 0), Judgement::Ordinary);
}

#[test]
fn ordinary_rows_are_suspicious_and_unknown_at_most_as_often_as_stated() {
    const FEATURES: usize = 5;
    let (rows, alpha) = (249, 0.02);
    let (mut suspicious, mut unknown, mut judged) = (0, 0, 0);
    for seed in 0..40 {
        let (train, held_back, fresh) = (
            normal(rows, FEATURES, 3 * seed),
            normal(rows, FEATURES, 3 * seed + 1),
            normal(100, FEATURES, 3 * seed + 2),
        );
        let baseline = Columns::new(&train, rows, FEATURES);
        let forest = ForestParams::default().fit(baseline, seed).unwrap();
        let support = SupportParams::default().fit(baseline).unwrap();
        let mut scratch = Scratch::default();
        let mut own = vec![0.0; rows];
        forest.score(Columns::new(&held_back, rows, FEATURES), &mut own, &mut scratch);
        let calibration = Calibration::new(own);
        let judge = Judge { support: Some(&support), ..judge(&calibration, alpha) };
        let view = Columns::new(&fresh, 100, FEATURES);
        let mut scores = vec![0.0; 100];
        forest.score(view, &mut scores, &mut scratch);
        for (row, &score) in scores.iter().enumerate() {
            judged += 1;
            match judge.judge(score, view, row) {
                Judgement::Ordinary => {}
                Judgement::Suspicious => suspicious += 1,
                Judgement::Unknown(Unknown::OutsideRange { .. }) => unknown += 1,
                Judgement::Unknown(why) => panic!("{why:?}"),
            }
        }
    }
    let bound = 2.0 * FEATURES as f32 / (rows + 1) as f32;
    let (suspicious, unknown) = (suspicious as f32 / judged as f32, unknown as f32 / judged as f32);
    println!("suspicious {suspicious:.4} of {alpha}, unknown {unknown:.4} of at most {bound:.4}");
    // Three standard errors of a share, for the 40 calibrations.
    assert!(suspicious <= alpha + 3.0 * (alpha / rows as f32 / 40.0 * 4.0).sqrt() && suspicious > 0.005);
    assert!(unknown <= bound && unknown > 0.0);
}

#[test]
fn what_a_model_cannot_see_is_unknown_and_not_ordinary() {
    // One code in ten and a value; the model looks at the value alone.
    let codes = (0..100).map(|row| (row % 10) as f32);
    let values = (0..100).map(|row| row as f32 / 100.0);
    let baseline: Vec<f32> = codes.chain(values).collect();
    let params = SupportParams { margin: 0.1, codes: vec![0] };
    let support = params.fit(Columns::new(&baseline, 100, 2)).unwrap();
    let calibration = Calibration::new(baseline[100..].to_vec());
    let judge = Judge { support: Some(&support), ..judge(&calibration, 0.02) };
    let known = |code: f32, value: f32| judge.judge(value, Columns::new(&[code, value], 1, 2), 0);
    assert_eq!(known(3.0, 0.5), Judgement::Ordinary);
    assert_eq!(known(3.0, -0.05), Judgement::Ordinary, "within the margin");
    assert_eq!(known(3.0, -0.5), Judgement::Unknown(Unknown::OutsideRange { feature: 1 }));
    assert_eq!(known(3.5, 0.5), Judgement::Unknown(Unknown::Unseen { feature: 0 }));
    assert_eq!(known(10.0, 0.5), Judgement::Unknown(Unknown::Unseen { feature: 0 }));
    assert_eq!(known(f32::NAN, 0.5), Judgement::Unknown(Unknown::Unseen { feature: 0 }));
    assert_eq!(known(10.0, 2.0), Judgement::Suspicious, "strange enough to know");
}

#[test]
fn a_support_is_checked_when_it_is_learned_and_read() {
    let view = Columns::new(&[1.0, 2.0], 2, 1);
    let refused = |params: SupportParams| match params.fit(view) {
        Err(FitError::Parameter { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(SupportParams { margin: -0.1, codes: vec![] }), "margin");
    assert_eq!(refused(SupportParams { margin: f32::NAN, codes: vec![] }), "margin");
    assert_eq!(refused(SupportParams { margin: 0.0, codes: vec![1] }), "codes");
    assert_eq!(SupportParams::default().fit(Columns::new(&[], 0, 1)).unwrap_err(), FitError::NoRows);
    let support = SupportParams { margin: 1.0, codes: vec![] }.fit(view).unwrap();
    let bytes = postcard::to_allocvec(&support).unwrap();
    assert_eq!(postcard::from_bytes::<Support>(&bytes).unwrap(), support);
    // One feature, a range, from 0 to 3: turned round.
    let turned = [&bytes[..2], &bytes[6..], &bytes[2..6]].concat();
    assert!(postcard::from_bytes::<Support>(&turned).is_err());
}
