#![no_main]
//! Any bytes as a file of any format.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::file(b"", bytes));
