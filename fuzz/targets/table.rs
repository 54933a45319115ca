#![no_main]
//! Tables with a header line, whose schema is drafted.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(schema) = dais_traffic::TableSchema::draft("fuzz", bytes) {
        dais_fuzz::table(schema, bytes);
    }
});
