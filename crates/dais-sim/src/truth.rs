//! What really happened. Only this room reads labels; agents are never told.

pub(crate) mod tally;
