//! What `dais watch` writes: a line for each alert and each description, and a summary at the end.

use std::net::IpAddr;

use dais_protocol::{Reason, Signature};
use dais_sim::{Judged, Lookout, Watched};
use dais_traffic::Flow;
use serde::Serialize;

use crate::screen::figure::{count, percent, plural, rate};

/// Addresses that a line names.
const NAMED_MAX: usize = 4;

/// A line.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Written<'a> {
    /// A flow that is stranger than the alert level.
    Alert {
        /// Share of the agent's own ordinary flows at least as strange.
        p: f32,
        #[serde(flatten)]
        flow: &'a Flow,
        /// What made it strange, the largest share first.
        reasons: Vec<Why>,
    },
    /// Suspicious flows that are alike.
    Signature {
        id: String,
        class: &'static str,
        /// How many flows.
        support: u32,
        sources: &'a [IpAddr],
        ports: &'a [u16],
        reasons: Vec<Why>,
    },
}

/// A feature with its share in what made a flow strange.
#[derive(Debug, Serialize)]
pub(super) struct Why {
    feature: String,
    share: f32,
}

impl<'a> Written<'a> {
    pub(super) fn alert(flow: &'a Flow, judged: &Judged, lookout: &Lookout) -> Self {
        Self::Alert { p: judged.p.unwrap_or(1.0), flow, reasons: why(&judged.reasons, lookout) }
    }

    pub(super) fn signature(signature: &'a Signature, lookout: &Lookout) -> Self {
        Self::Signature {
            id: signature.id().to_string(),
            class: signature.class.name(),
            support: signature.support,
            sources: &signature.sources,
            ports: &signature.ports,
            reasons: why(&signature.reasons, lookout),
        }
    }

    /// The line as JSON, or for people.
    ///
    /// # Errors
    /// None that values of these kinds could cause.
    pub(super) fn line(&self, json: bool) -> serde_json::Result<String> {
        if json { serde_json::to_string(self) } else { Ok(self.text()) }
    }

    fn text(&self) -> String {
        match self {
            Self::Alert { p, flow, reasons } => {
                let Flow { time_s, source, destination, destination_port: port, protocol, state, .. } = flow;
                let to = if *port == 0 { destination.to_string() } else { end(*destination, *port) };
                let (name, state) = (protocol.name(), state.name());
                format!("{}  p {p:.4}  {source} → {to} {name} {state}{}", time(*time_s), because(reasons))
            }
            Self::Signature { class, support, sources, ports, reasons, id } => {
                let flows = plural(u64::from(*support), "flow");
                let from = named(" from ", sources.iter().map(ToString::to_string));
                let to = named(" to port ", ports.iter().map(ToString::to_string));
                format!("signature {}  {class}: {flows} alike{from}{to}{}", &id[..id.len().min(12)], because(reasons))
            }
        }
    }
}

fn why(reasons: &[Reason], lookout: &Lookout) -> Vec<Why> {
    let named = |reason: &Reason| Why { feature: lookout.feature_name(reason).to_owned(), share: reason.share };
    let mut named: Vec<Why> = reasons.iter().map(named).collect();
    named.sort_by(|a, b| b.share.total_cmp(&a.share));
    named
}

fn because(reasons: &[Why]) -> String {
    let words: Vec<String> =
        reasons.iter().take(3).map(|why| format!("{} {:.0} %", why.feature, why.share * 100.0)).collect();
    if words.is_empty() { String::new() } else { format!("  ({})", words.join(", ")) }
}

fn named(before: &str, mut names: impl Iterator<Item = String>) -> String {
    let first: Vec<String> = names.by_ref().take(NAMED_MAX).collect();
    let rest = names.count();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    if first.is_empty() { String::new() } else { format!("{before}{}{more}", first.join(", ")) }
}

/// Address and port; an address of version 6 in brackets.
fn end(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// The time of day in UTC, or seconds where the log does not count from 1970.
fn time(time_s: f64) -> String {
    const A_YEAR_S: f64 = 31_536_000.0;
    let stamp = jiff::Timestamp::from_millisecond((time_s * 1_000.0) as i64).ok().filter(|_| time_s > A_YEAR_S);
    stamp.map_or_else(|| format!("{time_s:>12.3} s"), |stamp| stamp.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// What was seen in all.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "kind", rename = "summary")]
pub(super) struct Summary {
    /// Flows that came.
    pub(super) flows: u64,
    /// Flows that a model judged.
    judged: u64,
    /// Flows stranger than the alert level.
    alerts: u64,
    /// Descriptions of suspicious flows that are alike.
    signatures: u64,
    /// Steps in which the agent failed and went back to an older model.
    failures: u64,
    /// Rows that were broken and left out.
    pub(super) bad_rows: u64,
    pub(super) wall_s: f64,
    pub(super) peak_rss_mb: Option<f64>,
}

impl Summary {
    pub(super) fn count(&mut self, watched: &Watched) {
        self.flows += watched.judged.len() as u64;
        self.judged += watched.judged.iter().filter(|judged| judged.p.is_some()).count() as u64;
        self.alerts += watched.judged.iter().filter(|judged| judged.alerted).count() as u64;
        self.signatures += watched.signatures.len() as u64;
        self.failures += u64::from(watched.failures);
    }

    pub(super) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    pub(super) fn text(&self) -> String {
        let share = (self.judged > 0).then(|| self.alerts as f64 / self.judged as f64);
        let speed = format!("{} flows/s", rate(self.flows as f64 / self.wall_s.max(1e-9)));
        let mut parts = vec![
            plural(self.flows, "flow"),
            format!("{} judged", count(self.judged)),
            format!("{} ({})", plural(self.alerts, "alert"), percent(share)),
            plural(self.signatures, "signature"),
            speed,
        ];
        parts.extend(self.peak_rss_mb.map(|mb| format!("peak memory {} MiB", count(mb.round() as u64))));
        if self.bad_rows > 0 {
            parts.push(format!("{} left out", plural(self.bad_rows, "broken row")));
        }
        if self.failures > 0 {
            parts.push(format!("{} of the agent", plural(self.failures, "failed step")));
        }
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_since_1970_are_dates_and_others_seconds() {
        assert_eq!(time(1_655_071_198.9), "2022-06-12 21:59:58");
        assert_eq!(time(3.25).trim(), "3.250 s");
    }

    #[test]
    fn long_lists_are_cut_and_addresses_of_version_6_told_from_ports() {
        assert_eq!(named(" to port ", (1..7).map(|port| port.to_string())), " to port 1, 2, 3, 4 and 2 more");
        assert_eq!(named(" from ", std::iter::empty()), "");
        assert_eq!(end("2001:db8::1".parse().unwrap(), 53), "[2001:db8::1]:53");
    }
}
