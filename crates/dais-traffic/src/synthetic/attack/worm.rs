//! Worms: what an infected site sends to its neighbours and to the world, seen at both ends.

use super::{Assault, client_host, volume};
use crate::synthetic::activity;
use crate::synthetic::address::{HOSTS, local, public};
use crate::synthetic::draft::Draft;
use crate::synthetic::graph::SiteGraph;
use crate::synthetic::plan::Planned;
use crate::synthetic::random::{Purpose, below};
use crate::synthetic::site::{Setting, Site};
use crate::{ConnState, Service};

/// What worms exploit.
const HOLES: [(u16, Service); 4] =
    [(445, Service::Windows), (3_389, Service::Rdp), (22, Service::Ssh), (6_379, Service::Database)];

/// Share of an infected site's attempts that go to its neighbours; the others go anywhere.
const TO_NEIGHBOURS: f32 = 0.5;

/// One worm in one step.
#[derive(Clone, Copy)]
pub(super) struct Outbreak<'a> {
    pub(super) setting: &'a Setting,
    pub(super) planned: &'a Planned,
    pub(super) graph: &'a SiteGraph,
    pub(super) step: u32,
}

impl Outbreak<'_> {
    /// Draws the worm's flows that a site sees: its own if it is infected, and those of its infected neighbours.
    pub(super) fn seen_from(self, site: &Site, draft: &mut Draft) {
        let Self { setting, planned, graph, step } = self;
        let infected = planned.at(site.number, step);
        let mut neighbours = 0;
        for neighbour in graph.neighbours(site.number) {
            neighbours += 1;
            if infected {
                self.edge(site.number, neighbour, draft);
            }
            if planned.at(neighbour, step) {
                self.edge(neighbour, site.number, draft);
            }
        }
        if infected {
            let stream = planned.seed.stream(Purpose::Attack, site.number, i64::from(step));
            let share = if neighbours == 0 { 1.0 } else { 1.0 - TO_NEIGHBOURS };
            Assault::new(setting, planned, site, step, stream, draft).infest(share, None);
        }
    }

    /// The flows from an infected site to one neighbour: drawn for the edge, so that both ends see the same ones.
    fn edge(self, from: u32, to: u32, draft: &mut Draft) {
        let Self { setting, planned, graph, step } = self;
        let sender = setting.site(from);
        let stream = planned.seed.derive(Purpose::Edge, from, to).stream(Purpose::Edge, 0, i64::from(step));
        let share = TO_NEIGHBOURS / graph.neighbours(from).count() as f32;
        Assault::new(setting, planned, &sender, step, stream, draft).infest(share, Some(to));
    }
}

impl Assault<'_> {
    /// Attempts of the infected hosts of a site on hosts of `to`, or of anyone. Quiet worms know their targets better.
    fn infest(&mut self, share: f32, to: Option<u32>) {
        let (port, service) = HOLES[below(self.character[0], HOLES.len() as u32) as usize];
        let exploit = volume(4_200.0 * self.factor(1), 900.0 * self.factor(2), 0.8);
        let exploit = self.disguise(exploit, activity::SHARE_FILES.volume);
        let mean = self.planned.flows() * share * self.stream.between(0.8, 1.2);
        let hits = self.lean(0.2, 0.7);
        let (begin, length) = self.pace();
        for _ in 0..self.stream.round(mean) {
            let k = self.planned.seed.name(u64::from(self.site.number)) as u32 % 100 + self.stream.below(2);
            let source = self.site.host(client_host(self.site, k));
            let target = match to {
                Some(to) => local(to, 1 + self.stream.below(HOSTS)),
                None => public(self.planned.seed, 6 << 40 | u64::from(self.stream.word())),
            };
            let at_s = begin + length * self.stream.unit();
            let contact = self.contact(at_s, (source, target, port), service);
            if self.stream.chance(hits) {
                self.answered(contact, exploit, ConnState::Sf);
            } else {
                self.attempt(contact, 0.0, 0.35);
            }
        }
    }
}
