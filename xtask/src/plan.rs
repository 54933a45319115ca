//! The steps of one command, run in order, timed, and stopped at the first failure.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::step::Step;

/// Steps to run in order, and what was left out on purpose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    left_out: Vec<String>,
}

impl Plan {
    /// The plan with one more step at its end.
    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The plan with one more line that says what does not run here, and why.
    pub(crate) fn without(mut self, what_and_why: String) -> Self {
        self.left_out.push(what_and_why);
        self
    }

    /// Runs the steps in `directory`; prints each command before it runs and, for more than one step, a table of
    /// durations at the end.
    ///
    /// # Errors
    /// The first step that cannot be started or fails, with the command to repeat it; later steps do not run.
    pub(crate) fn run(&self, directory: &Path) -> anyhow::Result<()> {
        let mut timings = Vec::with_capacity(self.steps.len());
        let mut outcome = Ok(());
        for step in &self.steps {
            eprintln!("\n$ {step}");
            let started = Instant::now();
            outcome = run_one(step, directory);
            timings.push((step.name, started.elapsed(), outcome.is_ok()));
            if outcome.is_err() {
                break;
            }
        }
        if self.steps.len() > 1 {
            eprint!("\n{}", table(&timings));
        }
        for line in &self.left_out {
            eprintln!("left out: {line}");
        }
        outcome
    }

    #[cfg(test)]
    pub(crate) fn command_lines(&self) -> Vec<String> {
        self.steps.iter().map(ToString::to_string).collect()
    }
}

fn run_one(step: &Step, directory: &Path) -> anyhow::Result<()> {
    let status = step.run(directory).with_context(|| format!("cannot start `{step}`"))?;
    if !status.success() {
        bail!("{} failed ({status}); to repeat it:\n    {step}", step.name);
    }
    Ok(())
}

/// One line per step that ran: name, seconds, and whether it failed; then their sum.
fn table(timings: &[(&str, Duration, bool)]) -> String {
    let width = timings.iter().map(|(name, ..)| name.len()).max().unwrap_or(0).max("total".len());
    let mut text = String::new();
    let mut line = |name: &str, time: Duration, note: &str| {
        writeln!(text, "{name:width$} {:8.1} s{note}", time.as_secs_f64()).expect("a String takes every write");
    };
    for &(name, time, fine) in timings {
        line(name, time, if fine { "" } else { "  FAILED" });
    }
    line("total", timings.iter().map(|&(_, time, _)| time).sum(), "");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_first_failure_ends_the_plan_and_names_the_command_to_repeat() {
        let plan = Plan::default()
            .then(Step::new("fine", "true"))
            .then(Step::new("broken", "false").arguments(["--again"]))
            .then(Step::new("never", "a-program-that-does-not-exist"));
        let error = format!("{:#}", plan.run(Path::new(".")).unwrap_err());
        assert!(error.starts_with("broken failed"), "{error}");
        assert!(error.ends_with("false --again"), "{error}");
    }

    #[test]
    fn a_program_that_cannot_start_is_named() {
        let plan = Plan::default().then(Step::new("never", "a-program-that-does-not-exist"));
        let error = format!("{:#}", plan.run(Path::new(".")).unwrap_err());
        assert!(error.starts_with("cannot start `a-program-that-does-not-exist`"), "{error}");
    }

    #[test]
    fn the_table_aligns_names_marks_failures_and_adds_up() {
        let timings = [("fmt", Duration::from_millis(500), true), ("clippy", Duration::from_millis(12_250), false)];
        assert_eq!(
            table(&timings),
            "fmt         0.5 s\n\
             clippy     12.2 s  FAILED\n\
             total      12.8 s\n"
        );
    }
}
