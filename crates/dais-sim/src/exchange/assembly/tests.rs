//! What an assembly does with offers, votes, challenges and sightings.

use std::net::IpAddr;
use std::sync::Arc;

use dais_protocol::{
    AgentId, Challenge, Evidence, Medoid, Motion, Pattern, Sighting, Signature, SignatureId, ThreatClass, Verdict, Vote,
};

use super::Assembly;
use crate::exchange::bylaws::Bylaws;
use crate::exchange::message::{Decisions, Proposal};
use crate::params::mode::Mode;
use crate::params::rules::Rules;
use crate::truth::tally::SignatureTruth;

const AGENTS: u32 = 10;
const DRAW: [u8; 32] = [5; 32];

fn assembly() -> Assembly {
    // Votes alone decide: what a burst is has tests of its own.
    let mut rules = Rules::default();
    rules.policy.burst = None;
    let mut assembly = Assembly::new(AGENTS as usize, Bylaws::of(&rules, Mode::Collaborative, (1, 0)));
    assembly.convene(0, agents());
    assembly
}

fn agents() -> Vec<AgentId> {
    (0..AGENTS).map(AgentId).collect()
}

fn signature(author: u32, step: u32, at: f32, radius: f32) -> Signature {
    Signature {
        author: AgentId(author),
        step,
        class: ThreatClass::Unknown,
        pattern: Pattern { centre: vec![at], spread: vec![0.1], categories: Vec::new() },
        radius,
        medoid: Medoid { numeric: vec![at], codes: Vec::new() },
        sources: vec![IpAddr::from([192, 0, 2, 1])],
        ports: Vec::new(),
        support: 5,
        medoid_p: 0.01,
        reasons: Vec::new(),
        confidence: 0.5,
        refines: None,
        refinement: 0,
    }
}

fn offer(assembly: &mut Assembly, t: u32, signatures: &[Signature]) -> Vec<SignatureId> {
    let ids: Vec<SignatureId> = signatures.iter().map(Signature::id).collect();
    let offers = signatures.iter().zip(&ids).map(|(signature, &id)| Proposal {
        signature: Arc::new(signature.clone()),
        id,
        truth: SignatureTruth::default(),
    });
    assembly.offer(t, &DRAW, offers.collect());
    ids
}

fn vote(voter: u32, step: u32, id: SignatureId, motion: Motion, verdict: Verdict) -> Vote {
    let confirms = verdict == Verdict::Confirm;
    let seen = if verdict == Verdict::Abstain { 0 } else { 100 };
    let evidence = match motion {
        Motion::Adopt => Evidence {
            baseline: seen,
            medoid_p: if confirms { 0.001 } else { 1.0 },
            radius: if confirms { 2.0 } else { 0.0 },
            ..Evidence::default()
        },
        Motion::Revoke => Evidence {
            baseline: 100,
            matches: seen.min(10),
            sources_ordinary: if confirms { 10 } else { 0 },
            ..Evidence::default()
        },
    };
    let voter = AgentId(voter);
    Vote { motion, signature: id, voter, step, round: 0, verdict, confidence: 0.5, evidence }
}

/// All agents but the author vote alike; what is decided is returned.
fn decide(assembly: &mut Assembly, t: u32, id: SignatureId, verdict: Verdict) -> Decisions {
    let votes: Vec<Vote> = (0..AGENTS).map(|voter| vote(voter, t, id, Motion::Adopt, verdict)).collect();
    assembly.hear(&votes);
    let mut decisions = Decisions::default();
    assembly.resolve(t, &DRAW, &mut decisions);
    decisions
}

#[test]
fn an_offer_that_a_ballot_covers_has_its_turn_when_that_ballot_fails() {
    let mut assembly = assembly();
    let smother = offer(&mut assembly, 0, &[signature(0, 0, 0.5, 4.0)])[0];
    let found = offer(&mut assembly, 0, &[signature(1, 0, 0.6, 1.5)])[0];
    assert!(assembly.is_open(smother, Motion::Adopt) && !assembly.is_open(found, Motion::Adopt));
    decide(&mut assembly, 0, smother, Verdict::Refute);
    assembly.convene(1, agents());
    offer(&mut assembly, 1, &[]);
    assert!(assembly.is_open(found, Motion::Adopt));
}

#[test]
fn an_offer_that_an_accepted_signature_covers_is_not_put_to_the_vote() {
    let mut assembly = assembly();
    let first = offer(&mut assembly, 0, &[signature(0, 0, 0.5, 2.0)])[0];
    let second = offer(&mut assembly, 0, &[signature(1, 0, 0.55, 1.5)])[0];
    assert_eq!(decide(&mut assembly, 0, first, Verdict::Confirm).adopted.len(), 1);
    assembly.convene(1, agents());
    offer(&mut assembly, 1, &[]);
    assert!(!assembly.is_open(second, Motion::Adopt));
    assert_eq!(assembly.counts().covered, 1);
}

#[test]
fn nobody_keeps_an_offer_from_the_vote_for_longer_than_two_steps() {
    let mut assembly = assembly();
    offer(&mut assembly, 0, &[signature(0, 0, 0.5, 4.0)]);
    let found = offer(&mut assembly, 0, &[signature(1, 0, 0.6, 1.5)])[0];
    for t in 1..=2 {
        assembly.convene(t, agents());
        offer(&mut assembly, t, &[signature(2, t, 0.5, 4.0)]);
    }
    assert!(assembly.is_open(found, Motion::Adopt));
}

