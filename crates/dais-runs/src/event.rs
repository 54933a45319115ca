//! What is told while a run goes on.

use std::path::PathBuf;
use std::time::Duration;

use dais_lab::{Progress, Summary};
use dais_ledger::Storage;
use dais_protocol::{AgentId, Motion, Outcome};
use dais_sim::{ExchangeCounts, LifecycleEvent, Mode, StepTally};
use serde::{Deserialize, Serialize};

use crate::limit::Exceeded;

/// Something that happened to a run. Events hold all they tell, so that they can be kept, sent and read back.
///
/// | order | event |
/// |---|---|
/// | once | [`Event::Reading`], [`Event::Preparing`] |
/// | as often as a checkpoint cannot be gone on from | [`Event::GoingBack`] |
/// | once | [`Event::Began`] |
/// | for every step of every world | [`Event::Step`], and [`Event::Checkpoint`] where one was written after it |
/// | once, unless an error ends the run | [`Event::Concluding`] and [`Event::Complete`], or [`Event::Left`] |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The files of the traffic are read.
    Reading {
        /// How many there are; 0 where traffic is generated.
        files: u64,
    },
    /// The agents' first detectors are trained.
    Preparing,
    /// A checkpoint cannot be gone on from: an earlier one is tried, or the run begins anew.
    GoingBack {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// Why it does not do.
        why: String,
    },
    /// The next thing is a step.
    Began {
        /// Agents of the run.
        agents: u64,
        /// Steps of each world.
        steps: u32,
        /// Worlds of the run.
        worlds: Vec<Mode>,
        /// Names of the attack families, in the order of their numbers.
        families: Vec<String>,
    },
    /// A world took a step.
    Step(Box<Step>),
    /// A checkpoint was written.
    Checkpoint {
        /// The world under way.
        world: Mode,
        /// Steps that it has carried out.
        step: u32,
        /// How long the writing took, in microseconds.
        took_us: u64,
    },
    /// The last step was taken; the ledger is about to be closed and the run's files to be written. Whoever reads the
    /// ledger lets go of it now.
    Concluding,
    /// The run ended and its files are in their place.
    Complete(Box<Concluded>),
    /// The run ended before its time and can be gone on with.
    Left {
        /// Why.
        why: Left,
    },
}

/// A step of a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The world.
    pub world: Mode,
    /// Steps that it has carried out, with this one.
    pub step: u32,
    /// Steps that it is to carry out.
    pub steps: u32,
    /// How long the step took, in microseconds.
    pub took_us: u64,
    /// What was counted in it.
    pub tally: StepTally,
    /// What happened on the exchange since the world began.
    pub exchange: ExchangeCounts,
    /// Signatures in force after it.
    pub in_force: u64,
    /// Entries of the ledger after it; 0 where the world has none.
    pub entries: u64,
    /// Ballots that ended in it.
    pub decided: Vec<Ballot>,
    /// Changes in the lives of agents.
    pub lives: Vec<LifecycleEvent>,
}

/// A ballot that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// Id of the signature, in hex.
    pub signature: String,
    /// Who found it.
    pub author: AgentId,
    /// What was moved.
    pub motion: Motion,
    /// How it ended.
    pub outcome: Outcome,
    /// Votes that confirmed, refuted and abstained.
    pub votes: [u32; 3],
}

impl Step {
    /// What a step of a run tells of itself.
    #[must_use]
    pub fn of(progress: &Progress<'_>, took: Duration) -> Self {
        let facts = progress.facts;
        let decided = facts.decided.iter().map(|one| Ballot {
            signature: one.decision.signature.to_string(),
            author: one.author,
            motion: one.decision.motion,
            outcome: one.decision.outcome,
            votes: [one.decision.confirmations, one.decision.refutations, one.decision.abstentions],
        });
        Self {
            world: progress.mode,
            step: progress.steps_done,
            steps: progress.steps,
            took_us: micros(took),
            tally: progress.tally.clone(),
            exchange: progress.counts,
            in_force: facts.in_force as u64,
            entries: facts.entries,
            decided: decided.collect(),
            lives: facts.events.clone(),
        }
    }
}

/// A time in whole microseconds, which every format of events holds without loss.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A run that has its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concluded {
    /// The run's folder.
    pub folder: PathBuf,
    /// The files in it that people look at, in the order of their weight.
    pub files: Vec<String>,
    /// Its figures.
    pub summary: Summary,
}

/// Why a run was left to be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It was asked for.
    Asked,
    /// A step exceeded a limit.
    Limit(Exceeded),
}

/// Who is told of everything that happens to a run. A closure over events is one.
///
/// Nothing that an observer does changes the history of the run.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// A step was taken, told before its event to those in the same process: here the world itself can be asked for more.
    fn step(&mut self, progress: &Progress<'_>, took: Duration) {
        let _ = (progress, took);
    }

    /// The storage of the run's ledger, perhaps wrapped in one that measures it.
    fn storage(&self, storage: Box<dyn Storage>) -> Box<dyn Storage> {
        storage
    }
}

impl<F: FnMut(&Event)> Observer for F {
    fn event(&mut self, event: &Event) {
        self(event);
    }
}
