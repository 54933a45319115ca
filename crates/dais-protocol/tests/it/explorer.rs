//! Every order of delivery of every message among four agents of whom one lies: ballot, log of proofs and revocation.
//!
//! A state is what one honest observer has: its ballot, its log of proofs, its trust, and which message it got in which
//! step. From a state the next message, any of those not yet delivered, arrives, or the step ends and the ballot is
//! resolved. Messages may also never arrive. All states that can be reached are visited, each once; what must always hold
//! is checked in each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use Verdict::{Abstain, Confirm, Refute};
use dais_protocol::{
    AgentId, Ballot, Decision, Evidence, Motion, Outcome, PolicyParams, ProofLog, Purpose, Resolution, Rule,
    SealContext, SealKey, SealedStatement, SignatureId, Statement, TrustBook, TrustParams, Verdict, VerifyingKey, Vote,
    VoteRefused,
};

const SIGNATURE: SignatureId = SignatureId::from_bytes([7; 32]);
const AUTHOR: AgentId = AgentId(9);
const HONEST: u32 = 3;
const LIAR: AgentId = AgentId(HONEST);
const AGENTS: usize = 4;
/// Steps in which messages arrive; the deadline of every ballot lies within.
const STEPS: u32 = 3;
const LOG: SealContext<'static> = SealContext { log: "dais/explored", purpose: Purpose::Vote };

/// A vote as it travels: with the statement it is sealed in.
#[derive(Clone, Debug)]
struct Message {
    vote: Vote,
    statement: Arc<SealedStatement>,
}

fn key(agent: AgentId) -> SealKey {
    SealKey::from_seed([agent.0 as u8 + 1; 32])
}

/// A vote of an agent, sealed by whoever is named.
fn message(motion: Motion, voter: AgentId, verdict: Verdict, sealer: AgentId) -> Message {
    let evidence = Evidence { baseline: 512, radius: 2.0, ..Evidence::default() };
    let vote = Vote { motion, signature: SIGNATURE, voter, step: 0, round: 0, verdict, confidence: 0.5, evidence };
    let digests = vec![vote.digest()];
    let seal = LOG.seal(&key(sealer), &Statement { agent: voter, step: 0, digests: &digests });
    Message { vote, statement: Arc::new(SealedStatement { step: 0, purpose: Purpose::Vote, digests, seal }) }
}

/// What one honest observer has.
#[derive(Clone, Debug)]
struct Observer {
    ballot: Ballot,
    proofs: ProofLog,
    trust: TrustBook,
    /// For every step so far, which messages arrived in it, as bits.
    arrived: Vec<u32>,
}

impl Observer {
    fn new(motion: Motion) -> Self {
        let committee = (0..AGENTS as u32).map(AgentId).collect();
        Self {
            ballot: Ballot::open(motion, SIGNATURE, AUTHOR, committee, 0),
            proofs: ProofLog::default(),
            trust: TrustBook::new(AGENTS, TrustParams::default()),
            arrived: vec![0],
        }
    }

    /// Takes a message as an exchange does: seal, check, log of proofs, ballot.
    fn receive(&mut self, message: &Message, sealed: bool) {
        let Message { vote, statement } = message;
        if !sealed || vote.check(vote.voter, statement.step).is_err() {
            return;
        }
        if self.proofs.hear(vote, statement).is_some() {
            self.trust.equivocated(vote.voter);
        }
        if let Err(VoteRefused::Equivocation(proof)) = self.ballot.record(vote) {
            assert_eq!(proof.first.voter, vote.voter);
        }
    }

    /// Ends a step: the ballot is resolved.
    fn end_step(&mut self, policy: &PolicyParams) {
        let now = self.arrived.len() as u32 - 1;
        let trust = &self.trust;
        if let Resolution::Escalate { .. } = self.ballot.resolve(now, policy, &|agent| trust.weight(agent)) {
            panic!("the policies explored do not escalate");
        }
        self.arrived.push(0);
    }

    fn all_arrived(&self) -> u32 {
        self.arrived.iter().fold(0, |all, step| all | step)
    }
}

/// What two observers with the same view must have alike.
type Opinion = (Option<Decision>, Vec<AgentId>, Vec<AgentId>);

/// All that was reached from one set of messages.
#[derive(Default)]
struct Explored {
    states: usize,
    /// Proofs that were checked against public keys alone.
    proofs: BTreeSet<[u8; 32]>,
    /// What observers think, by what arrived in which step.
    opinions: BTreeMap<Vec<u32>, Opinion>,
}

