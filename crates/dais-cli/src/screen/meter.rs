//! The progress of work on a ledger on standard error, where that is a terminal.

use std::time::Duration;

use dais_ledger::backup::{Progress, Task};
use indicatif::{ProgressBar, ProgressStyle};

/// Time between two drawings.
const REFRESH: Duration = Duration::from_millis(150);

/// A line that shows what is being done and how far it has come; invisible where standard error is no terminal.
pub(crate) struct Meter {
    bar: ProgressBar,
    task: Option<Task>,
}

impl Meter {
    /// A line for the tasks that follow.
    pub(crate) fn new() -> Self {
        Self { bar: ProgressBar::no_length(), task: None }
    }

    /// A line for one task of unknown length.
    pub(crate) fn working(what: &str) -> Self {
        let meter = Self::new();
        meter.begin(what, "{spinner} {wide_msg}");
        meter
    }

    /// Shows how far a task has come.
    pub(crate) fn show(&mut self, progress: Progress) {
        if self.task != Some(progress.task) {
            self.task = Some(progress.task);
            let template =
                if progress.total > 0 { "{bar:20} {percent:>3} % {wide_msg}" } else { "{spinner} {wide_msg}" };
            self.begin(name(progress.task), template);
            self.bar.set_length(progress.total);
        }
        self.bar.set_position(progress.done);
    }

    fn begin(&self, what: &str, template: &str) {
        let style = ProgressStyle::with_template(template).expect("the templates of this file are sound");
        self.bar.set_style(style.progress_chars("█▌ "));
        self.bar.set_message(what.to_owned());
        self.bar.enable_steady_tick(REFRESH);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn name(task: Task) -> &'static str {
    match task {
        Task::Copy => "copying the ledger",
        Task::Verify => "verifying entries, hashes and seals",
        Task::Pack => "packing",
        Task::Send => "sending to the store",
        Task::Checksum => "comparing the checksum",
        Task::Unpack => "unpacking",
        Task::Cut => "writing the log up to the head asked for",
    }
}
