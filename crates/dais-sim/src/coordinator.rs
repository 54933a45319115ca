//! The coordinator: a state machine that gathers what shards say, runs the ballots, records everything in the ledger
//! and hands out what was decided. It holds no traffic and no model.

use std::collections::{BTreeMap, BTreeSet};

use dais_ledger::{Entry, Ledger, LedgerError, Storage};
use dais_protocol::{AgentId, Decision, Sighting, SignatureId, Verdict, VerifyingKey, Vote};
use serde::{Deserialize, Serialize};

use crate::agent::Question;
use crate::assembly::{Assembly, AssemblyState, Bylaws, Standing};
use crate::cosigning::{Cosigning, CosigningState, Witnessed};
use crate::exchange::ExchangeCounts;
use crate::facts::{Decided, StepFacts, VoteCount};
use crate::lifecycle::LifecycleEvent;
use crate::logbook::{Bookmark, Logbook};
use crate::message::{Answer, Decisions, Said, Shown, Voted};
use crate::record;
use crate::statement::Statements;
use crate::workers::Workers;
use crate::world::{Mode, WorldError};

/// The ledger of a run, on any storage.
pub type RunLedger = Ledger<Box<dyn Storage>>;

/// What the coordinator needs to know before the first step.
pub(crate) struct Founding {
    pub(crate) bylaws: Bylaws,
    pub(crate) committee_seed: [u8; 32],
    pub(crate) keys: Vec<VerifyingKey>,
    pub(crate) ledger: Option<Logbook>,
    pub(crate) cosigning: Option<Cosigning>,
}

/// What a snapshot keeps of a coordinator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CoordinatorState {
    assembly: AssemblyState,
    ledger: Option<Bookmark>,
    cosigning: Option<CosigningState>,
}

pub(crate) struct Coordinator {
    assembly: Assembly,
    committee_seed: [u8; 32],
    keys: Vec<VerifyingKey>,
    ledger: Option<Logbook>,
    cosigning: Option<Cosigning>,
    said_sightings: Vec<Sighting>,
    said_events: Vec<LifecycleEvent>,
    facts: StepFacts,
}

