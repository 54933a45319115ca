//! Synthetic worlds: sites with habits, and campaigns that reach them one after another.
//!
//! Every flow is a function of seed, site and step: nothing is stored, sites can be asked for in any order, and two
//! sites that exchange flows see the same ones.

mod activity;
mod address;
mod amount;
mod attack;
mod benign;
mod contact;
mod draft;
mod family;
mod graph;
mod job;
mod params;
mod plan;
mod profile;
mod random;
mod site;
mod spread;

pub use family::CampaignFamily;
pub use params::{Campaign, CampaignMix, Campaigns, SyntheticError, SyntheticParams};
pub use profile::SiteProfile;

use crate::{
    Batch, BatchBuilder, Context, Endpoint, FLOW_CATEGORICAL, FLOW_NUMERIC, Family, Label, Observation, Schema, Source,
    Truth, flow_schema,
};
use draft::Draft;
use plan::Plan;
use random::Seed;
use site::Setting;

/// Steps before the first that a baseline may reach back.
const PAST_STEPS_MAX: i64 = 100_000;

/// Steps before the first one that fill the memory of the context.
const WARMING_STEPS: i64 = 10;

/// A synthetic world: traffic of all sites as a function of seed, site and step.
///
/// Sites are of different kinds, each with its own mix of services, clients, sizes with heavy tails, hours, periodic jobs
/// and failures; here and there a benign service appears that was never seen before. Campaigns of eight families reach
/// sites one after another, or spread along the edges of a graph of sites. Memory does not grow with sites, worms
/// excepted (8 bytes a site each).
#[derive(Clone, Debug)]
pub struct Synthetic {
    setting: Setting,
    schema: Schema,
    families: Vec<Family>,
    plan: Plan,
}

impl SyntheticParams {
    /// The world of these parameters and this seed.
    ///
    /// # Errors
    /// [`SyntheticError`] with the first parameter outside its range.
    pub fn build(&self, seed: u64) -> Result<Synthetic, SyntheticError> {
        self.check()?;
        let seed = Seed::new(seed);
        let plan = Plan::new(seed, self);
        let setting = Setting { seed, params: self.clone() };
        Ok(Synthetic { setting, schema: flow_schema(), families: CampaignFamily::list(), plan })
    }
}

impl Synthetic {
    /// The campaigns, as listed or as drawn.
    pub fn campaigns(&self) -> impl ExactSizeIterator<Item = &Campaign> {
        self.plan.campaigns.iter().map(|planned| &planned.campaign)
    }

    /// The step in which a campaign, by its place among [`Self::campaigns`], reaches a site (infects it, for a worm);
    /// none for a site that it spares.
    ///
    /// # Panics
    /// If there is no such campaign or site.
    #[must_use]
    pub fn first_step(&self, campaign: usize, site: u32) -> Option<u32> {
        self.known(site);
        self.plan.campaigns[campaign].first_step(site)
    }

    /// The neighbour from which a worm, by its place among [`Self::campaigns`], came to a site; none for the first
    /// infected site, for sites that it spares, and for campaigns that are no worms.
    ///
    /// # Panics
    /// If there is no such campaign or site.
    #[must_use]
    pub fn infected_by(&self, campaign: usize, site: u32) -> Option<u32> {
        self.known(site);
        self.plan.campaigns[campaign].infected_by(site)
    }

    /// Sites to which a worm can pass from this one, in ascending order; at most four.
    ///
    /// # Panics
    /// If there is no such site.
    pub fn neighbours(&self, site: u32) -> impl Iterator<Item = u32> + use<> {
        self.known(site);
        self.plan.graph.neighbours(site)
    }

    /// What a site is for.
    ///
    /// # Panics
    /// If there is no such site.
    #[must_use]
    pub fn profile(&self, site: u32) -> SiteProfile {
        self.known(site);
        self.setting.site(site).profile
    }

    /// Asserts that there is such a site.
    fn known(&self, site: u32) {
        let sites = self.setting.params.sites;
        assert!(site < sites, "site {site} of {sites}");
    }

