//! From suspicious flows to patterns.

use serde::{Deserialize, Serialize};

use crate::{Matcher, ParamsError, Pattern, Rows, SPREAD_MAX, SPREAD_MIN};

/// How suspicious flows are grouped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterParams {
    /// Fewest flows of a cluster; 2 to 1,000,000.
    pub support_min: u32,
    /// Largest root mean square difference to the cluster's first flow over the numeric features, scaled units, exclusive;
    /// above 0, at most 1. A mean, so that it means the same for few features and for many: 0.13 is a Euclidean distance
    /// of 0.8 over 38 features.
    pub leader_distance: f32,
    /// Most flows kept of one cluster; further ones are counted with nobody. At least `support_min`.
    pub members_max: u32,
    /// Most clusters held at once; flows that fit none of them are then left out. 1 to 65,536.
    pub clusters_max: u32,
}

impl Default for ClusterParams {
    fn default() -> Self {
        Self { support_min: 3, leader_distance: 0.13, members_max: 1024, clusters_max: 256 }
    }
}

impl ClusterParams {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`ParamsError`] with the first that is not.
    pub fn check(&self) -> Result<(), ParamsError> {
        let Self { support_min, leader_distance, members_max, clusters_max } = *self;
        ParamsError::unless((2..=1_000_000).contains(&support_min), "support_min", &support_min, "2 to 1000000")?;
        let fits = leader_distance > 0.0 && leader_distance <= 1.0;
        ParamsError::unless(fits, "leader_distance", &leader_distance, "above 0, at most 1")?;
        ParamsError::unless(members_max >= support_min, "members_max", &members_max, "at least support_min")?;
        ParamsError::unless((1..=65_536).contains(&clusters_max), "clusters_max", &clusters_max, "1 to 65536")
    }
}

/// Groups candidate rows: leader clustering (Hartigan 1975) in one pass, in the order of the candidates.
///
/// A row joins the first cluster whose leader has the same category codes and lies nearer than
/// [`ClusterParams::leader_distance`], else it leads a new one. Clusters with fewer than [`ClusterParams::support_min`]
/// rows or without an alerted row are dropped. `alerted` is indexed by row. Cost: candidates × clusters distances.
///
/// # Panics
/// When a candidate is not a row, or `alerted` is shorter than the rows.
pub fn cluster(rows: Rows<'_>, candidates: &[usize], alerted: &[bool], params: &ClusterParams) -> Vec<Vec<usize>> {
    let limit = params.leader_distance * params.leader_distance * rows.numeric_columns() as f32;
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    for &row in candidates {
        assert!(row < rows.rows, "candidate {row} of {} rows", rows.rows);
        match clusters.iter().position(|members| near(rows, members[0], row, limit)) {
            Some(home) if clusters[home].len() < params.members_max as usize => clusters[home].push(row),
            None if clusters.len() < params.clusters_max as usize => clusters.push(vec![row]),
            Some(_) | None => {}
        }
    }
    clusters.retain(|members| members.len() >= params.support_min as usize && members.iter().any(|&row| alerted[row]));
    clusters
}

/// Whether two rows share their codes and their squared distance stays below `limit`.
fn near(rows: Rows<'_>, a: usize, b: usize, limit: f32) -> bool {
    let same_codes = (0..rows.code_columns()).all(|k| {
        let column = rows.code_column(k);
        column[a] == column[b]
    });
    let mut sum = 0.0;
    same_codes
        && (0..rows.numeric_columns()).all(|k| {
            let column = rows.numeric_column(k);
            let difference = column[a] - column[b];
            sum += difference * difference;
            sum < limit
        })
}

/// Describes a cluster: median centre, standard deviation (within [`SPREAD_MIN`] and [`SPREAD_MAX`]) as spread, the codes
/// seen; and the medoid, the row nearest to the centre (the first of several).
///
/// # Panics
/// When there are no members, or one is not a row.
pub fn describe(rows: Rows<'_>, members: &[usize]) -> (Pattern, usize) {
    assert!(!members.is_empty(), "a cluster has members");
    let numeric = rows.numeric_columns();
    let mut pattern = Pattern {
        centre: Vec::with_capacity(numeric),
        spread: Vec::with_capacity(numeric),
        categories: Vec::with_capacity(rows.code_columns()),
    };
    let mut values = Vec::with_capacity(members.len());
    for k in 0..numeric {
        let column = rows.numeric_column(k);
        values.clear();
        values.extend(members.iter().map(|&row| column[row]));
        pattern.spread.push(standard_deviation(&values).clamp(SPREAD_MIN, SPREAD_MAX));
        pattern.centre.push(median(&mut values));
    }
    for k in 0..rows.code_columns() {
        let column = rows.code_column(k);
        let mut codes: Vec<u16> = members.iter().map(|&row| column[row]).collect();
        codes.sort_unstable();
        codes.dedup();
        pattern.categories.push(codes);
    }
    let medoid = medoid(rows, members, &Matcher::new(&pattern));
    (pattern, medoid)
}