impl Explored {
    fn outcomes(&self) -> BTreeSet<Outcome> {
        self.opinions.values().filter_map(|(decision, ..)| decision.as_ref().map(|decision| decision.outcome)).collect()
    }

    /// What is decided at the end where everything in this set of messages arrived in the first step.
    fn if_all_arrive_at_once(&self, messages: u32) -> Option<Outcome> {
        let mut view = vec![0; STEPS as usize + 1];
        view[0] = messages;
        self.opinions.get(&view)?.0.as_ref().map(|decision| decision.outcome)
    }
}

/// Visits every state that can be reached, and checks in each what must always hold.
fn explore(motion: Motion, messages: &[Message], policy: &PolicyParams) -> Explored {
    let keys: Vec<VerifyingKey> = (0..AGENTS as u32).map(|agent| key(AgentId(agent)).verifying_key()).collect();
    // Whether a seal fits never changes: it is looked at once.
    let sealed = |message: &Message| {
        message.statement.verify(LOG.log, message.vote.voter, &keys[message.vote.voter.index()]).is_ok()
    };
    let sealed: Vec<bool> = messages.iter().map(sealed).collect();
    let mut explored = Explored::default();
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut open = vec![Observer::new(motion)];
    while let Some(observer) = open.pop() {
        let state = postcard::to_allocvec(&(&observer.ballot, &observer.proofs, &observer.trust, &observer.arrived));
        if !seen.insert(state.expect("plain values are encoded")) {
            continue;
        }
        explored.states += 1;
        check(&observer, messages, &keys, &mut explored);
        if observer.arrived.len() > STEPS as usize {
            continue;
        }
        for (place, message) in messages.iter().enumerate() {
            if observer.all_arrived() >> place & 1 == 0 {
                let mut next = observer.clone();
                next.receive(message, sealed[place]);
                *next.arrived.last_mut().expect("a step has begun") |= 1 << place;
                assert_closed_stays_closed(&observer, &next);
                open.push(next);
            }
        }
        let mut next = observer.clone();
        next.end_step(policy);
        assert_closed_stays_closed(&observer, &next);
        open.push(next);
    }
    explored
}

fn assert_closed_stays_closed(before: &Observer, after: &Observer) {
    if let Some(decision) = before.ballot.decision() {
        assert_eq!(after.ballot.decision(), Some(decision), "a closed outcome changed");
    }
}

/// What holds in every state.
fn check(observer: &Observer, messages: &[Message], keys: &[VerifyingKey], explored: &mut Explored) {
    let proven: Vec<AgentId> = observer.proofs.proofs().map(|proof| proof.agent).collect();
    assert!(proven.iter().all(|&agent| agent == LIAR), "an honest agent is accused: {observer:?}");
    for proof in observer.proofs.proofs() {
        if explored.proofs.insert(proof.digest()) {
            assert_eq!(proof.verify(LOG.log, &keys[proof.agent.index()]), Ok(()), "the proof convinces nobody else");
        }
        assert!(observer.trust.weight(proof.agent).abs() < f32::EPSILON);
    }
    let arrived = |place: usize| observer.all_arrived() >> place & 1 == 1;
    let lies: BTreeSet<Verdict> = (0..messages.len())
        .filter(|&place| messages[place].vote.voter == LIAR && arrived(place))
        .map(|place| messages[place].vote.verdict)
        .collect();
    assert_eq!(proven.contains(&LIAR), lies.len() > 1, "both lies arrived, whenever that was: {observer:?}");
    let opinion = (observer.ballot.decision().cloned(), observer.ballot.equivocators().to_vec(), proven);
    let known = explored.opinions.entry(observer.arrived.clone()).or_insert_with(|| opinion.clone());
    assert_eq!(*known, opinion, "two observers with the same view differ: {observer:?}");
}

fn policy(rule: Rule) -> PolicyParams {
    PolicyParams {
        rule,
        escalation_rounds: 0,
        deadline_steps: 1,
        revoke_grace_steps: 1,
        ..crate::strategies::votes_alone()
    }
}

/// What three honest agents may find, regardless of who finds what.
fn findings() -> Vec<[Verdict; HONEST as usize]> {
    let all = [Confirm, Refute, Abstain];
    let mut found = Vec::new();
    for (i, &a) in all.iter().enumerate() {
        for (j, &b) in all.iter().enumerate().skip(i) {
            found.extend(all.iter().skip(j).map(|&c| [a, b, c]));
        }
    }
    found
}

