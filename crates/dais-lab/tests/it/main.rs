//! Tests of the crate from outside.

mod report;
mod sample;
