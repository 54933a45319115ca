//! Which campaign is at which site in which step.

use super::family::CampaignFamily;
use super::graph::{Permutation, SiteGraph};
use super::params::{Campaign, CampaignMix, Campaigns, SyntheticParams};
use super::random::{Purpose, Seed, Stream};
use super::spread::{Contagion, Spread};

/// A campaign with its order of sites.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) campaign: Campaign,
    /// Seed of everything this campaign draws.
    pub(crate) seed: Seed,
    order: Permutation,
    reached: u32,
    spread: Option<Spread>,
    /// First step in which it is nowhere any more.
    end_step: u32,
}

impl Planned {
    fn new(seed: Seed, graph: SiteGraph, params: &SyntheticParams, place: usize, campaign: Campaign) -> Self {
        let seed = seed.derive(Purpose::Campaign, place as u32, 0);
        let reached = ((f64::from(params.sites) * campaign.site_share).round() as u32).clamp(1, params.sites);
        let order = Permutation::new(seed, Purpose::Campaign, params.sites);
        let spread = (campaign.family == CampaignFamily::Worm).then(|| {
            let rules = Contagion {
                start_step: campaign.start_step,
                duration_steps: campaign.duration_steps,
                per_step: (1.0 / campaign.spacing_steps.max(1.0)) as f32,
                sites_max: reached,
                steps: params.steps,
            };
            Spread::new(seed, graph, params.sites, order.item(0), rules)
        });
        let last = (f64::from(reached - 1) * campaign.spacing_steps) as u32;
        let last_first = if spread.is_some() { params.steps } else { campaign.start_step.saturating_add(last) };
        let end_step = last_first.saturating_add(campaign.duration_steps);
        Self { campaign, seed, order, reached, spread, end_step }
    }

    /// The step in which a site is reached; none for a site that is spared.
    pub(crate) fn first_step(&self, site: u32) -> Option<u32> {
        if let Some(spread) = &self.spread {
            return spread.first_step(site);
        }
        let rank = self.order.rank(site);
        let later = (f64::from(rank) * self.campaign.spacing_steps) as u32;
        (rank < self.reached).then(|| self.campaign.start_step.saturating_add(later))
    }

    /// The neighbour from which a worm came to a site.
    pub(crate) fn infected_by(&self, site: u32) -> Option<u32> {
        self.spread.as_ref().and_then(|spread| spread.infected_by(site))
    }

    /// Whether a site is under attack (or infected) in a step.
    pub(crate) fn at(&self, site: u32, step: u32) -> bool {
        let lasts = |first: u32| first <= step && step - first < self.campaign.duration_steps;
        self.somewhere(step) && self.first_step(site).is_some_and(lasts)
    }

    /// Whether any site may be under attack in a step.
    pub(crate) fn somewhere(&self, step: u32) -> bool {
        self.campaign.start_step <= step && step < self.end_step
    }

    /// Mean attack flows after stealth has taken its part.
    pub(crate) fn flows(&self) -> f32 {
        (self.campaign.intensity * (1.0 - 0.75 * self.campaign.stealth)) as f32
    }

    /// Stealth as a share in [0, 1].
    pub(crate) fn stealth(&self) -> f32 {
        self.campaign.stealth as f32
    }
}

/// All campaigns, in the order of the scenario or of drawing, and the graph of sites that worms spread over.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) campaigns: Vec<Planned>,
    pub(crate) graph: SiteGraph,
}

impl Plan {
    pub(crate) fn new(seed: Seed, params: &SyntheticParams) -> Self {
        let graph = SiteGraph::new(seed, params.sites);
        let campaigns = match &params.campaigns {
            Campaigns::Auto(mix) => draw(seed, params, mix),
            Campaigns::Listed(campaigns) => campaigns.clone(),
        };
        let planned = |(place, campaign)| Planned::new(seed, graph, params, place, campaign);
        Self { campaigns: campaigns.into_iter().enumerate().map(planned).collect(), graph }
    }
}