impl Coordinator {
    pub(crate) fn new(founding: Founding) -> Self {
        let Founding { bylaws, committee_seed, keys, ledger, cosigning } = founding;
        Self {
            assembly: Assembly::new(keys.len(), bylaws),
            committee_seed,
            keys,
            ledger,
            cosigning,
            said_sightings: Vec::new(),
            said_events: Vec::new(),
            facts: StepFacts::default(),
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

    pub(crate) fn finish(self) -> Result<(Option<RunLedger>, Witnessed), WorldError> {
        let ledger = self.ledger.map(Logbook::close).transpose()?;
        Ok((ledger, self.cosigning.map(Cosigning::finish).unwrap_or_default()))
    }

    /// What a snapshot keeps between two steps.
    pub(crate) fn state(&self) -> CoordinatorState {
        CoordinatorState {
            assembly: self.assembly.state(),
            ledger: self.ledger.as_ref().map(Logbook::bookmark),
            cosigning: self.cosigning.as_ref().map(Cosigning::state),
        }
    }

    /// Goes back to what a snapshot kept.
    pub(crate) fn restore(&mut self, state: CoordinatorState) -> Result<(), WorldError> {
        match (&mut self.ledger, state.ledger) {
            (None, None) => {}
            (Some(ledger), Some(mark)) => ledger.go_to(mark)?,
            _ => return Err(WorldError::Snapshot("it is of another kind of world".to_owned())),
        }
        if let (Some(cosigning), Some(ledger), Some(state)) = (&mut self.cosigning, &self.ledger, &state.cosigning) {
            cosigning.restore(state, ledger)?;
        }
        self.assembly.restore(state.assembly);
        Ok(())
    }

    /// Appends entries of the coordinator's own.
    pub(crate) fn record(&mut self, entries: &[Entry]) -> Result<(), WorldError> {
        if let Some(ledger) = &mut self.ledger {
            ledger.write(entries)?;
        }
        self.cosigning.as_mut().map_or(Ok(()), |cosigning| cosigning.record(entries))
    }

    /// The present head for every witness.
    pub(crate) fn show(&mut self) -> Result<Vec<Shown>, LedgerError> {
        match (&self.ledger, &mut self.cosigning) {
            (Some(ledger), Some(cosigning)) => cosigning.show(ledger),
            _ => Ok(Vec::new()),
        }
    }

    /// Takes what witnesses answer; returns what is to be shown to some of them once more.
    pub(crate) fn hear_witnesses(&mut self, answers: Vec<Answer>) -> Result<Vec<Shown>, LedgerError> {
        match (&self.ledger, &mut self.cosigning) {
            (Some(ledger), Some(cosigning)) => cosigning.hear(ledger, answers),
            _ => Ok(Vec::new()),
        }
    }

    /// Opens ballots on what was offered and challenged in step `t`; the answer is the question to all shards.
    pub(crate) fn open(&mut self, t: u32, said: Vec<Said>) -> Question {
        let mut offers = Vec::new();
        let mut challenges = Vec::new();
        let mut active = Vec::new();
        self.said_sightings.clear();
        self.said_events.clear();
        for shard in said {
            offers.extend(shard.proposals);
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
    pub(crate) fn close(&mut self, t: u32, voted: Vec<Voted>, workers: &Workers) -> Result<Decisions, WorldError> {
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
        let (standing, weights) = (self.assembly.standing(), self.trust());
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
        self.facts = StepFacts {
            opened,
            votes: count_votes(counted, &standing, &weights),
            decided: closed.into_iter().map(|decision| decided(decision, &standing, threshold)).collect(),
            open: self.assembly.ballots(),
            in_force: self.assembly.signatures(),
            entries_before,
            entries: self.size(),
            ..StepFacts::default()
        };
        Ok(decisions)
    }

    /// Entries written so far; 0 without a ledger.
    fn size(&self) -> u64 {
        self.ledger.as_ref().map_or(0, |ledger| ledger.head().head.size)
    }

    /// What happened in the last step, as far as it happened here.
    pub(crate) fn take_facts(&mut self) -> StepFacts {
        std::mem::take(&mut self.facts)
    }
}

/// Votes by ballot, in the order of signatures.
fn count_votes<'a>(votes: impl Iterator<Item = &'a Vote>, standing: &Standing, weights: &[f32]) -> Vec<VoteCount> {
    let mut counts: BTreeMap<(SignatureId, u8), VoteCount> = BTreeMap::new();
    for vote in votes {
        let (signature, motion) = (vote.signature, vote.motion);
        let key = (signature, motion.code());
        let count = counts.entry(key).or_insert_with(|| VoteCount {
            signature,
            motion,
            round: standing.get(&key).map_or(0, |stands| stands.round),
            confirmations: 0,
            refutations: 0,
            abstentions: 0,
            confirm_weight: 0.0,
            refute_weight: 0.0,
        });
        let weight = weights.get(vote.voter.0 as usize).copied().unwrap_or(0.0);
        match vote.verdict {
            Verdict::Confirm => {
                count.confirmations += 1;
                count.confirm_weight += weight;
            }
            Verdict::Refute => {
                count.refutations += 1;
                count.refute_weight += weight;
            }
            Verdict::Abstain => count.abstentions += 1,
        }
    }
    counts.into_values().collect()
}

fn decided(decision: Decision, standing: &Standing, threshold: f32) -> Decided {
    let stands = standing.get(&(decision.signature, decision.motion.code()));
    let (author, opened_step) =
        stands.map_or((AgentId(0), decision.step), |stands| (stands.author, stands.opened_step));
    Decided { decision, author, opened_step, threshold }
}
