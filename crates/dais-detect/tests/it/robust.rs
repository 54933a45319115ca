//! The robust baseline: poison does not move it, honest drift does.

use dais_detect::{Admission, Calibration, RobustBaseline, RobustBaselineParams};
use rand_philox::{Philox, u32_to_unit_f32};

/// The rows of the window that the plain calibration is made of, as an agent's baseline.
const WINDOW: usize = 512;
const SEEDS: u64 = 20;

/// A stream of normal values: a vouched beginning, then honest drift of all rows or the poison of a share of them.
struct Stream {
    words: Philox,
}

impl Stream {
    fn new(seed: u64) -> Self {
        Self { words: Philox::from_u64_seed(seed) }
    }

    fn unit(&mut self) -> f32 {
        u32_to_unit_f32(self.words.next_u32())
    }

    /// A roughly normal value around `mean`.
    fn normal(&mut self, mean: f32) -> f32 {
        mean - 6.0 + (0..12).map(|_| self.unit()).sum::<f32>()
    }

    /// A value that belongs to the attacker with the chance `share`, and then lies about `place`.
    fn poisoned(&mut self, share: f32, place: f32) -> f32 {
        if self.unit() < share { place + 0.1 * self.normal(0.0) } else { self.normal(0.0) }
    }
}

/// A window of values that turns, and a calibration on it.
#[derive(Default)]
struct Plain {
    values: Vec<f32>,
    next: usize,
}

impl Plain {
    fn learn(&mut self, value: f32) {
        if self.values.len() < WINDOW {
            self.values.push(value);
        } else {
            self.values[self.next] = value;
            self.next = (self.next + 1) % WINDOW;
        }
    }

    fn p_value(&self, value: f32) -> f32 {
        Calibration::new(self.values.clone()).p_value(value)
    }
}

/// A plain window of everything, one of what the robust baseline admits, and that baseline, after 5,000 honest rows.
fn learned(stream: &mut Stream, params: &RobustBaselineParams) -> (Plain, Plain, RobustBaseline) {
    let (mut plain, mut gated, mut baseline) = (Plain::default(), Plain::default(), params.start().unwrap());
    for _ in 0..5_000 {
        let value = stream.normal(0.0);
        plain.learn(value);
        if baseline.learn(value) == Admission::Learned {
            gated.learn(value);
        }
    }
    (plain, gated, baseline)
}

#[test]
fn slow_poison_drags_the_plain_calibration_to_the_attack_and_not_the_robust_one() {
    const PLACE: f32 = 8.2;
    // Nearly all rows of the attack lie beyond.
    const ATTACK: f32 = 8.0;
    for share in [0.05, 0.1, 0.2, 0.3] {
        let (mut plain_admits, mut gated_admits, mut farthest, mut false_alarms) = (0, 0, 0.0f32, 0.0);
        for seed in 0..SEEDS {
            let mut stream = Stream::new(seed);
            let (mut plain, mut gated, mut baseline) = learned(&mut stream, &RobustBaselineParams::default());
            assert!(plain.p_value(ATTACK) <= 0.02 && gated.p_value(ATTACK) <= 0.02, "an alert before the poison");
            // A thousandth of a standard deviation with each row, and then the attack stays.
            for row in 0..12_000u16 {
                let value = stream.poisoned(share, (f32::from(row) * 0.001).min(PLACE));
                plain.learn(value);
                match baseline.learn(value) {
                    Admission::Learned => gated.learn(value),
                    Admission::Trimmed | Admission::Suspended => {}
                    Admission::Confirmed => panic!("share {share}, seed {seed}: poison was taken for a change"),
                }
                farthest = farthest.max(baseline.location().abs());
            }
            plain_admits += usize::from(plain.p_value(ATTACK) > 0.02);
            gated_admits += usize::from(gated.p_value(ATTACK) > 0.02);
            let alarms = (0..1_000).filter(|_| gated.p_value(stream.normal(0.0)) <= 0.02).count();
            false_alarms += alarms as f32 / 1_000.0 / SEEDS as f32;
        }
        println!(
            "share {share}: the attack is admitted in {plain_admits} of {SEEDS} plain runs, {gated_admits} robust; \
             location at most {farthest:.2}, false alarms {false_alarms:.4}"
        );
        assert_eq!((plain_admits, gated_admits), (SEEDS as usize, 0), "share {share}");
        assert!(farthest < 1.2 && (0.001..0.04).contains(&false_alarms), "share {share}: {farthest} {false_alarms}");
    }
}

/// Rows from the beginning of a change by `far` over `length` rows until the consensus is within half a deviation of it.
fn followed_after(seed: u64, far: f32, length: u16) -> usize {
    let mut stream = Stream::new(seed);
    let (_, _, mut baseline) = learned(&mut stream, &RobustBaselineParams::default());
    let mut last_away = 0;
    for row in 0..20_000usize {
        let mean = far * (row as f32 / f32::from(length)).min(1.0);
        baseline.learn(stream.normal(mean));
        if (baseline.location() - far).abs() > 0.5 || (baseline.scale() - 1.0).abs() > 0.5 {
            last_away = row;
        }
    }
    last_away + 1
}

#[test]
fn honest_drift_is_followed() {
    for (far, length, limit) in [(3.0, 1, 1_200), (-8.0, 1, 1_500), (50.0, 1, 2_500), (8.0, 4_000, 6_000)] {
        let rows = (0..SEEDS).map(|seed| followed_after(seed, far, length)).max().unwrap();
        println!("a change by {far} over {length} rows is followed after at most {rows} rows");
        assert!(rows <= limit, "by {far} over {length} rows: {rows}");
    }
}

