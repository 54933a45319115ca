//! How a TCP connection went, by its packets, as Zeek tells it.
//!
//! Each side has a state; the two together at the end of the flow are its [`ConnState`], by the rules of Zeek's
//! `base/protocols/conn`. Transitions are those of `TCPSessionAdapter` in Zeek's packet analysis.
//!
//! | state of the sender | packet | sender becomes | other side becomes |
//! |---|---|---|---|
//! | inactive | SYN of the originator | SYN sent; with ACK: SYN-ACK sent | |
//! | inactive | SYN of the responder, with ACK or not | established | established, if it sent a SYN |
//! | inactive | SYN of the responder to a SYN-ACK | established, and the sides change places | established |
//! | inactive | an ACK after the other's SYN-ACK | established | |
//! | inactive | an empty packet in answer to a SYN | | |
//! | inactive | any other | partial | |
//! | partial, the other inactive | SYN without ACK | SYN sent | |
//! | any but closed and reset | FIN | closed | closed again, if it had closed before it reset |
//! | any but closed | RST | reset | |
//! | closed | RST, the other is not closed | reset | |

use crate::ConnState;

use super::history::History;

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const ACK: u8 = 0x10;

/// What a TCP header says that matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) flags: u8,
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
}

impl Header {
    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What one side of a connection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Side {
    #[default]
    Inactive,
    Partial,
    SynSent,
    SynAckSent,
    Established,
    Closed,
    Reset,
}

/// Kinds of packets that are told once in a [`History`], as bits.
mod seen {
    pub(super) const SYN: u8 = 0x01;
    pub(super) const FIN: u8 = 0x02;
    pub(super) const RST: u8 = 0x04;
    pub(super) const FIN_RST: u8 = 0x08;
    pub(super) const DATA: u8 = 0x10;
    pub(super) const ACK: u8 = 0x20;
    pub(super) const SEVERAL: u8 = 0x40;
}

/// One side of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    side: Side,
    /// The state before.
    before: Side,
    /// It was seen to end the connection.
    ended: bool,
    seen: u8,
    /// Sequence number of its SYN, or what that must have had.
    start: u32,
    /// Sequence numbers of the last SYN, FIN and RST.
    syn: u32,
    fin: u32,
    rst: u32,
}

impl End {
    fn becomes(&mut self, side: Side) {
        if self.side != side {
            (self.before, self.side) = (self.side, side);
        }
    }
}

/// Both sides of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connection {
    originator: End,
    responder: End,
    history: History,
}

/// What a packet did to a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// The sides changed their places.
    pub(super) turned: bool,
    /// The connection is over, but for stragglers.
    pub(super) over: bool,
}

impl Connection {
    /// A connection whose first packet was sent by the responder, as its port tells.
    pub(super) fn turned() -> Self {
        let mut connection = Self::default();
        connection.history.add(b'^');
        connection
    }

    /// The sender's side, and the other.
    fn ends(&mut self, by_originator: bool) -> (&mut End, &mut End) {
        let Self { originator, responder, .. } = self;
        if by_originator { (originator, responder) } else { (responder, originator) }
    }

    /// Takes in a packet with `payload_bytes` of payload.
    #[inline]
    pub(super) fn see(&mut self, header: Header, payload_bytes: u32, by_originator: bool) -> Change {
        let both = self.originator.side != Side::Inactive && self.responder.side != Side::Inactive;
        if both && header.flags & (SYN | FIN | RST) == 0 {
            // Nearly every packet: what goes on between two sides that are known changes no state.
            self.tell(header, payload_bytes, by_originator);
            return Change::default();
        }
        self.see_rare(header, payload_bytes, by_originator)
    }

