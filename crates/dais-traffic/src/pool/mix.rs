//! Each site's own mix of services, and benign rows drawn by it.

use rand::RngExt;
use rand_philox::Philox;

use super::{Place, PoolParams};
use crate::TableSet;
use crate::stream::{Purpose, cumulated, dirichlet, pick, stream};

/// Least weight of a kind in the Dirichlet distribution.
const WEIGHT_MIN: f64 = 1e-3;

/// Least share that a kind's weight is divided by.
const SHARE_MIN: f64 = 1e-6;

/// The kind of a row: its code of the mix feature, or 0 where sites draw alike.
fn kind(set: &TableSet, feature: Option<usize>, place: Place) -> usize {
    let codes = set.values(place.file as usize, place.row as usize).1;
    feature.map_or(0, |feature| usize::from(codes[feature]))
}

fn kinds(set: &TableSet, feature: Option<usize>) -> usize {
    feature.map_or(1, |feature| set.schema().categorical[feature].codes())
}

/// Share of each kind among the rows.
pub(super) fn shares(set: &TableSet, feature: Option<usize>, rows: &[Place]) -> Vec<f64> {
    let mut counts = vec![0_u32; kinds(set, feature)];
    for place in rows {
        counts[kind(set, feature, *place)] += 1;
    }
    counts.into_iter().map(|count| f64::from(count) / rows.len().max(1) as f64).collect()
}

/// For each site, how much likelier a row of each kind is drawn than in the common mix.
pub(super) fn weights(params: &PoolParams, seed: u64, share: &[f64]) -> Vec<Vec<f64>> {
    let around: Vec<f64> = share.iter().map(|share| (share * params.mix_weight).max(WEIGHT_MIN)).collect();
    let common = params.mix_common;
    let site = |site| {
        let own = dirichlet(&mut stream(seed, Purpose::Mix, site, 0), &around);
        let weight = |(own, share): (f64, &f64)| ((1.0 - common) * own + common * share) / share.max(SHARE_MIN);
        own.into_iter().zip(share).map(weight).collect()
    };
    (0..params.agents).map(site).collect()
}

/// Benign rows by kind, with each site's chances of drawing from a kind.
#[derive(Clone, Debug)]
pub(super) struct Benign {
    rows: Vec<Vec<Place>>,
    sums: Vec<Vec<f64>>,
}

impl Benign {
    pub(super) fn new(set: &TableSet, feature: Option<usize>, places: Vec<Place>, weights: &[Vec<f64>]) -> Self {
        let mut rows = vec![Vec::new(); kinds(set, feature)];
        for place in places {
            rows[kind(set, feature, place)].push(place);
        }
        let count = |rows: &Vec<Place>| rows.len() as f64;
        let site = |weights: &Vec<f64>| {
            let sums = cumulated(weights.iter().zip(&rows).map(|(weight, rows)| weight * count(rows)));
            // A mix of kinds that are not here leaves nothing to draw: then all rows alike.
            if sums.last() > Some(&0.0) { sums } else { cumulated(rows.iter().map(count)) }
        };
        let sums = weights.iter().map(site).collect();
        Self { rows, sums }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.iter().all(Vec::is_empty)
    }

    /// A row drawn by the mix of a site.
    pub(super) fn draw(&self, random: &mut Philox, site: u32) -> Place {
        let rows = &self.rows[pick(random, &self.sums[site as usize])];
        rows[random.random_range(0..rows.len() as u64) as usize]
    }
}
