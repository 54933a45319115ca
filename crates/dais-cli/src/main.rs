//! The command line of dais.
#![forbid(unsafe_code)]

fn main() {}
