use std::fmt::Write as _;

use super::catalogue::CATALOGUE;
use super::family::{Family, Kind};

const HEAD: &str = "\
# Metrics

Written from `crates/dais-telemetry/src/metric/catalogue.rs`, the one list of all metrics.

A run shows them at `/metrics`: as Prometheus text, or as OpenMetrics to readers that prefer it, as Prometheus does. Names
are those of the part of the system they speak of, without a prefix of the program: the `job` label of the scrape tells
programs apart. No label names an agent, and the values of every label are listed below, so that the number of series does
not grow with a run. Counters begin at 0; a gauge is absent until it is known. Counters run on over the worlds of a run.

For alert rules within dais a histogram `x` also has the series `x_p50`, `x_p95` and `x_p99`: exact quantiles of its last
1,024 values. Programs read the same window as `count, mean, std, min, max, p50, p95, p99`. How to scrape, record and alert:
[Monitor a run](../how-to/monitor-a-run.md).
";

/// The reference page of all metrics, in Markdown.
pub(super) fn reference_page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n| metric | type | unit | meaning |\n|---|---|---|---|\n");
    for family in CATALOGUE {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(page, "| `{}` | {} | {} | {} |", family.name, kind(family), unit(family), family.help);
    }
    page.push_str("\n## Labels\n\n| metric | label | values |\n|---|---|---|\n");
    for family in CATALOGUE {
        if let Some(label) = &family.label {
            let values: Vec<String> = label.values.iter().map(|value| format!("`{value}`")).collect();
            let _ = writeln!(page, "| `{}` | `{}` | {} |", family.name, label.name, values.join(", "));
        }
    }
    page.push_str("\n## Buckets\n\n| metric | upper bounds |\n|---|---|\n");
    for family in CATALOGUE {
        if let Kind::Histogram(bounds) = family.kind {
            let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
            let _ = writeln!(page, "| `{}` | {} |", family.name, bounds.join(", "));
        }
    }
    page
}

fn kind(family: &Family) -> &'static str {
    match family.kind {
        Kind::Counter | Kind::Reading => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    }
}

fn unit(family: &Family) -> &'static str {
    if family.unit == "mb" { "MiB" } else { family.unit }
}
