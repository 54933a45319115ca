//! Integration tests of dais-traffic: real files, foreign bytes, and the suite every source of traffic passes.

mod bad_input;
mod captures;
mod data;
mod foreign_bytes;
mod netflow;
mod real_files;
mod source_suite;
mod synthetic;
mod tshark;
