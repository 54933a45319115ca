//! The flows of a site in one step while they are being made.

use crate::{Flow, Label};

/// Flows with their labels, in order of making; [`Draft::in_order`] gives them in order of time.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    flows: Vec<Flow>,
    labels: Vec<Label>,
}

impl Draft {
    pub(crate) fn with_capacity(flows: usize) -> Self {
        Self { flows: Vec::with_capacity(flows), labels: Vec::with_capacity(flows) }
    }

    pub(crate) fn push(&mut self, flow: Flow, label: Label) {
        self.flows.push(flow);
        self.labels.push(label);
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    /// Flows and labels by start; those that start together keep the order in which they were made.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (&Flow, Label)> {
        let mut order: Vec<(f64, usize)> =
            self.flows.iter().enumerate().map(|(place, flow)| (flow.time_s, place)).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        order.into_iter().map(|(_, place)| (&self.flows[place], self.labels[place]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::contact::Contact;
    use super::super::random::{Purpose, Seed};
    use super::*;
    use crate::{FamilyId, Protocol, Service};

    #[test]
    fn flows_come_by_time_and_keep_their_labels() {
        let mut stream = Seed::new(1).stream(Purpose::Benign, 0, 0);
        let mut draft = Draft::with_capacity(3);
        for (port, time_s) in [(0, 9.0), (1, -2.0), (2, 9.0), (3, 4.0)] {
            let (protocol, service) = (Protocol::Tcp, Service::Http);
            let contact = Contact { time_s, source: 1, destination: 2, port, protocol, service };
            draft.push(contact.rejected(&mut stream), Label::Attack(FamilyId(port)));
        }
        let ports: Vec<(u16, Label)> = draft.in_order().map(|(flow, label)| (flow.destination_port, label)).collect();
        assert_eq!(ports, [1, 3, 0, 2].map(|port| (port, Label::Attack(FamilyId(port)))));
    }
}
