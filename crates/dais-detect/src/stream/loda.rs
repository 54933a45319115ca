//! Lightweight on-line detector of anomalies.

use rand_philox::{Philox, u32_to_unit_f32, u32_to_unit_f64};
use serde::{Deserialize, Serialize};

use super::window::{Window, check_rows, learned};
use crate::columns::FEATURES_MAX;
use crate::detector::assert_shapes;
use crate::draw::{deal, normal};
use crate::explanation::assert_explained;
use crate::moment::{SPREAD_FLOOR, mean_and_deviation, standardise};
use crate::scratch::LodaScratch;
use crate::{CannotExplain, Columns, Detector, Explanation, FitError, Online, Scratch};

/// The largest window.
const WINDOW_MAX: u16 = 4096;
/// The most bins of a histogram.
const BINS_MAX: u16 = 1024;
/// The least width of a histogram, in standard deviations of a feature.
const WIDTH_MIN: f32 = 1.0e-3;
/// A histogram is wider than the range of its rows by this factor, so that rounding leaves no row outside.
const MARGIN: f32 = 1.001;
/// Surprises are stored in units of 1/2048 bit above `-SURPRISE_BASE`: exact to sum in integers.
const SURPRISE_UNIT: f32 = 2048.0;
/// No bin is fuller than all rows in one of `BINS_MAX`.
const SURPRISE_BASE: f32 = 10.0;
/// Rows of a block should stay in the first-level cache.
const BLOCK_BYTES: usize = 16 * 1024;

/// How a [`Loda`] learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LodaParams {
    /// The number of projections, at least 1. More make scores steadier; time and memory grow in proportion.
    pub projections: u16,
    /// The bins of each histogram, 2 to 1,024.
    pub bins: u16,
    /// The rows of a window, 2 to 4,096.
    pub window: u16,
}

impl Default for LodaParams {
    /// 100 projections with 10 bins, windows of 512 rows.
    fn default() -> Self {
        Self { projections: 100, bins: 10, window: 512 }
    }
}

impl LodaParams {
    /// Learns the rows of `view` in their order.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view, more than 65,536 features, and for a value that is not
    /// finite.
    pub fn fit(&self, view: Columns<'_>, seed: u64) -> Result<Loda, FitError> {
        learned(view, |features| self.start(features, seed))
    }

    /// A model that has not learned yet.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, no feature and more than 65,536 features.
    pub fn start(&self, features: usize, seed: u64) -> Result<Loda, FitError> {
        self.check(features)?;
        let projections = usize::from(self.projections);
        let used = used_features(features);
        let (mut names, mut weights, mut shifts) = (Vec::new(), Vec::new(), Vec::new());
        let mut deck: Vec<u16> = (0..=u16::MAX).take(features).collect();
        for projection in 0..u64::from(self.projections) {
            let mut words = Philox::from_u64_seed_stream(seed, projection);
            shifts.push(u32_to_unit_f32(words.next_u32()));
            for place in 0..used {
                names.push(deal(&mut deck, place, |count| words.bounded(count as u32) as usize));
                let (radius, turn) = (u32_to_unit_f64(words.next_u32()), u32_to_unit_f64(words.next_u32()));
                weights.push(normal(radius, turn) as f32);
            }
        }
        let histograms = Histograms {
            bins: self.bins,
            centres: vec![0.0; features],
            scales: vec![0.0; features],
            names,
            weights,
            shifts,
            lows: vec![0.0; projections],
            bins_per_unit: vec![0.0; projections],
            surprises: vec![(SURPRISE_BASE * SURPRISE_UNIT) as u16; projections * cells(self.bins)],
        };
        Ok(Loda { window: Window::new(self.window.into(), features), histograms })
    }

    fn check(&self, features: usize) -> Result<(), FitError> {
        let parameter = |name, value: u16, expected| FitError::Parameter { name, value: value.into(), expected };
        if self.projections == 0 {
            return Err(parameter("projections", 0, "at least 1"));
        }
        if !(2..=BINS_MAX).contains(&self.bins) {
            return Err(parameter("bins", self.bins, "2 to 1024"));
        }
        if !(2..=WINDOW_MAX).contains(&self.window) {
            return Err(parameter("window", self.window, "2 to 4096"));
        }
        if features == 0 {
            return Err(FitError::NoFeatures);
        }
        if features > FEATURES_MAX {
            return Err(FitError::TooManyFeatures { features, max: FEATURES_MAX });
        }
        Ok(())
    }
}

