//! Ways in and ways out with the loot: password guessing and exfiltration.

use super::{Assault, volume};
use crate::synthetic::activity::{self, server};
use crate::synthetic::address::public;
use crate::synthetic::amount::Amount;
use crate::synthetic::contact::Volume;
use crate::{ConnState, Service};

impl Assault<'_> {
    /// Guesses at one service. Quiet guessers are many, slow, and leave sessions like those of people.
    pub(super) fn guess_passwords(&mut self) {
        let shell = self.character[0] & 1 == 0;
        let (port, service, host) =
            if shell { (22, Service::Ssh, server::WEB) } else { (3_389, Service::Rdp, server::DESKTOPS) };
        let (size, haste) = (self.factor(1).sqrt(), self.factor(2).sqrt());
        let guess = if shell {
            self.disguise(volume(1_700.0 * size, 2_300.0 * size, 1.8 * haste), activity::SHELL_AWAY.volume)
        } else {
            self.disguise(volume(1_300.0 * size, 1_800.0 * size, 0.9 * haste), activity::SHELL_AWAY.volume)
        };
        let (begin, length) = self.pace();
        let (guessers, refused) = (self.lean(1.0, 8.0) as u32, self.lean(0.1, 0.03));
        for _ in 0..self.count() {
            let (source, at_s) = (self.attacker(16, guessers), begin + length * self.stream.unit());
            let contact = self.contact(at_s, (source, self.site.host(host.into()), port), service);
            if self.stream.chance(refused) {
                self.attempt(contact, 0.0, 0.5);
            } else {
                let state = if self.stream.chance(0.12) { ConnState::Rstr } else { ConnState::Sf };
                self.answered(contact, guess, state);
            }
        }
    }

    /// Uploads of stolen data. Quiet ones are cut into pieces as programs that synchronise files send them.
    pub(super) fn upload(&mut self) {
        let (port, service) = match self.character[0] % 3 {
            0 => (443, Service::Tls),
            1 => (22, Service::Ssh),
            _ => (21, Service::Ftp),
        };
        let whole = Volume {
            out: Amount::new(6e6 * self.factor(1), 0.6),
            back: Amount::new(15_000.0, 0.5),
            duration: Amount::new(25.0 * self.factor(2), 0.6),
        };
        let piece = self.disguise(whole, activity::SYNCHRONISE.volume);
        let (begin, length) = self.pace();
        let thieves = 1 + self.lean(0.0, 2.0) as u32;
        for _ in 0..self.count() {
            let (thief, drop) = (self.stream.below(thieves), self.stream.below(3));
            let parties = (self.bot(thief), public(self.planned.seed, 3 << 40 | u64::from(drop)), port);
            let at_s = begin + length * self.stream.unit();
            let contact = self.contact(at_s, parties, service);
            let state = if self.stream.chance(0.06) { ConnState::Rsto } else { ConnState::Sf };
            self.answered(contact, piece, state);
        }
    }
}
