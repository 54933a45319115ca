//! Columns that give the label away or only number the rows, found by their values.
//!
//! A detector that sees such a column is measured on the column. Four kinds are told:
//!
//! * a second label: few values, which pick nearly all attacks and hardly an ordinary row, while the ordinary rows (nearly)
//!   all have one and the same, as `normal` in a column of attack names. A good feature with many values, such as a number
//!   of bytes that separates attacks perfectly, is none;
//! * a row number or time by which the file is sorted: it rises, or falls, from row to row;
//! * an id: whole numbers of which no two are equal, though of so many drawn from their range chance would have made some so;
//!   and names that hardly ever come twice;
//! * a time: seconds since 1970, or finer units, over more than an hour.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Numbers, Table};
use crate::{Label, Transform};

/// More values than this are no label.
const VALUES_MAX: usize = 256;
/// Rows that there must be for each value, on average.
const ROWS_PER_VALUE: u64 = 10;
/// Attacks, and ordinary rows, that there must be at least to tell anything.
const ROWS_MIN: u64 = 8;
/// How far the shares of attacks and of ordinary rows lie apart that the values of a second label pick: a label with two
/// wrong in a hundred lies above it; of the features of NSL-KDD the best has 0.83.
const SEPARATION: f64 = 0.955;
/// The same where ordinary rows have several values.
const SEPARATION_OF_MANY: f64 = 0.995;
/// The same where the name says that the column is a label.
const SEPARATION_NAMED: f64 = 0.75;
/// Share of the ordinary rows that have the most common value, for a second label.
const COMMON: f64 = 0.9;
/// Share of the changes from row to row that go one way, for a row number or a time.
const ONE_WAY: f64 = 0.9;
/// Changes that there must be.
const CHANGES_MIN: u64 = 20;
/// Blocks of rows whose means are compared, how many rows each must have, and the share of changes that go one way.
const BLOCKS: usize = 50;
/// See [`BLOCKS`].
const BLOCK_ROWS: usize = 10;
/// See [`BLOCKS`].
const ONE_WAY_OF_BLOCKS: f64 = 0.95;
/// Rows that there must be to call a column a number of rows.
const NUMBERED_MIN: usize = 50;
/// Pairs of equal numbers that chance would make, for the lack of any to mean an id.
const PAIRS_EXPECTED: f64 = 10.0;
/// More texts than this, and one in as many rows as [`NAME_ROWS`], are names, not kinds.
const KINDS_MAX: usize = 200;
/// See [`KINDS_MAX`].
const NAME_ROWS: usize = 5;
/// Whole numbers beyond this that are all unlike are ids, not amounts.
const NAME_LIKE: f64 = 1e11;
/// Times are seconds between these: the years 1998 to 2036.
const TIMES: std::ops::Range<f64> = 9e8..2.1e9;
/// Shortest time between the first and the last, in seconds; within less, large numbers may be anything.
const TIME_SPAN_S: f64 = 3_600.0;

/// Words in the names of labels.
const WORDS: [&str; 8] = ["label", "attack", "class", "categor", "malware", "threat", "anomal", "intrusion"];

/// Why a column is no feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leak {
    /// Its values tell attacks from ordinary rows: a second label.
    Label {
        /// Share of the attacks that its values pick, less the share of ordinary rows; from 0 to 1.
        separation: f64,
        /// How many values there are.
        values: usize,
    },
    /// It rises, or falls, from row to row.
    Order {
        /// Share of the changes that go the more common way.
        share: f64,
    },
    /// Hardly two rows have the same value.
    Identity {
        /// How many values there are.
        values: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// Its values are points in time.
    Time,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label { separation, values } => write!(
                f,
                "its {values} values tell attacks from ordinary rows (separation {separation:.3} of 1): a second label"
            ),
            Self::Order { share } => {
                write!(
                    f,
                    "it goes one way from row to row ({:.1} % of its changes): a row number or a time",
                    share * 100.0
                )
            }
            Self::Identity { values, rows } => write!(f, "it has {values} values in {rows} rows: an id or a name"),
            Self::Time => f.write_str("its values are points in time"),
        }
    }
}

