//! Open flows by how long they have been idle: queues that any flow can leave at once.
//!
//! Flows with one time limit wait in one queue, the longest idle at its head, so what is due is found by a look at
//! each head. Queues are circular lists through one array: places below [`QUEUES`] are the queues themselves.

/// How many queues there are: one for each [`Wait`].
pub(super) const QUEUES: usize = 6;

const SECOND_NS: u64 = 1_000_000_000;

/// What a flow waits for, and so in which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nothing more: it ended before the clock was set back.
    Ended,
    /// The answer to a SYN.
    Attempt,
    /// The last packets of a TCP connection that is closed or reset.
    Closed,
    /// More packets of a TCP connection.
    Tcp,
    /// More packets of any other protocol.
    Datagram,
    /// Nothing yet: the place is free.
    Free,
}

impl Wait {
    /// The queues from which flows come.
    pub(super) const OPEN: [Self; 5] = [Self::Ended, Self::Attempt, Self::Closed, Self::Tcp, Self::Datagram];

    /// How long a flow stays without a packet.
    pub(super) fn limit_ns(self) -> u64 {
        match self {
            Self::Ended | Self::Free => 0,
            Self::Attempt | Self::Closed => 5 * SECOND_NS,
            Self::Tcp => 300 * SECOND_NS,
            Self::Datagram => 60 * SECOND_NS,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Links {
    before: u32,
    behind: u32,
}

/// The queues; a flow is named by its place, from 0.
pub(super) struct Queues {
    links: Vec<Links>,
}

impl Default for Queues {
    fn default() -> Self {
        Self { links: (0..QUEUES as u32).map(|own| Links { before: own, behind: own }).collect() }
    }
}

impl Queues {
    /// Makes a place, which waits in no queue yet.
    pub(super) fn add_place(&mut self) {
        let own = self.links.len() as u32;
        self.links.push(Links { before: own, behind: own });
    }

    /// Moves a flow to the tail of a queue, out of the one it is in.
    #[inline]
    pub(super) fn move_to_tail(&mut self, place: u32, queue: Wait) {
        let (own, head) = (place + QUEUES as u32, queue as u32);
        self.unlink(own);
        let last = self.links[head as usize].before;
        self.links[own as usize] = Links { before: last, behind: head };
        self.links[last as usize].behind = own;
        self.links[head as usize].before = own;
    }

    #[inline]
    fn unlink(&mut self, own: u32) {
        let Links { before, behind } = self.links[own as usize];
        self.links[before as usize].behind = behind;
        self.links[behind as usize].before = before;
    }

    /// The flow that has waited longest in a queue.
    #[inline]
    pub(super) fn head(&self, queue: Wait) -> Option<u32> {
        self.links[queue as usize].behind.checked_sub(QUEUES as u32)
    }

    /// Appends all of one queue to another; to itself nothing is done.
    pub(super) fn append(&mut self, from: Wait, to: Wait) {
        let (from, to) = (from as u32, to as u32);
        let Links { before: last, behind: first } = self.links[from as usize];
        if first == from || from == to {
            return;
        }
        let end = self.links[to as usize].before;
        self.links[end as usize].behind = first;
        self.links[first as usize].before = end;
        self.links[last as usize].behind = to;
        self.links[to as usize].before = last;
        self.links[from as usize] = Links { before: from, behind: from };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queues: &mut Queues, queue: Wait) -> Vec<u32> {
        let mut all = Vec::new();
        while let Some(place) = queues.head(queue) {
            queues.move_to_tail(place, Wait::Free);
            all.push(place);
        }
        all
    }

    #[test]
    fn the_longest_idle_is_at_the_head_and_any_flow_can_leave() {
        let mut queues = Queues::default();
        (0..5).for_each(|_| queues.add_place());
        (0..5).for_each(|place| queues.move_to_tail(place, Wait::Tcp));
        queues.move_to_tail(0, Wait::Tcp);
        queues.move_to_tail(2, Wait::Closed);
        assert_eq!(drain(&mut queues, Wait::Tcp), [1, 3, 4, 0]);
        assert_eq!(drain(&mut queues, Wait::Closed), [2]);
        assert_eq!(queues.head(Wait::Datagram), None);
    }

    #[test]
    fn a_queue_is_appended_whole_and_empty_ones_change_nothing() {
        let mut queues = Queues::default();
        (0..4).for_each(|_| queues.add_place());
        (0..4).for_each(|place| queues.move_to_tail(place, if place < 2 { Wait::Tcp } else { Wait::Datagram }));
        for from in [Wait::Attempt, Wait::Tcp, Wait::Ended, Wait::Datagram, Wait::Tcp] {
            queues.append(from, Wait::Ended);
        }
        assert_eq!(drain(&mut queues, Wait::Ended), [0, 1, 2, 3]);
        assert_eq!((queues.head(Wait::Tcp), queues.head(Wait::Datagram)), (None, None));
    }
}
