//! Archives of `NumPy` arrays: read like the same table as text, and refused where they are damaged or lie.

use std::io::{Cursor, Write};

use dais_traffic::{
    Family, FamilyId, Format, Input, Label, ReadError, ReadOptions, Table, TableSchema, Transform, detect, read,
};
use npyz::WriterBuilder;
use rand::RngExt;
use rand_philox::Philox;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// An array of the given shape as the bytes of a `.npy` file.
fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], order: npyz::Order, values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let writer = npyz::WriteOptions::new().default_dtype().shape(shape).order(order).writer(&mut bytes);
    let mut writer = writer.begin_nd().expect("memory takes bytes");
    writer.extend(values.iter().copied()).expect("memory takes bytes");
    writer.finish().expect("as many values as the shape says");
    bytes
}

fn npz(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).expect("memory takes bytes");
        archive.write_all(bytes).expect("memory takes bytes");
    }
    archive.finish().expect("memory takes bytes").into_inner()
}

const VALUES: [f64; 6] = [0.5, -1.0, 90.0, 0.1, 2.0, 250.0];

/// Three rows of two features, the last an anomaly.
fn sound(method: CompressionMethod) -> Vec<u8> {
    let features = npy(&[3, 2], npyz::Order::C, &VALUES);
    npz(&[("X.npy", &features), ("y.npy", &npy(&[3], npyz::Order::C, &[0_i64, 0, 1]))], method)
}

fn table(bytes: &[u8]) -> Table {
    match read("a.npz", bytes, &ReadOptions::default()) {
        Ok(Input::Table(table)) => table,
        other => panic!("{other:?}"),
    }
}

fn refused(bytes: &[u8]) -> ReadError {
    read("a.npz", bytes, &ReadOptions::default()).map(|_| ()).expect_err("an archive that cannot be read")
}

#[test]
fn stored_and_deflated_archives_are_the_same_table() {
    let stored = table(&sound(CompressionMethod::Stored));
    assert_eq!(stored.numeric, [vec![0.5, 90.0, 2.0].into(), vec![-1.0, 0.1, 250.0].into()]);
    assert_eq!(stored.labels, [Label::Benign, Label::Benign, Label::Attack(FamilyId(0))]);
    assert_eq!(stored.families, [Family::named("anomaly")]);
    let names: Vec<&str> = stored.schema.numeric.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["x0", "x1"]);
    assert_eq!(table(&sound(CompressionMethod::Deflated)), stored);
    assert_eq!(detect(&sound(CompressionMethod::Deflated)), Ok(Format::Npz));
}

#[test]
fn columns_first_other_types_and_a_column_of_labels_are_understood() {
    let turned = [0.5_f32, 90.0, 2.0, -1.0, 0.1, 250.0];
    let features = npy(&[3, 2], npyz::Order::Fortran, &turned);
    for labels in [npy(&[3, 1], npyz::Order::C, &[0_u8, 0, 1]), npy(&[3], npyz::Order::C, &[0.0_f64, 0.0, 1.0])] {
        let read = table(&npz(&[("y.npy", &labels), ("X.npy", &features)], CompressionMethod::Stored));
        assert_eq!(read.numeric, table(&sound(CompressionMethod::Stored)).numeric);
        assert_eq!(read.labels[1..], [Label::Benign, Label::Attack(FamilyId(0))]);
    }
}

#[test]
fn an_archive_is_the_table_that_text_of_the_same_numbers_is() {
    let mut random = Philox::from_u64_seed(1);
    let numbers: Vec<f64> = (0..600).map(|k| random.random::<f64>() * if k % 3 == 0 { 1e4 } else { 1.0 }).collect();
    let labels: Vec<i64> = (0..200).map(|row| i64::from(row % 7 == 0)).collect();
    let features = npy(&[200, 3], npyz::Order::C, &numbers);
    let archive = table(&npz(
        &[("X.npy", &features), ("y.npy", &npy(&[200], npyz::Order::C, &labels))],
        CompressionMethod::Deflated,
    ));
    let rows = numbers.chunks(3).zip(&labels).map(|(row, label)| format!("{},{},{},{label}\n", row[0], row[1], row[2]));
    let text: String = std::iter::once("x0,x1,x2,label\n".to_owned()).chain(rows).collect();
    let text = table(text.as_bytes());
    assert_eq!((&archive.numeric, &archive.labels), (&text.numeric, &text.labels));
    assert_eq!(archive.schema.numeric, text.schema.numeric);
    assert_eq!(archive.schema.numeric[0].transform, Transform::Log1p);
}

