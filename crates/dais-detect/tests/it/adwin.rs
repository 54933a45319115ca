//! The adaptive window: the changes River finds, few false alarms, short delays.

use dais_detect::{Adwin, AdwinParams, Change};
use rand_philox::{Philox, u32_to_unit_f32};

/// Numbers in [0, 1) that a few lines of any language make alike: Knuth's linear congruential generator.
fn congruential(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    }
}

/// Where changes are found and how many values are kept; like River, begins anew after each.
fn found(params: &AdwinParams, values: impl Iterator<Item = f32>) -> Vec<(usize, u64)> {
    let mut window = params.start().unwrap();
    let mut changes = Vec::new();
    for (place, value) in values.enumerate() {
        if let Some(change) = window.add(value) {
            changes.push((place, change.kept));
            window = params.start().unwrap();
        }
    }
    changes
}

/// A seed, parameters, the means of a stream, and where River finds changes with the values it keeps.
type Case<'a> = (u64, &'a AdwinParams, &'a [f64], &'a [(usize, u64)]);

// ```sh
// python3 -m venv venv && venv/bin/pip install river==0.26.1 && venv/bin/python adwin.py
// ```
//
// ```python
// import struct
// from river.drift import ADWIN
//
// def numbers(state):
//     while True:
//         state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
//         yield (state >> 33) / 2**31
//
// abrupt = [0.0] * 1500 + [0.25] * 1500 + [0.15] * 1500
// gradual = [0.0] * 1000 + [0.5 * k / 2000 for k in range(2000)] + [0.5] * 1000
// for seed in (1, 2, 3):
//     for delta, clock in ((0.002, 32), (0.05, 1)):
//         for name, means in (("abrupt", abrupt), ("gradual", gradual)):
//             number, window, found = numbers(seed), ADWIN(delta=delta, clock=clock), []
//             for place, mean in enumerate(means):
//                 window.update(struct.unpack("f", struct.pack("f", mean + 0.5 * next(number)))[0])
//                 if window.drift_detected:
//                     found.append((place, int(window.width)))
//             print(seed, delta, clock, name, found)
// ```
#[test]
fn changes_are_found_where_river_finds_them() {
    let abrupt: Vec<f64> = [0.0, 0.25, 0.15].iter().flat_map(|&mean| std::iter::repeat_n(mean, 1500)).collect();
    let slope = (0..2000).map(|k| 0.5 * f64::from(k) / 2000.0);
    let gradual: Vec<f64> = std::iter::repeat_n(0.0, 1000).chain(slope).chain(std::iter::repeat_n(0.5, 1000)).collect();
    let usual = AdwinParams::default();
    let eager = AdwinParams { delta: 0.05, clock: 1, ..AdwinParams::default() };
    let cases: [Case; 12] = [
        (1, &usual, &abrupt, &[(1567, 192), (3199, 736)]),
        (1, &usual, &gradual, &[(1375, 1120), (2047, 544), (2751, 576)]),
        (1, &eager, &abrupt, &[(1525, 1270), (3128, 835)]),
        (1, &eager, &gradual, &[(1292, 1037), (1861, 505), (2370, 445), (2885, 451)]),
        (2, &usual, &abrupt, &[(1567, 160), (3167, 1344)]),
        (2, &usual, &gradual, &[(1439, 928), (2111, 544), (2815, 576)]),
        (2, &eager, &abrupt, &[(1529, 250), (3108, 1323)]),
        (2, &eager, &gradual, &[(1304, 921), (1781, 413), (2313, 468), (2892, 515)]),
        (3, &usual, &abrupt, &[(1567, 160), (3135, 672)]),
        (3, &usual, &gradual, &[(1471, 1088), (2175, 576), (2879, 576)]),
        (3, &eager, &abrupt, &[(1525, 1270), (3068, 647)]),
        (3, &eager, &gradual, &[(1398, 1143), (1999, 537), (2520, 457), (3060, 476)]),
    ];
    for (seed, params, means, expected) in cases {
        let mut number = congruential(seed);
        let values = means.iter().map(|mean| (mean + 0.5 * number()) as f32);
        assert_eq!(found(params, values), expected, "seed {seed}, {params:?}");
    }
}

/// A drawn value in [low, low + width).
fn draw(words: &mut Philox, low: f32, width: f32) -> f32 {
    low + width * u32_to_unit_f32(words.next_u32())
}

#[test]
fn of_the_checks_of_a_stream_without_change_at_most_a_share_of_delta_finds_one() {
    for (delta, clock) in [(0.002, 32), (0.05, 32), (0.3, 1)] {
        let params = AdwinParams { delta, clock, ..AdwinParams::default() };
        let (mut alarms, mut checks) = (0, 0);
        for seed in 0..60 {
            let mut words = Philox::from_u64_seed(seed);
            let mut window = params.start().unwrap();
            // Uniform ones as p-values are, and the rare ones of alerts.
            let rare = seed % 2 == 1;
            for _ in 0..5_000 {
                let value = draw(&mut words, 0.0, 1.0);
                let value = if rare { f32::from(value < 0.02) } else { value };
                alarms += usize::from(window.add(value).is_some());
            }
            checks += 5_000 / clock;
        }
        println!("delta {delta}, clock {clock}: {alarms} alarms in {checks} checks");
        assert!(f64::from(alarms as u32) <= delta * f64::from(checks), "delta {delta}: {alarms} of {checks}");
    }
}

