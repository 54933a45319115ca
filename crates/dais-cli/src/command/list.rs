//! `dais list`.

use std::fmt::Write as _;
use std::process::ExitCode;

use dais_detect::Algorithm;
use serde_json::{Value, json};

use crate::args::list::{ListArgs, Listed};
use crate::screen::output;

/// What there is today besides a shared ledger: nothing.
const TOPOLOGIES: [(&str, &str); 1] =
    [("ledger", "all agents meet over one shared ledger: everybody hears everybody (a complete graph)")];

pub(crate) fn list(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let all = catalogue(args.what);
    let text = if args.json {
        let objects = all.iter().map(|(name, description)| json!({ "name": name, "description": description }));
        format!("{}\n", Value::Array(objects.collect()))
    } else {
        table(&all)
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn catalogue(what: Listed) -> Vec<(String, &'static str)> {
    let named = |all: Vec<(&'static str, &'static str)>| all.into_iter().map(|(name, line)| (name.to_owned(), line));
    match what {
        Listed::Adversaries => named(dais_sim::adversaries()).collect(),
        Listed::Rules => named(dais_protocol::rules()).collect(),
        Listed::Topologies => named(TOPOLOGIES.to_vec()).collect(),
        Listed::Trust => named(dais_protocol::trust_models()).collect(),
        Listed::Detectors => Algorithm::ALL.iter().map(|known| (known.to_string(), detector(*known))).collect(),
    }
}

fn table(all: &[(String, &str)]) -> String {
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    all.iter().fold(String::new(), |mut text, (name, description)| {
        writeln!(text, "{name:<width$}  {description}").expect("a string takes all that is written");
        text
    })
}

fn detector(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::IsolationForest => "few random cuts isolate what is strange",
        Algorithm::Neighbours => "what is strange lies far from its nearest neighbours",
        Algorithm::Ensemble => "isolation forest and neighbours together, as agents use them",
        Algorithm::Ecod => "how far out in the tails of every feature",
        Algorithm::Copod => "how far out in the tails, by empirical copula",
        Algorithm::Hbos => "how rare in the histogram of every feature",
        Algorithm::Mahalanobis => "distance from the mean, by robust covariance",
        Algorithm::ExtendedForest => "an isolation forest with slanted cuts",
        Algorithm::Lof => "how much sparser than around the neighbours",
        Algorithm::RankEnsemble => "the mean rank of several detectors",
        Algorithm::HalfSpaceTrees => "mass in random half spaces, learned from a stream",
        Algorithm::Loda => "histograms of random projections, learned from a stream",
        Algorithm::RandomCutForest => "how much it changes a forest of random cuts, learned from a stream",
        _ => "a detector of this version",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_listed_has_a_name_of_its_own_and_a_line_about_it() {
        for what in [Listed::Adversaries, Listed::Rules, Listed::Topologies, Listed::Trust, Listed::Detectors] {
            let all = catalogue(what);
            assert!(!all.is_empty(), "{what:?}");
            let mut names: Vec<&String> = all.iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all.len(), "{what:?}");
            assert!(all.iter().all(|(_, line)| !line.is_empty() && !line.contains('\n')), "{what:?}");
        }
        assert!(catalogue(Listed::Adversaries).len() >= 17);
    }
}
