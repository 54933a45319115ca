//! The same bits on every machine, with and without optimisation.

use dais_detect::{Algorithm, Columns, Scratch};

use crate::data::normal;

/// FNV-1a over the bits of the scores of drawn rows.
fn fingerprint(algorithm: Algorithm) -> u64 {
    let (baseline, batch) = (normal(700, 9, 1), normal(301, 9, 2));
    let mut scratch = Scratch::default();
    let model = algorithm.fit(Columns::new(&baseline, 700, 9), 5, &mut scratch).unwrap();
    let mut scores = vec![0.0; 301];
    model.score(Columns::new(&batch, 301, 9), &mut scores, &mut scratch);
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
