//! Centre and shape of the densest share of the rows: the minimum regularised covariance determinant.

use super::{MahalanobisParams, Shape, packed};
use crate::draw::evenly_spaced;
use crate::moment::{SPREAD_FLOOR, mean_and_deviation, mean_of, product_of, standardise};
use crate::{Columns, Scratch};

/// Concentration steps after which the support is taken as it is.
const STEPS_MAX: usize = 30;
/// Steps of the power iteration for the largest eigenvalue.
const POWER_STEPS: usize = 64;
/// The first step looks at standardised values cut to this size, so that far rows do not turn the first shape.
const FIRST_CUT: f32 = 2.5;
/// Quantiles whose distance measures the spread of a feature, and that distance for a normal distribution; the first
/// that differ count.
const RANGES: [(f64, f64, f64); 3] = [(0.16, 0.84, 1.99), (0.05, 0.95, 3.29), (0.01, 0.99, 4.65)];

/// Concentrates on the support; `params` and `view` have been checked.
pub(super) fn shape(params: &MahalanobisParams, view: Columns<'_>, scratch: &mut Scratch) -> Shape {
    let (rows, features) = (view.rows().min(params.reference_max), view.features());
    let (mut centres, mut scales) = (Vec::with_capacity(features), Vec::with_capacity(features));
    let mut standardised = Vec::with_capacity(rows * features);
    let mut sorted = Vec::with_capacity(rows);
    for feature in 0..features {
        let column = view.column(feature);
        sorted.clear();
        sorted.extend((0..rows).map(|index| column[evenly_spaced(index, rows, view.rows())]));
        let from = standardised.len();
        standardised.extend_from_slice(&sorted);
        sorted.sort_unstable_by(f32::total_cmp);
        let centre = sorted[(rows - 1) / 2];
        let scale = (1.0 / (spread_of(&sorted) + SPREAD_FLOOR)) as f32;
        standardised[from..].iter_mut().for_each(|value| *value = standardise(*value, centre, scale));
        centres.push(centre);
        scales.push(scale);
    }
    let standardised = Columns::new(&standardised, rows, features);

    let count = ((f64::from(params.support) * rows as f64).ceil() as usize).clamp(1, rows);
    let mut support: Vec<u32> = (0..rows as u32).collect();
    let (mut next, mut distances) = (support.clone(), vec![0.0; rows]);
    let mut cut = FIRST_CUT;
    let mut step = 0;
    let (means, whitening) = loop {
        let (means, covariance) = moments(standardised, &support, cut);
        let whitening = whitening(covariance, features, params.condition_max);
        let is_settled = cut.is_infinite() && step >= STEPS_MAX;
        if is_settled {
            break (means, whitening);
        }
        let ones = vec![1.0; features];
        super::squared_distances(standardised, (&means, &ones, &whitening), &mut distances, &mut scratch.tiles);
        next.clear();
        next.extend(0..rows as u32);
        let by_distance = |&a: &u32, &b: &u32| distances[a as usize].total_cmp(&distances[b as usize]).then(a.cmp(&b));
        if count < rows {
            next.select_nth_unstable_by(count - 1, by_distance);
        }
        next.truncate(count);
        next.sort_unstable();
        if cut.is_infinite() && next == support {
            break (means, whitening);
        }
        std::mem::swap(&mut next, &mut support);
        cut = f32::INFINITY;
        step += 1;
    };
    // The mean of the support moves to the side of the raw values.
    for ((centre, &scale), mean) in centres.iter_mut().zip(&scales).zip(means) {
        *centre = (f64::from(*centre) + f64::from(mean) / f64::from(scale)) as f32;
    }
    Shape { centres, scales, whitening }
}

/// The spread of rising values in the units of a standard deviation, little moved by far values.
fn spread_of(sorted: &[f32]) -> f64 {
    let at = |share: f64| f64::from(sorted[((sorted.len() - 1) as f64 * share) as usize]);
    let of_range = |(low, high, width): (f64, f64, f64)| (at(high) - at(low)) / width;
    let spread = RANGES.into_iter().map(of_range).find(|&spread| spread > 0.0);
    spread.unwrap_or_else(|| mean_and_deviation(sorted).1)
}

/// Mean and packed covariance of the rows in `support`, values cut to the size of `cut`.
fn moments(rows: Columns<'_>, support: &[u32], cut: f32) -> (Vec<f32>, Vec<f64>) {
    let features = rows.features();
    let mut means = Vec::with_capacity(features);
    let mut centred = Vec::with_capacity(features * support.len());
    for feature in 0..features {
        let column = rows.column(feature);
        let from = centred.len();
        centred.extend(support.iter().map(|&row| column[row as usize].clamp(-cut, cut)));
        let mean = mean_of(&centred[from..]) as f32;
        centred[from..].iter_mut().for_each(|value| *value -= mean);
        means.push(mean);
    }
    let column = |feature: usize| &centred[feature * support.len()..][..support.len()];
    let mut covariance = Vec::with_capacity(packed(features));
    for i in 0..features {
        covariance.extend((0..=i).map(|j| product_of(column(i), column(j)) / support.len() as f64));
    }
    (means, covariance)
}

