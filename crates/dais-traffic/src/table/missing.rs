//! Values that are not there.

use serde::{Deserialize, Serialize};

use super::{NumericColumn, Table};
use crate::Transform;

/// What becomes of a value that is missing: an empty field, a word such as `?`, `-`, `NA`, `null`, and in numeric columns
/// `NaN` and `Infinity`, which a quotient by zero is.
///
/// It concerns features only. A row without label, time or address is broken in any case; a port that is missing is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// A number becomes the median of its column, and a feature beside it says in which rows that is so; an empty text is a
    /// category of its own.
    #[default]
    Fill,
    /// A row without a number is broken; an empty text is a category of its own.
    Refuse,
}

/// What the name of a feature ends in that says where numbers are missing.
const SUFFIX: &str = " missing";

/// Fills in missing numbers of tables of one layout: with the median of the column over all tables, and for each column where
/// one is missing in any table another column that is 1 in rows without the number and 0 in others.
pub fn fill_missing(tables: &mut [Table]) {
    let Some(columns) = tables.iter().map(|table| table.numeric.len()).min() else { return };
    for k in 0..columns {
        if tables.iter().all(|table| table.numeric[k].iter().all(|value| !value.is_nan())) {
            continue;
        }
        let median = median(tables.iter().flat_map(|table| table.numeric[k].iter()));
        let name = free_name(&tables[0], k);
        for table in tables.iter_mut() {
            let is_missing = |value: f64| f32::from(u8::from(value.is_nan()));
            let indicator: Vec<f32> = table.numeric[k].iter().map(is_missing).collect();
            table.numeric[k].fill(median);
            table.numeric.push(indicator.into());
            let schema = std::sync::Arc::make_mut(&mut table.schema);
            schema.numeric.push(NumericColumn {
                name: name.clone(),
                unit: String::new(),
                transform: Transform::Identity,
                low: Some(0.0),
                high: Some(1.0),
            });
        }
    }
}

/// A name for the column beside column `k` that no other one has.
fn free_name(table: &Table, k: usize) -> String {
    let mut name = format!("{}{SUFFIX}", table.schema.numeric[k].name);
    while table.schema.roles().any(|role| role == name) {
        name.push('_');
    }
    name
}

/// The lower median of the numbers that there are; 0 where there is none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut there: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    let Some(middle) = there.len().checked_sub(1).map(|last| last / 2) else { return 0.0 };
    *there.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, ReadOptions, read};

    fn table(text: &str) -> Table {
        match read("t", text.as_bytes(), &ReadOptions::default()) {
            Ok(Input::Table(table)) => table,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_become_the_median_of_all_tables_and_a_feature_says_where() {
        let mut tables = [
            table("a,b,kind,label\n1,1,x,normal\n?,2,,normal\n5,3,x,worm\n"),
            table("a,b,kind,label\n9,1,x,normal\nInfinity,2,y,normal\n3,2,y,normal\n"),
        ];
        fill_missing(&mut tables);
        let values: Vec<Vec<f64>> = tables.iter().map(|table| table.numeric[0].iter().collect()).collect();
        assert_eq!(values, [[1.0, 3.0, 5.0], [9.0, 3.0, 3.0]]);
        let beside: Vec<Vec<f64>> = tables.iter().map(|table| table.numeric[2].iter().collect()).collect();
        assert_eq!(beside, [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]);
        let names: Vec<&str> = tables[1].schema.numeric.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "a missing"]);
        assert_eq!(tables[0].values[0], ["x", ""], "an empty text is a category");
        assert_eq!(tables[0].schema.check(), Ok(()));
    }

    #[test]
    fn a_column_without_any_number_is_zero() {
        let mut tables = [table("a,b,label\n,1,normal\n,2,worm\n")];
        tables[0].numeric[0] = vec![f32::NAN; 2].into();
        fill_missing(&mut tables);
        assert_eq!(tables[0].numeric[0], vec![0.0; 2].into());
    }
}
