//! The values of one column of a batch, whatever their type in the file.
//!
//! These are the types that Parquet itself has; dictionaries are undone and wider kinds of text narrowed by its reader.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, new_empty_array};
use arrow_schema::DataType;

use super::super::columns::Cell;

/// The values of a column, and which of them are there.
pub(super) struct Values<'a> {
    /// Where a value may be missing.
    array: Option<&'a dyn Array>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Texts(Vec<&'a [u8]>),
}

/// Whether columns of this type can be read.
pub(super) fn understands(kind: &DataType) -> bool {
    Values::of(new_empty_array(kind).as_ref()).is_some()
}

impl<'a> Values<'a> {
    /// The values of an array, unless they are lists, structures or the like.
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        let kind = whole(array).or_else(|| fractional(array)).or_else(|| time(array)).or_else(|| text(array))?;
        Some(Self { array: (array.null_count() > 0).then_some(array), kind })
    }

    /// The value of a row that exists; empty where there is none.
    pub(super) fn cell(&self, row: usize) -> Cell<'a> {
        if self.array.is_some_and(|array| array.is_null(row)) {
            return Cell::Text(b"");
        }
        match &self.kind {
            Kind::Integers(values) => Cell::Integer(values[row]),
            Kind::Numbers(values) => Cell::Number(values[row]),
            Kind::Texts(values) => Cell::Text(values[row]),
        }
    }
}

fn integers<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array) -> Option<Kind<'_>> {
    let values = array.as_primitive_opt::<T>()?.values();
    Some(Kind::Integers(values.iter().map(|value| (*value).into()).collect()))
}

fn numbers<T: ArrowPrimitiveType<Native: Into<f64>>>(array: &dyn Array) -> Option<Kind<'_>> {
    let values = array.as_primitive_opt::<T>()?.values();
    Some(Kind::Numbers(values.iter().map(|value| (*value).into()).collect()))
}

/// Points in time, of which `a_second` are a second, as seconds since 1970.
fn seconds<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array, a_second: f64) -> Option<Kind<'_>> {
    let values = array.as_primitive_opt::<T>()?.values();
    let seconds = |value: &T::Native| {
        let whole: i64 = (*value).into();
        whole as f64 / a_second
    };
    Some(Kind::Numbers(values.iter().map(seconds).collect()))
}

fn whole(array: &dyn Array) -> Option<Kind<'_>> {
    integers::<Int64Type>(array)
        .or_else(|| integers::<Int32Type>(array))
        .or_else(|| integers::<Int16Type>(array))
        .or_else(|| integers::<Int8Type>(array))
        .or_else(|| integers::<UInt32Type>(array))
        .or_else(|| integers::<UInt16Type>(array))
        .or_else(|| integers::<UInt8Type>(array))
        .or_else(|| {
            let values = array.as_boolean_opt()?.values();
            Some(Kind::Integers(values.iter().map(i64::from).collect()))
        })
}

fn fractional(array: &dyn Array) -> Option<Kind<'_>> {
    numbers::<Float64Type>(array)
        .or_else(|| numbers::<Float32Type>(array))
        .or_else(|| numbers::<Float16Type>(array))
        .or_else(|| {
            let values = array.as_primitive_opt::<UInt64Type>()?.values();
            let fitting: Option<Vec<i64>> = values.iter().map(|value| i64::try_from(*value).ok()).collect();
            let rounded = || Kind::Numbers(values.iter().map(|value| *value as f64).collect());
            Some(fitting.map_or_else(rounded, Kind::Integers))
        })
}

fn time(array: &dyn Array) -> Option<Kind<'_>> {
    const DAY_S: f64 = 86_400.0;
    seconds::<TimestampMicrosecondType>(array, 1e6)
        .or_else(|| seconds::<TimestampMillisecondType>(array, 1e3))
        .or_else(|| seconds::<TimestampNanosecondType>(array, 1e9))
        .or_else(|| seconds::<Date32Type>(array, 1.0 / DAY_S))
}

fn text(array: &dyn Array) -> Option<Kind<'_>> {
    let texts = array.as_string_opt::<i32>();
    let texts = texts.map(|texts| texts.iter().map(|text| text.unwrap_or_default().as_bytes()).collect());
    let bytes = || Some(array.as_binary_opt::<i32>()?.iter().map(Option::unwrap_or_default).collect());
    texts.or_else(bytes).map(Kind::Texts)
}
