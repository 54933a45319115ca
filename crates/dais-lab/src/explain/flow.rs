//! A signature's example flow in the units of the traffic.

use dais_protocol::{Reason, SPREAD_MIN, Signature};
use dais_traffic::{Batch, Context, Schema};
use serde::Serialize;

use crate::load::load;
use crate::scenario::Scenario;

/// Flows of the author's first baseline that say what is ordinary at its site.
const BASELINE_ROWS: usize = 512;

/// A signature's example flow, the medoid of the flows it was made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlowView {
    /// Numeric features, in falling order of their distance from what is ordinary at the author's site; where that is not
    /// known, in rising order of their spread among the flows of the signature.
    pub features: Vec<FeatureView>,
    /// Categorical features.
    pub categories: Vec<CategoryView>,
    /// The features that made the flow strange to the author's detector, the largest share first; none where it did not say.
    pub reasons: Vec<ReasonView>,
    /// Flows of the author's site, from the beginning of the run, that say what is ordinary; 0 where the traffic could not
    /// be loaded again.
    pub ordinary_flows: usize,
}

/// A feature that made the example flow strange.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReasonView {
    /// Its name.
    pub name: String,
    /// Its share in what made the flow strange, above 0 and up to 1.
    pub share: f32,
}

/// A numeric feature of the example flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureView {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Its value, in that unit.
    pub value: f64,
    /// The median at the author's site, in that unit.
    pub ordinary: Option<f64>,
    /// Distance from the mean at the author's site, in its standard deviations of the scaled feature, of which the smallest
    /// is taken to be 0.04.
    pub deviation: Option<f32>,
    /// Spread of the flows that the signature was made of, scaled.
    pub spread: f32,
}

/// A categorical feature of the example flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CategoryView {
    /// Its name.
    pub name: String,
    /// Its value; `?` stands for any value that the schema does not know.
    pub value: String,
    /// The values that the signature matches.
    pub allowed: Vec<String>,
    /// Share of the author's ordinary flows with one of these values, in percent.
    pub ordinary_percent: Option<u32>,
}

/// Reads the example flow through the schema; `None` when the signature does not fit it.
pub(super) fn describe(signature: &Signature, schema: &Schema, scenario: Option<&Scenario>) -> Option<FlowView> {
    signature.check(schema.numeric.len(), schema.categorical.len()).ok()?;
    let baseline = scenario.and_then(|scenario| ordinary(scenario, schema, signature));
    let mut features: Vec<FeatureView> = schema
        .numeric
        .iter()
        .enumerate()
        .map(|(k, feature)| {
            let scaled = signature.medoid.numeric[k];
            let column = baseline.as_ref().map(|ordinary| ordinary.numeric[k].as_slice());
            FeatureView {
                name: feature.name.clone(),
                unit: feature.unit.clone(),
                value: feature.raw(scaled),
                ordinary: column.map(|column| feature.raw(median(column))),
                deviation: column.map(|column| deviation(scaled, column)),
                spread: signature.pattern.spread[k],
            }
        })
        .collect();
    features.sort_by(|a, b| {
        let strangeness = |feature: &FeatureView| feature.deviation.map_or(-feature.spread, f32::abs);
        strangeness(b).total_cmp(&strangeness(a))
    });
    let categories = schema.categorical.iter().enumerate().map(|(k, feature)| {
        let allowed = &signature.pattern.categories[k];
        let share = baseline.as_ref().map(|ordinary| {
            let column = &ordinary.codes[k];
            (100 * column.iter().filter(|code| allowed.contains(code)).count() / column.len()) as u32
        });
        CategoryView {
            name: feature.name.clone(),
            value: feature.value(signature.medoid.codes[k]).to_owned(),
            allowed: allowed.iter().map(|&code| feature.value(code).to_owned()).collect(),
            ordinary_percent: share,
        }
    });
    let categories = categories.collect();
    let reasons = reasons(&signature.reasons, schema);
    Some(FlowView { features, categories, reasons, ordinary_flows: baseline.map_or(0, |ordinary| ordinary.rows) })
}

