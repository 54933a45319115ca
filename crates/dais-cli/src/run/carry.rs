//! Carrying out a run at a terminal.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use dais_config::Live;
use dais_lab::{Material, Progress, Scenario};
use dais_ledger::Storage;
use dais_runs::{Concluded, Conduct, Ended, Event, Left, Observer, Stopper};

use super::interrupt::{self, Unfinished};
use super::{setting, told};
use crate::args::group::conduct::ConductArgs;
use crate::exit;
use crate::operations::{Operations, Watched};
use crate::screen::line::Line;
use crate::screen::output::{self, Ink};
use crate::screen::summary;

/// A run that is to be carried out at a terminal.
pub(crate) struct Carry<'a> {
    pub(crate) conduct: Conduct,
    /// Makes the choices that depend on what the files hold.
    pub(crate) complete: &'a dyn Fn(&mut Scenario, &Material) -> anyhow::Result<()>,
    /// The run's folder as its user named it.
    pub(crate) place: PathBuf,
    pub(crate) args: &'a ConductArgs,
    /// The configuration, which may change while the run goes on.
    pub(crate) live: Arc<Live>,
}

impl Carry<'_> {
    /// Carries the run out and shows its summary.
    ///
    /// # Errors
    /// Traffic that cannot be read, places that cannot be written.
    pub(crate) fn out(mut self) -> anyhow::Result<ExitCode> {
        let outcome = self.try_out();
        let kept =
            self.conduct.is_kept().then(|| format!("what was recorded is kept: {} goes on", self.resume_command()));
        outcome.map_err(|error| if let Some(kept) = kept { error.context(kept) } else { error })
    }

    fn try_out(&mut self) -> anyhow::Result<ExitCode> {
        let unfinished = Unfinished { folders: self.conduct.leftovers(), resumable: Some(self.conduct.checkpoint()) };
        let stopper = interrupt::listen(unfinished)?;
        let line = Line::new(self.args.quiet, self.conduct.scenario().worlds.len());
        let operations = Operations::begin(&self.live, line.console(), &self.watched())?;
        let span = operations.span();
        let mut watching = Watching { line, operations: Some(operations) };
        let ended = span.in_scope(|| self.play(&stopper, &mut watching));
        watching.end(ended.as_ref().err());
        match ended? {
            Ended::Complete(concluded) => self.show(&concluded)?,
            Ended::Left(left) => return Ok(self.left(left)),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn play(&mut self, stopper: &Stopper, watching: &mut Watching) -> anyhow::Result<Ended> {
        let material = self.conduct.read(watching).map_err(told::told)?;
        (self.complete)(self.conduct.scenario_mut(), &material)?;
        let (args, live) = (&self.args.safety, &self.live);
        let safety = || setting::safety(args, &live.current());
        self.conduct.carry_out(material, stopper, &safety, watching).map_err(told::told)
    }

    fn watched(&self) -> Watched {
        let conduct = &self.conduct;
        Watched {
            name: conduct.scenario().name.clone(),
            seed: conduct.seed(),
            folder: conduct.folder().staging().to_owned(),
            ledger: conduct.ledger().readable(conduct.folder()).filter(|_| conduct.shares()),
            options: conduct.options().clone(),
        }
    }

    fn resume_command(&self) -> String {
        format!("`dais resume {}`", self.place.display())
    }

    /// Says how to go on with the run.
    fn left(&self, left: Left) -> ExitCode {
        let command = self.resume_command();
        match left {
            Left::Asked => {
                output::say(&format!("ended by SIGTERM; {command} goes on"));
                ExitCode::from(exit::TERMINATED)
            }
            Left::Limit(exceeded) => {
                let exceeded = told::exceeded(&exceeded);
                output::say(&format!("stopped in the middle of a step: {exceeded}; {command} goes on"));
                ExitCode::from(exit::LIMIT)
            }
        }
    }

    fn show(&self, concluded: &Concluded) -> anyhow::Result<()> {
        let Concluded { summary, files, .. } = concluded;
        let quiet = self.args.quiet;
        if !self.args.json {
            let screen = || summary::summary(summary, &self.place, files, Ink::of_stdout());
            return if quiet { Ok(()) } else { output::print(&screen()) };
        }
        output::print(&(serde_json::to_string(summary)? + "\n"))?;
        if !quiet {
            let stopped = if summary.interrupted { "stopped before its end; " } else { "" };
            output::say(&format!("{stopped}files in {}: {}", self.place.display(), files.join(", ")));
            if let Some(line) = summary::ledger(summary) {
                output::say(&line);
            }
        }
        Ok(())
    }
}

/// The terminal and the operator, who watch the run.
struct Watching {
    line: Line,
    /// Until the run's last step: whoever reads its ledger then has to be gone.
    operations: Option<Operations>,
}

impl Watching {
    /// The run ended; the message says how where it was not as it should.
    fn end(&mut self, failed: Option<&anyhow::Error>) {
        self.line.clear();
        if let Some(operations) = self.operations.take() {
            operations.ended(failed);
        }
    }
}

impl Observer for Watching {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Reading { files } => self.line.reading(*files),
            Event::Preparing => self.line.preparing(),
            Event::GoingBack { checkpoint, why } => {
                output::say(&format!("{}: {why}; going further back", checkpoint.display()));
            }
            Event::Step(step) => self.line.step(step),
            Event::Concluding => self.end(None),
            Event::Began { .. } | Event::Checkpoint { .. } | Event::Complete(_) | Event::Left { .. } => {}
        }
        if let Some(operations) = &mut self.operations {
            operations.event(event);
        }
    }

    fn step(&mut self, progress: &Progress<'_>, took: Duration) {
        if let Some(operations) = &mut self.operations {
            operations.step(progress, took);
        }
    }

    fn storage(&self, storage: Box<dyn Storage>) -> Box<dyn Storage> {
        match &self.operations {
            Some(operations) => operations.measured(storage),
            None => storage,
        }
    }
}