/// The features of each projection.
fn used_features(features: usize) -> usize {
    features.isqrt()
}

/// The cells of a histogram: its bins, and one on each side for what lies outside.
fn cells(bins: u16) -> usize {
    usize::from(bins) + 2
}

/// LODA, the lightweight on-line detector of anomalies: rows that are rare along random directions are strange.
///
/// Every projection adds up `sqrt(features)` standardised features, drawn at random, with normally distributed weights; at
/// the end of a window a histogram of the projected rows, `bins` equal bins over their range, replaces the one before. The
/// score is the mean over all projections of the surprise of the row's bin in bits, `-log2` of its share relative to that of
/// rows spread evenly. It is 0 in a bin with that share; an empty bin, and everything outside of the histogram, counts as
/// half a row.
///
/// Good at streams that change, at wide data and at combinations of features, for a few additions per row. Weak where a
/// single feature among many is strange, since a projection blurs it, and where ordinary rows form groups so far apart that
/// one bin holds a group and the space around it. Blind to attacks that fill a good part of a window.
///
/// Three things differ from common implementations (figures in `docs/reference/detectors.md`). Features are standardised by the
/// mean and the standard deviation of the window (plus 0.05), which the paper leaves to the user. What lies outside of a histogram
/// is as strange as an empty bin, not as ordinary as the last one. And a histogram begins at a random place within the
/// first bin, so that their mean has finer steps than a bin.
///
/// A value that is NaN or beyond 1e9 standard deviations counts as 1e9.
///
/// Cost: 100 projections of 20 features take 6 kB, and the window 4 bytes for each value. Scoring a row takes
/// `projections * sqrt(features)` multiplications and a lookup in each histogram; learning a row takes about twice that, all
/// at the end of a window.
///
/// ```
/// use dais_detect::{Columns, Detector, LodaParams, Online, Scratch};
///
/// let day: Vec<f32> = (0..512).map(|row| (row % 16) as f32).collect();
/// let night: Vec<f32> = day.iter().map(|value| 100.0 + value).collect();
/// let batch = Columns::new(&[7.0, 107.0, 500.0], 3, 1);
/// let (mut scores, mut scratch) = ([0.0; 3], Scratch::default());
///
/// let mut model = LodaParams::default().fit(Columns::new(&day, 512, 1), 1)?;
/// model.score(batch, &mut scores, &mut scratch);
/// assert_eq!(scores.map(|score| score.round()), [0.0, 7.0, 7.0]);
///
/// model.learn(Columns::new(&night, 512, 1))?;
/// model.score(batch, &mut scores, &mut scratch);
/// assert_eq!(scores.map(|score| score.round()), [7.0, 0.0, 7.0]);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: T. Pevný, "Loda: Lightweight on-line detector of anomalies", Machine Learning 102 (2016).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "LodaParts")]
pub struct Loda {
    window: Window,
    histograms: Histograms,
}

/// The projections and their histograms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Histograms {
    bins: u16,
    centres: Vec<f32>,
    scales: Vec<f32>,
    /// The features of all projections, one projection after the other, and their weights.
    names: Vec<u16>,
    weights: Vec<f32>,
    /// The share of a bin by which each histogram begins before its lowest row.
    shifts: Vec<f32>,
    /// Where the first bin of each histogram begins, and how many of its bins fit in one unit of the projection.
    lows: Vec<f32>,
    bins_per_unit: Vec<f32>,
    /// The stored surprise of every cell, one histogram after the other.
    surprises: Vec<u16>,
}

/// A model as it was written, not yet checked.
#[derive(Deserialize)]
struct LodaParts {
    window: Window,
    histograms: Histograms,
}

impl TryFrom<LodaParts> for Loda {
    type Error = &'static str;