/// The member nearest to the pattern's centre, the first of several.
fn medoid(rows: Rows<'_>, members: &[usize], matcher: &Matcher) -> usize {
    let mut numeric = Vec::new();
    let mut codes = Vec::new();
    let mut best = (f32::INFINITY, members[0]);
    for &row in members {
        numeric.clear();
        numeric.extend((0..rows.numeric_columns()).map(|k| rows.numeric_column(k)[row]));
        codes.clear();
        codes.extend((0..rows.code_columns()).map(|k| rows.code_column(k)[row]));
        let distance = matcher.distance(&numeric, &codes);
        if distance < best.0 {
            best = (distance, row);
        }
    }
    best.1
}

/// Population standard deviation, summed in the given order.
fn standard_deviation(values: &[f32]) -> f32 {
    let count = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let variance = values.iter().map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean)).sum::<f64>() / count;
    variance.sqrt() as f32
}

/// The middle value, or the mean of the two middle ones. Reorders the values.
fn median(values: &mut [f32]) -> f32 {
    let (odd, middle) = (values.len() % 2 == 1, values.len() / 2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let lower = below.iter().copied().max_by(f32::total_cmp);
    lower.filter(|_| !odd).map_or(upper, |lower| f32::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows 0, 1, 2, 5 lie together under code 7; row 3 is far off; row 4 has another code.
    const NUMERIC: [f32; 12] = [0.10, 0.12, 0.14, 0.95, 0.12, 0.20, 0.50, 0.50, 0.52, 0.50, 0.50, 0.60];
    const CODES: [u16; 6] = [7, 7, 7, 7, 8, 7];

    fn rows() -> Rows<'static> {
        Rows { rows: 6, stride: 6, numeric: &NUMERIC, codes: &CODES }
    }

    #[test]
    fn near_rows_with_equal_codes_form_a_cluster() {
        let found = cluster(rows(), &[0, 1, 2, 3, 4, 5], &[true; 6], &ClusterParams::default());
        assert_eq!(found, [[0, 1, 2, 5]]);
    }

    #[test]
    fn a_cluster_needs_support_and_an_alert() {
        let params = ClusterParams { support_min: 5, ..ClusterParams::default() };
        assert!(cluster(rows(), &[0, 1, 2, 3, 4, 5], &[true; 6], &params).is_empty());
        let alerted = [false, false, false, true, true, false];
        assert!(cluster(rows(), &[0, 1, 2, 3, 4, 5], &alerted, &ClusterParams::default()).is_empty());
        let alerted = [false, false, true, false, false, false];
        assert_eq!(cluster(rows(), &[0, 1, 2], &alerted, &ClusterParams::default()).len(), 1);
    }

    #[test]
    fn members_and_clusters_are_bounded() {
        let params = ClusterParams { members_max: 3, ..ClusterParams::default() };
        assert_eq!(cluster(rows(), &[0, 1, 2, 5], &[true; 6], &params), [[0, 1, 2]]);
        let params = ClusterParams { clusters_max: 1, ..ClusterParams::default() };
        assert!(cluster(rows(), &[3, 0, 1, 2], &[true; 6], &params).is_empty());
    }

    #[test]
    fn a_description_holds_median_spread_codes_and_medoid() {
        let (pattern, medoid) = describe(rows(), &[0, 1, 2, 5]);
        assert!((pattern.centre[0] - 0.13).abs() < 1.0e-6 && (pattern.centre[1] - 0.51).abs() < 1.0e-6);
        assert!((pattern.spread[0] - SPREAD_MIN).abs() < f32::EPSILON, "{:?}", pattern.spread);
        assert!((pattern.spread[1] - 0.041_23).abs() < 1.0e-5, "{:?}", pattern.spread);
        assert_eq!(pattern.categories, [[7]]);
        assert_eq!(medoid, 1);
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < f32::EPSILON);
    }

    #[test]
    fn a_parameter_outside_its_range_is_named() {
        assert_eq!(ClusterParams::default().check(), Ok(()));
        let error = ClusterParams { members_max: 2, ..ClusterParams::default() }.check().unwrap_err();
        assert_eq!(error.key, "members_max");
        assert!(ClusterParams { leader_distance: f32::NAN, ..ClusterParams::default() }.check().is_err());
    }
}
