//! The crate as its users see it: real files, real threads, real sockets.
#![forbid(unsafe_code)]

mod endpoint;
mod log;
