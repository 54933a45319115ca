//! What ordinary hosts do: kinds of visits with their protocols, partners, sizes and durations.

use super::amount::Amount;
use super::contact::Volume;
use crate::{Protocol, Service};

/// Host numbers of a site's servers.
pub(crate) mod server {
    pub(crate) const GATEWAY: u8 = 1;
    pub(crate) const DNS: u8 = 2;
    pub(crate) const MAIL: u8 = 3;
    pub(crate) const WEB: u8 = 4;
    pub(crate) const FILES: u8 = 5;
    pub(crate) const DIRECTORY: u8 = 6;
    pub(crate) const MONITOR: u8 = 7;
    pub(crate) const DATABASE: u8 = 8;
    pub(crate) const REPLICA: u8 = 9;
    pub(crate) const DESKTOPS: u8 = 10;
    pub(crate) const PRINTER: u8 = 11;
    pub(crate) const HUB: u8 = 12;
}

/// Between whom a visit takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// One of the site's clients visits one of so many servers elsewhere.
    Out(u32),
    /// A server of the site visits one of so many servers elsewhere.
    OutFrom(u8, u32),
    /// One of so many clients elsewhere visits a server of the site.
    In(u32, u8),
    /// A client of the site visits a server of the site.
    Inside(u8),
    /// A server of the site visits another one.
    Between(u8, u8),
    /// A server of the site visits its clients.
    ToClients(u8),
    /// A client calls everyone in its subnet.
    Broadcast,
    /// Someone elsewhere tries a host of the site by mistake.
    Stray,
}

/// A kind of visit: one or several flows between the same two parties.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activity {
    pub(crate) route: Route,
    pub(crate) protocol: Protocol,
    pub(crate) service: Service,
    pub(crate) port: u16,
    /// Mean flows of a visit, at least 1.
    pub(crate) flows: f32,
    /// Mean seconds between the flows of a visit.
    pub(crate) gap_s: f32,
    pub(crate) volume: Volume,
    /// Share of attempts that fail.
    pub(crate) failed: f32,
    /// Share of visits that begin with a name lookup.
    pub(crate) lookup: f32,
}

const fn activity(route: Route, protocol: Protocol, service: Service, port: u16) -> Activity {
    let volume =
        Volume { out: Amount::new(100.0, 0.4), back: Amount::new(100.0, 0.4), duration: Amount::new(0.05, 1.0) };
    Activity { route, protocol, service, port, flows: 1.2, gap_s: 1.0, volume, failed: 0.02, lookup: 0.0 }
}

const fn tcp(route: Route, service: Service, port: u16) -> Activity {
    activity(route, Protocol::Tcp, service, port)
}

const fn udp(route: Route, service: Service, port: u16) -> Activity {
    activity(route, Protocol::Udp, service, port)
}

impl Activity {
    /// Median and sigma of bytes out, bytes back and seconds.
    const fn volume(self, out: (f32, f32), back: (f32, f32), duration: (f32, f32)) -> Self {
        let volume = Volume {
            out: Amount::new(out.0, out.1),
            back: Amount::new(back.0, back.1),
            duration: Amount::new(duration.0, duration.1),
        };
        Self { volume, ..self }
    }

    /// Mean flows of a visit and seconds between them.
    const fn visits(self, flows: f32, gap_s: f32) -> Self {
        Self { flows, gap_s, ..self }
    }

    const fn failing(self, failed: f32) -> Self {
        Self { failed, ..self }
    }

    const fn looked_up(self, lookup: f32) -> Self {
        Self { lookup, ..self }
    }

    /// Mean flows of a visit, the lookup before it included.
    pub(crate) fn flows_with_lookup(&self) -> f32 {
        self.flows + self.lookup
    }
}

pub(crate) static BROWSE: Activity = tcp(Route::Out(3_000), Service::Tls, 443)
    .volume((1_400.0, 0.9), (9_000.0, 1.7), (1.0, 1.7))
    .visits(5.0, 0.7)
    .looked_up(0.6);
pub(crate) static BROWSE_QUIC: Activity = udp(Route::Out(300), Service::Tls, 443)
    .volume((2_500.0, 0.9), (25_000.0, 1.6), (8.0, 1.3))
    .visits(2.5, 1.0)
    .looked_up(0.5);
pub(crate) static BROWSE_PLAIN: Activity = tcp(Route::Out(1_500), Service::Http, 80)
    .volume((450.0, 0.6), (4_000.0, 1.8), (0.4, 1.6))
    .visits(2.5, 0.5)
    .failing(0.05)
    .looked_up(0.6);
pub(crate) static LOOKUP: Activity =
    udp(Route::Inside(server::DNS), Service::Dns, 53).volume((44.0, 0.25), (130.0, 0.6), (0.02, 1.2)).visits(1.6, 0.3);