    /// Benign flows of a step and, from step 0 on, attack flows.
    fn draft(&self, site: u32, step: i64) -> Draft {
        let site = self.setting.site(site);
        let mut draft = Draft::with_capacity(2 * self.setting.params.flows_per_step as usize + 16);
        benign::benign(&self.setting, &site, step, &mut draft);
        if let Ok(step) = u32::try_from(step) {
            attack::attacks(&self.setting, &self.plan, &site, step, &mut draft);
        }
        draft
    }

    /// The drafts of the latest steps before the first that hold `rows` flows together, newest first.
    fn past(&self, site: u32, rows: usize) -> Vec<Draft> {
        let (mut past, mut flows) = (Vec::new(), 0);
        for step in 1..=PAST_STEPS_MAX {
            if flows >= rows {
                break;
            }
            let draft = self.draft(site, -step);
            flows += draft.len();
            past.push(draft);
        }
        past
    }

    /// Lets `context` see the flows before a step, so that the first ones of the step have neighbours.
    fn warm(&self, site: u32, step: i64, context: &mut Context) {
        replay(&self.draft(site, step - 1), context, |_| ());
    }
}

/// Passes the flows of a draft through `context`, in order of time, to `each`.
fn replay(draft: &Draft, context: &mut Context, mut each: impl FnMut(Row)) {
    for (flow, label) in draft.in_order() {
        let (mut numeric, mut codes) = ([0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
        context.observe(flow, &mut numeric, &mut codes);
        let endpoint =
            Endpoint { source: flow.source, destination: flow.destination, destination_port: flow.destination_port };
        each(Row { numeric, codes, endpoint, time_s: flow.time_s, label });
    }
}

/// One flow as an agent sees it, with its label.
struct Row {
    numeric: [f32; FLOW_NUMERIC],
    codes: [u16; FLOW_CATEGORICAL],
    endpoint: Endpoint,
    time_s: f64,
    label: Label,
}

impl Row {
    fn push_to(&self, builder: &mut BatchBuilder) {
        builder.push(&self.numeric, &self.codes, Some(self.endpoint), Some(self.time_s));
    }
}

impl Source for Synthetic {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn families(&self) -> &[Family] {
        &self.families
    }

    fn sites(&self) -> usize {
        self.setting.params.sites as usize
    }

    fn site_name(&self, site: u32) -> String {
        format!("{} {}", self.profile(site).name(), address::subnet(site))
    }

    fn step_s(&self) -> Option<f64> {
        Some(self.setting.params.step_s)
    }

    fn flows_per_step(&self) -> f64 {
        self.setting.params.flows_per_step
    }

    /// The last benign flows before step 0: as many as asked for, in order of time.
    fn baseline(&self, site: u32, rows: usize) -> Batch {
        self.known(site);
        let past = self.past(site, rows);
        let mut context = Context::default();
        self.warm(site, -(past.len() as i64), &mut context);
        let flows: usize = past.iter().map(Draft::len).sum();
        let (mut surplus, mut builder) = (flows.saturating_sub(rows), BatchBuilder::new(&self.schema, rows));
        for draft in past.iter().rev() {
            replay(draft, &mut context, |row| {
                if surplus == 0 {
                    row.push_to(&mut builder);
                } else {
                    surplus -= 1;
                }
            });
        }
        builder.finish()
    }

    /// The flows of one step. Before step 0 the context is warmed by the steps that precede it.
    fn observe(&self, site: u32, step: u32, context: &mut Context) -> Observation {
        self.known(site);
        if step == 0 {
            (0..WARMING_STEPS).rev().for_each(|before| self.warm(site, -before, context));
        }
        let rows = 2 * self.setting.params.flows_per_step as usize;
        let (mut builder, mut labels) = (BatchBuilder::new(&self.schema, rows), Vec::with_capacity(rows));
        replay(&self.draft(site, step.into()), context, |row| {
            row.push_to(&mut builder);
            labels.push(row.label);
        });
        Observation { batch: builder.finish(), truth: Truth::new(labels) }
    }
}
