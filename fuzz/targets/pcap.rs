#![no_main]
//! Packets of a classic capture of an Ethernet.

const HEAD: &[u8] = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::file(HEAD, bytes));
