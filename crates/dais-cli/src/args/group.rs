//! Groups of flags that several commands take.

pub(crate) mod conduct;
pub(crate) mod input;
pub(crate) mod server;
pub(crate) mod setting;