/// A column that was left out, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Name of the column.
    pub column: String,
    /// What is wrong with it.
    pub why: Leak,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}` is left out: {}", self.column, self.why)
    }
}

/// Takes the columns out of tables of one layout that give the label away or only number the rows; the last feature stays
/// whatever it is.
pub fn leave_out_leaks(tables: &mut [Table]) -> Vec<LeftOut> {
    let found = suspects(tables);
    let mut left_out = Vec::new();
    for leak in found {
        let features = |table: &Table| table.numeric.len() + table.codes.len();
        if tables.iter().all(|table| features(table) > 1) {
            for table in tables.iter_mut() {
                table.remove(&leak.column);
            }
            left_out.push(leak);
        }
    }
    left_out
}

/// The features of tables of one layout that give the label away or only number the rows.
#[must_use]
pub fn suspects(tables: &[Table]) -> Vec<LeftOut> {
    let Some(first) = tables.first() else { return Vec::new() };
    let numeric = first.schema.numeric.iter().enumerate().map(|(k, column)| {
        let columns: Vec<&Numbers> = tables.iter().map(|table| &table.numeric[k]).collect();
        let raw = first.drafted || column.transform == Transform::Identity;
        let why = label_of_numbers(tables, &columns).filter(|label| label.convicts(&column.name));
        let why = why.map(Counts::leak).or_else(|| order(&columns));
        (&column.name, why.or_else(|| raw.then(|| identity(&columns).or_else(|| time(&columns))).flatten()))
    });
    let categorical = first.schema.categorical.iter().enumerate().map(|(k, column)| {
        let counts = label_of_codes(tables, k);
        let rows: usize = tables.iter().map(Table::rows).sum();
        let values = counts.values;
        let named = column.values.is_none() && values > KINDS_MAX && NAME_ROWS * values > rows;
        let identity = named.then_some(Leak::Identity { values, rows });
        (&column.name, if counts.convicts(&column.name) { Some(counts.leak()) } else { identity })
    });
    let found = numeric.chain(categorical).filter_map(|(name, why)| Some(LeftOut { column: name.clone(), why: why? }));
    found.collect()
}

impl Table {
    /// Takes a feature out.
    fn remove(&mut self, column: &str) {
        let schema = Arc::make_mut(&mut self.schema);
        if let Some(k) = schema.numeric.iter().position(|feature| feature.name == column) {
            schema.numeric.remove(k);
            self.numeric.remove(k);
        } else if let Some(k) = schema.categorical.iter().position(|feature| feature.name == column) {
            schema.categorical.remove(k);
            self.codes.remove(k);
            self.values.remove(k);
        }
        schema.ignored.push(column.to_owned());
    }
}

/// What the values of a column have to do with the label.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    values: usize,
    attacks: u64,
    benign: u64,
    separation: f64,
    /// Share of the ordinary rows with the most common value.
    common: f64,
}

impl Counts {
    /// By the attacks and ordinary rows of each value.
    fn of(by_value: impl Iterator<Item = [u64; 2]> + Clone) -> Self {
        let (mut values, mut attacks, mut benign) = (0, 0, 0);
        for [attack, ordinary] in by_value.clone().filter(|counts| *counts != [0, 0]) {
            (values, attacks, benign) = (values + 1, attacks + attack, benign + ordinary);
        }
        let shares = by_value.map(|[attack, ordinary]| [share(attack, attacks), share(ordinary, benign)]);
        let (mut separation, mut common) = (0.0, 0.0_f64);
        for [of_attacks, of_benign] in shares {
            separation += (of_attacks - of_benign).max(0.0);
            common = common.max(of_benign);
        }
        Self { values, attacks, benign, separation, common }
    }

    fn convicts(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let told = self.attacks >= ROWS_MIN && self.benign >= ROWS_MIN && self.values <= VALUES_MAX;
        let enough = self.attacks + self.benign >= ROWS_PER_VALUE * self.values as u64;
        let separates = self.separation >= SEPARATION_OF_MANY
            || (self.separation >= SEPARATION && self.common >= COMMON)
            || (self.separation >= SEPARATION_NAMED && WORDS.iter().any(|word| name.contains(word)));
        told && enough && separates
    }

    fn leak(self) -> Leak {
        Leak::Label { separation: self.separation.min(1.0), values: self.values }
    }
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// Place of a label in counts; none where nobody decided.
fn side(label: Label) -> Option<usize> {
    match label {
        Label::Attack(_) => Some(0),
        Label::Benign => Some(1),
        Label::Undecided => None,
    }
}

fn label_of_codes(tables: &[Table], k: usize) -> Counts {
    let mut by_value: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for table in tables {
        let mut by_code = vec![[0_u64; 2]; table.values[k].len() + 1];
        for (code, label) in table.codes[k].iter().zip(&table.labels) {
            if let Some(side) = side(*label) {
                by_code[usize::from(*code)][side] += 1;
            }
        }
        for (code, [attacks, benign]) in by_code.into_iter().enumerate() {
            let value = code.checked_sub(1).map_or("", |place| &table.values[k][place]);
            let counts = by_value.entry(value).or_default();
            *counts = [counts[0] + attacks, counts[1] + benign];
        }
    }
    Counts::of(by_value.values().copied())
}

/// What numbers have to do with the label, if they are few; else what it has to do with it whether there is a number.
fn label_of_numbers(tables: &[Table], columns: &[&Numbers]) -> Option<Counts> {
    let mut by_value: Vec<(u64, [u64; 2])> = Vec::new();
    let mut by_presence = [[0_u64; 2]; 2];
    let mut few = true;
    for (table, column) in tables.iter().zip(columns) {
        for (value, label) in column.iter().zip(&table.labels) {
            let Some(side) = side(*label) else { continue };
            by_presence[usize::from(value.is_nan())][side] += 1;
            if !few {
                continue;
            }
            let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
            match by_value.binary_search_by_key(&bits, |(bits, _)| *bits) {
                Ok(at) => by_value[at].1[side] += 1,
                Err(_) if by_value.len() == VALUES_MAX => few = false,
                Err(at) => {
                    let mut counts = [0; 2];
                    counts[side] = 1;
                    by_value.insert(at, (bits, counts));
                }
            }
        }
    }
    let missing = by_presence[1] != [0, 0];
    match (few, missing) {
        (true, _) => Some(Counts::of(by_value.iter().map(|(_, counts)| *counts))),
        (false, true) => Some(Counts::of(by_presence.into_iter())),
        (false, false) => None,
    }
}

/// Rises and falls from number to number.
fn changes(numbers: impl Iterator<Item = f64>) -> [u64; 2] {
    let (mut changes, mut last) = ([0, 0], f64::NAN);
    for value in numbers {
        changes[0] += u64::from(value > last);
        changes[1] += u64::from(value < last);
        last = value;
    }
    changes
}

/// The share of the changes that go the more common way, if there are enough to tell.
fn one_way([rises, falls]: [u64; 2], enough: u64) -> Option<f64> {
    (rises + falls >= enough).then(|| share(rises.max(falls), rises + falls))
}

/// Whether numbers go one way from row to row, or their means from block to block: the times of a file that is sorted by
/// other ones leap to and fro, and rise all the same.
fn order(columns: &[&Numbers]) -> Option<Leak> {
    let sum = |a: [u64; 2], b: [u64; 2]| [a[0] + b[0], a[1] + b[1]];
    let rows: usize = columns.iter().map(|column| column.len()).sum();
    let by_row = columns.iter().map(|column| changes(column.iter())).fold([0, 0], sum);
    let by_row = one_way(by_row, (rows as u64 / 100).max(CHANGES_MIN)).filter(|share| *share >= ONE_WAY);
    let by_block = || {
        let block = rows / BLOCKS;
        let means = |column: &Numbers| {
            let all: Vec<f64> = column.iter().collect();
            let mean = |rows: &[f64]| rows.iter().filter(|x| !x.is_nan()).sum::<f64>() / rows.len() as f64;
            changes(all.chunks_exact(block.max(1)).map(mean))
        };
        let by_block = columns.iter().map(|column| means(column)).fold([0, 0], sum);
        one_way(by_block, BLOCKS as u64 * 4 / 5).filter(|share| block >= BLOCK_ROWS && *share >= ONE_WAY_OF_BLOCKS)
    };
    let share = by_row.or_else(by_block)?;
    (rows >= NUMBERED_MIN).then_some(Leak::Order { share })
}

/// Whether numbers are whole and all different though chance would have made some equal, or larger than any amount.
fn identity(columns: &[&Numbers]) -> Option<Leak> {
    let whole = |value: f64| value.fract().abs() <= 0.0;
    let rows: usize = columns.iter().map(|column| column.len()).sum();
    if rows < 2 * NUMBERED_MIN || !columns.iter().all(|column| column.iter().all(whole)) {
        return None;
    }
    let mut all: Vec<f64> = columns.iter().flat_map(|column| column.iter()).collect();
    all.sort_unstable_by(f64::total_cmp);
    if all.windows(2).any(|pair| pair[0].to_bits() == pair[1].to_bits()) {
        return None;
    }
    let (least, most) = (all[0], all[rows - 1]);
    let pairs = rows as f64 * (rows - 1) as f64 / 2.0 / (most - least + 1.0);
    let found = pairs >= PAIRS_EXPECTED || least >= NAME_LIKE;
    found.then_some(Leak::Identity { values: rows, rows })
}

/// Whether numbers are points in time.
fn time(columns: &[&Numbers]) -> Option<Leak> {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in columns.iter().flat_map(|column| column.iter()).filter(|value| !value.is_nan()) {
        let seconds = crate::reader::seconds(value).filter(|seconds| TIMES.contains(seconds))?;
        (least, most) = (least.min(seconds), most.max(seconds));
    }
    (most - least > TIME_SPAN_S).then_some(Leak::Time)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use rand::RngExt;
    use rand_philox::Philox;

    use super::*;
    use crate::{Input, ReadOptions, read};

    const ROWS: u64 = 1_000;

    /// A table whose last rows are attacks, with a column made from the row number, whether it is an attack, and chance.
    fn table(value: impl Fn(u64, bool, &mut Philox) -> String) -> Table {
        let mut text = "noise,kind,x,label\n".to_owned();
        let mut random = Philox::from_u64_seed(7);
        for row in 0..ROWS {
            let attack = row.is_multiple_of(4);
            let noise = random.random_range(0..1_000_000_u64) as f64 / 1e3;
            let kind = ["tcp", "udp"][random.random_range(0..2_usize)];
            let label = if attack { ["scan", "worm"][(row / 4 % 2) as usize] } else { "normal" };
            writeln!(text, "{noise},{kind},{},{label}", value(row, attack, &mut random)).expect("text grows");
        }
        match read("t", text.as_bytes(), &ReadOptions::default()) {
            Ok(Input::Table(table)) => table,
            other => panic!("{other:?}"),
        }
    }

    fn left_out(value: impl Fn(u64, bool, &mut Philox) -> String) -> Option<Leak> {
        let table = table(value);
        let stays = table.schema.numeric.iter().any(|column| column.name == "noise");
        assert!(stays && table.schema.categorical.iter().any(|column| column.name == "kind"), "{:?}", table.left_out);
        let found: Vec<Leak> = table.left_out.iter().filter(|left| left.column == "x").map(|left| left.why).collect();
        assert_eq!(found.is_empty(), !table.schema.ignored.contains(&"x".to_owned()));
        found.first().copied()
    }

    #[test]
    fn second_labels_are_left_out_whatever_their_name_and_also_where_some_are_wrong() {
        let wrong = |random: &mut Philox, in_a_thousand: u64| random.random_range(0..1_000_u64) < in_a_thousand;
        for leak in [
            left_out(|_, attack, _| (if attack { "ddos" } else { "normal" }).to_owned()),
            left_out(|row, attack, _| if attack { format!("sub {}", row % 7) } else { String::new() }),
            left_out(|_, attack, _| u8::from(attack).to_string()),
            left_out(|_, attack, _| u8::from(!attack).to_string()),
            left_out(|row, attack, _| if attack { (row % 9 + 1).to_string() } else { "0".to_owned() }),
            left_out(|_, attack, random| u8::from(attack ^ wrong(random, 8)).to_string()),
            left_out(
                |_, attack, random| {
                    if attack { String::new() } else { random.random_range(0..1_000_000_u64).to_string() }
                },
            ),
        ] {
            assert!(matches!(leak, Some(Leak::Label { separation, .. }) if separation > 0.95), "{leak:?}");
        }
    }

    #[test]
    fn good_features_stay() {
        for found in [
            // Bytes that separate perfectly, whole or not, also far from zero.
            left_out(|_, attack, random| (random.random_range(0..500_u64) + u64::from(attack) * 9_000).to_string()),
            left_out(|_, attack, random| {
                (1.6e9 + f64::from(u8::from(attack)) * 5.0 + random.random_range(0..1_000_u64) as f64 / 1e3).to_string()
            }),
            // A flag that most attacks have and few others, and a service that only attacks use.
            left_out(|_, attack, random| u8::from(attack == (random.random_range(0..100_u64) > 4)).to_string()),
            left_out(|row, attack, _| {
                (if attack && row % 3 == 0 { "ssh" } else { ["dns", "web"][row as usize % 2] }).to_owned()
            }),
            // A column that says nothing, and one that never changes.
            left_out(|_, _, random| random.random_range(0..5_u64).to_string()),
            left_out(|_, _, _| "3".to_owned()),
        ] {
            assert_eq!(found, None);
        }
    }

    #[test]
    fn row_numbers_ids_and_times_are_left_out() {
        let shuffled = |row: u64| row * 7_919 % 10_007;
        for (leak, expected) in [
            (left_out(|row, _, _| row.to_string()), "a row number"),
            (left_out(|row, _, _| (ROWS - row).to_string()), "a row number"),
            (left_out(|row, _, random| (row * 10 + random.random_range(0..12_u64)).to_string()), "a row number"),
            (left_out(|row, _, _| shuffled(row).to_string()), "an id or a name"),
            (left_out(|row, _, _| (1_234_567_890_123_456 + shuffled(row)).to_string()), "an id or a name"),
            (left_out(|row, _, _| (1_700_000_000 + 60 * (shuffled(row) / 10)).to_string()), "points in time"),
            (left_out(|row, _, _| format!("host-{}", shuffled(row))), "an id or a name"),
        ] {
            assert!(leak.is_some_and(|leak| leak.to_string().contains(expected)), "{leak:?}: {expected}");
        }
    }

    #[test]
    fn the_last_feature_stays() {
        let text: String = (0..200).map(|row| format!("{row},{}\n", ["a", "normal"][row % 2])).collect();
        let Ok(Input::Table(table)) = read("t", format!("n,label\n{text}").as_bytes(), &ReadOptions::default()) else {
            panic!("a table")
        };
        assert_eq!((table.numeric.len(), table.left_out.len()), (1, 0));
        assert_eq!(suspects(&[table]).len(), 1);
    }
}