    fn try_from(parts: LodaParts) -> Result<Self, Self::Error> {
        let LodaParts { window, histograms } = parts;
        let Histograms { bins, centres, scales, names, weights, shifts, lows, bins_per_unit, surprises } = &histograms;
        if !(2..=BINS_MAX).contains(bins) || window.size() > WINDOW_MAX.into() {
            return Err("a LODA has 2 to 1024 bins, its window has at most 4096 rows");
        }
        let features = window.features();
        if features > FEATURES_MAX || centres.len() != features || scales.len() != features {
            return Err("the window of a LODA has another number of features than its scales");
        }
        let projections = lows.len();
        if projections == 0 || projections > u16::MAX.into() || [shifts.len(), bins_per_unit.len()] != [projections; 2]
        {
            return Err("the histograms of a LODA differ in number from its projections");
        }
        let used = projections * used_features(features);
        if names.len() != used || weights.len() != used || surprises.len() != projections * cells(*bins) {
            return Err("the projections or the histograms of a LODA have another size than they should");
        }
        if names.iter().any(|&name| usize::from(name) >= features) {
            return Err("a projection of a LODA names a feature that does not exist");
        }
        Ok(Self { window, histograms })
    }
}

impl Loda {
    /// The number of projections.
    pub fn projections(&self) -> usize {
        self.histograms.lows.len()
    }
}

impl Detector for Loda {
    fn features(&self) -> usize {
        self.window.features()
    }

    fn size_bytes(&self) -> usize {
        let Histograms { centres, scales, names, weights, shifts, lows, bins_per_unit, surprises, .. } =
            &self.histograms;
        let floats = [centres, scales, weights, shifts, lows, bins_per_unit];
        floats.iter().map(|floats| size_of_val(&floats[..])).sum::<usize>()
            + size_of_val(&names[..])
            + size_of_val(&surprises[..])
            + self.window.size_bytes()
    }

    fn score(&self, view: Columns<'_>, scores: &mut [f32], scratch: &mut Scratch) {
        assert_shapes(self.features(), &view, scores);
        let block = (BLOCK_BYTES / (4 * (self.features() + 2)) / 16 * 16).clamp(16, 512);
        let histograms = &self.histograms;
        let (used, cells) = (used_features(self.features()), cells(histograms.bins));
        let per_unit = 1.0 / (SURPRISE_UNIT * self.projections() as f32);
        let LodaScratch { standardised, places, sums } = &mut scratch.loda;
        for (index, scores) in scores.chunks_mut(block).enumerate() {
            let rows = view.slice(index * block..index * block + scores.len());
            standardise_rows(rows, &histograms.centres, &histograms.scales, standardised);
            sums.clear();
            sums.resize(scores.len(), 0);
            let projections = histograms.names.chunks_exact(used).zip(histograms.weights.chunks_exact(used));
            let surprises = histograms.surprises.chunks_exact(cells).enumerate();
            for ((names, weights), (projection, surprises)) in projections.zip(surprises) {
                project(names, weights, standardised, scores.len(), places);
                let histogram = histograms.histogram(projection);
                for (sum, &place) in sums.iter_mut().zip(&*places) {
                    *sum += u32::from(surprises[histogram.cell(place)]);
                }
            }
            for (score, &sum) in scores.iter_mut().zip(&*sums) {
                *score = sum as f32 * per_unit - SURPRISE_BASE;
            }
        }
    }

    fn explain(
        &self,
        view: Columns<'_>,
        row: usize,
        contributions: &mut [f32],
        _: &mut Scratch,
    ) -> Result<Explanation, CannotExplain> {
        assert_explained(self.features(), &view, row, contributions);
        contributions.fill(0.0);
        let histograms = &self.histograms;
        let (used, cells) = (used_features(self.features()), cells(histograms.bins));
        let mut value = 0.0;
        for projection in 0..self.projections() {
            let terms = || {
                (projection * used..(projection + 1) * used).map(|place| {
                    let feature = usize::from(histograms.names[place]);
                    let value = view.column(feature)[row];
                    let z = standardise(value, histograms.centres[feature], histograms.scales[feature]);
                    (feature, histograms.weights[place] * z)
                })
            };
            let place = terms().map(|(_, term)| term).sum();
            let cell = histograms.histogram(projection).cell(place);
            let stored = histograms.surprises[projection * cells..][cell];
            let bits = (f32::from(stored) / SURPRISE_UNIT - SURPRISE_BASE) / self.projections() as f32;
            let squares: f32 = terms().map(|(_, term)| term * term).sum();
            for (feature, term) in terms() {
                let share = if squares > 0.0 { term * term / squares } else { 1.0 / used as f32 };
                contributions[feature] += bits * share;
            }
            value += bits;
        }
        Ok(Explanation { base: 0.0, value })
    }
}

