//! Recomputing what was decided, from the entries of a ledger alone.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use dais_ledger::{Damage, Entry, Head, Kind, Storage, StorageError, leaf_hash};
use dais_protocol::{
    AgentId, Decision, Motion, Outcome, STATEMENT_BYTES, Seal, SealKey, Sighting, Signature, SignatureId, Statement,
    VerifyingKey, Vote, verify_batch,
};

use crate::adopted::Blocklist;
use crate::assembly::{Assembly, Bylaws, Uncounted};
use crate::fault::{Check, Fault, Place, Wrong};
use crate::genesis::Genesis;
use crate::message::{Decisions, Proposal};
use crate::minutes::{Line, Minutes, Transition};
use crate::record;
use crate::seed::Purpose;
use crate::tally::Grade;
use crate::witness::appointed;
use crate::world::Mode;
use crate::{AgentParams, Cause, Lifecycle};

/// Seals that are checked together.
const SEALS_BATCH: usize = 1024;

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
                taken.map_err(|fault| replay.first_of(fault))?;
            }
        }
        head = signed.head;
    }
    let mut replay = replay.ok_or_else(|| Fault::new(Check::Record, None, Wrong::NotARun))?;
    replay.check_seals()?;
    Ok((replay.genesis, replay.counts))
}

fn unreadable(entries_read: u64, source: StorageError) -> Fault {
    let damage = Damage::Unreadable { entries_read, source };
    Fault::damage(damage)
}

/// The entries from `first` up to `size`; stops after the first entry of a further step.
fn lines(storage: &dyn Storage, first: u64, size: u64) -> Result<Vec<Line>, Fault> {
    let mut lines: Vec<Line> = Vec::new();
    let mut damage = None;
    storage
        .scan(first..size, &mut |row| {
            let index = first + lines.len() as u64;
            let leaf = leaf_hash(row.bytes);
            let entry = Entry::decode(row.bytes).map_err(|source| Damage::EntryMalformed { index, source });
            let entry = match entry {
                _ if row.index != index => Err(Damage::EntryMissing { index }),
                _ if leaf != row.leaf => Err(Damage::EntryAltered { index, stored: row.leaf, computed: leaf }),
                entry => entry,
            };
            match entry {
                Ok(entry) => {
                    let same = lines.first().is_none_or(|line| line.entry.step == entry.step);
                    lines.push(Line { index, entry, leaf });
                    if same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                }
                Err(found) => {
                    damage = Some(found);
                    ControlFlow::Break(())
                }
            }
        })
        .map_err(|error| unreadable(first, error))?;
    let read = lines.len() as u64;
    let whole = read == size - first || lines.last().is_some_and(|last| last.entry.step != lines[0].entry.step);
    match damage.or((!whole).then_some(Damage::EntryMissing { index: first + read })) {
        Some(damage) => Err(Fault::damage(damage)),
        None => Ok(lines),
    }
}

/// A seal that waits to be checked with others.
struct Pending {
    place: Place,
    first: u64,
    key: VerifyingKey,
    message: [u8; STATEMENT_BYTES],
    seal: Seal,
}

