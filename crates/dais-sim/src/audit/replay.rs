//! Recomputing what was decided, from the entries of a ledger alone.

use std::net::IpAddr;
use std::sync::Arc;

use dais_ledger::{Head, Kind, Storage};
use dais_protocol::{
    AgentId, Decision, Motion, Outcome, SealKey, Sighting, Signature, SignatureId, VerifyingKey, Vote,
};

use crate::agent::blocklist::Blocklist;
use crate::agent::lifecycle::{Cause, Lifecycle};
use crate::audit::batch::{lines, unreadable};
use crate::audit::fault::{Check, Fault, Place, Wrong};
use crate::audit::genesis::Genesis;
use crate::audit::step_entries::{Line, StepEntries, Transition};
use crate::audit::waiting_seals::WaitingSeals;
use crate::exchange::assembly::Assembly;
use crate::exchange::assembly::uncounted::Uncounted;
use crate::exchange::bylaws::Bylaws;
use crate::exchange::in_force::InForce;
use crate::exchange::message::{Decisions, Proposal};
use crate::exchange::record;
use crate::params::mode::Mode;
use crate::seed::Purpose;
use crate::truth::tally::SignatureTruth;
use crate::witness::appointment::appointed;

/// Which parts of a ledger a replay checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything but the agents' seals: enough to tell what happened in a ledger that is known to be sound.
    Decisions,
    /// Everything, the agents' seals included.
    Seals,
}

/// One step as recomputed, shown while a ledger is replayed.
pub struct ReplayedStep<'a> {
    /// The step.
    pub step: u32,
    /// Signatures put to the vote, each with its place.
    pub signatures: &'a [(Place, Arc<Signature>)],
    /// Sightings, each with its place.
    pub sightings: &'a [(Place, Sighting)],
    /// Votes, each with its place; `heard` says in the same order which of them counted.
    pub votes: &'a [(Place, Vote)],
    /// Whether each vote was counted, and if not, why.
    pub heard: &'a [Result<(), Uncounted>],
    /// Outcomes, each with its place.
    pub outcomes: &'a [(Place, Decision)],
    /// Trust of every agent when the votes of the step were counted, by number.
    pub trust: &'a [f32],
    blocks: &'a Blocklist,
}

/// A block as agents apply it in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The accepted signature it rests on.
    pub signature: SignatureId,
    /// First step in which it was applied.
    pub since_step: u32,
    /// First step in which it is not applied any more, unless it is renewed.
    pub expires_step: u32,
}

impl ReplayedStep<'_> {
    /// The block on `address` in this step, if agents that have not put it on their allow-list apply one.
    #[must_use]
    pub fn blocked(&self, address: IpAddr) -> Option<Blocked> {
        let block = self.blocks.find(address)?;
        Some(Blocked { signature: block.signature, since_step: block.since_step, expires_step: block.expires_step })
    }
}

/// What a replay counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replayed {
    pub(crate) agents: u32,
    pub(crate) steps: u32,
    pub(crate) seals: u64,
    pub(crate) decisions: u64,
    pub(crate) votes_counted: u64,
    pub(crate) votes_refused: u64,
    pub(crate) kinds: [u64; Kind::ALL.len()],
}

