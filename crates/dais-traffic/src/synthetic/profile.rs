//! Kinds of sites and their service mixes.

use serde::{Deserialize, Serialize};

use super::activity::{self, Activity};

/// What a site is for; it decides what its hosts do, when, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteProfile {
    /// People at desks: browsing, mail, file shares, printing, calls.
    Office,
    /// Public web servers before a database.
    Web,
    /// Mail servers for people here and elsewhere.
    Mail,
    /// Name servers: authoritative and recursive.
    Dns,
    /// Databases with replicas and the applications that query them.
    Database,
    /// Sensors and cameras with their hub.
    Iot,
    /// Developers: shells, code hosting, databases, browsing.
    Development,
}

/// Activities with their share of visits, and the daily rhythm.
pub(crate) struct Habits {
    pub(crate) mix: &'static [(&'static Activity, f32)],
    /// Fewest and most clients of a site.
    pub(crate) clients: (u32, u32),
    /// Share of the scenario's daily amplitude that such a site shows.
    pub(crate) rhythm: f32,
    /// Hour of the day with most traffic.
    pub(crate) peak_hour: f32,
}

/// Activities of one site at most: its mix and what may be new.
pub(crate) const ACTIVITIES_MAX: usize = 24;

static OFFICE: Habits = Habits {
    mix: &[
        (&activity::BROWSE, 26.0),
        (&activity::BROWSE_QUIC, 12.0),
        (&activity::BROWSE_PLAIN, 7.0),
        (&activity::LOOKUP, 12.0),
        (&activity::READ_MAIL, 8.0),
        (&activity::SUBMIT_MAIL, 3.0),
        (&activity::SHARE_FILES, 9.0),
        (&activity::SIGN_ON, 5.0),
        (&activity::PRINT, 2.0),
        (&activity::DESKTOP, 1.2),
        (&activity::CALL, 2.5),
        (&activity::SYNCHRONISE, 4.0),
        (&activity::ANNOUNCE, 2.0),
        (&activity::LEASE, 1.0),
        (&activity::TRANSFER, 0.5),
        (&activity::PING, 1.0),
        (&activity::SHELL_AWAY, 0.4),
        (&activity::DESKTOP_AWAY, 1.0),
        (&activity::STRAY, 0.7),
    ],
    clients: (25, 90),
    rhythm: 1.0,
    peak_hour: 14.5,
};

static WEB: Habits = Habits {
    mix: &[
        (&activity::SERVE_WEB, 42.0),
        (&activity::SERVE_PLAIN, 18.0),
        (&activity::WEB_QUERY, 14.0),
        (&activity::CALL_SERVICE, 6.0),
        (&activity::LOOKUP, 6.0),
        (&activity::RECURSE, 4.0),
        (&activity::SHELL, 1.5),
        (&activity::SHELL_AWAY, 1.0),
        (&activity::SEND_MAIL, 1.5),
        (&activity::BROWSE, 1.5),
        (&activity::MANAGE, 1.5),
        (&activity::PING, 1.0),
        (&activity::DESKTOP_AWAY, 0.5),
        (&activity::STRAY, 2.5),
    ],
    clients: (6, 14),
    rhythm: 0.7,
    peak_hour: 16.0,
};

static MAIL: Habits = Habits {
    mix: &[
        (&activity::RECEIVE_MAIL, 34.0),
        (&activity::SEND_MAIL, 16.0),
        (&activity::READ_MAIL, 12.0),
        (&activity::READ_MAIL_AWAY, 14.0),
        (&activity::SUBMIT_MAIL, 6.0),
        (&activity::RECURSE, 9.0),
        (&activity::SERVE_WEB, 5.0),
        (&activity::LOOKUP, 6.0),
        (&activity::SHELL, 1.0),
        (&activity::SHELL_AWAY, 0.8),
        (&activity::BROWSE, 1.5),
        (&activity::DESKTOP_AWAY, 0.4),
        (&activity::STRAY, 2.0),
    ],
    clients: (8, 30),
    rhythm: 0.8,
    peak_hour: 13.0,
};

static DNS: Habits = Habits {
    mix: &[
        (&activity::SERVE_DNS, 52.0),
        (&activity::RECURSE, 20.0),
        (&activity::LOOKUP, 14.0),
        (&activity::MANAGE, 2.0),
        (&activity::SHELL, 1.0),
        (&activity::SHELL_AWAY, 0.7),
        (&activity::SERVE_PLAIN, 2.0),
        (&activity::BROWSE, 2.0),
        (&activity::PING, 1.5),
        (&activity::DESKTOP_AWAY, 0.4),
        (&activity::STRAY, 2.0),
    ],
    clients: (8, 25),
    rhythm: 0.5,
    peak_hour: 15.0,
};

