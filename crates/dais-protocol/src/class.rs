//! What kind of attack a signature describes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of attack a signature describes, as its author judged it from the context features.
///
/// The class is a label for people and reports; no decision of the protocol depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreatClass {
    /// Many ports or many hosts are tried.
    PortScan,
    /// A service is drowned in requests.
    Flood,
    /// Passwords are tried one after another.
    BruteForce,
    /// A compromised host calls its controller.
    CommandAndControl,
    /// Data leaves the site.
    Exfiltration,
    /// Data or commands travel inside name queries.
    DnsTunnel,
    /// A compromised host attacks its neighbours.
    Worm,
    /// None of the rules fits.
    #[default]
    Unknown,
}

impl ThreatClass {
    /// Every class, in the order they are declared.
    pub const ALL: [Self; 8] = [
        Self::PortScan,
        Self::Flood,
        Self::BruteForce,
        Self::CommandAndControl,
        Self::Exfiltration,
        Self::DnsTunnel,
        Self::Worm,
        Self::Unknown,
    ];

    /// The byte that stands for this class in encodings.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::PortScan => 1,
            Self::Flood => 2,
            Self::BruteForce => 3,
            Self::CommandAndControl => 4,
            Self::Exfiltration => 5,
            Self::DnsTunnel => 6,
            Self::Worm => 7,
        }
    }

    /// The class with this code, or nothing when there is none.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The technique of MITRE ATT&CK (Enterprise) that the class is closest to; nothing for [`ThreatClass::Unknown`].
    pub const fn technique(self) -> Option<&'static str> {
        match self {
            Self::PortScan => Some("T1046"),
            Self::Flood => Some("T1498"),
            Self::BruteForce => Some("T1110"),
            Self::CommandAndControl => Some("T1071"),
            Self::Exfiltration => Some("T1048"),
            Self::DnsTunnel => Some("T1071.004"),
            Self::Worm => Some("T1210"),
            Self::Unknown => None,
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PortScan => "port scan",
            Self::Flood => "flood",
            Self::BruteForce => "brute force",
            Self::CommandAndControl => "command and control",
            Self::Exfiltration => "exfiltration",
            Self::DnsTunnel => "DNS tunnel",
            Self::Worm => "worm",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ThreatClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_code_and_comes_back_from_it() {
        for (i, class) in ThreatClass::ALL.into_iter().enumerate() {
            assert_eq!(ThreatClass::from_code(class.code()), Some(class));
            assert!(ThreatClass::ALL[i + 1..].iter().all(|other| other.code() != class.code()));
        }
        assert_eq!(ThreatClass::from_code(8), None);
    }

    #[test]
    fn only_the_unknown_class_has_no_technique() {
        for class in ThreatClass::ALL {
            assert_eq!(class.technique().is_none(), class == ThreatClass::Unknown, "{class}");
        }
    }
}
