//! What holds of a statement, and what does not.

use std::net::IpAddr;
use std::sync::Arc;

use dais_protocol::{
    Challenge, Evidence, Medoid, Motion, Pattern, SealKey, Sighting, Signature, SignatureId, ThreatClass, Verdict, Vote,
};
use rand_philox::Philox;

use super::*;
use crate::params::mode::Mode;
use crate::params::rules::Rules;

const LOG: &str = "dais/test";
const NOW: u32 = 5;

fn key(agent: u32) -> SealKey {
    SealKey::from_seed([agent as u8 + 1; 32])
}

fn bylaws() -> Bylaws {
    Bylaws::of(&Rules::default(), Mode::Collaborative, (1, 1))
}

fn offer() -> Signature {
    Signature {
        author: AgentId(1),
        step: NOW,
        class: ThreatClass::Unknown,
        pattern: Pattern { centre: vec![0.5], spread: vec![0.1], categories: vec![vec![1, 2]] },
        radius: 2.0,
        medoid: Medoid { numeric: vec![0.5], codes: vec![1] },
        sources: vec![IpAddr::from([192, 0, 2, 1])],
        ports: vec![80],
        support: 5,
        medoid_p: 0.01,
        reasons: Vec::new(),
        confidence: 0.5,
        refines: None,
        refinement: 0,
    }
}

fn words() -> Words {
    let (agent, signature) = (AgentId(1), SignatureId::default());
    Words {
        agent,
        offers: vec![Arc::new(offer())],
        sightings: vec![Sighting::new(agent, NOW, signature, vec![IpAddr::from([192, 0, 2, 7])])],
        challenges: vec![Challenge { agent, step: NOW, signature, matches: 4, ordinary: 3 }],
        seal: None,
    }
}

fn ballots() -> Ballots {
    let vote = Vote {
        motion: Motion::Adopt,
        signature: SignatureId::default(),
        voter: AgentId(1),
        step: NOW,
        round: 0,
        verdict: Verdict::Confirm,
        confidence: 0.5,
        evidence: Evidence { baseline: 100, radius: 2.0, ..Evidence::default() },
    };
    Ballots { agent: AgentId(1), votes: vec![vote], seal: None }
}

/// What holds of the statements in a log whose members are agents 0 to 2.
fn held_of<S: Stated + Sync + Send>(stated: Vec<S>) -> Vec<S> {
    let keys: Vec<VerifyingKey> = (0..3).map(|agent| key(agent).verifying_key()).collect();
    let workers = Workers::start(1).expect("a thread");
    held(NOW, &bylaws(), stated, Some(&Notary { log: LOG, keys: &keys, workers: &workers })).0
}

fn sealed_words(mut words: Words, t: u32, log: &str, by: u32) -> Words {
    words.seal = Some(sealed(&words, t, log, &key(by)));
    words
}

#[test]
fn what_its_author_sealed_now_and_here_holds() {
    assert_eq!(held_of(vec![sealed_words(words(), NOW, LOG, 1)]).len(), 1);
    for (why, stated) in [
        ("no seal", words()),
        ("another's seal", sealed_words(words(), NOW, LOG, 2)),
        ("another step's seal", sealed_words(words(), NOW - 1, LOG, 1)),
        ("another log's seal", sealed_words(words(), NOW, "dais/other", 1)),
        ("no member", Words { agent: AgentId(7), ..sealed_words(words(), NOW, LOG, 1) }),
    ] {
        assert!(held_of(vec![stated]).is_empty(), "{why}");
    }
}

#[test]
fn a_seal_on_offers_is_none_on_votes() {
    let words = sealed_words(words(), NOW, LOG, 1);
    assert!(held_of(vec![Ballots { seal: words.seal, ..ballots() }]).is_empty());
}

#[test]
fn nobody_seals_what_another_is_said_to_have_said() {
    for change in [
        |words: &mut Words| Arc::make_mut(&mut words.offers[0]).author = AgentId(2),
        |words: &mut Words| words.sightings[0].agent = AgentId(2),
        |words: &mut Words| words.challenges[0].agent = AgentId(2),
        |words: &mut Words| Arc::make_mut(&mut words.offers[0]).step += 1,
    ] {
        let mut changed = words();
        change(&mut changed);
        assert!(held_of(vec![sealed_words(changed, NOW, LOG, 1)]).is_empty());
    }
}