fn honest(motion: Motion, verdicts: [Verdict; HONEST as usize]) -> Vec<Message> {
    let said = (0..).map(AgentId).zip(verdicts);
    said.map(|(agent, verdict)| message(motion, agent, verdict, agent)).collect()
}

/// The honest messages, and the liar's two.
fn with_liar(motion: Motion, verdicts: [Verdict; HONEST as usize]) -> Vec<Message> {
    let mut messages = honest(motion, verdicts);
    messages.extend([Confirm, Refute].map(|verdict| message(motion, LIAR, verdict, LIAR)));
    messages
}

#[test]
fn the_same_view_gives_the_same_decision_in_every_order() {
    let mut states = 0;
    for rule in [Rule::Threshold, Rule::Byzantine] {
        for verdicts in findings() {
            states += explore(Motion::Adopt, &with_liar(Motion::Adopt, verdicts), &policy(rule)).states;
        }
    }
    assert!(states > 5_000, "only {states} states were visited");
}

#[test]
fn under_a_byzantine_quorum_no_two_views_contradict_each_other() {
    let mut decided = 0;
    for verdicts in findings() {
        let outcomes = explore(Motion::Adopt, &with_liar(Motion::Adopt, verdicts), &policy(Rule::Byzantine)).outcomes();
        let both = outcomes.contains(&Outcome::Accepted) && outcomes.contains(&Outcome::Rejected);
        assert!(!both, "{verdicts:?}: {outcomes:?}");
        decided += usize::from(outcomes.contains(&Outcome::Accepted) || outcomes.contains(&Outcome::Rejected));
    }
    assert!(decided >= 2, "nothing was ever decided");
}

#[test]
fn what_the_honest_agree_on_is_decided_whatever_the_liar_does() {
    for rule in Rule::ALL {
        for (verdict, expected) in [(Confirm, Outcome::Accepted), (Refute, Outcome::Rejected)] {
            let explored = explore(Motion::Adopt, &with_liar(Motion::Adopt, [verdict; HONEST as usize]), &policy(rule));
            // The three honest votes arrive in time; of the liar nothing, one of its votes, or both.
            for lies in [0b00, 0b01, 0b10, 0b11] {
                let outcome = explored.if_all_arrive_at_once(0b111 | lies << HONEST);
                assert_eq!(outcome, Some(expected), "{rule:?} {verdict:?} {lies:b}");
            }
            let outcomes = explored.outcomes();
            let wrong = if expected == Outcome::Accepted { Outcome::Rejected } else { Outcome::Accepted };
            assert!(!outcomes.contains(&wrong), "{rule:?} {verdict:?}: {outcomes:?}");
        }
    }
}

#[test]
fn one_of_four_cannot_revoke_and_the_honest_can() {
    let mut explored_states = 0;
    for rule in Rule::ALL {
        for verdicts in findings().into_iter().filter(|verdicts| !verdicts.contains(&Confirm)) {
            let explored = explore(Motion::Revoke, &with_liar(Motion::Revoke, verdicts), &policy(rule));
            assert!(!explored.outcomes().contains(&Outcome::Accepted), "{rule:?} {verdicts:?}");
            explored_states += explored.states;
        }
        let explored = explore(Motion::Revoke, &with_liar(Motion::Revoke, [Confirm; HONEST as usize]), &policy(rule));
        for lies in [0b00, 0b01, 0b10, 0b11] {
            assert_eq!(explored.if_all_arrive_at_once(0b111 | lies << HONEST), Some(Outcome::Accepted), "{rule:?}");
        }
    }
    assert!(explored_states > 5_000, "only {explored_states} states were visited");
}

#[test]
fn nothing_unsealed_has_an_effect() {
    let motion = Motion::Adopt;
    let mut messages = honest(motion, [Confirm, Confirm, Refute]);
    let plain = explore(motion, &messages, &policy(Rule::Threshold));
    // The liar speaks in the names of others.
    let forged = messages.len();
    messages.extend([0, 1].map(|victim| message(motion, AgentId(victim), Refute, LIAR)));
    let attacked = explore(motion, &messages, &policy(Rule::Threshold));
    assert!(attacked.opinions.len() > plain.opinions.len());
    for (view, opinion) in &attacked.opinions {
        let without: Vec<u32> = view.iter().map(|step| step & ((1 << forged) - 1)).collect();
        assert_eq!(plain.opinions.get(&without), Some(opinion), "{view:?}");
    }
}