pub(crate) static RECURSE: Activity = udp(Route::OutFrom(server::DNS, 800), Service::Dns, 53)
    .volume((47.0, 0.25), (190.0, 0.7), (0.05, 0.9))
    .visits(2.0, 0.2)
    .failing(0.03);
pub(crate) static SERVE_DNS: Activity = udp(Route::In(5_000, server::DNS), Service::Dns, 53)
    .volume((46.0, 0.25), (160.0, 0.6), (0.003, 1.0))
    .visits(1.3, 2.0)
    .failing(0.01);
pub(crate) static SERVE_WEB: Activity = tcp(Route::In(8_000, server::WEB), Service::Tls, 443)
    .volume((1_200.0, 0.8), (14_000.0, 1.7), (2.0, 1.6))
    .visits(4.0, 0.9)
    .failing(0.03);
pub(crate) static SERVE_PLAIN: Activity = tcp(Route::In(8_000, server::WEB), Service::Http, 80)
    .volume((380.0, 0.6), (6_000.0, 1.7), (0.5, 1.5))
    .visits(2.0, 0.8)
    .failing(0.04);
pub(crate) static RECEIVE_MAIL: Activity = tcp(Route::In(1_500, server::MAIL), Service::Smtp, 25)
    .volume((24_000.0, 1.8), (600.0, 0.4), (2.5, 1.2))
    .failing(0.06);
pub(crate) static SEND_MAIL: Activity = tcp(Route::OutFrom(server::MAIL, 600), Service::Smtp, 25)
    .volume((20_000.0, 1.7), (500.0, 0.4), (3.0, 1.2))
    .failing(0.09)
    .looked_up(0.7);
pub(crate) static SUBMIT_MAIL: Activity =
    tcp(Route::Inside(server::MAIL), Service::Smtp, 587).volume((15_000.0, 1.8), (700.0, 0.4), (1.2, 1.0));
pub(crate) static READ_MAIL: Activity = tcp(Route::Inside(server::MAIL), Service::Mailbox, 993)
    .volume((900.0, 0.7), (8_000.0, 1.7), (10.0, 1.8))
    .visits(1.8, 4.0);
pub(crate) static READ_MAIL_AWAY: Activity = tcp(Route::In(200, server::MAIL), Service::Mailbox, 993)
    .volume((950.0, 0.7), (7_000.0, 1.7), (12.0, 1.8))
    .visits(1.6, 5.0)
    .failing(0.04);
pub(crate) static SHARE_FILES: Activity = tcp(Route::Inside(server::FILES), Service::Windows, 445)
    .volume((8_000.0, 2.0), (20_000.0, 2.1), (20.0, 1.9))
    .visits(1.8, 3.0);
pub(crate) static SIGN_ON: Activity = tcp(Route::Inside(server::DIRECTORY), Service::Windows, 389)
    .volume((1_500.0, 0.7), (2_600.0, 0.8), (0.1, 1.3))
    .visits(3.0, 0.2);
pub(crate) static PRINT: Activity =
    tcp(Route::Inside(server::PRINTER), Service::Other, 9_100).volume((220_000.0, 1.5), (250.0, 0.5), (8.0, 1.0));
pub(crate) static QUERY: Activity = tcp(Route::Inside(server::DATABASE), Service::Database, 5_432)
    .volume((2_000.0, 1.0), (12_000.0, 2.0), (0.5, 1.8))
    .visits(3.0, 0.5);
pub(crate) static QUERY_REPLICA: Activity = tcp(Route::Inside(server::REPLICA), Service::Database, 3_306)
    .volume((1_300.0, 0.9), (30_000.0, 1.9), (1.5, 1.7))
    .visits(2.0, 0.8);
pub(crate) static REPLICATE: Activity =
    tcp(Route::Between(server::DATABASE, server::REPLICA), Service::Database, 5_432)
        .volume((120_000.0, 1.6), (2_500.0, 0.8), (30.0, 1.0))
        .failing(0.005);
pub(crate) static WEB_QUERY: Activity = tcp(Route::Between(server::WEB, server::DATABASE), Service::Database, 5_432)
    .volume((1_500.0, 0.8), (9_000.0, 1.5), (0.2, 1.4))
    .visits(3.0, 0.2)
    .failing(0.005);
pub(crate) static SHELL: Activity = tcp(Route::Inside(server::WEB), Service::Ssh, 22)
    .volume((4_000.0, 1.2), (9_000.0, 1.6), (40.0, 2.0))
    .visits(1.5, 6.0)
    .failing(0.05);
pub(crate) static SHELL_AWAY: Activity = tcp(Route::In(40, server::WEB), Service::Ssh, 22)
    .volume((3_600.0, 1.0), (7_000.0, 1.5), (15.0, 2.0))
    .visits(1.6, 8.0)
    .failing(0.12);
