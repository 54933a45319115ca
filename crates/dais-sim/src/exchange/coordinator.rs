//! The coordinator: a state machine that gathers what shards say, runs the ballots, records everything in the ledger
//! and hands out what was decided. It holds no traffic and no model.

use std::collections::{BTreeMap, BTreeSet};

use dais_ledger::Entry;
use dais_protocol::{Sighting, SignatureId, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::agent::lifecycle::LifecycleEvent;
use crate::agent::vote::Question;
use crate::exchange::assembly::{Assembly, AssemblyState};
use crate::exchange::bylaws::Bylaws;
use crate::exchange::counts::ExchangeCounts;
use crate::exchange::error::ExchangeError;
use crate::exchange::logbook::{Bookmark, Logbook, RunLedger};
use crate::exchange::message::{Decisions, Proposal, Said, Voted};
use crate::exchange::open_ballot::{count_votes, decided};
use crate::exchange::record;
use crate::exchange::report::StepReport;
use crate::exchange::statement::Statements;
use crate::params::mode::Mode;
use crate::truth::tally::SignatureTruth;
use crate::workers::Workers;

/// What the coordinator needs to know before the first step.
pub(crate) struct Founding {
    pub(crate) bylaws: Bylaws,
    pub(crate) committee_seed: [u8; 32],
    pub(crate) keys: Vec<VerifyingKey>,
    pub(crate) ledger: Option<Logbook>,
}

/// What a snapshot keeps of a coordinator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CoordinatorState {
    assembly: AssemblyState,
    ledger: Option<Bookmark>,
}

pub(crate) struct Coordinator {
    assembly: Assembly,
    committee_seed: [u8; 32],
    keys: Vec<VerifyingKey>,
    ledger: Option<Logbook>,
    said_sightings: Vec<Sighting>,
    said_events: Vec<LifecycleEvent>,
    report: StepReport,
}

impl Coordinator {
    pub(crate) fn new(founding: Founding) -> Self {
        let Founding { bylaws, committee_seed, keys, ledger } = founding;
        Self {
            assembly: Assembly::new(keys.len(), bylaws),
            committee_seed,
            keys,
            ledger,
            said_sightings: Vec::new(),
            said_events: Vec::new(),
            report: StepReport::default(),
        }
    }

    pub(crate) fn counts(&self) -> ExchangeCounts {
        *self.assembly.counts()
    }

    pub(crate) fn trust(&self) -> Vec<f32> {
        self.assembly.weights().to_vec()
    }

    pub(crate) fn ledger(&self) -> Option<&Logbook> {
        self.ledger.as_ref()
    }

    /// The ledger of a history that has come to its end.
    pub(crate) fn finish(self) -> Result<Option<RunLedger>, ExchangeError> {
        self.ledger.map(Logbook::close).transpose()
    }

    /// What a snapshot keeps between two steps.
    pub(crate) fn state(&self) -> CoordinatorState {
        CoordinatorState { assembly: self.assembly.state(), ledger: self.ledger.as_ref().map(Logbook::bookmark) }
    }

    /// Goes back to what a snapshot kept.
    pub(crate) fn restore(&mut self, state: CoordinatorState) -> Result<(), ExchangeError> {
        match (&mut self.ledger, state.ledger) {
            (None, None) => {}
            (Some(ledger), Some(mark)) => ledger.go_to(mark)?,
            _ => return Err(ExchangeError::Snapshot("it is of another kind of world".to_owned())),
        }
        self.assembly.restore(state.assembly);
        Ok(())
    }

    /// Appends entries of the coordinator's own.
    pub(crate) fn record(&mut self, entries: &[Entry]) -> Result<(), ExchangeError> {
        self.ledger.as_mut().map_or(Ok(()), |ledger| ledger.write(entries))
    }