/// The state of a run as it follows from the entries so far.
struct Replay {
    genesis: Genesis,
    depth: Depth,
    keys: Vec<VerifyingKey>,
    lives: Vec<Lifecycle>,
    assembly: Assembly,
    enforcement: Enforcement,
    decisions: Decisions,
    next_step: u32,
    ended: bool,
    pending: Vec<Pending>,
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
            enforcement: Enforcement::default(),
            lives: vec![Lifecycle::Born; keys.len()],
            keys,
            decisions: Decisions::default(),
            next_step: 0,
            ended: false,
            pending: Vec::new(),
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
            self.step(&Minutes::default(), root, Some(first.place()), watch)?;
        }
        let minutes = Minutes::read(lines, self.genesis.agents)?;
        self.await_seals(&minutes)?;
        count_kinds(&mut self.counts, lines);
        if minutes.transitions.iter().any(|transition| transition.cause == Cause::EndOfRun) {
            return self.end(lines, &minutes);
        }
        self.step(&minutes, root, None, watch)
    }

    /// The last batch: nothing but agents that stop.
    fn end(&mut self, lines: &[Line], minutes: &Minutes) -> Result<(), Fault> {
        if let Some(line) = lines.iter().find(|line| line.entry.kind != Kind::Lifecycle) {
            return Err(line.fault(Wrong::Misplaced("the run ends in this step")));
        }
        self.ended = true;
        self.live(&minutes.transitions)
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
        minutes: &Minutes,
        root: &[u8; 32],
        next: Option<Place>,
        watch: &mut dyn FnMut(&ReplayedStep<'_>),
    ) -> Result<(), Fault> {
        let t = self.next_step;
        self.enforcement.learn(t, &self.decisions, &self.genesis.rules.agent);
        self.live(&minutes.transitions)?;
        let active =
            (0..self.genesis.agents).map(AgentId).filter(|agent| self.lives[agent.index()] == Lifecycle::Active);
        self.assembly.convene(t, active.collect());
        let signatures = self.offer(t, root, &minutes.signatures)?;
        for (_, vote) in minutes.votes.iter().filter(|(_, vote)| vote.motion == Motion::Revoke) {
            self.assembly.move_revocation(t, root, vote.signature);
        }
        let trust = self.assembly.weights().to_vec();
        let votes: Vec<Vote> = minutes.votes.iter().map(|(_, vote)| vote.clone()).collect();
        let heard = self.assembly.hear(&votes);
        let counted = heard.iter().filter(|heard| heard.is_ok()).count() as u64;
        self.counts.votes_counted += counted;
        self.counts.votes_refused += heard.len() as u64 - counted;
        self.decisions = Decisions::default();
        let closed = self.assembly.resolve(t, root, &mut self.decisions);
        self.compare(&minutes.outcomes, &closed, next)?;
        let sightings: Vec<Sighting> = minutes.sightings.iter().map(|(_, sighting)| sighting.clone()).collect();
        self.assembly.sight(&sightings, &mut self.decisions);
        self.assembly.adjourn(t);
        self.next_step = t + 1;
        self.counts.steps = self.next_step;
        watch(&ReplayedStep {
            step: t,
            signatures: &signatures,
            sightings: &minutes.sightings,
            votes: &minutes.votes,
            heard: &heard,
            outcomes: &minutes.outcomes,
            trust: &trust,
            blocks: &self.enforcement.blocks,
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
            offers.push(Proposal { id: signature.id(), signature: Arc::clone(&shared), grade: Grade::default() });
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

    /// Puts the seals of a step to those that wait, and checks them when they are many.
    fn await_seals(&mut self, minutes: &Minutes) -> Result<(), Fault> {
        self.counts.seals += minutes.seals.len() as u64;
        if self.depth == Depth::Decisions {
            return Ok(());
        }
        for sealed in &minutes.seals {
            let statement = Statement { agent: sealed.agent, step: sealed.place.step, digests: &sealed.digests };
            self.pending.push(Pending {
                place: sealed.place,
                first: sealed.place.index - sealed.digests.len() as u64,
                key: self.keys[sealed.agent.index()],
                message: statement.message(),
                seal: sealed.seal,
            });
        }
        if self.pending.len() >= SEALS_BATCH { self.check_seals() } else { Ok(()) }
    }

    /// The fault that lies first: this one, or a seal that waits to be checked.
    fn first_of(&mut self, fault: Fault) -> Fault {
        let index = |fault: &Fault| fault.place.map_or(u64::MAX, |place| place.index);
        match self.check_seals() {
            Err(earlier) if index(&earlier) < index(&fault) => earlier,
            Err(_) | Ok(()) => fault,
        }
    }

    /// Checks the seals that wait; names the first that does not fit.
    fn check_seals(&mut self) -> Result<(), Fault> {
        let pending = std::mem::take(&mut self.pending);
        let items: Vec<(VerifyingKey, &[u8], Seal)> =
            pending.iter().map(|pending| (pending.key, pending.message.as_slice(), pending.seal)).collect();
        let Err(bad) = verify_batch(&items) else { return Ok(()) };
        let Pending { place, first, .. } = pending[bad[0]];
        let wrong = Wrong::Seal { first, last: place.index - 1 };
        Err(Fault::new(Check::Seals, Some(place), wrong))
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

/// What agents without an allow-list block, as it follows from the decisions.
#[derive(Default)]
struct Enforcement {
    adopted: Vec<(SignatureId, u32)>,
    blocks: Blocklist,
}

impl Enforcement {
    /// Learns at the beginning of step `t` what was decided in the one before, as every shard does.
    fn learn(&mut self, t: u32, decisions: &Decisions, params: &AgentParams) {
        self.blocks.expire(t);
        let expired: Vec<SignatureId> =
            self.adopted.iter().filter(|(_, expires_step)| *expires_step <= t).map(|(id, _)| *id).collect();
        for id in expired.iter().chain(&decisions.withdrawn) {
            self.withdraw(*id);
        }
        for adoption in &decisions.adopted {
            if self.adopted.len() >= params.signatures_max {
                self.withdraw(self.adopted[0].0);
            }
            self.adopted.push((adoption.signature.id(), t + params.signature_ttl_steps));
        }
        for &(source, signature) in &decisions.blocks {
            self.blocks.block(source, signature, t, params.block_ttl_steps, params.blocks_max);
        }
    }

    fn withdraw(&mut self, id: SignatureId) {
        let Some(place) = self.adopted.iter().position(|(known, _)| *known == id) else { return };
        self.adopted.remove(place);
        self.blocks.withdraw(id);
    }
}