#[test]
fn without_a_change_nothing_is_suspicious_and_little_is_trimmed() {
    let (mut suspended, mut trimmed) = (0, 0);
    for seed in 0..SEEDS {
        let mut stream = Stream::new(seed);
        let (_, _, mut baseline) = learned(&mut stream, &RobustBaselineParams::default());
        for _ in 0..5_000 {
            match baseline.learn(stream.normal(0.0)) {
                Admission::Learned => {}
                Admission::Trimmed => trimmed += 1,
                Admission::Suspended | Admission::Confirmed => suspended += 1,
            }
        }
        assert!(baseline.location().abs() < 0.2 && (baseline.scale() - 1.0).abs() < 0.25, "{}", baseline.scale());
    }
    println!("of {} ordinary rows {trimmed} are trimmed, {suspended} suspended", SEEDS * 5_000);
    assert_eq!(suspended, 0);
    assert!(trimmed <= 100, "{trimmed}");
}

#[test]
fn a_burst_of_nothing_but_attacks_is_suspicious_and_passes_without_a_trace() {
    for seed in 0..SEEDS {
        let mut stream = Stream::new(seed);
        let (_, _, mut baseline) = learned(&mut stream, &RobustBaselineParams::default());
        let slow = |baseline: &RobustBaseline| (baseline.location(), baseline.scale());
        let before = slow(&baseline);
        let burst: Vec<Admission> = (0..300).map(|_| baseline.learn(stream.normal(9.0))).collect();
        assert!(!burst.contains(&Admission::Learned) && !burst.contains(&Admission::Confirmed), "seed {seed}");
        assert!(burst.contains(&Admission::Suspended) && baseline.is_suspicious(), "seed {seed}");
        let after: Vec<Admission> = (0..2_000).map(|_| baseline.learn(stream.normal(0.0))).collect();
        assert!(!after.contains(&Admission::Confirmed) && !baseline.is_suspicious(), "seed {seed}");
        let now = slow(&baseline);
        assert!((now.0 - before.0).abs() < 0.3 && (now.1 - before.1).abs() < 0.3, "seed {seed}: {before:?} {now:?}");
    }
}

#[test]
fn without_confirmation_nothing_is_followed_and_with_it_at_once() {
    let params = RobustBaselineParams { confirm_rows: 0, ..RobustBaselineParams::default() };
    let mut stream = Stream::new(1);
    let (_, _, mut baseline) = learned(&mut stream, &params);
    for _ in 0..5_000 {
        assert_ne!(baseline.learn(stream.normal(6.0)), Admission::Confirmed);
    }
    assert!(baseline.is_suspicious() && baseline.location().abs() < 0.3, "{}", baseline.location());
    baseline.confirm();
    assert!(!baseline.is_suspicious() && (baseline.location() - 6.0).abs() < 0.6, "{}", baseline.location());
    assert_eq!(baseline.learn(6.0), Admission::Learned);
}

#[test]
fn a_restored_baseline_goes_on_as_if_it_had_never_stopped() {
    for rows in [0, 10, 63, 64, 700] {
        let mut stream = Stream::new(rows);
        let mut baseline = RobustBaselineParams::default().start().unwrap();
        (0..rows).for_each(|_| assert_eq!(baseline.learn(stream.normal(0.0)), Admission::Learned));
        let mut again: RobustBaseline = postcard::from_bytes(&postcard::to_allocvec(&baseline).unwrap()).unwrap();
        for _ in 0..900 {
            let value = stream.normal(5.0);
            assert_eq!(baseline.learn(value), again.learn(value));
        }
        assert_eq!(baseline, again);
    }
}

#[test]
fn equal_values_and_values_that_are_not_numbers_are_fine() {
    let mut baseline = RobustBaselineParams::default().start().unwrap();
    (0..500).for_each(|_| assert_eq!(baseline.learn(3.0), Admission::Learned));
    assert_eq!(baseline.learn(4.0), Admission::Trimmed);
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN] {
        assert_eq!(baseline.learn(value), Admission::Trimmed, "{value}");
        assert!(baseline.distance(value) > 1e6 && baseline.location().is_finite(), "{value}");
    }
    let mut wild = RobustBaselineParams::default().start().unwrap();
    for row in 0..5_000 {
        wild.learn([f32::NAN, f32::MIN, 0.0, f32::MAX][row % 4]);
        assert!(wild.location().is_finite() && wild.scale().is_finite());
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    let usual = RobustBaselineParams::default;
    for (params, name) in [
        (RobustBaselineParams { memory_rows: [15, 512, 4096], ..usual() }, "memory_rows"),
        (RobustBaselineParams { memory_rows: [64, 63, 4096], ..usual() }, "memory_rows"),
        (RobustBaselineParams { memory_rows: [64, 512, 1 << 21], ..usual() }, "memory_rows"),
        (RobustBaselineParams { band: f32::NAN, ..usual() }, "band"),
        (RobustBaselineParams { tolerance: 0.0, ..usual() }, "tolerance"),
        (RobustBaselineParams { tolerance: 4.0, ..usual() }, "tolerance"),
    ] {
        let error = params.start().unwrap_err();
        assert!(matches!(error, dais_detect::FitError::Parameter { name: of, .. } if of == name), "{error}");
    }
}