#[test]
fn more_than_an_author_may_say_is_refused_as_a_whole() {
    let mut flood = words();
    flood.offers = (0..=bylaws().offers_max).map(|_| Arc::new(offer())).collect();
    assert!(held_of(vec![sealed_words(flood, NOW, LOG, 1)]).is_empty());
    let mut slander = words();
    let sighting = |last: u8| Sighting::new(AgentId(1), NOW, SignatureId::default(), vec![[192, 0, 3, last].into()]);
    slander.sightings = (0..=64).map(sighting).collect();
    assert!(held_of(vec![sealed_words(slander, NOW, LOG, 1)]).is_empty());
}

#[test]
fn an_agent_states_one_thing_in_a_part_of_a_step() {
    let second = Words { challenges: Vec::new(), ..words() };
    let both = vec![sealed_words(words(), NOW, LOG, 1), sealed_words(second, NOW, LOG, 1)];
    assert_eq!(held_of(both).len(), 1);
}

/// A number that a liar may put anywhere.
fn any_f32(random: &mut Philox) -> f32 {
    const ODD: [f32; 8] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, -1.0, 5.0, f32::MAX, f32::MIN_POSITIVE];
    match random.bounded(9) {
        8 => f32::from_bits(random.next_u32()),
        odd => ODD[odd as usize],
    }
}

fn mutate_words(words: &mut Words, random: &mut Philox) {
    let (number, word) = (any_f32(random), random.next_u32());
    let offer = Arc::make_mut(&mut words.offers[0]);
    match random.bounded(16) {
        0 => offer.radius = number,
        1 => offer.confidence = number,
        2 => offer.medoid_p = number,
        3 => offer.pattern.centre = vec![number; (word % 3) as usize],
        4 => offer.pattern.spread = vec![number; (word % 3) as usize],
        5 => offer.medoid.numeric = vec![number],
        6 => offer.pattern.categories = vec![vec![word as u16, 1]; (word % 3) as usize],
        7 => offer.ports = vec![word as u16, 80],
        8 => offer.sources = vec![[192, 0, 2, word as u8].into(); (word % 80) as usize],
        9 => offer.step = word,
        10 => offer.author = AgentId(word % 4),
        11 => offer.refinement = word as u8,
        12 => words.sightings[0].sources = vec![[192, 0, 2, word as u8].into(); (word % 80) as usize],
        13 => words.sightings[0].step = word,
        14 => words.challenges[0].ordinary = word,
        _ => words.challenges[0].matches = word,
    }
}

fn mutate_vote(vote: &mut Vote, random: &mut Philox) {
    let (number, word) = (any_f32(random), random.next_u32());
    match random.bounded(8) {
        0 => vote.confidence = number,
        1 => vote.evidence.radius = number,
        2 => vote.evidence.medoid_p = number,
        3 => vote.evidence.similarity = number,
        4 => vote.evidence.matches = word,
        5 => vote.step = word,
        6 => vote.voter = AgentId(word % 4),
        _ => vote.round = word as u8,
    }
}

#[test]
fn whatever_holds_is_read_back_as_it_was_said_and_what_is_changed_later_does_not_hold() {
    let mut random = Philox::from_u64_seed(11);
    let mut both = [0; 2];
    for _ in 0..4_000 {
        let (mut said, mut voted) = (words(), ballots());
        mutate_words(&mut said, &mut random);
        mutate_vote(&mut voted.votes[0], &mut random);
        voted.seal = Some(sealed(&voted, NOW, LOG, &key(1)));
        let said = sealed_words(said, NOW, LOG, 1);
        let held = held_of(vec![said.clone()]);
        both[usize::from(held.is_empty())] += 1;
        for held in held {
            assert_eq!(Signature::decode(&held.entries()[0].body).as_ref(), Ok(&*held.offers[0]));
            assert!(Sighting::decode(&held.entries()[1].body).is_ok());
            assert!(Challenge::decode(&held.entries()[2].body).is_ok());
            let mut changed = held;
            Arc::make_mut(&mut changed.offers[0]).support ^= 1;
            assert!(held_of(vec![changed]).is_empty());
        }
        for held in held_of(vec![voted]) {
            assert_eq!(Vote::decode(&held.entries()[0].body).as_ref(), Ok(&held.votes[0]));
        }
    }
    assert!(both.into_iter().all(|count| count > 100), "{both:?} held and refused");
}
