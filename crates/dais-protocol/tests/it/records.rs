//! What passes the checks can be read again, is its sealer's own, of its step, and no wider than allowed.

use dais_protocol::{
    AgentId, Challenge, Commitment, RecordRefused, Reveal, SPREAD_MAX, SPREAD_MIN, Sighting, Signature,
    SignatureRefused, Vote, WIDTH_MAX,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::strategies;

/// A float of any kind, NaN and infinities too.
fn float() -> impl Strategy<Value = f32> {
    prop_oneof![any::<f32>(), -5.0..5.0_f32, Just(f32::NAN), Just(f32::INFINITY), Just(-0.0_f32)]
}

/// A vote with two of its values replaced by anything.
fn spoiled_vote() -> impl Strategy<Value = Vote> {
    (strategies::vote(), 0..6_u8, float(), any::<u32>()).prop_map(|(mut vote, which, value, count)| {
        match which {
            0 => vote.evidence.radius = value,
            1 => vote.evidence.medoid_p = value,
            2 => vote.evidence.similarity = value,
            3 => vote.confidence = value,
            4 => vote.evidence.matches = count,
            _ => {}
        }
        vote
    })
}

/// A signature with one of its values replaced by anything.
fn spoiled_signature() -> impl Strategy<Value = Signature> {
    (strategies::signature(3, 2), 0..12_u8, float(), any::<u16>()).prop_map(|(mut signature, which, value, code)| {
        match which {
            0 => signature.radius = value,
            1 => signature.pattern.centre[1] = value,
            2 => signature.pattern.spread[1] = value,
            3 => signature.medoid.numeric[1] = value,
            4 => signature.medoid_p = value,
            5 => signature.confidence = value,
            6 => signature.medoid.codes[1] = code,
            7 => signature.ports.push(code),
            8 => signature.support = 0,
            9 => signature.sources.reverse(),
            10 => signature.pattern.categories[0].push(code),
            _ => {}
        }
        signature
    })
}

proptest! {
    #[test]
    fn a_vote_that_passes_is_read_again(vote in spoiled_vote()) {
        let passes = vote.check(vote.voter, vote.step).is_ok();
        let read = Vote::decode(&vote.encode());
        prop_assert_eq!(passes, read.is_ok());
        if passes {
            prop_assert_eq!(read.unwrap(), vote);
        }
    }

    #[test]
    fn a_signature_that_passes_is_read_again_and_passes_again(signature in spoiled_signature()) {
        if signature.check_offer(signature.author, signature.step, 3, 2).is_ok() {
            let read = Signature::decode(&signature.encode());
            prop_assert_eq!(read.as_ref(), Ok(&signature));
            prop_assert_eq!(read.unwrap().check(3, 2), Ok(()));
        }
    }

    #[test]
    fn a_sighting_that_passes_is_read_again(sighting in strategies::sighting(), reversed in any::<bool>()) {
        let mut sighting = sighting;
        if reversed {
            sighting.sources.reverse();
        }
        let passes = sighting.check(sighting.agent, sighting.step).is_ok();
        prop_assert_eq!(passes, Sighting::decode(&sighting.encode()).is_ok() && !sighting.sources.is_empty());
    }

    /// No signature that passes covers both of two opposite corners, whatever its centre.
    #[test]
    fn no_signature_covers_everything(
        centre in prop::collection::vec(0.0..=1.0_f32, 4),
        spread in prop::collection::vec(SPREAD_MIN..=SPREAD_MAX, 4),
    ) {
        let pattern = dais_protocol::Pattern { centre: centre.clone(), spread, categories: vec![] };
        let radius = pattern.radius_max();
        let far: Vec<f32> = centre.iter().map(|&c| if c < 0.5 { 1.0 } else { 0.0 }).collect();
        let distance = dais_protocol::Matcher::new(&pattern).distance(&far, &[]);
        prop_assert!(distance >= radius * (1.0 - 1.0e-5), "{} within {}", distance, radius);
    }
}

#[test]
fn a_vote_counts_for_its_sealer_and_its_step_alone() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let vote = strategies::vote().new_tree(&mut runner).unwrap().current();
    let other = AgentId(vote.voter.0.wrapping_add(1));
    assert_eq!(vote.check(vote.voter, vote.step), Ok(()));
    assert_eq!(vote.check(other, vote.step), Err(RecordRefused::Author { sealer: other, found: vote.voter }));
    let yesterday = vote.step.wrapping_sub(1);
    assert_eq!(vote.check(vote.voter, yesterday), Err(RecordRefused::Step { now: yesterday, found: vote.step }));
    let wide = Vote { evidence: dais_protocol::Evidence { radius: 5.0, ..vote.evidence }, ..vote.clone() };
    assert_eq!(wide.check(vote.voter, vote.step), Err(RecordRefused::Impossible { field: "radius" }));
    assert!(Vote::decode(&wide.encode()).is_err(), "what is refused could not be read");
}