/// Recomputes a run from its ledger, shows every step to `watch`, and stops at the first entry that does not follow.
///
/// Memory: the entries of one step and the state of the coordinator. Whether heads are sealed and the tree fits is for
/// [`dais_ledger::verify`]; [`crate::audit`] does both.
///
/// # Errors
/// The first [`Fault`].
pub fn replay(storage: &dyn Storage, depth: Depth, watch: &mut dyn FnMut(&ReplayedStep<'_>)) -> Result<Genesis, Fault> {
    replay_counted(storage, depth, watch).map(|(genesis, _)| genesis)
}

pub(crate) fn replay_counted(
    storage: &dyn Storage,
    depth: Depth,
    watch: &mut dyn FnMut(&ReplayedStep<'_>),
) -> Result<(Genesis, Replayed), Fault> {
    let mut head = Head::empty();
    let mut replay: Option<Replay> = None;
    let mut read = 0;
    while let Some(signed) =
        storage.next_head((read > 0).then_some(head.size)).map_err(|error| unreadable(head.size, error))?
    {
        let lines = lines(storage, head.size, signed.head.size)?;
        read += 1;
        match &mut replay {
            _ if lines.is_empty() => {}
            None => replay = Some(Replay::found(&lines, depth)?),
            Some(replay) => {
                let root = record::digest_bytes(&head.root);
                let taken = replay.take(&lines, &root, watch);
                taken.map_err(|fault| replay.waiting.first_of(fault))?;
            }
        }
        head = signed.head;
    }
    let mut replay = replay.ok_or_else(|| Fault::new(Check::Record, None, Wrong::NotARun))?;
    replay.waiting.check()?;
    Ok((replay.genesis, replay.counts))
}

/// The state of a run as it follows from the entries so far.
struct Replay {
    genesis: Genesis,
    depth: Depth,
    keys: Vec<VerifyingKey>,
    lives: Vec<Lifecycle>,
    assembly: Assembly,
    in_force: InForce,
    decisions: Decisions,
    next_step: u32,
    ended: bool,
    waiting: WaitingSeals,
    counts: Replayed,
}

impl Replay {
    /// Begins with the first batch: genesis and members.
    fn found(lines: &[Line], depth: Depth) -> Result<Self, Fault> {
        let (first, members) = lines.split_first().expect("a batch has entries");
        if first.entry.kind != Kind::Genesis {
            return Err(first.fault(Wrong::NotARun));
        }
        let genesis = Genesis::decode(&first.entry.body).map_err(|error| first.fault(error.into()))?;
        let agents = genesis.agents;
        let mut keys = Vec::new();
        for (line, agent) in members.iter().zip(0..) {
            let entry = &line.entry;
            if entry.kind != Kind::Member || entry.author != agent || agent >= agents || entry.step != 0 {
                return Err(line.fault(Wrong::Members { agents }));
            }
            let key = SealKey::from_seed(genesis.seed.key(Purpose::AgentKey, agent)).verifying_key();
            if entry.body != key.as_bytes() {
                return Err(line.fault(Wrong::MemberKey));
            }
            keys.push(key);
        }
        if keys.len() as u64 != u64::from(agents) {
            return Err(first.fault(Wrong::Members { agents }));
        }
        let witnesses = appointed(genesis.seed, agents, &genesis.rules.exchange);
        if !witnesses.iter().map(ToString::to_string).eq(genesis.witnesses.iter().cloned()) {
            return Err(first.fault(Wrong::Witnesses));
        }
        let shape = (genesis.features, genesis.categories);
        let mut counts = Replayed { agents, ..Replayed::default() };
        count_kinds(&mut counts, lines);
        Ok(Self {
            assembly: Assembly::new(keys.len(), Bylaws::of(&genesis.rules, Mode::Collaborative, shape)),
            in_force: InForce::default(),
            lives: vec![Lifecycle::Born; keys.len()],
            keys,
            decisions: Decisions::default(),
            next_step: 0,
            ended: false,
            waiting: WaitingSeals::default(),
            counts,
            genesis,
            depth,
        })
    }

    /// Takes the entries of one step; `root` is that of the head before them.
    fn take(&mut self, lines: &[Line], root: &[u8; 32], watch: &mut dyn FnMut(&ReplayedStep<'_>)) -> Result<(), Fault> {
        let (first, last) = (&lines[0], &lines[lines.len() - 1]);
        let (t, before) = (first.entry.step, self.next_step.saturating_sub(1));
        if last.entry.step != t {
            return Err(last.fault(Wrong::HeadMissing { first: t, second: last.entry.step }));
        }
        if self.ended || t < self.next_step || t > self.genesis.steps {
            return Err(first.fault(Wrong::StepOrder { before, found: t }));
        }
        while self.next_step < t {
            self.step(&StepEntries::default(), root, Some(first.place()), watch)?;
        }
        let entries = StepEntries::read(lines, self.genesis.agents)?;
        self.counts.seals += entries.seals.len() as u64;
        if self.depth == Depth::Seals {
            self.waiting.add(&entries.seals, &self.keys)?;
        }
        count_kinds(&mut self.counts, lines);
        if entries.transitions.iter().any(|transition| transition.cause == Cause::EndOfRun) {
            return self.end(lines, &entries);
        }
        self.step(&entries, root, None, watch)
    }

    /// The last batch: nothing but agents that stop.
    fn end(&mut self, lines: &[Line], entries: &StepEntries) -> Result<(), Fault> {
        if let Some(line) = lines.iter().find(|line| line.entry.kind != Kind::Lifecycle) {
            return Err(line.fault(Wrong::Misplaced("the run ends in this step")));
        }
        self.ended = true;
        self.live(&entries.transitions)
    }

    fn live(&mut self, transitions: &[Transition]) -> Result<(), Fault> {
        for &Transition { place, agent, from, to, .. } in transitions {
            let known = self.lives[agent.index()];
            if known != from || !from.may_become(to) {
                let wrong = Wrong::Transition { known, from, to };
                return Err(Fault::new(Check::Lifecycle, Some(place), wrong));
            }
            self.lives[agent.index()] = to;
        }
        Ok(())
    }

    /// Recomputes one step. `next` is the entry that follows on a step without entries.
    fn step(
        &mut self,
        entries: &StepEntries,
        root: &[u8; 32],
        next: Option<Place>,
        watch: &mut dyn FnMut(&ReplayedStep<'_>),
    ) -> Result<(), Fault> {
        let t = self.next_step;
        self.in_force.learn(t, &self.decisions, &self.genesis.rules.agent);
        self.live(&entries.transitions)?;
        let active =
            (0..self.genesis.agents).map(AgentId).filter(|agent| self.lives[agent.index()] == Lifecycle::Active);
        self.assembly.convene(t, active.collect());
        let signatures = self.offer(t, root, &entries.signatures)?;
        for (_, vote) in entries.votes.iter().filter(|(_, vote)| vote.motion == Motion::Revoke) {
            self.assembly.move_revocation(t, root, vote.signature);
        }
        let trust = self.assembly.weights().to_vec();
        let votes: Vec<Vote> = entries.votes.iter().map(|(_, vote)| vote.clone()).collect();
        let heard = self.assembly.hear(&votes);
        let counted = heard.iter().filter(|heard| heard.is_ok()).count() as u64;
        self.counts.votes_counted += counted;
        self.counts.votes_refused += heard.len() as u64 - counted;
        self.decisions = Decisions::default();
        let closed = self.assembly.resolve(t, root, &mut self.decisions);
        self.compare(&entries.outcomes, &closed, next)?;
        let sightings: Vec<Sighting> = entries.sightings.iter().map(|(_, sighting)| sighting.clone()).collect();
        self.assembly.sight(&sightings, &mut self.decisions);
        self.assembly.adjourn(t);
        self.next_step = t + 1;
        self.counts.steps = self.next_step;
        watch(&ReplayedStep {
            step: t,
            signatures: &signatures,
            sightings: &entries.sightings,
            votes: &entries.votes,
            heard: &heard,
            outcomes: &entries.outcomes,
            trust: &trust,
            blocks: &self.in_force.blocks,
        });
        Ok(())
    }

    /// Opens the ballots on published signatures; every one of them must be admitted.
    fn offer(
        &mut self,
        t: u32,
        root: &[u8; 32],
        published: &[(Place, Signature)],
    ) -> Result<Vec<(Place, Arc<Signature>)>, Fault> {
        let fault = |place: Place, wrong| Fault::new(Check::Decisions, Some(place), wrong);
        let mut signatures = Vec::with_capacity(published.len());
        let mut offers = Vec::with_capacity(published.len());
        for (place, signature) in published {
            let fit = signature.check(self.genesis.features, self.genesis.categories);
            fit.map_err(|refused| fault(*place, Wrong::Unfit(refused.to_string())))?;
            let shared = Arc::new(signature.clone());
            offers.push(Proposal {
                id: signature.id(),
                signature: Arc::clone(&shared),
                truth: SignatureTruth::default(),
            });
            signatures.push((*place, shared));
        }
        let ids: Vec<SignatureId> = offers.iter().map(|offer| offer.id).collect();
        self.assembly.offer(t, root, offers);
        let admitted = |id: &SignatureId| self.assembly.is_open(*id, Motion::Adopt);
        match ids.iter().position(|id| !admitted(id)) {
            Some(refused) => Err(fault(signatures[refused].0, Wrong::NotAdmitted)),
            None => Ok(signatures),
        }
    }

    /// Compares the recorded outcomes of a step with the recomputed ones.
    fn compare(
        &mut self,
        recorded: &[(Place, Decision)],
        closed: &[Decision],
        next: Option<Place>,
    ) -> Result<(), Fault> {
        let fault = |place, wrong| Err(Fault::new(Check::Decisions, place, wrong));
        let about = |a: &Decision, b: &Decision| a.motion == b.motion && a.signature == b.signature;
        let mut expected = closed.iter().peekable();
        for (place, decision) in recorded {
            self.counts.decisions += 1;
            if is_silent_expiry(decision) && !closed.iter().any(|other| about(other, decision)) {
                continue;
            }
            match expected.next() {
                Some(next) if next == decision => {}
                Some(next) if about(next, decision) => {
                    let (recorded, expected) = (Box::new(decision.clone()), Box::new(next.clone()));
                    return fault(Some(*place), Wrong::Outcome { recorded, expected });
                }
                Some(next) if expected.any(|later| about(later, decision)) => {
                    return fault(Some(*place), Wrong::OutcomeMissing { expected: Box::new(next.clone()) });
                }
                Some(_) | None => {
                    let (motion, signature) = (decision.motion, decision.signature);
                    return fault(Some(*place), Wrong::Unfounded { motion, signature });
                }
            }
        }
        match expected.next() {
            Some(missing) => fault(next, Wrong::OutcomeMissing { expected: Box::new(missing.clone()) }),
            None => Ok(()),
        }
    }
}

/// A revocation ballot that nobody voted in: its opening leaves no trace in the ledger, and its end moves nothing.
fn is_silent_expiry(decision: &Decision) -> bool {
    decision.motion == Motion::Revoke
        && decision.outcome == Outcome::Expired
        && decision.confirmations + decision.refutations + decision.abstentions == 0
}

fn count_kinds(counts: &mut Replayed, lines: &[Line]) {
    for line in lines {
        counts.kinds[usize::from(line.entry.kind.code()) - 1] += 1;
    }
}