static DATABASE: Habits = Habits {
    mix: &[
        (&activity::QUERY, 34.0),
        (&activity::QUERY_REPLICA, 16.0),
        (&activity::REPLICATE, 7.0),
        (&activity::WEB_QUERY, 12.0),
        (&activity::LOOKUP, 8.0),
        (&activity::SHELL, 3.0),
        (&activity::DESKTOP, 0.8),
        (&activity::SIGN_ON, 5.0),
        (&activity::SHARE_FILES, 3.0),
        (&activity::MANAGE, 2.0),
        (&activity::SYNCHRONISE, 1.0),
        (&activity::BROWSE, 2.0),
        (&activity::PING, 1.0),
        (&activity::SHELL_AWAY, 1.0),
        (&activity::DESKTOP_AWAY, 0.6),
        (&activity::STRAY, 0.5),
    ],
    clients: (10, 30),
    rhythm: 0.6,
    peak_hour: 14.0,
};

static IOT: Habits = Habits {
    mix: &[
        (&activity::TELEMETRY, 36.0),
        (&activity::SENSE, 28.0),
        (&activity::WATCH, 6.0),
        (&activity::LOOKUP, 10.0),
        (&activity::LEASE, 3.0),
        (&activity::MANAGE, 3.0),
        (&activity::BROWSE_PLAIN, 3.0),
        (&activity::ANNOUNCE, 2.0),
        (&activity::PING, 2.0),
        (&activity::SHELL_AWAY, 0.5),
        (&activity::DESKTOP_AWAY, 0.3),
        (&activity::STRAY, 1.5),
    ],
    clients: (30, 100),
    rhythm: 0.2,
    peak_hour: 15.0,
};

static DEVELOPMENT: Habits = Habits {
    mix: &[
        (&activity::BROWSE, 13.0),
        (&activity::BROWSE_QUIC, 4.0),
        (&activity::SHELL, 14.0),
        (&activity::SHELL_OUT, 14.0),
        (&activity::QUERY, 14.0),
        (&activity::LOOKUP, 10.0),
        (&activity::CALL_SERVICE, 5.0),
        (&activity::BROWSE_PLAIN, 5.0),
        (&activity::SYNCHRONISE, 4.0),
        (&activity::READ_MAIL, 3.0),
        (&activity::TRANSFER, 1.5),
        (&activity::CALL, 1.5),
        (&activity::DESKTOP, 1.5),
        (&activity::PING, 1.5),
        (&activity::SHELL_AWAY, 2.0),
        (&activity::DESKTOP_AWAY, 1.0),
        (&activity::STRAY, 1.0),
    ],
    clients: (15, 50),
    rhythm: 0.9,
    peak_hour: 15.5,
};

impl SiteProfile {
    /// Every profile.
    pub const ALL: [Self; 7] =
        [Self::Office, Self::Web, Self::Mail, Self::Dns, Self::Database, Self::Iot, Self::Development];

    /// Name in lower case, as scenarios write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Web => "web",
            Self::Mail => "mail",
            Self::Dns => "dns",
            Self::Database => "database",
            Self::Iot => "iot",
            Self::Development => "development",
        }
    }

    pub(crate) fn habits(self) -> &'static Habits {
        match self {
            Self::Office => &OFFICE,
            Self::Web => &WEB,
            Self::Mail => &MAIL,
            Self::Dns => &DNS,
            Self::Database => &DATABASE,
            Self::Iot => &IOT,
            Self::Development => &DEVELOPMENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::{CLIENT_FIRST, HOSTS};
    use super::*;

    #[test]
    fn every_mix_leaves_room_for_what_is_new() {
        for profile in SiteProfile::ALL {
            let mix = profile.habits().mix;
            assert!(!mix.is_empty() && mix.len() + 5 <= ACTIVITIES_MAX, "{}", profile.name());
        }
    }

    #[test]
    fn every_client_has_an_address_in_the_subnet() {
        for profile in SiteProfile::ALL {
            let (fewest, most) = profile.habits().clients;
            assert!(0 < fewest && fewest <= most && CLIENT_FIRST + most <= HOSTS + 1, "{}", profile.name());
        }
    }
}