#[test]
fn a_signature_is_offered_by_its_author_in_its_step_with_an_example_of_its_own() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let signature = strategies::signature(4, 1).new_tree(&mut runner).unwrap().current();
    let (author, step) = (signature.author, signature.step);
    let other = AgentId(author.0.wrapping_add(1));
    assert_eq!(signature.check_offer(author, step, 4, 1), Ok(()));
    assert_eq!(signature.check_offer(other, step, 4, 1), Err(RecordRefused::Author { sealer: other, found: author }));
    let now = step.wrapping_add(1);
    assert_eq!(signature.check_offer(author, now, 4, 1), Err(RecordRefused::Step { now, found: step }));

    let mut far = signature.clone();
    far.medoid.numeric = far.pattern.centre.iter().map(|c| c + 4.5).collect();
    assert!(matches!(
        far.check_offer(author, step, 4, 1),
        Err(RecordRefused::Signature(SignatureRefused::MedoidFar { .. }))
    ));
    let mut wide = signature.clone();
    wide.pattern.spread = vec![SPREAD_MAX; 4];
    wide.radius = 2.0 * WIDTH_MAX;
    let error = wide.check_offer(author, step, 4, 1).unwrap_err();
    assert_eq!(error.to_string(), "the radius is 1, with these spreads at most 0.5 is allowed");
}

#[test]
fn challenges_commitments_and_reveals_are_read_again() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let vote = strategies::vote().new_tree(&mut runner).unwrap().current();
    let vote = Vote { step: vote.step.max(1), ..vote };
    let challenge =
        Challenge { agent: vote.voter, step: vote.step, signature: vote.signature, matches: 9, ordinary: 7 };
    assert_eq!(Challenge::decode(&challenge.encode()), Ok(challenge));
    assert_eq!(challenge.encode().len(), Challenge::ENCODED_BYTES);
    assert_eq!(challenge.check(vote.voter, vote.step), Ok(()));
    for ordinary in [0, 10] {
        let impossible = Challenge { ordinary, ..challenge };
        assert_eq!(impossible.check(vote.voter, vote.step), Err(RecordRefused::Impossible { field: "ordinary" }));
        assert!(Challenge::decode(&impossible.encode()).is_err());
    }
    let reveal = Reveal { vote: vote.clone(), nonce: [3; 32] };
    assert_eq!(Reveal::decode(&reveal.encode()), Ok(reveal.clone()));
    let commitment = reveal.commitment(vote.step - 1);
    assert_eq!(Commitment::decode(&commitment.encode()), Ok(commitment));
    assert_eq!(commitment.encode().len(), Commitment::ENCODED_BYTES);
    assert!(commitment.check(vote.voter, vote.step - 1).is_ok() && commitment.check(vote.voter, vote.step).is_err());
    let digests = [challenge.digest(), reveal.digest(), commitment.digest(), vote.digest()];
    assert!((0..4).all(|i| (i + 1..4).all(|j| digests[i] != digests[j])));
}

#[test]
fn the_bytes_of_challenges_and_commitments_are_fixed() {
    let signature = dais_protocol::SignatureId::from_bytes([0xab; 32]);
    let id = "ab".repeat(32);
    let challenge = Challenge { agent: AgentId(3), step: 258, signature, matches: 9, ordinary: 7 };
    let expected = format!("0701 03000000 02010000 {id} 09000000 07000000");
    assert_eq!(hex::encode(challenge.encode()), expected.replace(' ', ""));
    let commitment = Commitment {
        motion: dais_protocol::Motion::Revoke,
        signature,
        voter: AgentId(3),
        step: 258,
        round: 1,
        digest: [0xcd; 32],
    };
    let expected = format!("0501 02 {id} 03000000 02010000 01 {}", "cd".repeat(32));
    assert_eq!(hex::encode(commitment.encode()), expected.replace(' ', ""));
}

#[test]
fn a_commitment_is_the_hash_of_secret_and_vote() {
    use sha2::{Digest, Sha256};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let vote = strategies::vote().new_tree(&mut runner).unwrap().current();
    let bytes = [&b"dais-commitment-v1"[..], &[3; 32], &vote.encode()].concat();
    let commitment = Reveal { vote, nonce: [3; 32] }.commitment(0);
    assert_eq!(commitment.digest[..], Sha256::digest(bytes)[..]);
}
