//! Where the traffic of a run comes from.

use crate::{Batch, Family, Schema, Truth};

/// What a site observes in one step, beside what really happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What the agent sees.
    pub batch: Batch,
    /// What only the evaluation sees; one label a row of `batch`.
    pub truth: Truth,
}

/// Traffic of all sites of a run: a deterministic function of site and step.
///
/// `Context` is the memory a site needs between consecutive steps (its recent flows); a new site starts with the default one.
pub trait Source: Send + Sync {
    /// The features of every flow.
    fn schema(&self) -> &Schema;

    /// Attack families that may occur; a [`crate::FamilyId`] is an index into this list.
    fn families(&self) -> &[Family];

    /// How many sites there are.
    fn sites(&self) -> usize;

    /// Name of a site, to show to people: a file name, a subnet, a kind of site.
    fn site_name(&self, site: u32) -> String;

    /// Seconds that one step covers, where flows carry times.
    fn step_s(&self) -> Option<f64>;

    /// Flows of a site in a step, mean over sites and steps as far as it is known beforehand; above 0.
    fn flows_per_step(&self) -> f64;

    /// Flows from before the first step that the site's operator vouches for; may be empty.
    fn baseline(&self, site: u32, rows: usize) -> Batch;

    /// The flows of one step; steps of a site are asked for in order, from 0, with the same `context`.
    fn observe(&self, site: u32, step: u32, context: &mut crate::Context) -> Observation;
}
