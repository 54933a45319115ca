//! The same bits on every machine, with and without optimisation.

use dais_detect::{Algorithm, Columns, Detector, ForestParams, Scratch};

use crate::data::normal;

/// The scores of drawn rows by a detector fitted on others.
fn fingerprint(algorithm: Algorithm) -> u64 {
    let baseline = normal(700, 9, 1);
    let model = algorithm.fit(Columns::new(&baseline, 700, 9), 5, &mut Scratch::default()).unwrap();
    fingerprint_of(&*model)
}

/// FNV-1a over the bits of the scores of drawn rows.
fn fingerprint_of(model: &dyn Detector) -> u64 {
    let batch = normal(301, 9, 2);
    let mut scores = vec![0.0; 301];
    model.score(Columns::new(&batch, 301, 9), &mut scores, &mut Scratch::default());
    let bytes = scores.iter().flat_map(|score| score.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn scores_have_the_bits_they_had_elsewhere() {
    let expected = [
        (Algorithm::Ecod, 0x6070_4c27_1800_9605),
        (Algorithm::Copod, 0xb74f_7328_ec3b_ed33),
        (Algorithm::Hbos, 0xccc1_6415_4d11_d98f),
        (Algorithm::Mahalanobis, 0x85cd_1d21_0e13_d39e),
        (Algorithm::ExtendedForest, 0x7103_4735_39f8_15aa),
        (Algorithm::Lof, 0x94f2_eb51_433c_0b51),
        (Algorithm::RankEnsemble, 0x8de9_0994_a28d_250c),
        (Algorithm::RandomCutForest, 0x7be7_ca9d_b016_967c),
    ];
    let measured = expected.map(|(algorithm, _)| (algorithm, fingerprint(algorithm)));
    assert_eq!(measured, expected);
}

/// Rows are drawn in one way from up to 4,096 of them and in another from more; of more than `trees * subsample` only
/// what is read is checked.
#[test]
fn forests_of_small_and_large_views_have_the_bits_they_had_elsewhere() {
    let expected = [
        (200, 0x2e7f_d7e9_a8cf_dfb6),
        (700, 0x3b1e_12cb_01c0_c8d5),
        (5_000, 0xaa36_733a_0fb3_495b),
        (30_000, 0xb9ed_1021_64bc_15a5),
    ];
    let measured = expected.map(|(rows, _)| {
        let baseline = normal(rows, 9, 1);
        let forest = ForestParams::default().fit(Columns::new(&baseline, rows, 9), 5).unwrap();
        (rows, fingerprint_of(&forest))
    });
    assert_eq!(measured, expected);
}
