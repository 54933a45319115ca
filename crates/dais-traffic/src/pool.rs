//! Labelled rows without times, drawn as if each site had its own mix of services and campaigns came by.

mod mix;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::stream::{Purpose, permutation, shuffle, stream};
use crate::{Batch, BatchBuilder, Context, Family, FamilyId, Label, Observation, Schema, Source, TableSet, Truth};
use mix::Benign;

/// How traffic is drawn from labelled rows.
///
/// Each campaign is one attack family that reaches all sites, one after another in random order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolParams {
    /// How many sites there are; at least 1, default 30.
    pub agents: u32,
    /// How many steps campaigns are spread over; at least 1, default 50.
    pub steps: u32,
    /// Benign flows of a site in a step; at least 1, default 50.
    pub flows_per_step: u32,
    /// Attack flows of a campaign at a site in a step, as a share of the benign ones; in [0, 10], default 0.15.
    pub attack_share: f64,
    /// Steps that a campaign stays at a site; default 6.
    pub campaign_steps: u32,
    /// Share of all steps between a campaign's arrival at the first site and at the last; in [0, 10], default 0.42.
    pub spread_share: f64,
    /// Families with at least this many rows beyond the baseline's take part; default 40.
    pub family_rows_min_last: usize,
    /// Families with at least this many rows in all take part too; default 180. Where no family has enough rows by either
    /// rule, all take part.
    pub family_rows_min: usize,
    /// Categorical feature whose mix differs between sites; where not given `service`, and where there is none all
    /// sites draw alike.
    pub mix_feature: Option<String>,
    /// How like the sites' mixes are: weight of the Dirichlet distribution around the common mix; above 0, default 6.
    pub mix_weight: f64,
    /// Share of the common mix in every site's mix, in [0, 1]; with 1 all sites draw alike, default 0.1.
    pub mix_common: f64,
}

impl Default for PoolParams {
    fn default() -> Self {
        Self {
            agents: 30,
            steps: 50,
            flows_per_step: 50,
            attack_share: 0.15,
            campaign_steps: 6,
            spread_share: 0.42,
            family_rows_min_last: 40,
            family_rows_min: 180,
            mix_feature: None,
            mix_weight: 6.0,
            mix_common: 0.1,
        }
    }
}

/// Why no traffic can be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PoolError {
    /// A parameter beyond its bounds.
    #[error("{name} is {value}: expected {expected}")]
    Param {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// The feature to mix by is not there.
    #[error("the tables have no categorical feature `{feature}`; they have: {}", known.join(", "))]
    NoFeature {
        /// The missing feature.
        feature: String,
        /// Categorical features of the tables.
        known: Vec<String>,
    },
    /// There is no ordinary traffic to draw from.
    #[error("no benign row in {place}: check which values of the label mean benign")]
    NoBenign {
        /// Where rows were looked for.
        place: String,
    },
}

impl PoolParams {
    /// Checks every parameter against its bounds.
    ///
    /// # Errors
    /// The first one out of bounds.
    pub fn check(&self) -> Result<(), PoolError> {
        let require = |name, value: f64, fits: bool, expected| {
            if fits { Ok(()) } else { Err(PoolError::Param { name, value, expected }) }
        };
        let count = |name, value: u32| require(name, f64::from(value), value > 0, "at least 1");
        count("agents", self.agents)?;
        count("steps", self.steps)?;
        count("flows_per_step", self.flows_per_step)?;
        let share = |name, value: f64, most, expected| require(name, value, (0.0..=most).contains(&value), expected);
        share("attack_share", self.attack_share, 10.0, "a number from 0 to 10")?;
        share("spread_share", self.spread_share, 10.0, "a number from 0 to 10")?;
        share("mix_common", self.mix_common, 1.0, "a number from 0 to 1")?;
        let weight = self.mix_weight;
        require("mix_weight", weight, weight.is_finite() && weight > 0.0, "a number above 0")
    }
}

/// A row of a [`TableSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    file: u32,
    row: u32,
}

/// Labelled tables without times as a [`Source`].
///
/// Baselines are drawn from the benign rows of the first file, steps from those of the others; of a single file
/// the first half stands for the first file. Rows are drawn with replacement. What a site observes in a step
/// depends on nothing but parameters, site and step.
#[derive(Clone, Debug)]
pub struct Pool {
    seed: u64,
    params: PoolParams,
    set: TableSet,
    families: Vec<Family>,
    /// Rows of each family.
    attacks: Vec<Vec<Place>>,
    /// Step in which each family reaches each site: family `k` reaches site `i` at `k * agents + i`.
    arrivals: Vec<u32>,
    baseline: Benign,
    later: Benign,
}

impl Pool {
    /// Prepares the draws; the seed decides every one of them.
    ///
    /// # Errors
    /// Where a parameter is out of bounds, the mix feature is missing, or there are no benign rows.
    pub fn new(set: TableSet, params: PoolParams, seed: u64) -> Result<Self, PoolError> {
        params.check()?;
        let feature = mix_feature(&set, params.mix_feature.as_deref())?;
        let (early, late) = benign_rows(&set);
        let share = mix::shares(&set, feature, &early);
        let weights = mix::weights(&params, seed, &share);
        let (families, attacks) = families(&set, &params);
        let arrivals = (0..families.len() as u32).flat_map(|family| arrivals(&params, seed, family)).collect();
        let baseline = Benign::new(&set, feature, early, &weights);
        let later = Benign::new(&set, feature, late, &weights);
        let file = set.files().first().map_or("the tables", |rows| rows.name()).to_owned();
        if baseline.is_empty() {
            return Err(PoolError::NoBenign { place: format!("{file}, from which baselines are drawn") });
        }
        if later.is_empty() {
            return Err(PoolError::NoBenign { place: format!("what follows the baseline rows of {file}") });
        }
        Ok(Self { seed, params, set, families, attacks, arrivals, baseline, later })
    }

