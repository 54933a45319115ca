//! Integration tests of dais-traffic: real files, foreign bytes and arrays, and the suite every source of traffic passes.

mod bad_input;
mod captures;
mod data;
mod exports;
mod foreign_bytes;
mod json_logs;
mod netflow;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod real_files;
mod slow_stream;
mod source_suite;
mod synthetic;
mod tables;
mod tshark;