    /// Opens ballots on what was offered and challenged in step `t`; the answer is the question to all shards. `truths`
    /// are for the oracle and the evaluation.
    pub(crate) fn open(&mut self, t: u32, said: Vec<Said>, truths: &BTreeMap<SignatureId, SignatureTruth>) -> Question {
        let mut offers = Vec::new();
        let mut challenges = Vec::new();
        let mut active = Vec::new();
        self.said_sightings.clear();
        self.said_events.clear();
        for shard in said {
            offers.extend(shard.offers.into_iter().map(|signature| {
                let id = signature.id();
                Proposal { signature, id, truth: truths.get(&id).copied().unwrap_or_default() }
            }));
            challenges.extend(shard.challenges);
            active.extend(shard.active);
            self.said_sightings.extend(shard.sightings);
            self.said_events.extend(shard.events);
        }
        let seed = self.committee_seed();
        self.assembly.convene(t, active);
        self.assembly.offer(t, &seed, offers);
        self.assembly.challenge(t, &seed, challenges);
        Question::new(self.assembly.views())
    }

    /// The root of the last ledger head draws the committees: nobody knows it before the last step is recorded.
    fn committee_seed(&self) -> [u8; 32] {
        let head = self.ledger.as_ref().map(|ledger| ledger.head().head.root);
        head.map_or(self.committee_seed, |root| record::digest_bytes(&root))
    }

    /// Counts the votes of step `t`, closes what can be closed, records the step and returns what agents are to learn.
    pub(crate) fn close(&mut self, t: u32, voted: Vec<Voted>, workers: &Workers) -> Result<Decisions, ExchangeError> {
        let mut votes = Vec::new();
        let mut seals = Vec::new();
        for shard in voted {
            votes.extend(shard.votes);
            seals.extend(shard.seals);
        }
        let sightings = std::mem::take(&mut self.said_sightings);
        let mut statements = Statements::new(self.assembly.published(t), sightings, votes);
        let unsealed = if self.assembly.bylaws().mode == Mode::Collaborative {
            statements.check(t, &seals, &self.keys, workers)
        } else {
            BTreeSet::new()
        };
        statements.drop_authors(&unsealed);
        self.assembly.drop_published(t, &unsealed);
        let mut entries = statements.take_entries(t, &seals);
        let counts = self.assembly.counts_mut();
        counts.refused_seals += unsealed.len() as u64;
        counts.messages += entries.len() as u64;
        counts.message_bytes += entries.iter().map(|entry| entry.body.len() as u64).sum::<u64>();
        let seed = self.committee_seed();
        let mut decisions = Decisions::default();
        let heard = self.assembly.hear(statements.votes());
        let (statuses, weights) = (self.assembly.statuses(), self.trust());
        let opened = self.assembly.opened(t);
        let entries_before = self.size();
        let closed = self.assembly.resolve(t, &seed, &mut decisions);
        self.assembly.sight(statements.sightings(), &mut decisions);
        self.assembly.adjourn(t);
        entries.extend(closed.iter().map(record::decision));
        entries.extend(self.said_events.chunk_by(|a, b| a.agent == b.agent).filter_map(record::lifecycle));
        if !entries.is_empty() {
            self.record(&entries)?;
        }
        let counted = statements.votes().iter().zip(&heard).filter(|(_, heard)| heard.is_ok()).map(|(vote, _)| vote);
        let threshold = self.assembly.bylaws().policy.threshold;
        self.report = StepReport {
            opened,
            votes: count_votes(counted, &statuses, &weights),
            decided: closed.into_iter().map(|decision| decided(decision, &statuses, threshold)).collect(),
            open: self.assembly.ballots(),
            in_force: self.assembly.signatures(),
            entries_before,
            entries: self.size(),
            ..StepReport::default()
        };
        Ok(decisions)
    }

    /// The truth about what was accepted since the last call.
    pub(crate) fn take_truths(&mut self) -> Vec<(SignatureId, SignatureTruth)> {
        self.assembly.take_truths()
    }

    /// Entries written so far; 0 without a ledger.
    fn size(&self) -> u64 {
        self.ledger.as_ref().map_or(0, |ledger| ledger.head().head.size)
    }

    /// What happened in the last step, as far as it happened here.
    pub(crate) fn take_report(&mut self) -> StepReport {
        std::mem::take(&mut self.report)
    }
}
