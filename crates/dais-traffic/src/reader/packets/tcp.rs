//! How a TCP connection went, by the flags of its packets, in Zeek's terms.
//!
//! Each side has a state; the two together at the end of the flow are its [`ConnState`], by the rules of Zeek's
//! `base/protocols/conn`.
//!
//! | packet | side that sends it | other side |
//! |---|---|---|
//! | RST | reset | |
//! | FIN | closed, unless reset | |
//! | SYN | inactive → SYN sent | |
//! | SYN and ACK, the other sent a SYN | established | established |
//! | SYN and ACK, otherwise | inactive → SYN-ACK sent | |
//! | any other | inactive → partial | |

use crate::ConnState;

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const ACK: u8 = 0x10;

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

/// Both sides of a connection, the originator first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connection {
    originator: Side,
    responder: Side,
}

impl Connection {
    /// Takes in the flags of a packet.
    pub(super) fn see(&mut self, flags: u8, by_originator: bool) {
        let Self { originator, responder } = self;
        let (sender, other) = if by_originator { (originator, responder) } else { (responder, originator) };
        let has = |flag: u8| flags & flag != 0;
        let inactive = *sender == Side::Inactive;
        if has(RST) {
            *sender = Side::Reset;
        } else if has(FIN) {
            if *sender != Side::Reset {
                *sender = Side::Closed;
            }
        } else if has(SYN) && has(ACK) {
            if *other == Side::SynSent && (inactive || *sender == Side::SynSent) {
                (*sender, *other) = (Side::Established, Side::Established);
            } else if inactive {
                *sender = Side::SynAckSent;
            }
        } else if inactive {
            *sender = if has(SYN) { Side::SynSent } else { Side::Partial };
        }
    }

    /// Whether it ended: closed from both sides, or reset by one.
    pub(super) fn is_closed(self) -> bool {
        let sides = [self.originator, self.responder];
        sides.contains(&Side::Reset) || sides == [Side::Closed; 2]
    }

    /// Whether nobody answered so far.
    pub(super) fn is_attempt(self) -> bool {
        self.originator == Side::SynSent && self.responder == Side::Inactive
    }

    /// How it went; `is_empty` where neither side sent payload.
    pub(super) fn state(self, is_empty: bool) -> ConnState {
        let Self { originator, responder } = self;
        let silent = |side: Side| matches!(side, Side::Inactive | Side::Partial);
        match (originator, responder) {
            (Side::SynSent | Side::SynAckSent, Side::Reset) => ConnState::Rej,
            (Side::Reset, Side::Reset) if is_empty => ConnState::Rej,
            (_, Side::Reset) if silent(originator) => ConnState::Rstrh,
            (_, Side::Reset) => ConnState::Rstr,
            (Side::Reset, _) if silent(responder) => ConnState::Rstos0,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The state after packets: `>` and `<` for who sends, then the flags by their letters.
    fn after(packets: &str) -> ConnState {
        let mut connection = Connection::default();
        for packet in packets.split_whitespace() {
            let flag = |letter: char, flag: u8| if packet.contains(letter) { flag } else { 0 };
            let flags = flag('S', SYN) | flag('A', ACK) | flag('F', FIN) | flag('R', RST);
            connection.see(flags, packet.starts_with('>'));
        }
        connection.state(true)
    }

    #[test]
    fn every_state_has_packets_that_lead_to_it() {
        for (packets, state) in [
            (">S", ConnState::S0),
            (">S >S", ConnState::S0),
            (">S <SA", ConnState::S1),
            (">S <SA >A >A <A", ConnState::S1),
            (">S <SA >A >FA <FA >A", ConnState::Sf),
            (">S <RA", ConnState::Rej),
            (">S <SA >A >FA <A", ConnState::S2),
            (">S <SA >A <FA >A", ConnState::S3),
            (">S <SA >A >RA", ConnState::Rsto),
            (">S <SA >R", ConnState::Rsto),
            (">S <SA >A <R", ConnState::Rstr),
            (">S <SA >A >FA <R", ConnState::Rstr),
            (">S >R", ConnState::Rstos0),
            ("<SA <R", ConnState::Rstrh),
            (">A <R", ConnState::Rstrh),
            (">S >F", ConnState::Sh),
            ("<SA <F", ConnState::Shr),
            (">A <A", ConnState::Oth),
            ("<SA >A", ConnState::Oth),
        ] {
            assert_eq!(after(packets), state, "{packets}");
        }
    }

    #[test]
    fn an_end_stands_whatever_comes_late() {
        assert_eq!(after(">S <SA >R >F >S <A"), ConnState::Rsto);
        assert_eq!(after(">S <SA >A >F <F <A >S"), ConnState::Sf);
    }
}
