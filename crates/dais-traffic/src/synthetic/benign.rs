//! Ordinary traffic of a site in a step: visits by its mix of activities, with what fails and what is new.

use super::activity::{self, Activity, Route, server};
use super::address::{HOSTS, public};
use super::contact::{Contact, ordinary_end};
use super::draft::Draft;
use super::job;
use super::profile::ACTIVITIES_MAX;
use super::random::{Purpose, Stream, below, normal, unit};
use super::site::{Setting, Site};
use crate::{Label, Protocol};

/// How unlike the mixes of two sites of one profile are, and the sizes of what they send: standard deviations of
/// logarithms.
const MIX_SIGMA: f32 = 0.5;
const SIZE_SIGMA: f32 = 0.25;

/// How much a site's rate wavers from step to step: standard deviation of the logarithm.
const WAVER_SIGMA: f32 = 0.15;

/// Most flows of one visit.
const VISIT_FLOWS_MAX: u32 = 40;

/// Visits of a new service for every visit of an old one.
const NOVELTY_WEIGHT: f32 = 0.05;

/// Share of the partners elsewhere that all sites have in common.
const COMMON_PARTNERS: f32 = 0.5;

/// Ports that strangers try by mistake or habit.
const STRAY_PORTS: [u16; 8] = [23, 22, 80, 8_080, 445, 5_060, 3_389, 6_881];

/// Services that appear during the run at some sites.
static NOVELTIES: [&Activity; 5] = [
    &activity::MEET,
    &activity::TUNNEL_HOME,
    &activity::NEW_APPLICATION,
    &activity::NEW_ARCHIVE,
    &activity::NEW_INVENTORY,
];

/// Draws the ordinary flows of a site in a step.
pub(crate) fn benign(setting: &Setting, site: &Site, step: i64, draft: &mut Draft) {
    let mix = Mix::new(setting, site, step);
    let jobs = job::jobs(setting, site);
    let mut stream = setting.seed.stream(Purpose::Benign, site.number, step);
    let waver = libm::expf(WAVER_SIGMA * stream.normal() - 0.5 * WAVER_SIGMA * WAVER_SIGMA);
    let rate = setting.params.flows_per_step * setting.rhythm(site, step) * f64::from(site.rate_factor * waver);
    let visits = stream.poisson((rate - jobs.flows_per_step()).max(0.0) / f64::from(mix.visit_flows));
    let mut maker = Maker { setting, site, begin_s: setting.begin_s(step), stream, draft };
    for _ in 0..visits {
        let (activity, size) = mix.pick(maker.stream.unit());
        maker.visit(activity, size);
    }
    jobs.run(setting, step, draft);
}

/// The service that is new at a site, and the step in which it appears.
fn novelty(setting: &Setting, site: &Site) -> Option<(&'static Activity, i64)> {
    let [luck, kind, lag, _] = setting.seed.words(Purpose::Novelty, site.number, 0, 0);
    let kind = below(kind, NOVELTIES.len() as u32);
    let [begin, ..] = setting.seed.words(Purpose::Novelty, kind, 1, 0);
    let steps = setting.params.steps as f32;
    let first = steps * (0.1 + 0.6 * unit(begin) + 0.2 * unit(lag));
    let appears = f64::from(unit(luck)) < setting.params.novelty_share;
    appears.then_some((NOVELTIES[kind as usize], first as i64))
}

/// A site's own mix in a step: activities, cumulative shares of visits, and factors of size.
struct Mix {
    activities: [(&'static Activity, f32, f32); ACTIVITIES_MAX],
    count: usize,
    /// Mean flows of a visit.
    visit_flows: f32,
}

impl Mix {
    fn new(setting: &Setting, site: &Site, step: i64) -> Self {
        let usual = site.profile.habits().mix;
        let usual_weight: f32 = usual.iter().map(|(_, weight)| weight).sum();
        let new = novelty(setting, site).filter(|(_, first)| *first <= step);
        let new = new.map(|(activity, _)| (activity, NOVELTY_WEIGHT * usual_weight));
        let mut mix = Self { activities: [(&activity::BROWSE, 1.0, 1.0); ACTIVITIES_MAX], count: 0, visit_flows: 0.0 };
        let mut total = 0.0;
        for (place, (activity, weight)) in usual.iter().copied().chain(new).enumerate() {
            let [share, size, ..] = setting.seed.words(Purpose::Site, site.number, place as u32 + 1, 0);
            let weight = weight * libm::expf(MIX_SIGMA * normal(share));
            total += weight;
            mix.visit_flows += weight * activity.flows_with_lookup();
            mix.activities[place] = (activity, total, libm::expf(SIZE_SIGMA * normal(size)));
            mix.count = place + 1;
        }
        mix.visit_flows /= total;
        mix.activities[..mix.count].iter_mut().for_each(|(_, cumulative, _)| *cumulative /= total);
        mix
    }

    fn pick(&self, luck: f32) -> (&'static Activity, f32) {
        let known = &self.activities[..self.count];
        let (activity, _, size) = known.iter().find(|(_, cumulative, _)| luck < *cumulative).unwrap_or(&known[0]);
        (activity, *size)
    }
}

/// Writes visits into a draft.
struct Maker<'a> {
    setting: &'a Setting,
    site: &'a Site,
    begin_s: f64,
    stream: Stream,
    draft: &'a mut Draft,
}

impl Maker<'_> {
    /// One visit; what would reach beyond the step comes at its beginning, as from a visit of the step before.
    fn visit(&mut self, activity: &Activity, size: f32) {
        let (source, destination, port) = self.parties(activity);
        let step_s = self.setting.params.step_s as f32;
        let mut at_s = step_s * self.stream.unit();
        if activity.lookup > 0.0 && self.stream.chance(activity.lookup) {
            let resolver = self.site.host(server::DNS.into());
            let asker = if source == resolver { self.site.client(0) } else { source };
            self.flow(&activity::LOOKUP, (asker, resolver, activity::LOOKUP.port), at_s, size);
            at_s += self.stream.exponential(0.05);
        }
        for _ in 0..self.visit_flows(activity.flows) {
            self.flow(activity, (source, destination, port), at_s % step_s, size);
            at_s += self.stream.exponential(activity.gap_s);
        }
    }