/// The reasons with their names, the largest share first.
fn reasons(reasons: &[Reason], schema: &Schema) -> Vec<ReasonView> {
    let numeric = schema.numeric.iter().map(|feature| &feature.name);
    let names: Vec<&String> = numeric.chain(schema.categorical.iter().map(|feature| &feature.name)).collect();
    let named = reasons.iter().filter_map(|reason| {
        let name = (*names.get(usize::from(reason.feature))?).clone();
        Some(ReasonView { name, share: reason.share })
    });
    let mut named: Vec<ReasonView> = named.collect();
    named.sort_by(|a, b| b.share.total_cmp(&a.share));
    named
}

/// What is ordinary at a site: flows in columns.
struct Ordinary {
    numeric: Vec<Vec<f32>>,
    codes: Vec<Vec<u16>>,
    rows: usize,
}

impl Ordinary {
    fn new(schema: &Schema) -> Self {
        let (numeric, codes) = (vec![Vec::new(); schema.numeric.len()], vec![Vec::new(); schema.categorical.len()]);
        Self { numeric, codes, rows: 0 }
    }

    /// Adds the first rows of a batch, as long as there is room.
    fn add(&mut self, batch: &Batch) {
        let rows = batch.rows().min(BASELINE_ROWS - self.rows);
        for (k, column) in self.numeric.iter_mut().enumerate() {
            column.extend_from_slice(&batch.numeric_column(k)[..rows]);
        }
        for (k, column) in self.codes.iter_mut().enumerate() {
            column.extend_from_slice(&batch.code_column(k)[..rows]);
        }
        self.rows += rows;
    }
}

/// What the author started from, where the traffic can be loaded again: its site's baseline or, where nobody vouches for
/// one, the site's first flows up to the signature.
fn ordinary(scenario: &Scenario, schema: &Schema, signature: &Signature) -> Option<Ordinary> {
    let source = load(&scenario.traffic, scenario.seed?).ok()?.source;
    let site = signature.author.0;
    if (site as usize) >= source.sites() || source.schema() != schema {
        return None;
    }
    let mut ordinary = Ordinary::new(schema);
    ordinary.add(&source.baseline(site, BASELINE_ROWS));
    let vouched_for = ordinary.rows > 0;
    let (mut context, mut step) = (Context::default(), 0);
    while !vouched_for && ordinary.rows < BASELINE_ROWS && step <= signature.step {
        ordinary.add(&source.observe(site, step, &mut context).batch);
        step += 1;
    }
    Some(ordinary).filter(|ordinary| ordinary.rows > 0)
}

fn median(column: &[f32]) -> f32 {
    let mut sorted = column.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted[sorted.len() / 2]
}

fn deviation(value: f32, column: &[f32]) -> f32 {
    let rows = column.len() as f32;
    let mean = column.iter().sum::<f32>() / rows;
    let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / rows;
    (value - mean) / variance.sqrt().max(SPREAD_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_named_by_the_schema_the_largest_first() {
        let schema = dais_traffic::flow_schema();
        let categorical = schema.numeric.len() as u16;
        let found = reasons(
            &[(1, 0.2), (categorical, 0.5), (9_999, 0.1)].map(|(feature, share)| Reason { feature, share }),
            &schema,
        );
        let expected = [(&schema.categorical[0].name, 0.5), (&schema.numeric[1].name, 0.2)];
        assert_eq!(found, expected.map(|(name, share)| ReasonView { name: name.clone(), share }));
    }

    #[test]
    fn a_deviation_counts_standard_deviations_but_none_below_the_smallest() {
        assert!((deviation(0.9, &[0.4, 0.6]) - 4.0).abs() < 1e-5);
        assert!((deviation(0.54, &[0.5, 0.5]) - 1.0).abs() < 1e-5);
    }
}