fn schema(yaml: &str) -> ReadOptions {
    ReadOptions { schema: Some(TableSchema::from_yaml(yaml).expect("a sound schema")), ..ReadOptions::default() }
}

#[test]
fn a_schema_gives_the_columns_their_roles() {
    let yaml = "{name: s, numeric: [{name: x1}], ignored: [x0], label: {column: y, benign: ['1']}}";
    let bytes = sound(CompressionMethod::Stored);
    match read("a.npz", bytes.as_slice(), &schema(yaml)) {
        Ok(Input::Table(table)) => assert_eq!((table.numeric.len(), table.labels[2]), (1, Label::Benign)),
        other => panic!("{other:?}"),
    }
    let refused = read("a.npz", bytes.as_slice(), &schema(&yaml.replace("x1", "x7"))).map(|_| ());
    assert!(matches!(refused, Err(ReadError::MissingColumn { column, .. }) if column == "x7"));
}

#[test]
fn a_value_that_is_no_number_is_named_with_row_and_column() {
    let features = npy(&[2, 1], npyz::Order::C, &[1.0, f64::NAN]);
    let labels = npy(&[2], npyz::Order::C, &[0_i64, 1]);
    let bytes = npz(&[("X.npy", &features), ("y.npy", &labels)], CompressionMethod::Stored);
    let yaml = "{name: s, numeric: [{name: x0}], label: {column: y, benign: ['0']}, missing: refuse}";
    let schema = Some(TableSchema::from_yaml(yaml).expect("a sound schema"));
    let refusing = ReadOptions { schema, ..ReadOptions::default() };
    let error = read("a.npz", bytes.as_slice(), &refusing).map(|_| ()).expect_err("no number").to_string();
    assert!(error.starts_with("a.npz:2: column `x0`: expected a finite number, found \"NaN\""), "{error}");
    match read("a.npz", bytes.as_slice(), &ReadOptions::default()) {
        Ok(Input::Table(table)) => assert!(table.numeric[0].get(1).is_nan(), "a guess takes it as missing"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn archives_of_something_else_and_shapes_that_lie_are_refused() {
    let features = npy(&[3, 2], npyz::Order::C, &VALUES);
    let labels = npy(&[2], npyz::Order::C, &[0_i64, 1]);
    let mut lying = features.clone();
    let at = lying.windows(5).position(|part| part == b"(3, 2").expect("a shape");
    lying[at + 1] = b'9';
    let complex = String::from_utf8_lossy(&features).replace("<f8", "<c8").into_bytes();
    for (members, part) in [
        (vec![("a.npy", &features)], "expected X.npy and y.npy"),
        (vec![("X.npy", &features), ("y.npy", &labels)], "X is 3 × 2, y 2 × 1"),
        (vec![("X.npy", &lying), ("y.npy", &labels)], "holds 48 bytes"),
        (vec![("X.npy", &complex), ("y.npy", &labels)], "array X"),
    ] {
        let members: Vec<(&str, &[u8])> = members.into_iter().map(|(name, bytes)| (name, bytes.as_slice())).collect();
        let error = refused(&npz(&members, CompressionMethod::Stored)).to_string();
        assert!(error.contains(part) && error.starts_with("a.npz: the npz archive"), "{error}");
    }
    let text = npz(&[("readme.txt", b"hello")], CompressionMethod::Stored);
    assert!(refused(&text).to_string().contains("zip archive"));
}

#[test]
fn damaged_archives_are_read_or_refused_and_never_panic() {
    let (mut accepted, mut refused) = (0, 0);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let bytes = sound(method);
        for cut in 0..bytes.len() {
            assert!(read("f", &bytes[..cut], &ReadOptions::default()).is_err(), "cut at {cut}");
        }
        for seed in 0..2_000 {
            let mut random = Philox::from_u64_seed(seed);
            let mut changed = bytes.clone();
            for _ in 0..random.random_range(1..4_u32) {
                let at = random.random_range(0..changed.len() as u64) as usize;
                changed[at] = random.random();
            }
            match read("f", changed.as_slice(), &ReadOptions::default()) {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1_000, "{accepted} accepted, {refused} refused");
}
