//! What a synthetic world is like: its parameters and their ranges.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::SITES_MAX;
use super::{CampaignFamily, SiteProfile};

/// Parameters of a synthetic world; together with a seed they say every flow.
///
/// ```
/// use dais_traffic::{Source, SyntheticParams};
///
/// let params = SyntheticParams { sites: 10, steps: 20, ..SyntheticParams::default() };
/// let traffic = params.build(7)?;
/// assert_eq!(traffic.sites(), 10);
/// # Ok::<(), dais_traffic::SyntheticError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticParams {
    /// How many sites (one agent each) there are; 1 to 131,072.
    pub sites: u32,
    /// Steps over which campaigns are spread; 1 to 1,000,000.
    pub steps: u32,
    /// Benign flows of a site in a step, mean over a day; 1 to 100,000.
    pub flows_per_step: f64,
    /// Seconds that a step covers; 1 to 86,400.
    pub step_s: f64,
    /// How much the hour of the day moves the rate: at 0.6 the busiest hour of an office has 1.6 times the mean and
    /// the quietest 0.4 times; 0 to 0.95. Sites of machines follow it less.
    pub day_amplitude: f64,
    /// Hour of the day at step 0; 0 to 24.
    pub start_hour: f64,
    /// Share of sites at which benign services that were never seen before appear during the run; 0 to 1.
    pub novelty_share: f64,
    /// Kinds of sites, each as likely as the next; name one twice to double its share. 1 to 64 entries.
    pub profiles: Vec<SiteProfile>,
    /// Attack campaigns.
    pub campaigns: Campaigns,
}

impl Default for SyntheticParams {
    fn default() -> Self {
        Self {
            sites: 50,
            steps: 100,
            flows_per_step: 100.0,
            step_s: 60.0,
            day_amplitude: 0.6,
            start_hour: 8.0,
            novelty_share: 0.5,
            profiles: SiteProfile::ALL.to_vec(),
            campaigns: Campaigns::default(),
        }
    }
}

/// Which campaigns there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Campaigns {
    /// A mix of all families drawn from the seed.
    Auto(CampaignMix),
    /// These and no others; at most 1,000, possibly none.
    Listed(Vec<Campaign>),
}

impl Default for Campaigns {
    fn default() -> Self {
        Self::Auto(CampaignMix::default())
    }
}

/// A mix of campaigns of every family, spread over the steps; each reaches its sites one after another.
///
/// Campaigns begin in the first half of the steps, reach their last site four tenths of the steps later, and stay at
/// each for a tenth of the steps, at least two. A worm goes its own way along the edges of the site graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignMix {
    /// Campaigns of each family; 1 to 100. They differ in tools, stealth, sites and start.
    pub per_family: u32,
    /// Attack flows of a campaign at a site and step, as a share of the benign flows; above 0, at most 10.
    pub intensity_share: f64,
    /// Stealth of the loudest campaign of each family; 0 to 1.
    pub stealth_min: f64,
    /// Stealth of the stealthiest campaign of each family; `stealth_min` to 1.
    pub stealth_max: f64,
    /// Share of the sites that each campaign reaches; above 0, at most 1.
    pub site_share: f64,
}

impl Default for CampaignMix {
    fn default() -> Self {
        Self { per_family: 2, intensity_share: 0.15, stealth_min: 0.1, stealth_max: 0.7, site_share: 0.8 }
    }
}

/// An attack of one family that reaches several sites over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Campaign {
    /// What kind of attack.
    pub family: CampaignFamily,
    /// Step in which the first site is reached.
    pub start_step: u32,
    /// Steps for which a site stays under attack (for a worm: stays infected) once it is reached; at least 1.
    pub duration_steps: u32,
    /// Attack flows of a site in a step, mean, before stealth takes its part; above 0, at most 100,000.
    pub intensity: f64,
    /// 0 loud to 1 hidden: the stealthiest sends a quarter of the flows, and sizes, rhythm, ports and results of all
    /// of them come close to ordinary ones.
    pub stealth: f64,
    /// Share of the sites that are reached in the end; above 0, at most 1. At least one site is.
    pub site_share: f64,
    /// Steps from one site to the next, which may be a fraction; 0 reaches all at once, at most 1,000,000.
    /// For a worm: mean steps until an infected site infects a given neighbour.
    pub spacing_steps: f64,
}