/// The inverse of the Cholesky factor of the covariance with a ridge that bounds its condition number. All matrices
/// are lower triangles, row by row.
fn whitening(mut covariance: Vec<f64>, features: usize, condition_max: f32) -> Vec<f32> {
    let ridge = largest_eigenvalue(&covariance, features).max(1.0) / (f64::from(condition_max) - 1.0);
    for i in 0..features {
        covariance[packed(i) + i] += ridge;
    }
    let factor = cholesky(covariance, features, ridge);
    invert(&factor, features).into_iter().map(|value| value as f32).collect()
}

/// By power iteration from the column with the largest variance.
fn largest_eigenvalue(matrix: &[f64], features: usize) -> f64 {
    let at = |i: usize, j: usize| if i < j { matrix[packed(j) + i] } else { matrix[packed(i) + j] };
    let widest = (0..features).max_by(|&i, &j| at(i, i).total_cmp(&at(j, j))).unwrap_or(0);
    let mut vector: Vec<f64> = (0..features).map(|i| at(i, widest)).collect();
    let mut length = 0.0;
    for _ in 0..POWER_STEPS {
        length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length <= 0.0 {
            return 0.0;
        }
        for x in &mut vector {
            *x /= length;
        }
        vector = (0..features).map(|i| vector.iter().enumerate().map(|(j, x)| at(i, j) * x).sum()).collect();
        length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    }
    length
}

/// The lower factor of a matrix whose eigenvalues are at least `ridge`, rounding apart.
fn cholesky(mut matrix: Vec<f64>, features: usize, ridge: f64) -> Vec<f64> {
    for i in 0..features {
        let (above, row) = matrix.split_at_mut(packed(i));
        for j in 0..i {
            let other = &above[packed(j)..=packed(j) + j];
            let sum: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            row[j] = (row[j] - sum) / other[j];
        }
        let sum: f64 = row[..i].iter().map(|a| a * a).sum();
        row[i] = (row[i] - sum).max(0.5 * ridge).sqrt();
    }
    matrix
}

/// The inverse of a lower triangle, itself one.
fn invert(factor: &[f64], features: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; packed(features)];
    for i in 0..features {
        let (above, row) = inverse.split_at_mut(packed(i));
        let of_factor = &factor[packed(i)..=packed(i) + i];
        for (k, &weight) in of_factor[..i].iter().enumerate() {
            for (place, &value) in row.iter_mut().zip(&above[packed(k)..=packed(k) + k]) {
                *place -= weight * value;
            }
        }
        row[..i].iter_mut().for_each(|value| *value /= of_factor[i]);
        row[i] = 1.0 / of_factor[i];
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of [[4, 2], [2, 5]] and a third feature that stands alone.
    const MATRIX: [f64; 6] = [4.0, 2.0, 5.0, 0.0, 0.0, 1.0];

    #[test]
    fn the_factor_and_its_inverse_are_those_of_a_hand_made_matrix() {
        let factor = cholesky(MATRIX.to_vec(), 3, 1e-9);
        let inverse = invert(&factor, 3);
        for (values, expected) in
            [(factor, [2.0, 1.0, 2.0, 0.0, 0.0, 1.0]), (inverse, [0.5, -0.25, 0.5, 0.0, 0.0, 1.0])]
        {
            assert!(values.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-12));
        }
    }

    #[test]
    fn the_largest_eigenvalue_is_found() {
        // (9 + sqrt(17)) / 2.
        assert!((largest_eigenvalue(&MATRIX, 3) - 6.561_552_812_808_83).abs() < 1e-9);
        assert!(largest_eigenvalue(&[0.0], 1).abs() < 1e-12);
    }

    #[test]
    fn the_spread_is_that_of_the_bulk_where_it_varies_and_of_the_whole_where_it_does_not() {
        let mut bulk: Vec<f32> = (0..1_000).map(|i| i as f32).collect();
        let clean = spread_of(&bulk);
        bulk[990..].fill(1e9);
        assert!((spread_of(&bulk) - clean).abs() < 1e-9 && (clean - 341.0).abs() < 2.0, "{clean}");
        let mut rare = vec![0.0f32; 1_000];
        rare[999] = 10.0;
        assert!((spread_of(&rare) - 0.316).abs() < 1e-3);
    }
}