    fn see_rare(&mut self, header: Header, payload_bytes: u32, mut by_originator: bool) -> Change {
        self.begin(header, by_originator);
        let mut change = Change::default();
        let productive = header.flags & (SYN | FIN | RST) == 0 && (payload_bytes > 0 || header.has(ACK));
        if productive && self.history.letters() == b"H" {
            // A lone SYN-ACK may be a scan; with this it was an answer.
            self.turn();
            self.history.turn_first_answer();
            (change.turned, by_originator) = (true, !by_originator);
        }
        self.tell(header, payload_bytes, by_originator);
        let (sender, other) = self.ends(by_originator);
        if header.has(ACK) && other.side == Side::Inactive {
            other.start = header.acknowledged.wrapping_sub(1);
        }
        let ends = match sender.side {
            Side::Inactive => {
                let answers_early = !by_originator && other.awaits_syn(header);
                let ends = self.first(header, payload_bytes, by_originator);
                if answers_early {
                    self.turn();
                    self.history.add(b'^');
                    (change.turned, by_originator) = (!change.turned, !by_originator);
                }
                ends
            }
            Side::SynSent | Side::SynAckSent => sender.after_syn(header),
            Side::Established | Side::Partial => sender.established(other, header),
            Side::Closed => {
                if header.has(RST) && other.side != Side::Closed {
                    sender.becomes(Side::Reset);
                    change.over = true;
                }
                change.over
            }
            Side::Reset => false,
        };
        if ends {
            change.over |= self.end(by_originator);
        }
        change
    }

    /// Sets where the sequence numbers of a sender start.
    fn begin(&mut self, header: Header, by_originator: bool) {
        let (sender, _) = self.ends(by_originator);
        let (syn, sequence) = (header.has(SYN), header.sequence);
        sender.start = match sender.side {
            Side::Inactive if !syn => sequence.wrapping_sub(1),
            Side::Inactive | Side::Partial | Side::SynSent | Side::SynAckSent | Side::Established if syn => sequence,
            Side::Reset if syn && sender.before == Side::Inactive => sequence,
            Side::Inactive
            | Side::Partial
            | Side::SynSent
            | Side::SynAckSent
            | Side::Established
            | Side::Closed
            | Side::Reset => sender.start,
        };
    }

    fn turn(&mut self) {
        std::mem::swap(&mut self.originator, &mut self.responder);
    }

    /// Adds the letter of a packet to the history.
    fn tell(&mut self, header: Header, payload_bytes: u32, by_originator: bool) {
        let sequence = header.sequence;
        let (sender, _) = self.ends(by_originator);
        let flags = header.flags & (SYN | FIN | RST);
        let (kind, letter, last, now) = match flags {
            SYN => (seen::SYN, if header.has(ACK) { b'H' } else { b'S' }, Some(&mut sender.syn), sequence),
            FIN => (seen::FIN, b'F', Some(&mut sender.fin), sequence.wrapping_add(payload_bytes)),
            RST => (seen::RST, b'R', Some(&mut sender.rst), sequence),
            0 if payload_bytes > 0 => (seen::DATA, b'D', None, 0),
            0 if header.has(ACK) => (seen::ACK, b'A', None, 0),
            0 => return,
            several if several & FIN != 0 && several & RST != 0 => (seen::FIN_RST, b'I', None, 0),
            _ => (seen::SEVERAL, b'Q', None, 0),
        };
        let again = sender.seen & kind != 0;
        sender.seen |= kind;
        let repeated = last.is_none_or(|last| std::mem::replace(last, now) == now);
        if !again || !repeated {
            self.history.add(if by_originator { letter } else { letter.to_ascii_lowercase() });
        }
    }

    /// The first packet of a side; whether it ends the connection.
    fn first(&mut self, header: Header, payload_bytes: u32, by_originator: bool) -> bool {
        let (sender, other) = self.ends(by_originator);
        if header.has(SYN) {
            if by_originator {
                sender.becomes(if header.has(ACK) { Side::SynAckSent } else { Side::SynSent });
            } else {
                let reversed = other.side == Side::SynAckSent && !header.has(ACK);
                if other.side == Side::SynSent || reversed {
                    other.becomes(Side::Established);
                }
                sender.becomes(Side::Established);
            }
        }
        if header.has(FIN) {
            sender.becomes(Side::Closed);
        }
        if header.has(RST) {
            sender.becomes(Side::Reset);
        }
        if sender.side == Side::Inactive {
            let early = !by_originator && payload_bytes == 0 && other.side == Side::SynSent;
            if header.has(ACK) && other.side == Side::Established {
                sender.becomes(Side::Established);
            } else if !early {
                sender.becomes(Side::Partial);
            }
        }
        header.has(FIN) || header.has(RST)
    }