impl Default for Campaign {
    fn default() -> Self {
        Self {
            family: CampaignFamily::PortScanHorizontal,
            start_step: 0,
            duration_steps: 8,
            intensity: 15.0,
            stealth: 0.3,
            site_share: 0.8,
            spacing_steps: 1.0,
        }
    }
}

/// A parameter of a synthetic world outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}, allowed is {allowed}")]
pub struct SyntheticError {
    /// Where the parameter is, such as `campaigns.listed[2].stealth`.
    pub key: String,
    /// The value that was found.
    pub value: String,
    /// What would be allowed, in words.
    pub allowed: &'static str,
}

fn unless(fits: bool, key: &str, value: impl fmt::Display, allowed: &'static str) -> Result<(), SyntheticError> {
    if fits { Ok(()) } else { Err(SyntheticError { key: key.to_owned(), value: value.to_string(), allowed }) }
}

impl SyntheticParams {
    /// Checks every range.
    ///
    /// # Errors
    /// [`SyntheticError`] with the first parameter outside its range.
    pub fn check(&self) -> Result<(), SyntheticError> {
        unless((1..=SITES_MAX).contains(&self.sites), "sites", self.sites, "1 to 131072")?;
        unless((1..=1_000_000).contains(&self.steps), "steps", self.steps, "1 to 1000000")?;
        let flows = self.flows_per_step;
        unless((1.0..=100_000.0).contains(&flows), "flows_per_step", flows, "1 to 100000")?;
        unless((1.0..=86_400.0).contains(&self.step_s), "step_s", self.step_s, "1 to 86400")?;
        unless((0.0..=0.95).contains(&self.day_amplitude), "day_amplitude", self.day_amplitude, "0 to 0.95")?;
        unless((0.0..=24.0).contains(&self.start_hour), "start_hour", self.start_hour, "0 to 24")?;
        unless((0.0..=1.0).contains(&self.novelty_share), "novelty_share", self.novelty_share, "0 to 1")?;
        let profiles = self.profiles.len();
        unless((1..=64).contains(&profiles), "profiles", format!("{profiles} entries"), "1 to 64 entries")?;
        match &self.campaigns {
            Campaigns::Auto(mix) => mix.check(),
            Campaigns::Listed(campaigns) => {
                let count = campaigns.len();
                unless(count <= 1_000, "campaigns.listed", format!("{count} entries"), "at most 1000 entries")?;
                campaigns.iter().enumerate().try_for_each(|(place, campaign)| campaign.check(place))
            }
        }
    }
}

impl CampaignMix {
    fn check(&self) -> Result<(), SyntheticError> {
        let key = |name: &str| format!("campaigns.auto.{name}");
        unless((1..=100).contains(&self.per_family), &key("per_family"), self.per_family, "1 to 100")?;
        let share = self.intensity_share;
        unless(share > 0.0 && share <= 10.0, &key("intensity_share"), share, "above 0, at most 10")?;
        unless((0.0..=1.0).contains(&self.stealth_min), &key("stealth_min"), self.stealth_min, "0 to 1")?;
        let fits = (self.stealth_min..=1.0).contains(&self.stealth_max);
        unless(fits, &key("stealth_max"), self.stealth_max, "stealth_min to 1")?;
        let fits = self.site_share > 0.0 && self.site_share <= 1.0;
        unless(fits, &key("site_share"), self.site_share, "above 0, at most 1")
    }
}

