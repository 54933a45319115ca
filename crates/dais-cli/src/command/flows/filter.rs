//! Which flows are taken.

use anyhow::bail;
use dais_traffic::{ConnState, Label, Protocol, Service};
use ipnet::IpNet;

use super::input::Came;
use crate::args::flows::FilterArgs;

/// What a flow must be.
pub(super) struct Filter<'a> {
    args: &'a FilterArgs,
    protocols: Vec<Protocol>,
    services: Vec<Service>,
    states: Vec<ConnState>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(args: &'a FilterArgs) -> anyhow::Result<Self> {
        Ok(Self {
            args,
            protocols: known("--protocol", &args.protocol, &Protocol::ALL, Protocol::name)?,
            services: known("--service", &args.service, &Service::ALL, Service::name)?,
            states: known("--state", &args.state, &ConnState::ALL, ConnState::name)?,
        })
    }

    /// Whether everything is taken.
    pub(super) fn is_none(&self) -> bool {
        let FilterArgs { host, source, destination, port, protocol, service, state, label, from, to } = self.args;
        let networks = host.is_empty() && source.is_empty() && destination.is_empty() && port.is_empty();
        let kinds = protocol.is_empty() && service.is_empty() && state.is_empty() && label.is_empty();
        networks && kinds && from.is_none() && to.is_none()
    }

    /// Whether a flow, or row, is taken. Rows of tables have no more than a time and a label to be asked for.
    pub(super) fn takes(&self, came: &Came<'_>) -> bool {
        let args = self.args;
        let time = match came {
            Came::Flow { flow, .. } => Some(flow.time_s),
            Came::Row(row) => row.time_s(),
        };
        let within = args.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && args.to.is_none_or(|to| time.is_some_and(|time| time < to));
        let by_flow = match came {
            Came::Row(_) => {
                let ends = [&args.host, &args.source, &args.destination].iter().all(|networks| networks.is_empty());
                let kinds = self.protocols.is_empty() && self.services.is_empty() && self.states.is_empty();
                ends && kinds && args.port.is_empty()
            }
            Came::Flow { flow, .. } => {
                let either = [flow.source, flow.destination];
                let is_in = |networks: &[IpNet], ends: &[std::net::IpAddr]| {
                    networks.is_empty() || networks.iter().any(|network| ends.iter().any(|end| network.contains(end)))
                };
                is_in(&args.host, &either)
                    && is_in(&args.source, &[flow.source])
                    && is_in(&args.destination, &[flow.destination])
                    && any(&args.port, &flow.destination_port)
                    && any(&self.protocols, &flow.protocol)
                    && any(&self.services, &flow.service)
                    && any(&self.states, &flow.state)
            }
        };
        within && by_flow && (args.label.is_empty() || self.said(came))
    }

    fn said(&self, came: &Came<'_>) -> bool {
        let (label, families) = came.label();
        let is = |word: &String| match label {
            Label::Benign => word == "benign",
            Label::Undecided => word == "undecided",
            Label::Attack(id) => word == "attack" || families.get(usize::from(id.0)).is_some_and(|f| f.name == *word),
        };
        self.args.label.iter().any(is)
    }
}

fn any<T: PartialEq>(wanted: &[T], found: &T) -> bool {
    wanted.is_empty() || wanted.contains(found)
}

/// The values with these names.
fn known<T: Copy>(flag: &str, names: &[String], all: &[T], name: impl Fn(T) -> &'static str) -> anyhow::Result<Vec<T>> {
    let mut found = Vec::new();
    for wanted in names {
        let Some(value) = all.iter().find(|value| name(**value).eq_ignore_ascii_case(wanted)) else {
            let known: Vec<&str> = all.iter().map(|value| name(*value)).collect();
            bail!("{flag} {wanted}: expected one of {}", known.join(", "));
        };
        found.push(*value);
    }
    Ok(found)
}
