#![no_main]
//! Blocks of a capture of the next generation, behind its section header and one Ethernet interface.

const HEAD: &[u8] = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0\
\x01\0\0\0\x14\0\0\0\x01\0\0\0\0\0\x04\0\x14\0\0\0";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dais_fuzz::file(HEAD, bytes));
