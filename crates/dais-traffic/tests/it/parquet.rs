//! Parquet files: read like the same table as text, and refused where they are damaged or lie.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt64Array,
};
use dais_traffic::{Format, Input, Label, ReadError, ReadOptions, Table, TableSchema, detect, read};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand::RngExt;
use rand_philox::Philox;

fn file(columns: Vec<(&str, ArrayRef)>, compression: Compression, group_rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let properties =
        WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(group_rows)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("memory takes bytes");
    writer.write(&batch).expect("memory takes bytes");
    writer.close().expect("memory takes bytes");
    bytes
}

fn strings(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Rows of every kind of column, in several row groups, and the same as text.
fn rows(count: i64) -> (Vec<(&'static str, ArrayRef)>, String) {
    let each = |f: fn(i64) -> String| strings((0..count).map(f));
    let services: DictionaryArray<Int32Type> = (0..count).map(|k| ["dns", "http"][usize::from(k % 3 == 0)]).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from_iter_values((0..count).map(|k| 1_600_000_000_250_000 + k))),
        ),
        ("src_ip", each(|k| format!("10.0.0.{}", k % 250))),
        ("dst_ip", each(|k| format!("fd00::{:x}", k % 999))),
        ("dst_port", Arc::new(Int64Array::from_iter_values((0..count).map(|k| k % 1_024)))),
        ("bytes", Arc::new(UInt64Array::from_iter_values((0..count).map(|k| k as u64 * 17)))),
        ("rate", Arc::new(Float64Array::from_iter_values((0..count).map(|k| k as f64 / 8.0)))),
        ("share", Arc::new(Float32Array::from_iter_values((0..count).map(|k| (k % 4) as f32 / 4.0)))),
        ("service", Arc::new(services)),
        ("encrypted", Arc::new((0..count).map(|k| Some(k % 2 == 0)).collect::<BooleanArray>())),
        ("label", each(|k| ["normal", "worm"][usize::from(k % 10 == 0)].to_owned())),
    ];
    let text = (0..count).map(|k| {
        format!(
            "{},10.0.0.{},fd00::{:x},{},{},{},{},{},{},{}\n",
            (1_600_000_000_250_000 + k) as f64 / 1e6,
            k % 250,
            k % 999,
            k % 1_024,
            k * 17,
            k as f64 / 8.0,
            (k % 4) as f32 / 4.0,
            ["dns", "http"][usize::from(k % 3 == 0)],
            u8::from(k % 2 == 0),
            ["normal", "worm"][usize::from(k % 10 == 0)],
        )
    });
    let header = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",") + "\n";
    (columns, std::iter::once(header).chain(text).collect())
}

fn table(bytes: &[u8]) -> Table {
    match read("a.parquet", bytes, &ReadOptions::default()) {
        Ok(Input::Table(table)) => table,
        other => panic!("{other:?}"),
    }
}

fn refused(bytes: &[u8]) -> ReadError {
    read("a.parquet", bytes, &ReadOptions::default()).map(|_| ()).expect_err("a file that cannot be read")
}

#[test]
fn a_file_is_the_table_that_text_of_the_same_rows_is() {
    let (columns, text) = rows(20_000);
    let text = table(text.as_bytes());
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd, Compression::LZ4_RAW] {
        let bytes = file(columns.clone(), compression, 3_000);
        assert_eq!(detect(&bytes[..1_000]), Ok(Format::Parquet));
        let parquet = table(&bytes);
        assert_eq!((&parquet.numeric, &parquet.codes, &parquet.values), (&text.numeric, &text.codes, &text.values));
        assert_eq!(
            (&parquet.labels, &parquet.endpoints, &parquet.time_s),
            (&text.labels, &text.endpoints, &text.time_s)
        );
        assert_eq!((&parquet.schema.numeric, &parquet.stats), (&text.schema.numeric, &text.stats));
    }
}