pub(crate) static SHELL_OUT: Activity = tcp(Route::Out(20), Service::Ssh, 22)
    .volume((3_500.0, 0.8), (15_000.0, 2.0), (3.0, 1.4))
    .visits(1.6, 3.0)
    .looked_up(0.5);
pub(crate) static DESKTOP: Activity = tcp(Route::Inside(server::DESKTOPS), Service::Rdp, 3_389)
    .volume((50_000.0, 1.6), (700_000.0, 1.8), (300.0, 1.8))
    .failing(0.06);
pub(crate) static DESKTOP_AWAY: Activity = tcp(Route::In(60, server::DESKTOPS), Service::Rdp, 3_389)
    .volume((30_000.0, 1.7), (400_000.0, 1.9), (200.0, 2.0))
    .visits(1.3, 10.0)
    .failing(0.1);
pub(crate) static TRANSFER: Activity =
    tcp(Route::Out(30), Service::Ftp, 21).volume((700.0, 1.4), (1_800.0, 1.5), (6.0, 1.4)).failing(0.08).looked_up(0.8);
pub(crate) static TELEMETRY: Activity = tcp(Route::Out(6), Service::Iot, 8_883)
    .volume((420.0, 0.5), (160.0, 0.4), (2.0, 1.1))
    .visits(1.3, 5.0)
    .looked_up(0.1);
pub(crate) static SENSE: Activity = udp(Route::Inside(server::HUB), Service::Iot, 5_683)
    .volume((80.0, 0.4), (40.0, 0.3), (0.05, 1.0))
    .visits(1.5, 1.0)
    .failing(0.06);
pub(crate) static WATCH: Activity =
    tcp(Route::Out(4), Service::Tls, 443).volume((300_000.0, 1.5), (4_000.0, 0.9), (50.0, 1.1)).failing(0.04);
pub(crate) static MANAGE: Activity = udp(Route::ToClients(server::MONITOR), Service::Snmp, 161)
    .volume((90.0, 0.3), (150.0, 0.5), (0.02, 1.0))
    .visits(2.0, 0.1)
    .failing(0.06);
pub(crate) static LEASE: Activity =
    udp(Route::Inside(server::GATEWAY), Service::Dhcp, 67).volume((300.0, 0.05), (300.0, 0.05), (0.05, 1.0));
pub(crate) static PING: Activity = activity(Route::Inside(server::GATEWAY), Protocol::Icmp, Service::None, 0)
    .volume((168.0, 0.7), (168.0, 0.7), (3.0, 0.8))
    .visits(1.2, 10.0);
pub(crate) static CALL: Activity =
    udp(Route::Out(60), Service::None, 3_478).volume((90_000.0, 1.9), (110_000.0, 1.9), (120.0, 1.7)).failing(0.1);
pub(crate) static CALL_SERVICE: Activity = tcp(Route::OutFrom(server::WEB, 40), Service::Tls, 443)
    .volume((2_200.0, 0.8), (3_500.0, 1.2), (0.6, 1.2))
    .visits(2.0, 0.4)
    .looked_up(0.3);
pub(crate) static SYNCHRONISE: Activity = tcp(Route::Out(8), Service::Tls, 443)
    .volume((40_000.0, 2.1), (3_000.0, 1.0), (4.0, 1.6))
    .visits(2.0, 2.0)
    .looked_up(0.4);
pub(crate) static ANNOUNCE: Activity = udp(Route::Broadcast, Service::Windows, 137)
    .volume((60.0, 0.3), (1.0, 0.0), (1.0, 0.5))
    .visits(2.5, 0.7)
    .failing(1.0);
pub(crate) static STRAY: Activity = tcp(Route::Stray, Service::None, 0).visits(1.4, 2.0).failing(1.0);
pub(crate) static TUNNEL_HOME: Activity =
    udp(Route::Out(3), Service::Other, 51_820).volume((60_000.0, 1.8), (180_000.0, 1.9), (200.0, 1.2));
pub(crate) static MEET: Activity = udp(Route::Out(12), Service::None, 50_010)
    .volume((900_000.0, 1.5), (1_500_000.0, 1.5), (500.0, 1.2))
    .visits(2.0, 3.0)
    .looked_up(0.5);
pub(crate) static NEW_APPLICATION: Activity = tcp(Route::Inside(server::HUB), Service::Other, 8_443)
    .volume((5_000.0, 0.6), (900.0, 0.5), (0.3, 0.8))
    .visits(4.0, 0.3);
pub(crate) static NEW_ARCHIVE: Activity =
    tcp(Route::Out(2), Service::Tls, 443).volume((2_500_000.0, 1.3), (6_000.0, 0.8), (15.0, 1.0)).looked_up(0.5);
pub(crate) static NEW_INVENTORY: Activity = tcp(Route::ToClients(server::MONITOR), Service::Windows, 135)
    .volume((700.0, 0.3), (1_100.0, 0.4), (0.2, 0.8))
    .visits(3.0, 0.2)
    .failing(0.3);
