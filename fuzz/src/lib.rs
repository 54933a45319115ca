//! What the fuzz targets share: reading foreign bytes to their end, in both ways there are.
#![forbid(unsafe_code)]

use dais_traffic::{Context, FLOW_CATEGORICAL, FLOW_NUMERIC, FlowReader, Input, ReadOptions, TableSchema, read};

/// Broken rows are tolerated, so that the reader goes on behind them; lines are short, so that long ones are met.
fn options(schema: Option<TableSchema>) -> ReadOptions {
    ReadOptions { schema, bad_rows_max: Some(1.0), line_bytes_max: 1 << 12, ..ReadOptions::default() }
}

/// Reads a file that begins with `head` and goes on with `bytes`.
///
/// # Panics
/// Where a reader breaks its promise.
pub fn file(head: &[u8], bytes: &[u8]) {
    let whole = [head, bytes].concat();
    let content = read("fuzz", whole.as_slice(), &options(None));
    if let Ok(Input::Flows(log)) = &content {
        assert_eq!(log.flows.len(), log.labels.len());
        assert!(log.flows.windows(2).all(|pair| pair[0].time_s <= pair[1].time_s), "flows are in order of time");
        let (mut context, mut numeric, mut codes) = (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
        for flow in &log.flows {
            assert!(flow.time_s.is_finite() && flow.duration_s.is_finite() && flow.duration_s >= 0.0, "{flow:?}");
            context.observe(flow, &mut numeric, &mut codes);
            assert!(numeric.iter().all(|value| (0.0..=1.0).contains(value)), "{flow:?}: {numeric:?}");
        }
    }
    if let Ok(Input::Table(table)) = &content {
        let rows = table.rows();
        assert!(table.numeric.iter().all(|column| column.len() == rows && column.iter().all(|value| value.is_finite())));
        assert!(table.codes.iter().all(|column| column.len() == rows));
    }
    let Ok(mut reader) = FlowReader::open("fuzz", whole.as_slice(), &options(None)) else { return };
    let flows = reader.by_ref().filter(Result::is_ok).count();
    let whole_log = matches!(&content, Ok(Input::Flows(log)) if log.flows.len() != flows);
    assert!(!whole_log, "read whole and flow by flow, a log is the same");
}

/// Reads a table by a schema.
pub fn table(schema: TableSchema, bytes: &[u8]) {
    if schema.check().is_ok() {
        let _ = read("fuzz", bytes, &options(Some(schema)));
    }
}
