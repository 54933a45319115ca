//! One contact between two addresses, turned into a flow record.

use std::net::{IpAddr, Ipv4Addr};

use super::amount::Amount;
use super::random::Stream;
use crate::{ConnState, Flow, Protocol, Service};

/// Payload bytes that fit one packet.
const SEGMENT_BYTES: f32 = 1_400.0;

/// Two parties and what they speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contact {
    pub(crate) time_s: f64,
    pub(crate) source: u32,
    pub(crate) destination: u32,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    pub(crate) service: Service,
}

/// How much is said and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Volume {
    /// Bytes from the originator.
    pub(crate) out: Amount,
    /// Bytes from the responder.
    pub(crate) back: Amount,
    /// Seconds.
    pub(crate) duration: Amount,
}

impl Volume {
    /// A volume between this one (0) and the other (1), in logarithms.
    pub(crate) fn towards(self, other: Self, share: f32) -> Self {
        Self {
            out: self.out.towards(other.out, share),
            back: self.back.towards(other.back, share),
            duration: self.duration.towards(other.duration, share),
        }
    }

    /// The same shape with other medians.
    pub(crate) fn times(self, bytes: f32, duration: f32) -> Self {
        Self { out: self.out.times(bytes), back: self.back.times(bytes), duration: self.duration.times(duration) }
    }
}

impl Contact {
    /// The flow of a contact that the responder answered.
    pub(crate) fn answered(self, volume: Volume, state: ConnState, stream: &mut Stream) -> Flow {
        let (out, back) = (volume.out.draw(stream), volume.back.draw(stream));
        let duration = volume.duration.draw(stream);
        let cut = if matches!(state, ConnState::S1 | ConnState::Sf | ConnState::Oth) { 1.0 } else { stream.unit() };
        let (out, back, duration) = (out * cut, back * cut, duration * cut);
        let (mut packets_out, mut packets_in) = (out / SEGMENT_BYTES + 1.0, back / SEGMENT_BYTES + 1.0);
        if self.protocol == Protocol::Tcp {
            let acknowledged = (packets_out * 0.5, packets_in * 0.5);
            packets_out += acknowledged.1 + 3.0;
            packets_in += acknowledged.0 + 2.0;
        }
        let flow = self.flow(state, stream);
        Flow {
            duration_s: f64::from(duration),
            bytes_out: out as u64,
            bytes_in: back as u64,
            packets_out: packets_out as u64,
            packets_in: packets_in as u64,
            ..flow
        }
    }

    /// The flow of a contact that nobody answered: tries without payload, or one lost datagram of `bytes_out`.
    pub(crate) fn unanswered(self, bytes_out: f32, stream: &mut Stream) -> Flow {
        let retries: u32 = match stream.below(8) {
            0..=3 => 0,
            4 | 5 => 1,
            _ => 2,
        };
        let tcp = self.protocol == Protocol::Tcp;
        let waited = [0.0, 1.0, 3.0][retries as usize] * f64::from(stream.between(1.0, 1.05));
        let service = if tcp { Service::None } else { self.service };
        let flow = Self { service, ..self }.flow(ConnState::S0, stream);
        let tries = u64::from(retries) + 1;
        let bytes_out = if tcp { 0 } else { bytes_out as u64 * tries };
        Flow { duration_s: waited, packets_out: tries, bytes_out, ..flow }
    }

    /// The flow of a contact that the responder refused.
    pub(crate) fn rejected(self, stream: &mut Stream) -> Flow {
        let duration_s = f64::from(stream.exponential(0.02));
        let flow = Self { service: Service::None, ..self }.flow(ConnState::Rej, stream);
        Flow { duration_s, packets_out: 1, packets_in: 1, ..flow }
    }

    fn flow(self, state: ConnState, stream: &mut Stream) -> Flow {
        let with_ports = matches!(self.protocol, Protocol::Tcp | Protocol::Udp);
        Flow {
            time_s: self.time_s,
            duration_s: 0.0,
            source: IpAddr::V4(Ipv4Addr::from_bits(self.source)),
            source_port: if with_ports { 32_768 + stream.below(28_232) as u16 } else { 0 },
            destination: IpAddr::V4(Ipv4Addr::from_bits(self.destination)),
            destination_port: self.port,
            protocol: self.protocol,
            service: self.service,
            state,
            bytes_out: 0,
            bytes_in: 0,
            packets_out: 1,
            packets_in: 0,
        }
    }
}

/// How an ordinary answered connection of this protocol ends.
pub(crate) fn ordinary_end(protocol: Protocol, stream: &mut Stream) -> ConnState {
    match protocol {
        Protocol::Icmp | Protocol::Other => ConnState::Oth,
        Protocol::Udp => ConnState::Sf,
        Protocol::Tcp => match stream.below(1_000) {
            ..900 => ConnState::Sf,
            900..925 => ConnState::S1,
            925..955 => ConnState::Rsto,
            955..980 => ConnState::Rstr,
            980..988 => ConnState::S3,
            988..994 => ConnState::S2,
            994.. => ConnState::Oth,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::{Purpose, Seed};
    use super::*;

    fn contact(protocol: Protocol) -> Contact {
        Contact { time_s: 5.0, source: 1, destination: 2, port: 53, protocol, service: Service::Dns }
    }

    fn stream() -> Stream {
        Seed::new(3).stream(Purpose::Benign, 0, 0)
    }

    #[test]
    fn a_lost_datagram_keeps_its_payload_and_a_lost_connection_has_none() {
        let datagram = contact(Protocol::Udp).unanswered(40.0, &mut stream());
        let connection = contact(Protocol::Tcp).unanswered(40.0, &mut stream());
        assert_eq!((datagram.bytes_out % 40, datagram.service), (0, Service::Dns));
        assert!(datagram.bytes_out >= 40);
        assert_eq!((connection.bytes_out, connection.service), (0, Service::None));
        assert!(datagram.state.failed() && connection.state.failed());
    }

    #[test]
    fn packets_carry_the_bytes() {
        let volume = Volume { out: Amount::fixed(2e6), back: Amount::fixed(100.0), duration: Amount::fixed(1.0) };
        let flow = contact(Protocol::Tcp).answered(volume, ConnState::Sf, &mut stream());
        assert!(flow.bytes_out as f32 / flow.packets_out as f32 <= SEGMENT_BYTES);
        assert!(flow.packets_in >= flow.packets_out / 3 && flow.packets_in < flow.packets_out);
    }

    #[test]
    fn a_rejected_attempt_has_no_payload() {
        let flow = contact(Protocol::Tcp).rejected(&mut stream());
        assert_eq!((flow.state, flow.bytes_out + flow.bytes_in), (ConnState::Rej, 0));
    }
}