/// The first change of a stream that leaves `before` for `after` over `length` values from value 2,000 on, and how many
/// values after the beginning of the change it is found.
fn delay(seed: u64, (before, after): (f32, f32), length: usize) -> Option<(usize, Change, Adwin)> {
    let mut words = Philox::from_u64_seed(seed);
    let mut window = AdwinParams::default().start().unwrap();
    for place in 0..4_000usize {
        let share = (place.saturating_sub(2_000) as f32 / length as f32).min(1.0);
        let low = before + (after - before) * if place < 2_000 { 0.0 } else { share };
        if let Some(change) = window.add(draw(&mut words, low, 0.5)) {
            return Some((place.checked_sub(2_000)?, change, window));
        }
    }
    None
}

#[test]
fn an_abrupt_change_is_found_within_two_checks_and_a_gradual_one_on_its_way() {
    let (mut abrupt, mut gradual) = (0, 0);
    for seed in 0..40 {
        for means in [(0.0, 0.4), (0.4, 0.0)] {
            let (after, change, _) = delay(seed, means, 1).unwrap();
            abrupt = abrupt.max(after);
            let is_toward = (change.mean_after > change.mean_before) == (means.1 > means.0);
            assert!(is_toward, "seed {seed}: {change:?}");
            gradual = gradual.max(delay(seed, means, 1_000).unwrap().0);
        }
    }
    println!("found after at most {abrupt} values where abrupt, {gradual} where over 1,000 values");
    assert!(abrupt <= 64 && gradual <= 600, "{abrupt} {gradual}");
}

#[test]
fn the_window_shrinks_to_the_new_regime() {
    for seed in 0..40 {
        let (_, change, mut window) = delay(seed, (0.0, 0.4), 1).unwrap();
        assert!(change.forgotten >= 1_800 && change.kept == window.len(), "seed {seed}: {change:?}");
        let mut words = Philox::from_u64_seed(1_000 + seed);
        (0..500).for_each(|_| assert!(window.add(draw(&mut words, 0.4, 0.5)).is_none_or(|next| next.kept < 600)));
        assert!((window.mean() - 0.65).abs() < 0.05, "seed {seed}: {}", window.mean());
        assert!((window.variance() - 0.25 / 12.0).abs() < 0.01, "seed {seed}: {}", window.variance());
        assert!(window.len() < 800, "seed {seed}: {}", window.len());
    }
}

#[test]
fn memory_grows_with_the_logarithm_of_the_window() {
    let mut window = AdwinParams::default().start().unwrap();
    let mut sizes = Vec::new();
    for place in 0..1u32 << 17 {
        assert_eq!(window.add((place % 7) as f32), None);
        if place.is_power_of_two() {
            sizes.push(window.size_bytes());
        }
    }
    assert_eq!(window.len(), 1 << 17);
    assert!((window.mean() - 3.0).abs() < 1e-4 && (window.variance() - 4.0).abs() < 1e-3);
    let largest = sizes.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(largest <= Some(200) && window.size_bytes() < 4_000, "{sizes:?}");
}

#[test]
fn a_restored_window_goes_on_as_if_it_had_never_stopped() {
    let mut words = Philox::from_u64_seed(5);
    let mut window = AdwinParams::default().start().unwrap();
    (0..777).for_each(|_| assert_eq!(window.add(draw(&mut words, 0.0, 0.5)), None));
    let mut again: Adwin = postcard::from_bytes(&postcard::to_allocvec(&window).unwrap()).unwrap();
    for place in 0..500 {
        let value = draw(&mut words, if place < 100 { 0.0 } else { 0.5 }, 0.5);
        assert_eq!(window.add(value), again.add(value), "value {place}");
    }
    assert_eq!(window, again);
    assert!(window.len() < 777, "the change was found");
}

#[test]
fn values_that_are_not_numbers_are_left_out_and_huge_ones_leave_nothing_behind() {
    let mut window = AdwinParams::default().start().unwrap();
    assert!(window.is_empty() && window.mean().abs() < 1e-12 && window.variance().abs() < 1e-12);
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(window.add(value), None);
    }
    assert!(window.is_empty());
    (0..320).for_each(|_| assert_eq!(window.add(1.0e38), None));
    let changes = (0..640).filter_map(|place| window.add((place % 2) as f32)).count();
    assert!(changes > 0);
    assert!((window.mean() - 0.5).abs() < 0.01 && (window.variance() - 0.25).abs() < 0.01, "{}", window.mean());
}

#[test]
fn parameters_out_of_range_are_refused() {
    let usual = AdwinParams::default;
    for (params, name) in [
        (AdwinParams { delta: 0.0, ..usual() }, "delta"),
        (AdwinParams { delta: f64::NAN, ..usual() }, "delta"),
        (AdwinParams { clock: 0, ..usual() }, "clock"),
        (AdwinParams { side_min: 0, ..usual() }, "side_min"),
        (AdwinParams { buckets: 1, ..usual() }, "buckets"),
        (AdwinParams { buckets: 65, ..usual() }, "buckets"),
    ] {
        let error = params.start().unwrap_err();
        assert!(matches!(error, dais_detect::FitError::Parameter { name: of, .. } if of == name), "{error}");
    }
}
