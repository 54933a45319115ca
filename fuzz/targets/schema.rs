#![no_main]
//! Schema files.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(schema) = dais_traffic::TableSchema::from_yaml(text) {
        let again = schema.to_yaml().map(|yaml| dais_traffic::TableSchema::from_yaml(&yaml));
        assert!(matches!(&again, Ok(Ok(again)) if *again == schema), "{again:?}");
    }
});
