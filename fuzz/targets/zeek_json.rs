#![no_main]
//! Rows of a Zeek conn.log, one JSON object a line.

const HEAD: &[u8] = br#"{"ts":1,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","proto":"tcp","conn_state":"SF"}
"#;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::file(HEAD, bytes));