    /// Geometric from 1 with this mean.
    fn visit_flows(&mut self, mean: f32) -> u32 {
        let more = libm::logf(self.stream.unit()) / libm::log1pf(-1.0 / mean);
        (1 + more as u32).min(VISIT_FLOWS_MAX)
    }

    fn flow(&mut self, activity: &Activity, parties: (u32, u32, u16), at_s: f32, size: f32) {
        let (source, destination, port) = parties;
        let contact = Contact {
            time_s: self.begin_s + f64::from(at_s),
            source,
            destination,
            port,
            protocol: activity.protocol,
            service: activity.service,
        };
        let flow = if self.stream.chance(activity.failed) {
            if activity.protocol == Protocol::Tcp && self.stream.chance(0.4) {
                contact.rejected(&mut self.stream)
            } else {
                let bytes_out = activity.volume.out.draw(&mut self.stream);
                contact.unanswered(bytes_out, &mut self.stream)
            }
        } else {
            let end = ordinary_end(activity.protocol, &mut self.stream);
            contact.answered(activity.volume.times(size, size), end, &mut self.stream)
        };
        self.draft.push(flow, Label::Benign);
    }

    /// Source, destination and port of a visit.
    fn parties(&mut self, activity: &Activity) -> (u32, u32, u16) {
        let (site, port) = (self.site, activity.port);
        match activity.route {
            Route::Out(servers) => (self.client(), self.partner(activity, servers), port),
            Route::OutFrom(host, servers) => (site.host(host.into()), self.partner(activity, servers), port),
            Route::In(strangers, host) => (self.partner(activity, strangers), site.host(host.into()), port),
            Route::Inside(host) => (self.client(), site.host(host.into()), port),
            Route::Between(from, to) => (site.host(from.into()), site.host(to.into()), port),
            Route::ToClients(host) => (site.host(host.into()), self.client(), port),
            Route::Broadcast => (self.client(), site.host(HOSTS + 1), port),
            Route::Stray => {
                let stranger = public(self.setting.seed, u64::from(self.stream.word()) << 8);
                (stranger, site.host(1 + self.stream.below(HOSTS)), self.stream.pick(&STRAY_PORTS))
            }
        }
    }

    /// A client of the site; some are busier than others.
    fn client(&mut self) -> u32 {
        let unit = self.stream.unit();
        self.site.client((unit * unit.sqrt() * self.site.clients as f32) as u32)
    }

    /// Someone elsewhere, popular ones more often: half of them the same for all sites.
    fn partner(&mut self, activity: &Activity, count: u32) -> u32 {
        let rank = u64::from(self.stream.rank(count));
        let kind = u64::from(activity.port) << 8 | u64::from(activity.service.code());
        let common = self.stream.chance(COMMON_PARTNERS);
        let owner = if common { 0 } else { u64::from(self.site.number) + 1 };
        public(self.setting.seed, kind << 44 ^ owner << 24 ^ rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SyntheticParams;
    use crate::synthetic::random::Seed;

    fn setting() -> Setting {
        Setting { seed: Seed::new(3), params: SyntheticParams::default() }
    }

    #[test]
    fn sites_see_the_asked_number_of_flows_on_average() {
        let setting = setting();
        let mut draft = Draft::with_capacity(0);
        let (sites, steps) = (60, 48);
        for number in 0..sites {
            // Steps spread over a day.
            (0..steps).for_each(|step| benign(&setting, &setting.site(number), step * 30, &mut draft));
        }
        let mean = draft.len() as f64 / (f64::from(sites) * steps as f64);
        assert!((mean / 100.0 - 1.0).abs() < 0.1, "{mean} flows a step");
    }

    #[test]
    fn a_novelty_appears_at_about_the_asked_share_of_sites_and_not_at_once() {
        let setting = setting();
        let firsts: Vec<i64> =
            (0..1_000).filter_map(|number| novelty(&setting, &setting.site(number))).map(|(_, first)| first).collect();
        assert!((450..550).contains(&firsts.len()), "{} of 1,000 sites", firsts.len());
        assert!(firsts.iter().all(|first| (10..=90).contains(first)));
    }

    #[test]
    fn shares_of_a_mix_end_at_one() {
        let setting = setting();
        for number in 0..20 {
            let mix = Mix::new(&setting, &setting.site(number), 0);
            assert!((mix.activities[mix.count - 1].1 - 1.0).abs() < 1e-6 && mix.visit_flows >= 1.0);
        }
    }
}
