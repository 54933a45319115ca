//! Scans and floods: many attempts, few answers.

use super::Assault;
use crate::Service;
use crate::synthetic::activity::server;
use crate::synthetic::address::{HOSTS, public};
use crate::synthetic::random::below;

/// Ports that horizontal scans look for.
const WANTED: [u16; 8] = [22, 23, 445, 1_433, 3_389, 5_900, 6_379, 8_080];

/// Ports that are open often, which quiet scans keep to.
const COMMON: [u16; 24] = [
    21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 587, 993, 1_433, 1_723, 3_306, 3_389, 5_432, 5_900,
    8_000, 8_080, 8_443,
];

impl Assault<'_> {
    /// One port on many hosts. Quiet scanners are several, take their time and know better where to look.
    pub(super) fn scan_hosts(&mut self) {
        let port = WANTED[below(self.character[0], WANTED.len() as u32) as usize];
        let (begin, length) = self.pace();
        let scanners = self.lean(1.0, 5.0) as u32;
        for _ in 0..self.count() {
            let (source, at_s) = (self.attacker(12, scanners), begin + length * self.stream.unit());
            let target = self.site.host(1 + self.stream.below(HOSTS));
            let contact = self.contact(at_s, (source, target, port), Service::None);
            self.attempt(contact, self.lean(0.03, 0.35), 0.25);
        }
    }

    /// Many ports on one host. Quiet scanners try the common ones, on a few hosts.
    pub(super) fn scan_ports(&mut self) {
        let (begin, length) = self.pace();
        let (scanners, targets) = (self.lean(1.0, 4.0) as u32, self.lean(1.0, 6.0) as u32);
        let first = self.planned.seed.name(u64::from(self.site.number)) as u32 % 10;
        for _ in 0..self.count() {
            let (source, at_s) = (self.attacker(12, scanners), begin + length * self.stream.unit());
            let target = self.site.host(2 + (first + self.stream.below(targets)) % 10);
            let common = self.stream.chance(self.lean(0.2, 1.0));
            let port = if common { self.stream.pick(&COMMON) } else { 1 + self.stream.below(65_535) as u16 };
            let contact = self.contact(at_s, (source, target, port), Service::None);
            self.attempt(contact, self.lean(0.03, 0.3), 0.6);
        }
    }

    /// Half-open connections to the web server. Quiet ones come slowly, and some look like visitors that leave.
    pub(super) fn flood(&mut self) {
        let port = if self.character[0] & 1 == 0 { 443 } else { 80 };
        let (begin, length) = self.pace();
        for _ in 0..self.count() {
            let spoofed = self.stream.chance(self.lean(0.7, 0.1));
            let source = if spoofed {
                public(self.planned.seed, 2 << 40 | u64::from(self.stream.word()))
            } else {
                self.attacker(192, 48)
            };
            let at_s = begin + length * self.stream.unit();
            let contact = self.contact(at_s, (source, self.site.host(server::WEB.into()), port), Service::None);
            self.attempt(contact, self.lean(0.0, 0.4), 0.02);
        }
    }
}
