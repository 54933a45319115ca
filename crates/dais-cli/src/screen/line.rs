//! The progress of runs on standard error, where that is a terminal.

use std::io::{self, Write};
use std::time::Duration;

use dais_lab::{EvalProgress, SweepProgress};
use dais_runs::Step;
use dais_telemetry::log::{BoxMakeWriter, Console};
use indicatif::{ProgressBar, ProgressStyle};

use crate::screen::figure::{count, plural, rate};

/// Time between two drawings.
const REFRESH: Duration = Duration::from_millis(150);

/// A line that shows how far a run or a sweep has come; invisible where standard error is no terminal.
pub(crate) struct Line {
    bar: ProgressBar,
    worlds: u64,
    done: u64,
    alerts: u64,
    mode: Option<dais_sim::Mode>,
}

impl Line {
    /// A line for runs of so many worlds each.
    pub(crate) fn new(quiet: bool, worlds: usize) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        bar.set_style(style("{spinner} {wide_msg}"));
        Self { bar, worlds: worlds as u64, done: 0, alerts: 0, mode: None }
    }

    /// Standard error for the lines of a log, which are written above the line.
    pub(crate) fn console(&self) -> Console {
        let bar = self.bar.clone();
        Console { writer: BoxMakeWriter::new(move || Above(bar.clone())), ..Console::stderr() }
    }

    /// Shows that files are being read.
    pub(crate) fn reading(&self, files: u64) {
        if files > 0 {
            self.bar.set_message(format!("reading {}", plural(files, "file")));
            self.bar.enable_steady_tick(REFRESH);
        }
    }

    /// Shows that agents are being set up.
    pub(crate) fn preparing(&self) {
        self.bar.set_message("training the agents' first detectors");
        self.bar.enable_steady_tick(REFRESH);
    }

    /// Shows a step of a single run.
    pub(crate) fn step(&mut self, step: &Step) {
        let world = format!("{:<13} step {}/{}", step.world.name(), step.step, step.steps);
        self.advance(step, 1, &world);
    }

    /// Shows a step of one of many runs.
    pub(crate) fn sweep_step(&mut self, progress: &SweepProgress<'_>) {
        let world = format!("run {}/{} {}", progress.runs_done + 1, progress.runs, progress.run.mode);
        self.advance(&Step::of(&progress.run, Duration::ZERO), progress.runs as u64, &world);
    }

    /// Shows which detector is measured next.
    pub(crate) fn trial(&mut self, progress: &EvalProgress<'_>) {
        if progress.done == 0 {
            self.bar.disable_steady_tick();
            self.bar.set_style(style("{bar:20} {pos}/{len} {wide_msg} ETA {eta:>4}"));
            self.bar.set_length(progress.all as u64);
            self.bar.reset_eta();
        }
        self.bar.set_message(format!("{} on {}", progress.detector, progress.dataset));
        self.bar.set_position(progress.done as u64);
    }

    fn advance(&mut self, step: &Step, runs: u64, world: &str) {
        if self.done == 0 {
            self.bar.disable_steady_tick();
            self.bar.set_style(style("{bar:20} {wide_msg} {per_sec:>14} ETA {eta:>4}"));
            self.bar.set_length(u64::from(step.steps) * self.worlds * runs);
            self.bar.reset_eta();
        }
        if self.mode != Some(step.world) || step.step == 1 {
            self.alerts = 0;
            self.mode = Some(step.world);
        }
        self.done += 1;
        self.alerts += step.tally.alerts;
        let accepted = step.exchange.accepted;
        self.bar.set_message(format!("{world} · {} alerts · {accepted} accepted", count(self.alerts)));
        self.bar.set_position(self.done);
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Writes to standard error while the line is taken away.
struct Above(ProgressBar);

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the templates of this file are sound");
    style.progress_chars("█▌ ").with_key(
        "per_sec",
        |state: &indicatif::ProgressState, text: &mut dyn std::fmt::Write| {
            // A formatter that fails leaves the line shorter.
            let _ = write!(text, "{} steps/s", rate(state.per_sec()));
        },
    )
}
