//! What an exporter counted of one direction of a flow.

use super::element::Span;
use super::sampling::Rate;

/// What was counted of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Direction {
    pub(super) packets: u64,
    /// Bytes of IP packets.
    pub(super) bytes: u64,
    /// All TCP flags; `None` where the exporter does not say.
    pub(super) flags: Option<u8>,
}

impl Direction {
    pub(super) fn is_counted(self) -> bool {
        self.packets > 0 || self.bytes > 0
    }

    /// Packets without any flag do not exist, so that stands for flags that were not looked at.
    pub(super) fn known_flags(self) -> Option<u8> {
        self.flags.filter(|flags| *flags != 0 || !self.is_counted())
    }

    /// Takes in a later count of the same connection.
    pub(super) fn add(&mut self, later: Self, span: Span) {
        let sum =
            |so_far: u64, later| if span == Span::Whole { so_far.max(later) } else { so_far.saturating_add(later) };
        (self.packets, self.bytes) = (sum(self.packets, later.packets), sum(self.bytes, later.bytes));
        self.flags = self.flags.map_or(later.flags, |flags| Some(flags | later.flags.unwrap_or(0)));
    }

    pub(super) fn multiply(&mut self, rate: Rate) {
        (self.packets, self.bytes) = (rate.whole(self.packets), rate.whole(self.bytes));
    }
}
