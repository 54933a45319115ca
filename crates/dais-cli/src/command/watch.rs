//! `dais watch`.

mod line;
mod telling;

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use dais_detect::{AdwinParams, ForestParams, NeighbourParams};
use dais_lab::Scenario;
use dais_runs::{Asked, Stopper, peak_rss_mb};
use dais_sim::{AgentParams, Lookout};
use dais_traffic::{Account, Flow, FlowReader, ReadError, ReadOptions};

use crate::args::watch::WatchArgs;
use crate::run::interrupt::{self, Unfinished};
use crate::screen::output::{self, Lines};
use line::{Summary, Written};
use telling::Telling;

/// Flows that wait between the reader and the agent; when they are too many the reader waits.
const WAITING_MAX: usize = 4_096;
/// Flows that are handed to the agent at once.
const AT_ONCE: usize = 256;
/// Ordinary flows that others are compared with, and that p-values are counted among.
const REFERENCE_MAX: usize = 1_024;
/// Time after which an interruption is noticed while nothing comes.
const PATIENCE: Duration = Duration::from_millis(200);

/// What the reader hands over.
enum Came {
    Flow(Flow),
    /// The input ended well, and this is what it held.
    End(Account),
    Failed(ReadError),
}

pub(crate) fn watch(args: &WatchArgs) -> anyhow::Result<ExitCode> {
    let live = args.settings.load(args.quiet)?;
    let mut lookout = Lookout::new(params(args)?, args.flows_per_step, args.seed)?;
    if let Some(path) = &args.baseline {
        let flows = ordinary(path, args)?;
        lookout.begin(&flows);
        if !lookout.is_trained() {
            let missing = lookout.rows_missing();
            bail!("{}: {missing} more ordinary flows are needed to train a first model", path.display());
        }
    }
    let stopper = interrupt::listen(Unfinished::default())?;
    let (sender, receiver) = sync_channel(WAITING_MAX);
    let input = open(&args.file)?;
    let (name, options) = (args.file.display().to_string(), options(args));
    // It ends with the process: a read that waits for a pipe cannot be called back.
    std::thread::spawn(move || forward(&name, input, &options, &sender));
    let telling = Telling::begin(&live, &args.file)?;
    let mut watch = Watch { lookout, lines: Lines::new(), summary: Summary::default(), telling, args };
    let began = Instant::now();
    let ended = watch.run(&receiver, &stopper);
    watch.summary.wall_s = began.elapsed().as_secs_f64();
    watch.summary.peak_rss_mb = peak_rss_mb();
    if matches!(ended, Ok(ControlFlow::Continue(()))) && args.json {
        let line = watch.summary.json()?;
        let _ = watch.lines.line(&line)?;
        let _ = watch.lines.flush()?;
    }
    if !args.quiet {
        output::say(&watch.summary.text());
    }
    watch.telling.ended(&watch.summary, ended.as_ref().err());
    ended.map(|_| ExitCode::SUCCESS)
}

/// The agent as the arguments describe it; changes of the traffic are noticed unless that is set otherwise.
fn params(args: &WatchArgs) -> anyhow::Result<AgentParams> {
    let mut scenario = Scenario::default();
    let agent = &mut scenario.rules.agent;
    agent.baseline_rows = args.baseline_rows;
    agent.held_back_rows = args.baseline_rows / 8;
    agent.baseline_min = args.baseline_rows / 4;
    // A machine with one agent can afford a larger detector than one with thousands, and p-values fine enough for rare alerts.
    // A tree that grew from most of the baseline finds it less strange than what comes later, and p-values come out too small.
    let subsample = (args.baseline_rows / 8).min(256) as u16;
    agent.detector.forest = Some(ForestParams { subsample, ..ForestParams::default() });
    agent.detector.neighbours = Some(NeighbourParams { reference_max: REFERENCE_MAX, ..NeighbourParams::default() });
    agent.detector.calibration_max = REFERENCE_MAX;
    agent.detector.alert_p = args.alert_p;
    agent.detector.suspect_p = agent.detector.suspect_p.max(args.alert_p);
    agent.quarantine_p = agent.quarantine_p.max(args.alert_p);
    agent.drift = Some(AdwinParams::default());
    for (key, value) in &args.set {
        if !key.starts_with("agent.") {
            bail!("--set {key}: only keys that begin with `agent.` matter to an agent alone");
        }
        scenario.set(key, value).with_context(|| format!("--set {key}"))?;
    }
    Ok(scenario.rules.agent)
}

