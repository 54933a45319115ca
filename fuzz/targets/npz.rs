#![no_main]
//! Archives of arrays.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::file(b"", bytes));
