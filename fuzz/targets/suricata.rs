#![no_main]
//! Records of Suricata EVE.

const HEAD: &[u8] = br#"{"timestamp":"2026-01-01T00:00:00.000000+0000","event_type":"stats"}
"#;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::file(HEAD, bytes));