/// A mix of all families: starts spread evenly over the first half of the steps in random order, stealth over its range.
fn draw(seed: Seed, params: &SyntheticParams, mix: &CampaignMix) -> Vec<Campaign> {
    let families = CampaignFamily::ALL.len() as u32;
    let count = families * mix.per_family;
    let turns = Permutation::new(seed, Purpose::Mix, count);
    let mut stream = seed.stream(Purpose::Mix, 0, 0);
    (0..count)
        .map(|place| {
            let family = CampaignFamily::ALL[(place % families) as usize];
            let turn = (turns.rank(place) as f32 + stream.unit()) / count as f32;
            let hidden = ((place / families) as f32 + stream.unit()) / mix.per_family as f32;
            drawn(params, mix, (family, turn, hidden), &mut stream)
        })
        .collect()
}

fn drawn(
    params: &SyntheticParams,
    mix: &CampaignMix,
    (family, turn, hidden): (CampaignFamily, f32, f32),
    stream: &mut Stream,
) -> Campaign {
    let steps = f64::from(params.steps);
    let reached = (f64::from(params.sites) * mix.site_share).max(1.0);
    let spacing_steps = if family == CampaignFamily::Worm { (steps * 0.025).max(1.0) } else { 0.4 * steps / reached };
    let varied = libm::exp(0.2 * f64::from(stream.normal()));
    Campaign {
        family,
        start_step: (steps * (0.03 + 0.47 * f64::from(turn))) as u32,
        duration_steps: ((steps * 0.1).round() as u32).max(2),
        intensity: (params.flows_per_step * mix.intensity_share * varied).max(1.0),
        stealth: mix.stealth_min + (mix.stealth_max - mix.stealth_min) * f64::from(hidden),
        site_share: mix.site_share,
        spacing_steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(campaigns: Campaigns, sites: u32) -> Vec<Planned> {
        let params = SyntheticParams { sites, campaigns, ..SyntheticParams::default() };
        Plan::new(Seed::new(6), &params).campaigns
    }

    #[test]
    fn a_listed_campaign_reaches_its_share_of_sites_one_after_another() {
        let campaign = Campaign { start_step: 10, spacing_steps: 0.5, site_share: 0.4, ..Campaign::default() };
        let planned = &planned(Campaigns::Listed(vec![campaign]), 100)[0];
        let mut firsts: Vec<u32> = (0..100).filter_map(|site| planned.first_step(site)).collect();
        firsts.sort_unstable();
        assert_eq!(firsts, (0..40).map(|rank| 10 + rank / 2).collect::<Vec<u32>>());
        let busy = |step| (0..100).filter(|site| planned.at(*site, step)).count();
        assert_eq!([busy(9), busy(10), busy(20), busy(36), busy(37)], [0_usize, 2, 16, 2, 0]);
    }

    #[test]
    fn the_drawn_mix_has_every_family_and_passes_its_own_check() {
        let planned = planned(Campaigns::default(), 50);
        let campaigns: Vec<Campaign> = planned.iter().map(|planned| planned.campaign.clone()).collect();
        for family in CampaignFamily::ALL {
            assert_eq!(campaigns.iter().filter(|campaign| campaign.family == family).count(), 2);
        }
        assert!(campaigns.iter().all(|campaign| (3..=50).contains(&campaign.start_step)));
        assert!(campaigns.iter().all(|campaign| (0.1..=0.7).contains(&campaign.stealth)));
        let params = SyntheticParams { campaigns: Campaigns::Listed(campaigns), ..SyntheticParams::default() };
        assert_eq!(params.check(), Ok(()));
    }

    #[test]
    fn even_the_smallest_world_has_campaigns() {
        for steps in [1, 2, 5] {
            let params = SyntheticParams { sites: 1, steps, flows_per_step: 1.0, ..SyntheticParams::default() };
            let plan = Plan::new(Seed::new(6), &params);
            assert!(plan.campaigns.iter().all(|planned| planned.first_step(0).is_some()));
        }
    }
}