#[test]
fn a_second_vote_ends_trust_even_after_the_ballot_has_closed() {
    let mut assembly = assembly();
    let id = offer(&mut assembly, 0, &[signature(0, 0, 0.5, 2.0)])[0];
    assert_eq!(decide(&mut assembly, 0, id, Verdict::Confirm).adopted.len(), 1);
    assert!(assembly.weights()[3] > 0.0);
    let late = Vote { step: 4, ..vote(3, 4, id, Motion::Adopt, Verdict::Refute) };
    assert!(assembly.hear(&[late])[0].is_err());
    assert!(assembly.weights()[3] <= 0.0);
    assert!(assembly.weights()[4] > 0.0);
}

#[test]
fn one_agent_blocks_no_address_and_neither_does_the_author_of_a_signature() {
    let mut assembly = assembly();
    let id = offer(&mut assembly, 0, &[signature(0, 0, 0.5, 2.0)])[0];
    let mut decisions = decide(&mut assembly, 0, id, Verdict::Confirm);
    assembly.sight(0, &[], &mut decisions);
    assert!(decisions.blocks.is_empty(), "the author alone");
    let address = IpAddr::from([192, 0, 2, 1]);
    for (step, agent, blocked) in [(1, 4, false), (2, 4, false), (3, 5, true)] {
        let mut decisions = Decisions::default();
        assembly.convene(step, agents());
        assembly.sight(step, &[Sighting::new(AgentId(agent), step, id, vec![address])], &mut decisions);
        assert_eq!(!decisions.blocks.is_empty(), blocked, "{agent} in step {step}");
    }
}

#[test]
fn sightings_of_long_ago_do_not_add_up() {
    let mut assembly = assembly();
    let id = offer(&mut assembly, 0, &[signature(0, 0, 0.5, 2.0)])[0];
    decide(&mut assembly, 0, id, Verdict::Confirm);
    for (step, agent) in [(1, 4), (2, 5), (45, 6)] {
        let mut decisions = Decisions::default();
        let sighting = Sighting::new(AgentId(agent), step, id, vec![IpAddr::from([192, 0, 2, 9])]);
        assembly.sight(step, &[sighting], &mut decisions);
        assert!(decisions.blocks.is_empty(), "{agent} in step {step}");
    }
}

fn challenge(agent: u32, step: u32, signature: SignatureId) -> Challenge {
    Challenge { agent: AgentId(agent), step, signature, matches: 10, ordinary: 10 }
}

/// An accepted signature, challenged by two, on whose revocation the agents vote as the list says.
fn revocation(verdicts: &[Verdict]) -> (Assembly, SignatureId, Decisions) {
    let mut assembly = assembly();
    let id = offer(&mut assembly, 0, &[signature(0, 0, 0.5, 2.0)])[0];
    decide(&mut assembly, 0, id, Verdict::Confirm);
    let mut decisions = Decisions::default();
    for t in 1..8 {
        assembly.convene(t, agents());
        if t == 1 {
            assembly.challenge(t, &DRAW, &[challenge(1, t, id), challenge(2, t, id)]);
            assert!(assembly.is_open(id, Motion::Revoke));
            let votes = verdicts.iter().zip(1..).map(|(&verdict, voter)| vote(voter, t, id, Motion::Revoke, verdict));
            assembly.hear(&votes.collect::<Vec<_>>());
        }
        assembly.resolve(t, &DRAW, &mut decisions);
    }
    (assembly, id, decisions)
}

#[test]
fn two_voices_among_abstentions_revoke_nothing() {
    let mut verdicts = vec![Verdict::Confirm; 2];
    verdicts.extend([Verdict::Abstain; 7]);
    let (assembly, _, decisions) = revocation(&verdicts);
    assert!(decisions.withdrawn.is_empty());
    assert_eq!(assembly.signatures(), 1);
}

#[test]
fn a_majority_revokes() {
    let (assembly, id, decisions) = revocation(&[Verdict::Confirm; 9]);
    assert_eq!(decisions.withdrawn, [id]);
    assert_eq!(assembly.signatures(), 0);
}

#[test]
fn who_challenges_in_vain_loses_trust_and_may_not_challenge_the_same_again() {
    let (mut assembly, id, decisions) = revocation(&[Verdict::Refute; 9]);
    assert!(decisions.withdrawn.is_empty());
    assert!(assembly.weights()[1] < assembly.weights()[3]);
    assembly.challenge(9, &DRAW, &[challenge(1, 9, id), challenge(2, 9, id)]);
    assert!(!assembly.is_open(id, Motion::Revoke));
}

#[test]
fn a_vote_on_a_revocation_must_follow_from_its_evidence() {
    let mut assembly = assembly();
    let id = offer(&mut assembly, 0, &[signature(0, 0, 0.5, 2.0)])[0];
    decide(&mut assembly, 0, id, Verdict::Confirm);
    assembly.convene(1, agents());
    assembly.challenge(1, &DRAW, &[challenge(1, 1, id), challenge(2, 1, id)]);
    let groundless = Vote { verdict: Verdict::Confirm, ..vote(3, 1, id, Motion::Revoke, Verdict::Abstain) };
    assert!(assembly.hear(&[groundless])[0].is_err());
}

#[test]
fn who_does_not_answer_loses_trust() {
    let mut assembly = assembly();
    let trust = |assembly: &Assembly| assembly.weights()[9];
    for t in 0..6 {
        assembly.convene(t, agents());
        let id = offer(&mut assembly, t, &[signature(0, t, 0.1 * t as f32, 0.5)])[0];
        let votes: Vec<Vote> = (1..AGENTS).map(|voter| vote(voter, t, id, Motion::Adopt, Verdict::Confirm)).collect();
        // The last agent answers in the first three steps.
        let heard = if t < 3 { &votes[..] } else { &votes[..votes.len() - 1] };
        assembly.hear(heard);
        assembly.resolve(t, &DRAW, &mut Decisions::default());
    }
    assert!(trust(&assembly) < assembly.weights()[8]);
}