impl Online for Loda {
    fn learn(&mut self, view: Columns<'_>) -> Result<(), FitError> {
        check_rows(self.features(), &view)?;
        self.window.add(view, |rows| self.histograms.refill(rows));
        Ok(())
    }

    fn horizon(&self) -> usize {
        2 * self.window.size() - 1
    }
}

impl Histograms {
    fn histogram(&self, projection: usize) -> Histogram {
        Histogram {
            low: self.lows[projection],
            bins_per_unit: self.bins_per_unit[projection],
            last: (cells(self.bins) - 1) as f32,
        }
    }

    /// Makes all histograms anew from the rows of a window.
    fn refill(&mut self, rows: Columns<'_>) {
        for (feature, (centre, scale)) in self.centres.iter_mut().zip(&mut self.scales).enumerate() {
            let (mean, deviation) = mean_and_deviation(rows.column(feature));
            (*centre, *scale) = (mean as f32, (1.0 / (deviation + SPREAD_FLOOR)) as f32);
        }
        let (used, cells) = (used_features(rows.features()), cells(self.bins));
        let (mut standardised, mut places, mut counts) = (Vec::new(), Vec::new(), vec![0u16; cells]);
        standardise_rows(rows, &self.centres, &self.scales, &mut standardised);
        // Half a row in every cell: the surprise of an empty one is finite, that of a full one exactly `-log2(bins)`.
        let share = |count| (count as f32 + 0.5) / (rows.rows() as f32 + 0.5);
        let bits = |count| -libm::log2f(share(count) * f32::from(self.bins));
        let stored: Vec<u16> =
            (0..=rows.rows()).map(|count| ((bits(count) + SURPRISE_BASE) * SURPRISE_UNIT) as u16).collect();
        for projection in 0..self.lows.len() {
            let first = projection * used;
            let (names, weights) = (&self.names[first..][..used], &self.weights[first..][..used]);
            project(names, weights, &standardised, rows.rows(), &mut places);
            let low = places.iter().copied().fold(f32::INFINITY, f32::min);
            let high = places.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            // One bin more than the range needs, so that it can begin anywhere in the first.
            let width = MARGIN * (high - low).max(WIDTH_MIN) / f32::from(self.bins - 1);
            self.lows[projection] = low - self.shifts[projection] * width;
            self.bins_per_unit[projection] = 1.0 / width;
            let histogram = self.histogram(projection);
            counts.fill(0);
            for &place in &places {
                counts[histogram.cell(place)] += 1;
            }
            for (surprise, &count) in self.surprises[projection * cells..].iter_mut().zip(&counts) {
                *surprise = stored[usize::from(count)];
            }
        }
    }
}

/// Where a projected row falls.
#[derive(Clone, Copy)]
struct Histogram {
    low: f32,
    bins_per_unit: f32,
    last: f32,
}

impl Histogram {
    fn cell(self, place: f32) -> usize {
        ((place - self.low) * self.bins_per_unit + 1.0).clamp(0.0, self.last) as usize
    }
}

/// Standardises rows, column after column.
fn standardise_rows(rows: Columns<'_>, centres: &[f32], scales: &[f32], standardised: &mut Vec<f32>) {
    standardised.clear();
    for (feature, (&centre, &scale)) in centres.iter().zip(scales).enumerate() {
        standardised.extend(rows.column(feature).iter().map(|&value| standardise(value, centre, scale)));
    }
}

