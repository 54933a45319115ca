//! Attack flows of a site in a step.
//!
//! A campaign keeps its character (tools, ports, sizes, addresses) at all sites, so that what one site learns of it
//! helps the others. Stealth moves every trait towards ordinary traffic.

mod control;
mod intrusion;
mod scan;
mod worm;

use super::activity;
use super::address::{CLIENT_FIRST, public};
use super::amount::Amount;
use super::contact::{Contact, Volume};
use super::draft::Draft;
use super::family::CampaignFamily;
use super::plan::{Plan, Planned};
use super::random::{Purpose, Stream, unit};
use super::site::{Setting, Site};
use crate::{ConnState, Label, Protocol, Service};
use worm::Outbreak;

/// How close the stealthiest campaign comes to ordinary sizes: 1 would be all the way.
const BLEND_MAX: f32 = 0.85;

/// Draws the attack flows of all campaigns that are at a site in a step.
pub(crate) fn attacks(setting: &Setting, plan: &Plan, site: &Site, step: u32, draft: &mut Draft) {
    for planned in plan.campaigns.iter().filter(|planned| planned.somewhere(step)) {
        if planned.campaign.family == CampaignFamily::Worm {
            Outbreak { setting, planned, graph: &plan.graph, step }.seen_from(site, draft);
        } else if planned.at(site.number, step) {
            let stream = planned.seed.stream(Purpose::Attack, site.number, i64::from(step));
            Assault::new(setting, planned, site, step, stream, draft).run();
        }
    }
}

/// One campaign at one site in one step.
struct Assault<'a> {
    setting: &'a Setting,
    planned: &'a Planned,
    site: &'a Site,
    step: u32,
    begin_s: f64,
    stealth: f32,
    /// Words that make up the campaign's character, the same at all sites and steps.
    character: [u32; 4],
    label: Label,
    stream: Stream,
    draft: &'a mut Draft,
}

impl<'a> Assault<'a> {
    fn new(
        setting: &'a Setting,
        planned: &'a Planned,
        site: &'a Site,
        step: u32,
        stream: Stream,
        draft: &'a mut Draft,
    ) -> Self {
        Self {
            setting,
            planned,
            site,
            step,
            begin_s: setting.begin_s(i64::from(step)),
            stealth: planned.stealth(),
            character: planned.seed.words(Purpose::Campaign, 1, 0, 0),
            label: planned.campaign.family.label(),
            stream,
            draft,
        }
    }

    fn run(&mut self) {
        match self.planned.campaign.family {
            CampaignFamily::PortScanHorizontal => self.scan_hosts(),
            CampaignFamily::PortScanVertical => self.scan_ports(),
            CampaignFamily::SynFlood => self.flood(),
            CampaignFamily::BruteForce => self.guess_passwords(),
            CampaignFamily::Beacon => self.report(),
            CampaignFamily::Exfiltration => self.upload(),
            CampaignFamily::DnsTunnel => self.tunnel(),
            CampaignFamily::Worm => {}
        }
    }

    /// Flows of this step: the campaign's mean, 20 % more or less.
    fn count(&mut self) -> u32 {
        let mean = self.planned.flows() * self.stream.between(0.8, 1.2);
        self.stream.round(mean)
    }

    /// Value between loud and hidden by the campaign's stealth.
    fn lean(&self, loud: f32, hidden: f32) -> f32 {
        loud + self.stealth * (hidden - loud)
    }

    /// Volume between that of the tool and an ordinary one by the campaign's stealth.
    fn disguise(&self, tool: Volume, ordinary: Volume) -> Volume {
        tool.towards(ordinary, BLEND_MAX * self.stealth)
    }

    /// The campaign's factor of size `k`, from a half to twice.
    fn factor(&self, k: usize) -> f32 {
        libm::exp2f(2.0 * unit(self.character[k]) - 1.0)
    }

    /// Attackers' addresses: a pool of the campaign, of which each site meets `window` that overlap with those of others.
    fn attacker(&mut self, pool: u32, window: u32) -> u32 {
        let first = self.planned.seed.name(u64::from(self.site.number)) as u32 % pool;
        let id = (first + self.stream.below(window.clamp(1, pool))) % pool;
        public(self.planned.seed, 1 << 40 | u64::from(id))
    }

    /// The `k`-th taken-over client of the site.
    fn bot(&self, k: u32) -> u32 {
        self.site.client(self.planned.seed.name(u64::from(self.site.number) << 8 | 0xb07 << 32) as u32 / 7 + k)
    }

    /// Begin and length, in seconds into the step, of the time in which the flows of this step come.
    fn pace(&mut self) -> (f32, f32) {
        let step_s = self.setting.params.step_s as f32;
        let length = step_s * self.lean(0.1, 1.0);
        (self.stream.unit() * (step_s - length), length)
    }

    fn contact(&self, at_s: f32, (source, destination, port): (u32, u32, u16), service: Service) -> Contact {
        let protocol = if service == Service::Dns { Protocol::Udp } else { Protocol::Tcp };
        Contact { time_s: self.begin_s + f64::from(at_s), source, destination, port, protocol, service }
    }

    fn answered(&mut self, contact: Contact, volume: Volume, state: ConnState) {
        let flow = contact.answered(volume, state, &mut self.stream);
        self.draft.push(flow, self.label);
    }

    /// An attempt that finds an open port with probability `open`, else is refused or lost.
    fn attempt(&mut self, contact: Contact, open: f32, refused: f32) {
        if self.stream.chance(open) {
            let volume = self.disguise(volume(30.0, 90.0, 0.05), activity::SERVE_PLAIN.volume);
            let state = if self.stream.chance(self.lean(0.2, 0.9)) { ConnState::Sf } else { ConnState::Rsto };
            self.answered(contact, volume, state);
            return;
        }
        let flow = if self.stream.chance(refused) {
            contact.rejected(&mut self.stream)
        } else {
            contact.unanswered(0.0, &mut self.stream)
        };
        self.draft.push(flow, self.label);
    }
}

/// What a tool sends: nearly the same every time.
fn volume(out: f32, back: f32, duration: f32) -> Volume {
    Volume {
        out: Amount::fixed(out),
        back: Amount { sigma: 0.1, ..Amount::fixed(back) },
        duration: Amount { sigma: 0.3, ..Amount::fixed(duration) },
    }
}

/// Host number of the `k`-th client.
fn client_host(site: &Site, k: u32) -> u32 {
    CLIENT_FIRST + k % site.clients
}
