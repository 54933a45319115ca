#![no_main]
//! Export packets of NetFlow and IPFIX; the first byte chooses the version.

const VERSIONS: [&[u8]; 3] = [b"\0\x05", b"\0\x09", b"\0\x0a"];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((version, bytes)) = bytes.split_first() else { return };
    dais_fuzz::file(VERSIONS[usize::from(*version) % VERSIONS.len()], bytes);
});
