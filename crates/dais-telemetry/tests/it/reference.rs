//! The reference page of the metrics says what the catalogue says.

use std::fs;
use std::path::Path;

use dais_telemetry::metric::catalogue;

#[test]
fn the_reference_page_of_the_metrics_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
    let page = catalogue::reference_page();
    if std::env::var_os("DAIS_WRITE_REFERENCE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "stale: run this test once with DAIS_WRITE_REFERENCE=1 and commit docs/reference/metrics.md"
    );
}