    /// Notes that a side ended the connection; whether it is over with that.
    fn end(&mut self, by_originator: bool) -> bool {
        let (sender, other) = self.ends(by_originator);
        if std::mem::replace(&mut sender.ended, true) {
            return false;
        }
        sender.side == Side::Reset || other.ended || other.side == Side::Inactive
    }

    /// Whether nobody answered so far.
    pub(super) fn is_attempt(&self) -> bool {
        matches!(self.originator.side, Side::SynSent | Side::SynAckSent) && self.responder.side == Side::Inactive
    }

    /// Whether a packet is the first of another connection between the same ports.
    pub(super) fn is_followed_by(&self, header: Header) -> bool {
        let Self { originator, responder, .. } = self;
        if !header.has(SYN) {
            return false;
        }
        let answer = header.has(ACK);
        if answer && originator.side != Side::Inactive {
            return false;
        }
        if originator.ended || responder.ended {
            return true;
        }
        let first = if answer { responder } else { originator };
        let reversed = !answer
            && originator.side == Side::SynAckSent
            && responder.side == Side::Inactive
            && header.sequence == responder.start;
        header.sequence != first.start && !reversed
    }

    /// Letters for what happened.
    pub(super) fn history(&self) -> History {
        self.history
    }

    /// How it went; `is_empty` where neither side sent payload.
    pub(super) fn state(&self, is_empty: bool) -> ConnState {
        let (originator, responder) = (self.originator.side, self.responder.side);
        let silent = |side: Side| matches!(side, Side::Inactive | Side::Partial);
        match (originator, responder) {
            (Side::SynSent | Side::SynAckSent, Side::Reset) => ConnState::Rej,
            (Side::Reset, Side::Reset) if is_empty => ConnState::Rej,
            (_, Side::Reset) if silent(originator) => ConnState::Rstrh,
            (_, Side::Reset) => ConnState::Rstr,
            (Side::Reset, _) if silent(responder) && self.history.is_reset_attempt() => ConnState::Rstos0,
            (Side::Reset, _) if silent(responder) => ConnState::Oth,
            (Side::Reset, _) => ConnState::Rsto,
            (Side::Closed, Side::Closed) => ConnState::Sf,
            (Side::Closed, _) if silent(responder) => ConnState::Sh,
            (Side::Closed, _) => ConnState::S2,
            (_, Side::Closed) if silent(originator) => ConnState::Shr,
            (_, Side::Closed) => ConnState::S3,
            (Side::SynSent, Side::Inactive) => ConnState::S0,
            (Side::Established, Side::Established) => ConnState::S1,
            (Side::Inactive | Side::Partial | Side::SynSent | Side::SynAckSent | Side::Established, _) => {
                ConnState::Oth
            }
        }
    }
}

impl End {
    /// Whether a packet of the other side is the SYN that this side has answered already.
    fn awaits_syn(&self, header: Header) -> bool {
        self.side == Side::SynAckSent && header.flags & (SYN | ACK) == SYN
    }

    /// A packet of a side that sent a SYN; whether it ends the connection.
    fn after_syn(&mut self, header: Header) -> bool {
        if header.has(FIN) {
            self.becomes(Side::Closed);
        }
        if header.has(RST) {
            self.becomes(Side::Reset);
        }
        header.has(FIN) || header.has(RST)
    }