/// Adds up the named columns of some standardised rows with their weights.
fn project(names: &[u16], weights: &[f32], standardised: &[f32], rows: usize, places: &mut Vec<f32>) {
    places.clear();
    places.resize(rows, 0.0);
    for (&name, &weight) in names.iter().zip(weights) {
        let column = &standardised[usize::from(name) * rows..][..rows];
        for (place, &value) in places.iter_mut().zip(column) {
            *place += weight * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(model: &Loda, view: Columns<'_>) -> Vec<f32> {
        let mut scores = vec![0.0; view.rows()];
        model.score(view, &mut scores, &mut Scratch::default());
        scores
    }

    #[test]
    fn of_one_feature_every_projection_is_the_histogram_of_its_rows() {
        // Four rows fall in the first of two bins, and four in the last, wherever these begin.
        let rows = [0.0, 0.1, 0.2, 0.3, 9.7, 9.8, 9.9, 10.0];
        let params = LodaParams { projections: 3, bins: 2, window: 8 };
        let model = params.fit(Columns::new(&rows, 8, 1), 1).unwrap();
        let scores = score(&model, Columns::new(&[0.15, 9.85, -11.0, 21.0], 4, 1));
        let (half, empty) = (-libm::log2f(2.0 * 4.5 / 8.5), -libm::log2f(2.0 * 0.5 / 8.5));
        for (score, expected) in scores.iter().zip([half, half, empty, empty]) {
            assert!((score - expected).abs() < 1e-3, "{scores:?}");
        }
    }

    #[test]
    fn no_row_of_the_window_lies_outside_of_a_histogram() {
        let rows: Vec<f32> = (0..512 * 4).map(|i| ((i * i) % 1_009) as f32 * 1e-3).collect();
        let model = LodaParams::default().fit(Columns::new(&rows, 512, 4), 1).unwrap();
        let empty = model.histograms.surprises.chunks_exact(cells(10)).map(|histogram| (histogram[0], histogram[11]));
        let of_half_a_row = ((SURPRISE_BASE - libm::log2f(10.0 * 0.5 / 512.5)) * SURPRISE_UNIT) as u16;
        assert!(empty.clone().all(|outside| outside == (of_half_a_row, of_half_a_row)));
        assert_eq!(empty.count(), 100);
    }

    #[test]
    fn weights_are_drawn_from_the_normal_distribution() {
        let model = LodaParams { projections: 2_000, ..LodaParams::default() }.start(25, 3).unwrap();
        let count = model.histograms.weights.len() as f32;
        assert_eq!(model.histograms.weights.len(), 10_000);
        let mean = model.histograms.weights.iter().sum::<f32>() / count;
        let variance = model.histograms.weights.iter().map(|weight| weight * weight).sum::<f32>() / count;
        let beyond_2 = model.histograms.weights.iter().filter(|weight| weight.abs() > 2.0).count() as f32 / count;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.07, "{mean} {variance}");
        assert!((beyond_2 - 0.0455).abs() < 0.01, "{beyond_2}");
        // A feature is drawn once at most in a projection.
        for names in model.histograms.names.chunks(5) {
            assert!((1..5).all(|place| !names[..place].contains(&names[place])), "{names:?}");
        }
    }

    #[test]
    fn a_model_that_has_not_learned_gives_every_row_the_score_0() {
        let model = LodaParams::default().start(1, 1).unwrap();
        assert_eq!(score(&model, Columns::new(&[0.0, -3.0e9], 2, 1)), [0.0, 0.0]);
    }

    #[test]
    fn the_largest_and_the_smallest_surprise_fit_in_16_bits() {
        let of_one = SURPRISE_BASE - libm::log2f(2.0 * 0.5 / (f32::from(WINDOW_MAX) + 0.5));
        assert!(of_one * SURPRISE_UNIT < f32::from(u16::MAX));
        assert!(SURPRISE_BASE - libm::log2f(f32::from(BINS_MAX)) >= 0.0);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let params = LodaParams::default();
        for (params, name) in [
            (LodaParams { projections: 0, ..params.clone() }, "projections"),
            (LodaParams { bins: 1, ..params.clone() }, "bins"),
            (LodaParams { bins: 1025, ..params.clone() }, "bins"),
            (LodaParams { window: 1, ..params.clone() }, "window"),
            (LodaParams { window: 4097, ..params }, "window"),
        ] {
            let error = params.start(1, 1).unwrap_err();
            assert!(matches!(error, FitError::Parameter { name: of, .. } if of == name), "{error}");
        }
    }
}
