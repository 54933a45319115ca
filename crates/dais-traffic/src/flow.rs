//! One bidirectional flow as every flow format records it, before features are computed.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
    /// Internet Control Message Protocol, versions 4 and 6.
    Icmp,
    /// Any other.
    Other,
}

impl Protocol {
    /// Every value, in the order of its code in [`crate::flow_schema`].
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::Icmp, Self::Other];

    /// Name in lower case, such as `tcp`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Other => "other",
        }
    }

    /// The code of this value in [`crate::flow_schema`]; 0 is kept for the unseen.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16 + 1
    }
}

/// How a connection went, in the terms of Zeek's `conn_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ConnState {
    /// Attempt seen, no reply.
    S0,
    /// Established, not ended.
    S1,
    /// Established and ended in order.
    Sf,
    /// Attempt rejected.
    Rej,
    /// Established, the originator closed, no reply from the responder.
    S2,
    /// Established, the responder closed, no reply from the originator.
    S3,
    /// Established, the originator aborted.
    Rsto,
    /// The responder aborted.
    Rstr,
    /// The originator sent SYN, then RST; no SYN-ACK was seen.
    Rstos0,
    /// The responder sent SYN-ACK, then RST; no SYN was seen.
    Rstrh,
    /// The originator sent SYN, then FIN; no SYN-ACK was seen (half open).
    Sh,
    /// The responder sent SYN-ACK, then FIN; no SYN was seen.
    Shr,
    /// No SYN seen: midstream traffic.
    Oth,
}

impl ConnState {
    /// Every value, in the order of its code in [`crate::flow_schema`].
    pub const ALL: [Self; 13] = [
        Self::S0,
        Self::S1,
        Self::Sf,
        Self::Rej,
        Self::S2,
        Self::S3,
        Self::Rsto,
        Self::Rstr,
        Self::Rstos0,
        Self::Rstrh,
        Self::Sh,
        Self::Shr,
        Self::Oth,
    ];

    /// Name as Zeek writes it, such as `RSTOS0`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S0 => "S0",
            Self::S1 => "S1",
            Self::Sf => "SF",
            Self::Rej => "REJ",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::Rsto => "RSTO",
            Self::Rstr => "RSTR",
            Self::Rstos0 => "RSTOS0",
            Self::Rstrh => "RSTRH",
            Self::Sh => "SH",
            Self::Shr => "SHR",
            Self::Oth => "OTH",
        }
    }

    /// The code of this value in [`crate::flow_schema`]; 0 is kept for the unseen.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16 + 1
    }

    /// Whether the attempt failed: no reply, rejected, or aborted before it was established.
    #[must_use]
    pub fn failed(self) -> bool {
        matches!(self, Self::S0 | Self::Rej | Self::Rstos0 | Self::Rstrh | Self::Sh)
    }
}

/// Application protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// None recognised.
    None,
    /// Domain name system.
    Dns,
    /// Plain HTTP.
    Http,
    /// TLS, whatever it carries.
    Tls,
    /// Secure shell.
    Ssh,
    /// Mail transfer and submission.
    Smtp,
    /// Mailbox access: IMAP, POP3.
    Mailbox,
    /// File transfer.
    Ftp,
    /// Windows files and services: SMB, DCE-RPC, `NetBIOS`, Kerberos, LDAP.
    Windows,
    /// Remote desktops.
    Rdp,
    /// Databases.
    Database,
    /// Telemetry of devices: MQTT, CoAP.
    Iot,
    /// Network time.
    Ntp,
    /// Address configuration.
    Dhcp,
    /// Network management.
    Snmp,
    /// Recognised, but none of the above.
    Other,
}

impl Service {
    /// Every value, in the order of its code in [`crate::flow_schema`].
    pub const ALL: [Self; 16] = [
        Self::None,
        Self::Dns,
        Self::Http,
        Self::Tls,
        Self::Ssh,
        Self::Smtp,
        Self::Mailbox,
        Self::Ftp,
        Self::Windows,
        Self::Rdp,
        Self::Database,
        Self::Iot,
        Self::Ntp,
        Self::Dhcp,
        Self::Snmp,
        Self::Other,
    ];

    /// Name in lower case, such as `dns`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dns => "dns",
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Ssh => "ssh",
            Self::Smtp => "smtp",
            Self::Mailbox => "mailbox",
            Self::Ftp => "ftp",
            Self::Windows => "windows",
            Self::Rdp => "rdp",
            Self::Database => "database",
            Self::Iot => "iot",
            Self::Ntp => "ntp",
            Self::Dhcp => "dhcp",
            Self::Snmp => "snmp",
            Self::Other => "other",
        }
    }

    /// The code of this value in [`crate::flow_schema`]; 0 is kept for the unseen.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16 + 1
    }
}

/// One bidirectional network flow record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Start, seconds since 1970 (UTC) or since the start of a capture.
    pub time_s: f64,
    /// Seconds from the first to the last packet.
    pub duration_s: f64,
    /// Address of the originator.
    pub source: IpAddr,
    /// Port of the originator, 0 where there is none.
    pub source_port: u16,
    /// Address of the responder.
    pub destination: IpAddr,
    /// Port of the responder, 0 where there is none.
    pub destination_port: u16,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Application protocol.
    pub service: Service,
    /// How the connection went.
    pub state: ConnState,
    /// Payload bytes from originator to responder.
    pub bytes_out: u64,
    /// Payload bytes from responder to originator.
    pub bytes_in: u64,
    /// Packets from originator to responder.
    pub packets_out: u64,
    /// Packets from responder to originator.
    pub packets_in: u64,
}