    /// A packet of a side that is established, or was seen in the middle; whether it ends the connection.
    fn established(&mut self, other: &mut Self, header: Header) -> bool {
        let syn_alone = header.flags & (SYN | ACK) == SYN;
        if syn_alone && self.side == Side::Partial && other.side == Side::Inactive {
            self.becomes(Side::SynSent);
        }
        if header.has(FIN) && !header.has(RST) {
            self.becomes(Side::Closed);
            if other.side == Side::Reset && other.before == Side::Closed {
                // A FIN and then an RST is an orderly end once the other side closes too.
                other.becomes(Side::Closed);
            }
        }
        if header.has(RST) {
            self.becomes(Side::Reset);
        }
        header.has(FIN) || header.has(RST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The connection after packets: `>` and `<` for who sends, then the flags by their letters, `D` for payload and a
    /// digit for another sequence number.
    fn after(packets: &str) -> Connection {
        let mut connection = Connection::default();
        let mut turned = false;
        for packet in packets.split_whitespace() {
            let flag = |letter: char, flag: u8| if packet.contains(letter) { flag } else { 0 };
            let flags = flag('S', SYN) | flag('A', ACK) | flag('F', FIN) | flag('R', RST);
            let sequence = packet.chars().find_map(|letter| letter.to_digit(10)).unwrap_or(1);
            let header = Header { flags, sequence, acknowledged: 2 };
            let payload_bytes = if packet.contains('D') { 10 } else { 0 };
            let change = connection.see(header, payload_bytes, packet.starts_with('>') != turned);
            turned ^= change.turned;
        }
        connection
    }

    #[test]
    fn every_state_has_packets_that_lead_to_it() {
        for (packets, state, history) in [
            (">S", ConnState::S0, "S"),
            (">S >S", ConnState::S0, "S"),
            (">S <SA", ConnState::S1, "Sh"),
            (">S <SA >A >A <A", ConnState::S1, "ShAa"),
            (">S <SA >A >AD <AD >FA <FA >A", ConnState::Sf, "ShADdFf"),
            (">S <RA", ConnState::Rej, "Sr"),
            (">S <SA >A >FA <A", ConnState::S2, "ShAFa"),
            (">S <SA >A <FA >A", ConnState::S3, "ShAf"),
            (">S <SA >A >RA", ConnState::Rsto, "ShAR"),
            (">S <SA >R", ConnState::Rsto, "ShR"),
            (">S <SA >A <R", ConnState::Rstr, "ShAr"),
            (">S <SA >A >FA <R", ConnState::Rstr, "ShAFr"),
            (">S >R", ConnState::Rstos0, "SR"),
            (">S >A >R", ConnState::Oth, "SAR"),
            (">A <R", ConnState::Rstrh, "Ar"),
            (">S >F", ConnState::Sh, "SF"),
            (">A <A", ConnState::Oth, "Aa"),
            (">A >FA <FA", ConnState::Sf, "AFf"),
            (">SA", ConnState::Oth, "H"),
            (">SA <R", ConnState::Rej, "Hr"),
            (">SA <A", ConnState::Oth, "^hA"),
            (">SA <S <A", ConnState::S1, "Hs^A"),
            (">SF", ConnState::Sh, "Q"),
        ] {
            let connection = after(packets);
            assert_eq!(connection.state(!packets.contains('D')), state, "{packets}");
            assert_eq!(String::from_utf8_lossy(connection.history().letters()), history, "{packets}");
        }
    }

    #[test]
    fn a_side_that_has_closed_stays_closed_once_both_have() {
        for (packets, state) in [
            (">S <SA >A >FA <FA >R", ConnState::Sf),
            (">S <SA >A >FA <FA >A <R", ConnState::Sf),
            (">S <SA >A >FA >R <FA", ConnState::Sf),
            (">S <SA >A >FA >R", ConnState::Rsto),
            (">S <SA >R >F >S <A", ConnState::Rsto),
            (">S <SA >A >F <F <A >S", ConnState::Sf),
        ] {
            assert_eq!(after(packets).state(true), state, "{packets}");
        }
    }

    #[test]
    fn repetitions_are_told_once_and_others_again() {
        assert_eq!(after(">S >S <SA <SA >A >F >F >F2").history().letters(), b"ShAFF");
        assert_eq!(after(">S >S2 >S2").history().letters(), b"SS");
    }

    #[test]
    fn another_syn_begins_another_connection_unless_it_is_a_repetition() {
        let header = |flags, sequence| Header { flags, sequence, acknowledged: 2 };
        for (packets, next, anew) in [
            (">S", header(SYN, 1), false),
            (">S", header(SYN, 2), true),
            (">S <SA >A", header(SYN, 1), false),
            (">S <SA >A", header(SYN, 9), true),
            (">S <SA >A", header(SYN | ACK, 9), false),
            (">S <SA >A", header(ACK, 9), false),
            (">S <RA", header(SYN, 1), true),
            (">S <SA >A >FA", header(SYN, 1), true),
            (">SA", header(SYN, 1), false),
        ] {
            assert_eq!(after(packets).is_followed_by(next), anew, "{packets} {next:?}");
        }
    }

    #[test]
    fn histories_are_bounded() {
        let syns: String = (0..40).map(|at| format!(">S{} ", at % 10)).collect();
        assert_eq!(after(&syns).history().letters(), [b'S'; 14]);
    }
}
