//! Files that cannot be read: each has a clear error that names the place and the way out.

use std::io::{Read, Write};

use dais_traffic::{Input, ReadError, ReadOptions, TableSchema, read};

const ZEEK: &str = "#separator \\x09\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n1.5\t10.0.0.1\t4000\t10.0.0.2\t80\ttcp\tSF\n";

fn error(bytes: &[u8]) -> ReadError {
    read("flows", bytes, &ReadOptions::default()).map(|_| ()).expect_err("a file that cannot be read")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

#[test]
fn nothing_at_all_is_an_empty_file() {
    for bytes in [&b""[..], b"\n\n", &gzip(b"")] {
        assert!(matches!(error(bytes), ReadError::Empty { .. }), "{bytes:?}");
    }
}

#[test]
fn a_header_alone_is_no_flow() {
    let header = ZEEK.lines().take(2).collect::<Vec<_>>().join("\n");
    for text in [header.as_str(), "a,b,label\n", "{\"event_type\":\"dns\"}\n"] {
        assert!(matches!(error(text.as_bytes()), ReadError::NoRows { .. }), "{text}");
    }
}

#[test]
fn truncated_gzip_says_so() {
    let packed = gzip(ZEEK.as_bytes());
    for cut in [2, 5, 12, packed.len() / 2, packed.len() - 1] {
        assert!(matches!(error(&packed[..cut]), ReadError::TruncatedGzip { .. }), "cut at {cut}");
    }
}

#[test]
fn a_folder_says_so() {
    struct Folder;
    impl Read for Folder {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::IsADirectory.into())
        }
    }
    let error = read("logs", Folder, &ReadOptions::default()).map(|_| ()).expect_err("a folder");
    assert!(error.to_string().contains("logs: is a folder"), "{error}");
}

#[test]
fn unknown_content_lists_what_is_known_and_the_way_out() {
    for bytes in [&b"\x7fELF\x00\x01"[..], b"hello world\n", b"1,2,3\n4,5,6\n", b"a,b\n1,2\n", b"{\"x\":1}\n"] {
        let text = error(bytes).to_string();
        assert!(text.contains("Zeek") && text.contains("NSL-KDD") && text.contains("--schema"), "{text}");
    }
}

#[test]
fn a_broken_row_of_a_labelled_table_is_named_with_line_and_column() {
    for (row, message) in [
        ("abc,x,normal", "flows:3: column `bytes`: expected a number, found \"abc\""),
        ("1,normal", "flows:3: expected 3 columns, found 2"),
        ("1,x,", "flows:3: column `label`: expected a label, found nothing"),
        ("1,\"x,normal", "flows:3: expected a closing quote before the end of the line, found \"1,\\\"x,normal\""),
    ] {
        let text = format!("bytes,kind,label\n1,x,normal\n{row}\n2,y,worm\n");
        let error = error(text.as_bytes()).to_string();
        assert!(error.starts_with(message), "{error}");
        assert!(error.contains("--max-bad-rows"), "{error}");
    }
}

#[test]
fn where_a_schema_refuses_what_is_missing_the_row_is_broken() {
    let yaml = "{name: s, numeric: [{name: bytes}], label: {column: label, benign: [normal]}, missing: refuse}";
    let schema = Some(TableSchema::from_yaml(yaml).expect("a sound schema"));
    let options = ReadOptions { schema, ..ReadOptions::default() };
    for (value, message) in [
        ("", "expected a number, found nothing"),
        ("NaN", "expected a finite number, found \"NaN\""),
        ("?", "expected a number, found \"?\""),
    ] {
        let text = format!("bytes,label\n1,normal\n{value},worm\n");
        let error = read("flows", text.as_bytes(), &options).map(|_| ()).expect_err(value).to_string();
        assert!(error.starts_with(&format!("flows:3: column `bytes`: {message}")), "{error}");
    }
}

#[test]
fn logs_may_have_one_broken_row_in_a_hundred() {
    let row = ZEEK.lines().last().expect("a row");
    let log = |broken: usize| format!("{ZEEK}{}{}", format!("{row}\n").repeat(199 - broken), "x\n".repeat(broken));
    let Ok(Input::Flows(read_log)) = read("flows", log(2).as_bytes(), &ReadOptions::default()) else {
        panic!("two of 200 rows may be broken")
    };
    assert_eq!((read_log.flows.len(), read_log.stats.bad_rows, read_log.stats.first_errors.len()), (198, 2, 2));
    assert_eq!(read_log.stats.first_errors[0], "flows:201: expected 7 columns, found 1");
    let ReadError::TooManyBadRows { bad, rows, first, .. } = error(log(3).as_bytes()) else {
        panic!("three of 200 rows are too many")
    };
    assert_eq!((bad, rows, first.line), (3, 200, 200));
}

#[test]
fn an_over_long_line_is_a_broken_row() {
    let options = ReadOptions { line_bytes_max: 100, bad_rows_max: Some(0.5), ..ReadOptions::default() };
    let text = format!("{ZEEK}{}\n1.5\t10.0.0.1\t4000\t10.0.0.2\t80\ttcp\tSF\n", "x".repeat(1_000_000));
    match read("flows", text.as_bytes(), &options) {
        Ok(Input::Flows(log)) => assert_eq!((log.flows.len(), log.stats.bad_rows), (2, 1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_schema_that_does_not_fit_the_header_says_which_column() {
    let schema = |yaml: &str| ReadOptions {
        schema: Some(TableSchema::from_yaml(yaml).expect("a sound schema")),
        ..ReadOptions::default()
    };
    let missing = schema("{name: s, numeric: [{name: bytes}], label: {column: verdict, benign: [ok]}}");
    let refused = read("flows", b"bytes,label\n1,ok\n".as_slice(), &missing).map(|_| ());
    assert!(matches!(refused, Err(ReadError::MissingColumn { column, .. }) if column == "verdict"));
    let extra = schema("{name: s, numeric: [{name: bytes}], label: {column: label, benign: [ok]}}");
    let refused = read("flows", b"bytes,more,label\n1,2,ok\n".as_slice(), &extra).map(|_| ());
    assert!(matches!(refused, Err(ReadError::UndescribedColumn { column, .. }) if column == "more"));
}

#[test]
fn rotated_logs_with_other_columns_in_the_second_block_are_read() {
    let second = "#close\t2022\n#separator \\x09\n#fields\tid.resp_h\tid.orig_h\tts\tproto\tconn_state\n10.0.0.9\t10.0.0.8\t0.5\tudp\tS0\n";
    match read("flows", format!("{ZEEK}{second}").as_bytes(), &ReadOptions::default()) {
        Ok(Input::Flows(log)) => {
            assert_eq!((log.flows.len(), log.stats.out_of_order), (2, 1));
            assert_eq!(log.flows[0].destination.to_string(), "10.0.0.9");
        }
        other => panic!("{other:?}"),
    }
}
