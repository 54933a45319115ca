//! The arguments of `dais eval`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use dais_detect::Algorithm;
use dais_lab::Protocol;

use super::value;

pub(crate) const EXAMPLES: &str = "\
Examples:
  dais eval --data http.csv.gz smtp.csv.gz
  dais eval --data KDDTrain+.csv.gz KDDTest+.csv.gz --detector ensemble,isolation-forest,ecod --seeds 10
  dais eval --data monday.csv tuesday.csv --test wednesday.csv --schema flows.schema.yaml
  dais eval --data conn.log.labeled --json

Each file is a data set; two whose names differ in `train` and `test` alone are one. Protocols:
  novelty        learn benign rows, score the file to test; without one learn the earlier half and score the
                 later one. For pairs of files and for logs, unless another is chosen
  unsupervised   learn all rows without their labels, score the same rows. For single tables
Rows that nobody labelled are learned where the protocol has no use for labels, and never scored.";

/// `dais eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Labelled files, plain or gzip, recognised by content
    #[arg(long, num_args = 1.., value_name = "FILE", required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Files to score, with the files of --data to learn from: together one data set
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) test: Vec<PathBuf>,
    /// Detectors by name, or `all`
    #[arg(long, value_delimiter = ',', value_name = "NAMES", default_value = "all", value_parser = detectors)]
    pub(crate) detector: Vec<Detectors>,
    /// Number of seeds: 0, 1, 2, …
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = RangedU64ValueParser::<u64>::new().range(1..=10_000))]
    pub(crate) seeds: u64,
    /// The seeds themselves
    #[arg(long, value_delimiter = ',', value_name = "SEEDS", conflicts_with = "seeds")]
    pub(crate) seed_list: Vec<u64>,
    /// False positive rates at which recall is read
    #[arg(long, value_delimiter = ',', value_name = "RATES", default_value = "0.001,0.01,0.05", value_parser = value::share)]
    pub(crate) fpr: Vec<f64>,
    /// Which rows are learned and which scored: novelty or unsupervised [default: by the kind of data, see below]
    #[arg(long, value_name = "NAME", value_parser = protocol)]
    pub(crate) protocol: Option<Protocol>,
    /// Schema file of labelled tables that are not recognised by content; `dais schema` drafts one
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// Largest share of broken rows before a file is refused, 0 to 1 [default: 0 for tables, 0.01 for logs]
    #[arg(long, value_name = "SHARE", value_parser = value::share)]
    pub(crate) max_bad_rows: Option<f64>,
    /// Folder for eval.json, with the points of all curves, and eval.html [default: a new one, evals/DATASETS-N]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace an earlier comparison in that folder, once the new one is complete
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object on standard output, everything else on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress, no table; errors only
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// What one word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detectors {
    /// All of them.
    All,
    /// One.
    One(Algorithm),
}

impl Detectors {
    /// The detectors that the words name together, each once.
    pub(crate) fn named(words: &[Self]) -> Vec<Algorithm> {
        let mut named: Vec<Algorithm> = Vec::new();
        let each = words.iter().flat_map(|word| match word {
            Self::All => Algorithm::ALL,
            Self::One(algorithm) => std::slice::from_ref(algorithm),
        });
        for algorithm in each {
            if !named.contains(algorithm) {
                named.push(*algorithm);
            }
        }
        named
    }
}

fn detectors(word: &str) -> Result<Detectors, String> {
    if word == "all" {
        return Ok(Detectors::All);
    }
    word.parse().map(Detectors::One).map_err(|unknown: dais_detect::UnknownAlgorithm| unknown.to_string())
}

fn protocol(word: &str) -> Result<Protocol, String> {
    let known = [Protocol::Novelty, Protocol::Unsupervised].into_iter().find(|protocol| protocol.name() == word);
    known.ok_or_else(|| "expected novelty or unsupervised".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_are_named_once_each() {
        let words = ["ecod", "all", "lof"].map(|word| detectors(word).unwrap());
        let named = Detectors::named(&words);
        assert_eq!((named[0], named.len()), (Algorithm::Ecod, Algorithm::ALL.len()));
        assert!(detectors("oracle").unwrap_err().contains("isolation-forest"));
    }
}