fn options(args: &WatchArgs) -> ReadOptions {
    ReadOptions { bad_rows_max: Some(args.max_bad_rows), ..ReadOptions::default() }
}

/// Flows that somebody vouches for; in order of time.
fn ordinary(path: &Path, args: &WatchArgs) -> anyhow::Result<Vec<Flow>> {
    let reader = FlowReader::open(&path.display().to_string(), open(path)?, &options(args))?;
    let mut flows = Vec::new();
    for flow in reader {
        flows.push(flow?.flow);
    }
    flows.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    Ok(flows)
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read + Send>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(Box::new(file))
}

/// Reads to the end, or until nobody listens any more.
fn forward(name: &str, input: Box<dyn Read + Send>, options: &ReadOptions, sender: &SyncSender<Came>) {
    let outcome = FlowReader::open(name, input, options).and_then(|mut reader| {
        for flow in reader.by_ref() {
            if sender.send(Came::Flow(flow?.flow)).is_err() {
                break;
            }
        }
        Ok(Account::of(reader.stats()))
    });
    // Nobody is there to be told when this fails.
    let _ = sender.send(outcome.map_or_else(Came::Failed, Came::End));
}

/// An agent at work.
struct Watch<'a> {
    lookout: Lookout,
    lines: Lines,
    summary: Summary,
    telling: Telling,
    args: &'a WatchArgs,
}

impl Watch<'_> {
    /// Watches until the input ends, somebody interrupts, or the reader of the output is gone, for which it breaks.
    fn run(&mut self, receiver: &Receiver<Came>, stopper: &Stopper) -> anyhow::Result<ControlFlow<()>> {
        if self.lookout.is_trained() {
            self.telling.judging(1);
        }
        let mut flows = Vec::with_capacity(AT_ONCE);
        loop {
            let mut next = match receiver.recv_timeout(PATIENCE) {
                Ok(came) => Some(came),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(ControlFlow::Continue(())),
            };
            let mut end = None;
            while let Some(came) = next.take() {
                match came {
                    Came::Flow(flow) => flows.push(flow),
                    Came::End(_) | Came::Failed(_) => end = Some(came),
                }
                if flows.len() < AT_ONCE && end.is_none() {
                    next = receiver.try_recv().ok();
                }
            }
            let trained = self.lookout.is_trained();
            if !flows.is_empty() && self.judge(&flows)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if !trained && self.lookout.is_trained() {
                self.judging();
            }
            flows.clear();
            match end {
                Some(Came::End(account)) => self.ended(&account),
                Some(Came::Failed(error)) => return Err(error.into()),
                Some(Came::Flow(_)) | None => {
                    if stopper.asked() != Asked::Nothing {
                        return Ok(ControlFlow::Continue(()));
                    }
                    continue;
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
    }

    /// Says what the input held besides flows.
    fn ended(&mut self, account: &Account) {
        self.summary.bad_rows = account.broken;
        if !self.args.quiet {
            if account.broken > 0 || !account.other.is_empty() {
                output::say(&format!("the input held {account}"));
            }
            account.hints.iter().for_each(|hint| output::say(hint));
        }
    }

    /// Says that there is a model now.
    fn judging(&self) {
        let first = self.summary.flows + 1;
        self.telling.judging(first);
        if !self.args.quiet {
            output::say(&format!("judging from flow {first} on"));
        }
    }

    /// Judges flows and writes what there is to say of them.
    fn judge(&mut self, flows: &[Flow]) -> anyhow::Result<ControlFlow<()>> {
        let began = Instant::now();
        self.telling.begin_batch();
        let watched = self.lookout.watch(flows);
        self.summary.count(&watched);
        self.telling.end_batch(flows, &watched, began);
        for (flow, judged) in flows.iter().zip(&watched.judged).filter(|(_, judged)| judged.alerted) {
            let line = Written::alert(flow, judged, &self.lookout).line(self.args.json)?;
            if self.lines.line(&line)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        for signature in &watched.signatures {
            let line = Written::signature(signature, &self.lookout).line(self.args.json)?;
            if self.lines.line(&line)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.lines.flush()
    }
}
