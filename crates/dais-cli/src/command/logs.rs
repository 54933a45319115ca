//! `dais logs`: what a log tells.

use std::fmt::Write as _;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_telemetry::log::analysis::{Analysis, Minute, Phase, Report};
use dais_telemetry::log::{self, Level};
use jiff::Timestamp;
use serde::Serialize;

use crate::args::logs::LogsArgs;
use crate::screen::figure::{count, plural};
use crate::screen::output::{self, Ink};
use crate::screen::table::Table;

/// Standard input in place of a file.
const STDIN: &str = "-";
/// Longest bar of a minute.
const BAR_CHARS: u64 = 40;

/// A file that could not be read to its end.
#[derive(Debug, Serialize)]
struct Damaged {
    file: PathBuf,
    why: String,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Found<'a> {
    files: &'a [PathBuf],
    damaged: &'a [Damaged],
    #[serde(flatten)]
    report: &'a Report,
}

/// Runs `dais logs`.
///
/// # Errors
/// Files that are not there, or that are no logs of ours.
pub(crate) fn logs(args: &LogsArgs) -> anyhow::Result<ExitCode> {
    let files = if args.files.is_empty() { found(&[configured(args)?])? } else { found(&args.files)? };
    let mut analysis = args.since.map_or_else(Analysis::default, Analysis::since);
    let mut damaged = Vec::new();
    for file in &files {
        if let Err(error) = opened(file).and_then(|lines| analysis.read(lines)) {
            damaged.push(Damaged { file: file.clone(), why: error.to_string() });
        }
    }
    let report = analysis.report();
    if report.lines + report.earlier == 0 && report.unreadable > 0 {
        bail!("{} and none of a log of dais", plural(report.unreadable, "line"));
    }
    if args.json {
        let found = Found { files: &files, damaged: &damaged, report: &report };
        output::print(&format!("{}\n", serde_json::to_string_pretty(&found)?))?;
    } else {
        output::print(&written(&files, &report, args.top, Ink::of_stdout()))?;
        for Damaged { file, why } in &damaged {
            output::say(&format!(
                "damaged: {} could not be read to its end ({why}); what came before counts",
                file.display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The log that the configuration names.
fn configured(args: &LogsArgs) -> anyhow::Result<PathBuf> {
    let loaded = args.settings.load(false)?.current();
    loaded.config.logging.file.clone().context(
        "the configuration names no log: write `dais logs FILE`, or set `logging.file`, such as --configure \
         logging.file=logs/dais.log",
    )
}

/// The files of all logs that were named, each once.
fn found(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in named {
        let own = if path.as_os_str() == STDIN {
            vec![path.clone()]
        } else {
            log::family(path).with_context(|| format!("there is no log at {}", path.display()))?
        };
        files.extend(own);
    }
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

fn opened(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path.as_os_str() == STDIN { Ok(Box::new(io::stdin().lock())) } else { log::open(path) }
}

fn written(files: &[PathBuf], report: &Report, top: usize, ink: Ink) -> String {
    let mut text = format!("{} in {}", plural(report.lines, "line"), plural(files.len() as u64, "file"));
    if let (Some(first), Some(last)) = (report.first, report.last) {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, ", {} to {}", short(first), short(last));
    }
    text.push('\n');
    if report.earlier > 0 {
        let _ = writeln!(text, "{} before that", plural(report.earlier, "line"));
    }
    if report.unreadable > 0 {
        let _ = writeln!(text, "{} could not be read", plural(report.unreadable, "line"));
    }
    if report.left_out > 0 {
        let _ = writeln!(text, "{} left out of floods when the log was written", plural(report.left_out, "line"));
    }
    let mut section = |heading: &str, table: Table| {
        let lines = table.lines();
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{}\n{}", ink.heading(heading), lines.join("\n"));
        }
    };
    section("Levels", levels(report));
    section("Errors and warnings by cause", causes(report, top));
    section("Phases, ms", phases(&report.phases));
    section("Lines by minute", minutes(&report.minutes, top));
    section("Silences", gaps(report));
    text
}

fn levels(report: &Report) -> Table {
    let mut table = Table::new(1);
    for (level, lines) in &report.levels {
        table.row([level.to_string(), count(*lines)]);
    }
    table
}

fn causes(report: &Report, top: usize) -> Table {
    let mut table = Table::new(5);
    for cause in report.causes.iter().take(top) {
        let times = if cause.count == 1 {
            short(cause.first)
        } else {
            format!("{} to {}", short(cause.first), short(cause.last))
        };
        let said = if cause.level == Level::Error { "error" } else { "warning" };
        table.row([
            format!("{:>7}", count(cause.count)),
            said.to_owned(),
            cause.target.clone(),
            cause.cause.clone(),
            times,
        ]);
    }
    let hidden: u64 = report.causes.iter().skip(top).map(|cause| cause.count).sum::<u64>() + report.other_causes;
    if hidden > 0 {
        table.row([format!("{:>7}", count(hidden)), "of other causes".to_owned()]);
    }
    table
}

fn phases(phases: &[Phase]) -> Table {
    let mut table = Table::new(1);
    if !phases.is_empty() {
        table.row(["", "count", "p50", "p95", "max", "in all"]);
    }
    for phase in phases {
        let ms = |time: f64| format!("{time:.1}");
        let figures = [ms(phase.p50_ms), ms(phase.p95_ms), ms(phase.max_ms), ms(phase.total_ms)];
        table.row([phase.phase.clone(), count(phase.count)].into_iter().chain(figures));
    }
    table
}

/// The latest minutes, each with a bar.
fn minutes(minutes: &[Minute], top: usize) -> Table {
    let mut table = Table::new(3);
    let shown = &minutes[minutes.len().saturating_sub(top)..];
    let most = shown.iter().map(|minute| minute.lines).max().unwrap_or(0).max(1);
    for minute in shown {
        let bar = "█".repeat((minute.lines * BAR_CHARS).div_ceil(most) as usize);
        let errors = if minute.errors > 0 { format!("  {}", plural(minute.errors, "error")) } else { String::new() };
        table.row([
            minute.at.strftime("%Y-%m-%d %H:%M").to_string(),
            format!("{:>7}", count(minute.lines)),
            bar + &errors,
        ]);
    }
    table
}

fn gaps(report: &Report) -> Table {
    let mut table = Table::new(2);
    for gap in &report.gaps {
        table.row([format!("{:#}", gap.length()), format!("from {} to {}", short(gap.from), short(gap.to))]);
    }
    table
}

fn short(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