    /// First step in which a campaign of this family is at a site.
    #[must_use]
    pub fn arrival(&self, family: FamilyId, site: u32) -> u32 {
        self.arrivals[usize::from(family.0) * self.params.agents as usize + site as usize]
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &PoolParams {
        &self.params
    }

    fn is_present(&self, family: FamilyId, site: u32, step: u32) -> bool {
        let arrival = self.arrival(family, site);
        (arrival..arrival.saturating_add(self.params.campaign_steps)).contains(&step)
    }
}

fn mix_feature(set: &TableSet, wanted: Option<&str>) -> Result<Option<usize>, PoolError> {
    let Some(feature) = wanted else { return Ok(set.schema().categorical_column("service")) };
    set.schema().categorical_column(feature).map(Some).ok_or_else(|| PoolError::NoFeature {
        feature: feature.to_owned(),
        known: set.schema().categorical.iter().map(|feature| feature.name.clone()).collect(),
    })
}

/// Whether a row belongs to the part that baselines are drawn from.
fn is_early(set: &TableSet, place: Place) -> bool {
    match set.files() {
        [only] => (place.row as usize) < only.rows() / 2,
        _ => place.file == 0,
    }
}

fn labelled_places(set: &TableSet) -> impl Iterator<Item = (Place, Label)> {
    set.files().iter().enumerate().flat_map(|(file, rows)| {
        let place = move |row: usize| Place { file: file as u32, row: row as u32 };
        rows.labels().iter().enumerate().map(move |(row, label)| (place(row), *label))
    })
}

fn benign_rows(set: &TableSet) -> (Vec<Place>, Vec<Place>) {
    let benign = labelled_places(set).filter(|(_, label)| *label == Label::Benign).map(|(place, _)| place);
    benign.partition(|place| is_early(set, *place))
}

/// Families with enough rows to take part, and their rows; all families where none has enough.
fn families(set: &TableSet, params: &PoolParams) -> (Vec<Family>, Vec<Vec<Place>>) {
    let mut rows: Vec<Vec<Place>> = vec![Vec::new(); set.families().len()];
    for (place, label) in labelled_places(set) {
        if let Label::Attack(FamilyId(family)) = label {
            rows[usize::from(family)].push(place);
        }
    }
    let enough = |rows: &Vec<Place>| {
        let last = rows.iter().filter(|place| !is_early(set, **place)).count();
        !rows.is_empty() && (last >= params.family_rows_min_last || rows.len() >= params.family_rows_min)
    };
    let none_has_enough = !rows.iter().any(enough);
    let all = set.families().iter().cloned().zip(rows);
    all.filter(|(_, rows)| if none_has_enough { !rows.is_empty() } else { enough(rows) }).unzip()
}

/// When one family reaches each site.
fn arrivals(params: &PoolParams, seed: u64, family: u32) -> Vec<u32> {
    let mut random = stream(seed, Purpose::Campaign, family, 0);
    let begin = random.random_range(0..(params.steps / 2).max(1));
    let order = permutation(&mut random, params.agents);
    let spread_steps = params.spread_share * f64::from(params.steps);
    let mut arrivals = vec![0; params.agents as usize];
    for (rank, site) in order.into_iter().enumerate() {
        let after = rank as f64 * spread_steps / f64::from(params.agents);
        arrivals[site as usize] = begin.saturating_add(after as u32);
    }
    arrivals
}

impl Source for Pool {
    fn schema(&self) -> &Schema {
        self.set.schema()
    }

    fn families(&self) -> &[Family] {
        &self.families
    }

    fn sites(&self) -> usize {
        self.params.agents as usize
    }

    fn site_name(&self, site: u32) -> String {
        format!("site {site}")
    }

    fn step_s(&self) -> Option<f64> {
        None
    }

    fn flows_per_step(&self) -> f64 {
        f64::from(self.params.flows_per_step)
    }

    fn baseline(&self, site: u32, rows: usize) -> Batch {
        let mut random = stream(self.seed, Purpose::Baseline, site, 0);
        let mut builder = BatchBuilder::new(self.set.schema(), rows);
        for _ in 0..rows {
            let place = self.baseline.draw(&mut random, site);
            self.set.push(place.file as usize, place.row as usize, &mut builder);
        }
        builder.finish()
    }

    fn observe(&self, site: u32, step: u32, _context: &mut Context) -> Observation {
        let mut random = stream(self.seed, Purpose::Step, site, step);
        let benign = self.params.flows_per_step;
        let attack = (f64::from(benign) * self.params.attack_share) as u32;
        let mut drawn: Vec<(Place, Label)> =
            (0..benign).map(|_| (self.later.draw(&mut random, site), Label::Benign)).collect();
        for (rows, id) in self.attacks.iter().zip((0..=u16::MAX).map(FamilyId)) {
            if self.is_present(id, site, step) {
                let draw = |_| (rows[random.random_range(0..rows.len() as u64) as usize], Label::Attack(id));
                drawn.extend((0..attack).map(draw));
            }
        }
        // The place in a batch must not tell attacks from the rest.
        shuffle(&mut random, &mut drawn);
        let mut builder = BatchBuilder::new(self.set.schema(), drawn.len());
        for (place, _) in &drawn {
            self.set.push(place.file as usize, place.row as usize, &mut builder);
        }
        Observation { batch: builder.finish(), truth: Truth::new(drawn.into_iter().map(|(_, label)| label).collect()) }
    }
}

#[cfg(test)]
mod tests;
