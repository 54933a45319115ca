#![no_main]
//! Rows of NSL-KDD.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::table(dais_traffic::TableSchema::nsl_kdd(), bytes));
