//! Names of files and numbers for people.

use std::path::Path;

/// The path that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Endings that say how a file is written, not what it holds.
const ENDINGS: [&str; 14] = [
    ".gz",
    ".csv",
    ".txt",
    ".tsv",
    ".npz",
    ".parquet",
    ".json",
    ".labeled",
    ".log",
    ".conn",
    ".pcap",
    ".pcapng",
    ".binetflow",
    ".arff",
];

/// The name of a file without its folder and endings; `stdin` for standard input.
#[must_use]
pub fn stem(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) {
        return "stdin".to_owned();
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut short = name.as_str();
    while let Some(shorter) =
        ENDINGS.iter().find_map(|ending| short.strip_suffix(ending)).filter(|name| !name.is_empty())
    {
        short = shorter;
    }
    short.to_owned()
}

/// How alike two words must be to be suggested, from 0 to 1.
const LIKENESS_MIN: f64 = 0.6;

/// The known word most like `word`, if any is much like it.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let liked = known.into_iter().map(|known| (strsim::normalized_damerau_levenshtein(word, known), known));
    let best = liked.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness >= LIKENESS_MIN).map(|(_, known)| known)
}

/// A whole number with `separator` between its groups of three digits.
#[must_use]
pub fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_folder_and_endings() {
        assert_eq!(stem(Path::new("a/CTU-Normal-40.conn.log.labeled.gz")), "CTU-Normal-40");
        assert_eq!(stem(Path::new(".csv")), ".csv");
        assert_eq!(stem(Path::new("-")), "stdin");
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(|number| grouped(number, ',')), ["0", "999", "1,000", "1,234,567"]);
    }
}
