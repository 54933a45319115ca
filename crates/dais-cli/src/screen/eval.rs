//! The comparison of detectors on the terminal.

use dais_lab::{Comparison, DataSetSummary, Eval, EvalResult, Protocol};

use crate::screen::figure::{bytes, count, percent, plural, rate, seconds};
use crate::screen::output::Ink;
use crate::screen::table::Table;

/// The comparison, ready to be printed.
pub(crate) fn eval(eval: &Eval, ink: Ink) -> String {
    let mut lines = vec![format!(
        "{} · {} · {}{}",
        plural(eval.datasets.len() as u64, "data set"),
        plural(eval.seeds.len() as u64, "seed"),
        seconds(eval.wall_s),
        eval.peak_rss_mb.map(|mb| format!(" · peak memory {} MiB", count(mb.round() as u64))).unwrap_or_default(),
    )];
    if eval.interrupted {
        lines.push(ink.strong("Stopped before its end: only data sets that were finished are shown."));
    }
    for set in &eval.datasets {
        lines.push(String::new());
        lines.push(format!("{} · {}", ink.heading(&set.name), described(set)));
        lines.extend(results(&eval.by_area(&set.name), eval.seeds.len()));
        lines.extend(set.notes.iter().map(|note| ink.faint(&format!("  {note}"))));
    }
    if let Some(comparison) = &eval.comparison {
        lines.push(String::new());
        lines.extend(ranks(comparison, ink));
    }
    lines.join("\n") + "\n"
}

fn described(set: &DataSetSummary) -> String {
    let learned = match set.protocol {
        Protocol::Novelty => "benign rows learned",
        Protocol::Unsupervised => "rows learned without their labels",
    };
    format!(
        "{} {learned}, {} scored, {} of them attacks, {}",
        count(set.learned as u64),
        count(set.scored as u64),
        count(set.attacks as u64),
        plural(set.features as u64, "feature"),
    )
}

fn results(results: &[&EvalResult], seeds: usize) -> Vec<String> {
    let spread = |mean: f64, std: f64| if seeds > 1 { format!("{mean:.4} ±{std:.4}") } else { format!("{mean:.4}") };
    let mut table = Table::new(1);
    let rates = results.first().into_iter().flat_map(|result| &result.recall_at_fpr);
    let rates = rates.map(|at| format!("recall at {} %", at.fpr * 100.0));
    let head = ["detector", "AUROC", "avg precision"].map(str::to_owned).into_iter();
    table.row(head.chain(rates).chain(["fit ms", "rows/s", "memory"].map(str::to_owned)));
    for result in results {
        let figures = [
            result.detector.clone(),
            spread(result.auroc_mean, result.auroc_std),
            spread(result.average_precision_mean, result.average_precision_std),
        ];
        let recalls = result.recall_at_fpr.iter().map(|at| percent(Some(at.recall_mean)));
        let costs = [format!("{:.1}", result.fit_ms), rate(result.scored_rows_per_s), bytes(result.model_bytes)];
        table.row(figures.into_iter().chain(recalls).chain(costs));
    }
    table.lines()
}

fn ranks(comparison: &Comparison, ink: Ink) -> Vec<String> {
    let mut lines = vec![ink.heading("Mean rank by AUROC")];
    let mut table = Table::new(1);
    table.row(["detector", "rank", "group"]);
    for mean in &comparison.ranks {
        table.row([mean.detector.clone(), format!("{:.2}", mean.rank), mean.groups.clone()]);
    }
    lines.extend(table.lines());
    let Comparison { datasets, friedman_chi2, friedman_p, critical_difference, alpha, .. } = comparison;
    lines.push(ink.faint(&format!(
        "  {datasets} data sets: Friedman chi-squared {friedman_chi2:.2}, p = {friedman_p:.4}; ranks closer than \
         {critical_difference:.2} do not differ"
    )));
    lines.push(ink.faint(&format!("  at the level {alpha} (Nemenyi), nor do detectors that share a letter")));
    lines
}
