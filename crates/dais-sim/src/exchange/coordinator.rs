//! The coordinator: a state machine that gathers what shards say, runs the ballots, records everything in the ledger
//! and hands out what was decided. It holds no traffic and no model.

use std::collections::BTreeMap;

use dais_ledger::Entry;
use dais_protocol::{Sighting, SignatureId, VerifyingKey, Vote};
use serde::{Deserialize, Serialize};

use crate::agent::lifecycle::LifecycleEvent;
use crate::agent::vote::Question;
use crate::exchange::assembly::{Assembly, AssemblyState};
use crate::exchange::bylaws::Bylaws;
use crate::exchange::counts::ExchangeCounts;
use crate::exchange::error::ExchangeError;
use crate::exchange::logbook::{Bookmark, Logbook, RunLedger};
use crate::exchange::message::{Ballots, Decisions, Proposal, Said, Words};
use crate::exchange::open_ballot::{count_votes, decided};
use crate::exchange::record;
use crate::exchange::report::StepReport;
use crate::exchange::statement::{self, Notary, Stated};
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

/// What holds of what was said in a step before its votes.
#[derive(Default)]
struct Spoken {
    sightings: Vec<Sighting>,
    events: Vec<LifecycleEvent>,
    entries: Vec<Entry>,
    draw: [u8; 32],
}

pub(crate) struct Coordinator {
    assembly: Assembly,
    committee_seed: [u8; 32],
    keys: Vec<VerifyingKey>,
    ledger: Option<Logbook>,
    said: Spoken,
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
            said: Spoken::default(),
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

    pub(crate) fn assembly(&self) -> &Assembly {
        &self.assembly
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

    /// Takes what was said in step `t` as far as it holds, and opens ballots on what was offered and challenged; the answer
    /// is the question to all shards. `truths` are for the oracle and the evaluation.
    pub(crate) fn open(
        &mut self,
        t: u32,
        said: Vec<Said>,
        truths: &BTreeMap<SignatureId, SignatureTruth>,
        workers: &Workers,
    ) -> Question {
        let (mut words, mut active) = (Vec::new(), Vec::new());
        self.said = Spoken::default();
        for shard in said {
            words.extend(shard.words);
            active.extend(shard.active);
            self.said.events.extend(shard.events);
        }
        let words: Vec<Words> = self.held(t, words, workers);
        self.said.entries = statement::entries(t, &words);
        self.said.draw = record::draw(&self.root(), words.iter().filter_map(|words| words.seal));
        let (mut offers, mut challenges) = (Vec::new(), Vec::new());
        for Words { offers: signatures, sightings, challenges: against, .. } in words {
            offers.extend(signatures.into_iter().map(|signature| {
                let id = signature.id();
                Proposal { signature, id, truth: truths.get(&id).copied().unwrap_or_default() }
            }));
            challenges.extend(against);
            self.said.sightings.extend(sightings);
        }
        self.assembly.convene(t, active);
        self.assembly.offer(t, &self.said.draw, offers);
        self.assembly.challenge(t, &self.said.draw, &challenges);
        Question::new(self.assembly.views())
    }

    /// What holds of what was stated.
    fn held<S: Stated + Sync + Send>(&mut self, t: u32, stated: Vec<S>, workers: &Workers) -> Vec<S> {
        let log = self.ledger.as_ref().map(|ledger| ledger.origin().as_str());
        let notary = log.map(|log| Notary { log, keys: &self.keys, workers });
        let (held, refused) = statement::held(t, self.assembly.bylaws(), stated, notary.as_ref());
        self.assembly.counts_mut().refused_seals += refused;
        held
    }

    /// The root of the last ledger head.
    fn root(&self) -> [u8; 32] {
        let head = self.ledger.as_ref().map(|ledger| ledger.head().head.root);
        head.map_or(self.committee_seed, |root| record::digest_bytes(&root))
    }

    /// Counts the votes of step `t`, closes what can be closed, records the step and returns what agents are to learn.
    pub(crate) fn close(
        &mut self,
        t: u32,
        ballots: Vec<Ballots>,
        workers: &Workers,
    ) -> Result<Decisions, ExchangeError> {
        let ballots = self.held(t, ballots, workers);
        let Spoken { sightings, events, mut entries, draw } = std::mem::take(&mut self.said);
        entries.extend(statement::entries(t, &ballots));
        let counts = self.assembly.counts_mut();
        counts.messages += entries.len() as u64;
        counts.message_bytes += entries.iter().map(|entry| entry.body.len() as u64).sum::<u64>();
        let votes: Vec<Vote> = ballots.into_iter().flat_map(|ballots| ballots.votes).collect();
        let mut decisions = Decisions::default();
        let heard = self.assembly.hear(&votes);
        let (statuses, weights) = (self.assembly.statuses(), self.trust());
        let opened = self.assembly.opened(t);
        let entries_before = self.size();
        let closed = self.assembly.resolve(t, &draw, &mut decisions);
        self.assembly.sight(t, &sightings, &mut decisions);
        self.assembly.adjourn(t);
        entries.extend(closed.iter().map(record::decision));
        entries.extend(events.chunk_by(|a, b| a.agent == b.agent).filter_map(record::lifecycle));
        if !entries.is_empty() {
            self.record(&entries)?;
        }
        let counted = votes.iter().zip(&heard).filter(|(_, heard)| heard.is_ok()).map(|(vote, _)| vote);
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