impl Campaign {
    fn check(&self, place: usize) -> Result<(), SyntheticError> {
        let key = |name: &str| format!("campaigns.listed[{place}].{name}");
        unless(self.start_step <= 1_000_000, &key("start_step"), self.start_step, "0 to 1000000")?;
        let fits = (1..=1_000_000).contains(&self.duration_steps);
        unless(fits, &key("duration_steps"), self.duration_steps, "1 to 1000000")?;
        let fits = self.intensity > 0.0 && self.intensity <= 100_000.0;
        unless(fits, &key("intensity"), self.intensity, "above 0, at most 100000")?;
        unless((0.0..=1.0).contains(&self.stealth), &key("stealth"), self.stealth, "0 to 1")?;
        let fits = self.site_share > 0.0 && self.site_share <= 1.0;
        unless(fits, &key("site_share"), self.site_share, "above 0, at most 1")?;
        let fits = (0.0..=1e6).contains(&self.spacing_steps);
        unless(fits, &key("spacing_steps"), self.spacing_steps, "0 to 1000000")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(params: &SyntheticParams) -> String {
        params.check().expect_err("a parameter outside its range").to_string()
    }

    #[test]
    fn the_defaults_are_within_their_ranges() {
        assert_eq!(SyntheticParams::default().check(), Ok(()));
        let listed = Campaigns::Listed(vec![Campaign::default()]);
        assert_eq!(SyntheticParams { campaigns: listed, ..SyntheticParams::default() }.check(), Ok(()));
    }

    #[test]
    fn a_wrong_parameter_is_named_with_value_and_range() {
        let params = SyntheticParams { sites: 0, ..SyntheticParams::default() };
        assert_eq!(refused(&params), "`sites` is 0, allowed is 1 to 131072");
        let params = SyntheticParams { flows_per_step: f64::NAN, ..SyntheticParams::default() };
        assert_eq!(refused(&params), "`flows_per_step` is NaN, allowed is 1 to 100000");
        let params = SyntheticParams { profiles: vec![], ..SyntheticParams::default() };
        assert_eq!(refused(&params), "`profiles` is 0 entries, allowed is 1 to 64 entries");
    }

    #[test]
    fn a_wrong_campaign_is_named_with_its_place() {
        let campaigns = Campaigns::Listed(vec![Campaign::default(), Campaign { stealth: 1.5, ..Campaign::default() }]);
        let params = SyntheticParams { campaigns, ..SyntheticParams::default() };
        assert_eq!(refused(&params), "`campaigns.listed[1].stealth` is 1.5, allowed is 0 to 1");
        let mix = CampaignMix { stealth_max: 0.0, ..CampaignMix::default() };
        let params = SyntheticParams { campaigns: Campaigns::Auto(mix), ..SyntheticParams::default() };
        assert_eq!(refused(&params), "`campaigns.auto.stealth_max` is 0, allowed is stealth_min to 1");
    }

    #[test]
    fn every_single_range_is_checked() {
        let wrong: [fn(&mut SyntheticParams); 8] = [
            |params| params.steps = 0,
            |params| params.step_s = 0.0,
            |params| params.day_amplitude = 1.0,
            |params| params.start_hour = -1.0,
            |params| params.novelty_share = 1.1,
            |params| params.flows_per_step = 0.0,
            |params| params.campaigns = Campaigns::Listed(vec![Campaign::default(); 1_001]),
            |params| params.campaigns = Campaigns::Auto(CampaignMix { per_family: 0, ..CampaignMix::default() }),
        ];
        for spoil in wrong {
            let mut params = SyntheticParams::default();
            spoil(&mut params);
            assert!(params.check().is_err(), "{params:?}");
        }
        let wrong: [fn(&mut Campaign); 5] = [
            |campaign| campaign.duration_steps = 0,
            |campaign| campaign.intensity = f64::INFINITY,
            |campaign| campaign.site_share = 0.0,
            |campaign| campaign.spacing_steps = -1.0,
            |campaign| campaign.start_step = 2_000_000,
        ];
        for spoil in wrong {
            let mut campaign = Campaign::default();
            spoil(&mut campaign);
            assert!(campaign.check(0).is_err(), "{campaign:?}");
        }
    }

    #[test]
    fn a_scenario_may_say_only_what_differs() {
        let text = r#"{"sites": 9, "campaigns": {"listed": [{"family": "worm", "stealth": 0.5}]}}"#;
        let params: SyntheticParams = serde_json::from_str(text).expect("a scenario");
        let worm = Campaign { family: CampaignFamily::Worm, stealth: 0.5, ..Campaign::default() };
        assert_eq!((params.sites, params.campaigns), (9, Campaigns::Listed(vec![worm])));
        assert!(serde_json::from_str::<SyntheticParams>(r#"{"site": 9}"#).is_err());
    }

    #[test]
    fn a_scenario_file_reads_as_it_is_written() {
        let text = "profiles: [web, mail]\ncampaigns:\n  auto:\n    per_family: 3\n";
        let params: SyntheticParams = serde_saphyr::from_str(text).expect("a scenario");
        assert_eq!(params.profiles, [SiteProfile::Web, SiteProfile::Mail]);
        let mix = CampaignMix { per_family: 3, ..CampaignMix::default() };
        assert_eq!(params.campaigns, Campaigns::Auto(mix));
        for campaigns in [Campaigns::default(), Campaigns::Listed(vec![Campaign::default()])] {
            let params = SyntheticParams { campaigns, ..SyntheticParams::default() };
            let text = serde_saphyr::to_string(&params).expect("text");
            assert_eq!(serde_saphyr::from_str::<SyntheticParams>(&text).expect("the same"), params, "{text}");
        }
    }
}
