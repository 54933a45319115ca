//! One site: what follows from its number and the seed, and the clock it lives by.

use super::SyntheticParams;
use super::address::{CLIENT_FIRST, local};
use super::profile::SiteProfile;
use super::random::{Purpose, Seed, below, normal, unit};

/// Midnight before step 0: 5 January 2026, a Monday, UTC.
const MIDNIGHT_S: f64 = 1_767_571_200.0;

/// How unlike in size sites are: standard deviation of the logarithm of their rates.
const RATE_SIGMA: f32 = 0.25;

/// Seed, parameters, and the clock of all sites.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) seed: Seed,
    pub(crate) params: SyntheticParams,
}

impl Setting {
    /// Seconds since 1970 at which a step begins; steps before the first are negative.
    pub(crate) fn begin_s(&self, step: i64) -> f64 {
        MIDNIGHT_S + self.params.start_hour * 3_600.0 + step as f64 * self.params.step_s
    }

    /// How many times its daily mean a site's rate is in a step, by the hour in the middle of it.
    pub(crate) fn rhythm(&self, site: &Site, step: i64) -> f64 {
        let middle_s = self.begin_s(step) + 0.5 * self.params.step_s - MIDNIGHT_S;
        let habits = site.profile.habits();
        let hours_from_peak = middle_s / 3_600.0 - f64::from(habits.peak_hour + site.peak_shift_h);
        let swing = self.params.day_amplitude * f64::from(habits.rhythm);
        1.0 + swing * libm::cos(std::f64::consts::TAU * hours_from_peak / 24.0)
    }

    /// The site with this number.
    pub(crate) fn site(&self, number: u32) -> Site {
        let [kind, size, rate, shift] = self.seed.words(Purpose::Site, number, 0, 0);
        let profiles = &self.params.profiles;
        let profile = profiles[below(kind, profiles.len() as u32) as usize];
        let (fewest, most) = profile.habits().clients;
        Site {
            number,
            profile,
            clients: fewest + below(size, most - fewest + 1),
            rate_factor: libm::expf(RATE_SIGMA * normal(rate) - 0.5 * RATE_SIGMA * RATE_SIGMA),
            peak_shift_h: 2.0 * unit(shift) - 1.0,
        }
    }
}

/// What a site is; derived whenever it is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) number: u32,
    pub(crate) profile: SiteProfile,
    /// Client hosts.
    pub(crate) clients: u32,
    /// This site's rate over the mean of all sites.
    pub(crate) rate_factor: f32,
    /// Hours by which its peak is later than its profile says.
    pub(crate) peak_shift_h: f32,
}

impl Site {
    /// Address of a host by its number.
    pub(crate) fn host(&self, host: u32) -> u32 {
        local(self.number, host)
    }

    /// Address of a client, counted from 0 and around.
    pub(crate) fn client(&self, client: u32) -> u32 {
        local(self.number, CLIENT_FIRST + client % self.clients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting() -> Setting {
        Setting { seed: Seed::new(1), params: SyntheticParams::default() }
    }

    #[test]
    fn every_profile_is_met() {
        let setting = setting();
        for profile in SiteProfile::ALL {
            let count = (0..700).filter(|number| setting.site(*number).profile == profile).count();
            assert!((60..140).contains(&count), "{} at {count} of 700 sites", profile.name());
        }
    }

    #[test]
    fn the_rhythm_has_mean_one_over_a_day() {
        let (setting, minutes) = (setting(), 24 * 60);
        for number in 0..10 {
            let site = setting.site(number);
            let total: f64 = (0..minutes).map(|step| setting.rhythm(&site, step)).sum();
            assert!((total / minutes as f64 - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn site_rates_differ_around_one() {
        let setting = setting();
        let rates: Vec<f32> = (0..2_000).map(|number| setting.site(number).rate_factor).collect();
        let mean = rates.iter().sum::<f32>() / 2_000.0;
        assert!((mean - 1.0).abs() < 0.03 && rates.iter().any(|rate| *rate > 1.5), "{mean}");
    }
}
