//! Families of campaigns.

use serde::{Deserialize, Serialize};

use crate::{Family, FamilyId, Label};

/// What kind of attack a campaign is; each is mapped to a technique of MITRE ATT&CK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignFamily {
    /// One port on many hosts (T1046).
    PortScanHorizontal,
    /// Many ports on one or two hosts (T1046).
    PortScanVertical,
    /// Half-open connections from many addresses to one server (T1498.001).
    SynFlood,
    /// Guessing of passwords over SSH or remote desktop (T1110).
    BruteForce,
    /// Hosts of the site that report to a controller again and again (T1071).
    Beacon,
    /// Large uploads from a host of the site (T1048).
    Exfiltration,
    /// Data in the names of DNS queries (T1071.004).
    DnsTunnel,
    /// A worm that spreads from site to neighbouring site (T1210).
    Worm,
}

impl CampaignFamily {
    /// Every family, in the order of its [`FamilyId`].
    pub const ALL: [Self; 8] = [
        Self::PortScanHorizontal,
        Self::PortScanVertical,
        Self::SynFlood,
        Self::BruteForce,
        Self::Beacon,
        Self::Exfiltration,
        Self::DnsTunnel,
        Self::Worm,
    ];

    /// Name in lower case, as scenarios write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PortScanHorizontal => "port_scan_horizontal",
            Self::PortScanVertical => "port_scan_vertical",
            Self::SynFlood => "syn_flood",
            Self::BruteForce => "brute_force",
            Self::Beacon => "beacon",
            Self::Exfiltration => "exfiltration",
            Self::DnsTunnel => "dns_tunnel",
            Self::Worm => "worm",
        }
    }

    /// Id of its MITRE ATT&CK technique.
    #[must_use]
    pub fn technique(self) -> &'static str {
        match self {
            Self::PortScanHorizontal | Self::PortScanVertical => "T1046",
            Self::SynFlood => "T1498.001",
            Self::BruteForce => "T1110",
            Self::Beacon => "T1071",
            Self::Exfiltration => "T1048",
            Self::DnsTunnel => "T1071.004",
            Self::Worm => "T1210",
        }
    }

    /// Its place among the families of a synthetic world.
    #[must_use]
    pub fn id(self) -> FamilyId {
        FamilyId(self as u16)
    }

    pub(crate) fn label(self) -> Label {
        Label::Attack(self.id())
    }

    /// All families, as a source lists them.
    pub(crate) fn list() -> Vec<Family> {
        let family = |it: Self| Family { name: it.name().to_owned(), technique: Some(it.technique().to_owned()) };
        Self::ALL.into_iter().map(family).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_places_in_the_list() {
        let list = CampaignFamily::list();
        for family in CampaignFamily::ALL {
            assert_eq!(list[usize::from(family.id().0)].name, family.name());
            assert_eq!(serde_json::to_value(family).expect("a name"), family.name());
        }
    }
}
