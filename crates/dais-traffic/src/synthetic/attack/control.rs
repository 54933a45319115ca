//! Orders and reports: beacons and DNS tunnels from hosts of the site.

use super::{Assault, volume};
use crate::synthetic::activity::{self, Activity, server};
use crate::synthetic::address::public;
use crate::synthetic::amount::Amount;
use crate::synthetic::contact::Volume;
use crate::synthetic::random::unit;
use crate::{ConnState, Flow, Service};

/// Most hosts of a site that report to one controller.
const BOTS_MAX: f32 = 8.0;

/// Above one over this stealth no controller uses a port of its own.
const BOLD_UNTIL: f32 = 2.0;

/// Queries that a loud tunnel sends through one socket.
const QUERIES: f32 = 200.0;

impl Assault<'_> {
    /// Reports at even intervals from a few hosts. Quiet ones wait longer, waver, and vary in size.
    pub(super) fn report(&mut self) {
        let step_s = self.setting.params.step_s;
        let flows = self.planned.flows();
        let wanted_s = self.lean(step_s as f32 / 6.0, step_s as f32);
        let bots = (flows * wanted_s / step_s as f32).round().clamp(1.0, BOTS_MAX);
        let period_s = f64::from(bots) * step_s / f64::from(flows);
        let (port, service, ordinary) = self.channel();
        let word = self.disguise(volume(320.0 * self.factor(1), 190.0 * self.factor(2), 0.25), ordinary.volume);
        let waver_s = f64::from(self.lean(0.01, 0.35)) * period_s;
        let begin = f64::from(self.step) * step_s / period_s;
        let end = f64::from(self.step + 1) * step_s / period_s;
        for bot in 0..bots as u32 {
            let phase =
                f64::from(unit(self.planned.seed.name(u64::from(self.site.number) << 8 | u64::from(bot)) as u32));
            let controller = public(self.planned.seed, 4 << 40 | u64::from(bot % 2));
            let mut turn = (begin - phase).ceil();
            while turn + phase < end {
                let at_s = (turn + phase - begin) * period_s + f64::from(self.stream.normal()) * waver_s;
                let at_s = at_s.clamp(0.0, step_s * 0.999) as f32;
                let contact = self.contact(at_s, (self.bot(bot), controller, port), service);
                self.answered(contact, word, ConnState::Sf);
                turn += 1.0;
            }
        }
    }

    /// Port and service over which a controller is reached: quiet campaigns hide among the web, loud ones often do not.
    fn channel(&self) -> (u16, Service, &'static Activity) {
        let [kind, _, _, boldness] = self.character;
        let bold = unit(boldness) > BOLD_UNTIL * self.stealth;
        match kind % 4 {
            0 if bold => (4_444, Service::None, &activity::BROWSE),
            1 if bold => (5_552, Service::None, &activity::BROWSE),
            2 if bold => (50_050, Service::Tls, &activity::BROWSE),
            0 | 1 => (80, Service::Http, &activity::BROWSE_PLAIN),
            _ => (443, Service::Tls, &activity::BROWSE),
        }
    }

    /// Queries with data in their names to the resolver, which passes them on, or to the answerer itself. Loud ones send
    /// many through one socket, quiet ones are short and slow.
    pub(super) fn tunnel(&mut self) {
        let question = Volume {
            out: Amount { sigma: 0.15, ..Amount::fixed(150.0 * self.factor(1).sqrt()) },
            back: Amount { sigma: 0.4, ..Amount::fixed(260.0 * self.factor(2).sqrt()) },
            duration: Amount::new(0.09, 0.6),
        };
        let queries = libm::powf(QUERIES, 1.0 - self.stealth);
        let question = self.disguise(question, activity::LOOKUP.volume).times(queries, queries);
        let direct = self.character[0].is_multiple_of(4);
        let answerer = public(self.planned.seed, 5 << 40);
        let resolver = if direct { answerer } else { self.site.host(server::DNS.into()) };
        let (begin, length) = self.pace();
        for _ in 0..self.count() {
            let at_s = begin + length * self.stream.unit();
            let contact = self.contact(at_s, (self.bot(0), resolver, 53), Service::Dns);
            let packets = self.stream.round(queries).max(1).into();
            let flow = contact.answered(question, ConnState::Sf, &mut self.stream);
            self.draft.push(Flow { packets_out: packets, packets_in: packets, ..flow }, self.label);
        }
    }
}