#[test]
fn a_missing_number_is_kept_as_missing_or_named_with_row_and_column() {
    let values: Vec<Option<f64>> = (0..9_000).map(|k| (k != 8_500).then_some(f64::from(k * k % 997))).collect();
    let labels: ArrayRef = Arc::new(Int64Array::from_iter_values((0..9_000).map(|k| i64::from(k % 9 == 0))));
    let columns: Vec<(&str, ArrayRef)> = vec![("bytes", Arc::new(Float64Array::from(values))), ("label", labels)];
    let bytes = file(columns, Compression::SNAPPY, 4_000);
    let read_table = table(&bytes);
    let missing: Vec<usize> = (0..9_000).filter(|row| read_table.numeric[0].get(*row).is_nan()).collect();
    assert_eq!((read_table.rows(), missing), (9_000, vec![8_500]));
    let yaml = "{name: s, numeric: [{name: bytes}], label: {column: label, benign: ['0']}, missing: refuse}";
    let schema = Some(TableSchema::from_yaml(yaml).expect("a sound schema"));
    let refusing = ReadOptions { schema, ..ReadOptions::default() };
    let error = read("a.parquet", bytes.as_slice(), &refusing).map(|_| ()).expect_err("a missing number").to_string();
    assert!(error.starts_with("a.parquet:8501: column `bytes`: expected a number, found nothing"), "{error}");
    let lenient = ReadOptions { bad_rows_max: Some(0.01), ..refusing };
    match read("a.parquet", bytes.as_slice(), &lenient) {
        Ok(Input::Table(table)) => assert_eq!((table.rows(), table.stats.bad_rows), (8_999, 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_needs_a_column_that_is_named_as_a_label() {
    let error = refused(&file(vec![("bytes", Arc::new(Int64Array::from(vec![1, 2])))], Compression::SNAPPY, 10));
    assert!(error.to_string().contains("named as a label") && error.to_string().contains("--schema"), "{error}");
}

#[test]
fn lists_are_left_out_of_a_draft_and_refused_in_a_schema() {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), Some(vec![])]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("parts", Arc::new(lists)),
        ("bytes", Arc::new(Int64Array::from(vec![1, 2]))),
        ("Label", Arc::new(BooleanArray::from(vec![false, true]))),
    ];
    let bytes = file(columns, Compression::SNAPPY, 10);
    let read_table = table(&bytes);
    assert_eq!((read_table.numeric.len(), read_table.schema.ignored.as_slice()), (1, &["parts".to_owned()][..]));
    assert!(read_table.labels[0] == Label::Benign && read_table.labels[1] != Label::Benign);
    let yaml = "{name: s, numeric: [{name: bytes}, {name: parts}], label: {column: Label, benign: ['0']}}";
    let schema = Some(TableSchema::from_yaml(yaml).expect("a sound schema"));
    let error = read("a", bytes.as_slice(), &ReadOptions { schema, ..ReadOptions::default() }).map(|_| ());
    assert!(error.expect_err("lists are no numbers").to_string().contains("column `parts` is of type"));
}

#[test]
fn times_that_are_no_start_are_no_features() {
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1_600_000_000_000_000, 1_600_000_001_000_000]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("seen", times),
        ("bytes", Arc::new(Int64Array::from(vec![1, 2]))),
        ("label", Arc::new(Int64Array::from(vec![0, 1]))),
    ];
    let table = table(&file(columns, Compression::SNAPPY, 10));
    assert_eq!((table.numeric.len(), table.schema.ignored.as_slice()), (1, &["seen".to_owned()][..]));
}

#[test]
fn damaged_files_are_read_or_refused_and_never_panic() {
    let (columns, _) = rows(300);
    let (mut accepted, mut refused) = (0, 0);
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
        let bytes = file(columns.clone(), compression, 100);
        for cut in (4..bytes.len()).step_by(101) {
            assert!(read("f", &bytes[..cut], &ReadOptions::default()).is_err(), "cut at {cut}");
        }
        for seed in 0..1_500 {
            let mut random = Philox::from_u64_seed(seed);
            let mut changed = bytes.clone();
            // Half of the changes where the columns are described, at the end.
            let first = if seed % 2 == 0 { 4 } else { changed.len() / 2 };
            for _ in 0..random.random_range(1..4_u32) {
                let at = random.random_range(first as u64..changed.len() as u64) as usize;
                changed[at] = random.random();
            }
            match read("f", changed.as_slice(), &ReadOptions::default()) {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}

#[test]
fn a_connection_log_of_zeek_is_a_flow_log() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("ts", Arc::new(Float64Array::from(vec![1_655_071_198.444_458, 1_655_071_190.5, 3.0]))),
        ("uid", strings((0..3).map(|k| format!("C{k}")))),
        ("id.orig_h", strings(["10.0.0.1", "10.0.0.2", "10.0.0"].map(str::to_owned).into_iter())),
        ("id.orig_p", Arc::new(Int64Array::from(vec![4_000, 5_000, 1]))),
        ("id.resp_h", strings(["10.0.0.9", "fd00::1", "10.0.0.9"].map(str::to_owned).into_iter())),
        ("id.resp_p", Arc::new(Int64Array::from(vec![80, 53, 1]))),
        ("proto", strings(["tcp", "udp", "tcp"].map(str::to_owned).into_iter())),
        ("duration", Arc::new(Float64Array::from(vec![Some(0.000_001), None, None]))),
        ("orig_bytes", Arc::new(Int64Array::from(vec![Some(12), None, None]))),
        ("conn_state", strings(["SF", "-", "SF"].map(str::to_owned).into_iter())),
        ("local_orig", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("label", strings(["Malicious", "Benign", "-"].map(str::to_owned).into_iter())),
    ];
    let text = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tconn_state\tlocal_orig\tlabel\n\
        1655071198.444458\tC0\t10.0.0.1\t4000\t10.0.0.9\t80\ttcp\t0.000001\t12\tSF\tT\tMalicious\n\
        1655071190.5\tC1\t10.0.0.2\t5000\tfd00::1\t53\tudp\t-\t-\t-\tF\tBenign\n\
        3.0\tC2\t10.0.0\t1\t10.0.0.9\t1\ttcp\t-\t-\tSF\tT\t-\n";
    let options = ReadOptions { bad_rows_max: Some(0.5), ..ReadOptions::default() };
    let bytes = file(columns, Compression::SNAPPY, 2);
    let log = |bytes: &[u8]| match read("conn.parquet", bytes, &options) {
        Ok(Input::Flows(log)) => log,
        other => panic!("{other:?}"),
    };
    let (parquet, text) = (log(&bytes), log(text.as_bytes()));
    assert_eq!((&parquet.flows, &parquet.labels, &parquet.families), (&text.flows, &text.labels, &text.families));
    assert_eq!((parquet.format, parquet.stats.bad_rows, parquet.stats.out_of_order), (Format::Parquet, 1, 1));
    assert!(parquet.stats.first_errors[0].starts_with("conn.parquet:3: column `id.orig_h`"), "{:?}", parquet.stats);
}
