//! The canonical encodings: fixed to the byte, read back exactly, never fooled and never panicking.

use std::net::IpAddr;

use dais_protocol::{
    AgentId, Decision, DecodeError, Evidence, Medoid, Motion, Outcome, Pattern, Reason, SOURCES_MAX, Sighting,
    Signature, SignatureId, SignatureRefused, ThreatClass, Verdict, Vote,
};
use proptest::prelude::*;

use crate::strategies;

fn example_signature() -> Signature {
    Signature {
        author: AgentId(3),
        step: 17,
        class: ThreatClass::PortScan,
        pattern: Pattern { centre: vec![0.25, 0.5], spread: vec![0.04, 0.125], categories: vec![vec![1, 4]] },
        radius: 2.5,
        medoid: Medoid { numeric: vec![0.25, 0.75], codes: vec![4] },
        sources: vec![IpAddr::from([10, 0, 0, 7]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1_u16])],
        ports: vec![22, 445],
        support: 12,
        medoid_p: 1.0 / 128.0,
        reasons: Vec::new(),
        confidence: 0.5,
        refines: Some(SignatureId::from_bytes([0xcd; 32])),
        refinement: 1,
    }
}

fn example_vote() -> Vote {
    Vote {
        motion: Motion::Adopt,
        signature: SignatureId::from_bytes([0xab; 32]),
        voter: AgentId(5),
        step: 18,
        round: 1,
        verdict: Verdict::Confirm,
        confidence: 0.75,
        evidence: Evidence {
            baseline: 512,
            matches: 1,
            alerts_matched: 6,
            medoid_p: 0.0625,
            similarity: -0.5,
            radius: 2.25,
            sources_ordinary: 2,
            recent: 3,
            past: 4,
            past_steps: 90,
        },
    }
}

fn example_decision() -> Decision {
    Decision {
        motion: Motion::Revoke,
        signature: SignatureId::from_bytes([0xab; 32]),
        outcome: Outcome::Disputed,
        step: 20,
        round: 1,
        radius: 0.0,
        voters: 9,
        confirm_weight: 3.0,
        refute_weight: 1.5,
        confirmations: 6,
        refutations: 3,
        abstentions: 0,
    }
}

fn example_sighting() -> Sighting {
    let (v4, v6) = (IpAddr::from([10, 0, 0, 7]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16]));
    Sighting::new(AgentId(9), 21, SignatureId::from_bytes([0xab; 32]), vec![v6, v4, v4])
}

#[test]
fn the_encodings_are_fixed_to_the_byte() {
    let ab = "ab".repeat(32);
    let cd = "cd".repeat(32);
    let signature = [
        "0101 03000000 11000000 01",
        "02000000 0000803e 0000003f",
        "02000000 0ad7233d 0000003e",
        "01000000 02000000 0100 0400",
        "00002040",
        "02000000 0000803e 0000403f 01000000 0400",
        "02000000 04 0a000007 06 20010db8000000000000000000000001",
        "02000000 1600 bd01",
        "0c000000 0000003c 0000003f",
        &format!("01 {cd} 01"),
    ];
    let vote = format!(
        "0201 01 {ab} 05000000 12000000 01 01 0000403f 00020000 01000000 06000000 0000803d 000000bf 00001040 02000000 \
         03000000 04000000 5a000000"
    );
    let decision =
        format!("0301 02 {ab} 03 14000000 01 00000000 09000000 00004040 0000c03f 06000000 03000000 00000000");
    let sighting = format!("0401 09000000 15000000 {ab} 02000000 04 0a000007 06 00000000000000000000000000000001");
    for (name, found, expected) in [
        ("signature", example_signature().encode(), signature.concat()),
        ("vote", example_vote().encode(), vote),
        ("decision", example_decision().encode(), decision),
        ("sighting", example_sighting().encode(), sighting),
    ] {
        assert_eq!(hex::encode(found), expected.replace(' ', ""), "{name}");
    }
    assert_eq!(example_vote().encode().len(), Vote::ENCODED_BYTES);
    assert_eq!(example_decision().encode().len(), Decision::ENCODED_BYTES);
    assert_eq!(
        example_signature().id().to_string(),
        "ceed1fa48b017424212269c7a4a266d28146388c0f4e1a54adb0261e9611d8e1"
    );
}

fn with_reasons(reasons: &[(u16, f32)]) -> Signature {
    let reasons = reasons.iter().map(|&(feature, share)| Reason { feature, share }).collect();
    Signature { reasons, ..example_signature() }
}

#[test]
fn reasons_follow_in_the_second_version_of_a_signature_and_none_leave_the_first() {
    let plain = example_signature().encode();
    let signature = with_reasons(&[(0, 0.5), (2, 0.25)]);
    let bytes = signature.encode();
    let reasons = "02000000 0000 0000003f 0200 0000803e".replace(' ', "");
    assert_eq!(hex::encode(&bytes), format!("0102{}{reasons}", hex::encode(&plain[2..])));
    assert_eq!(Signature::decode(&bytes), Ok(signature));
    assert_eq!(Signature::decode(&plain), Ok(example_signature()));

    let refused = |bytes: &[u8]| Signature::decode(bytes).unwrap_err();
    let of_first = [&[1, 1], &bytes[2..]].concat();
    assert_eq!(refused(&of_first), DecodeError::Trailing { bytes: 16 });
    let of_third = [&[1, 3], &bytes[2..]].concat();
    assert_eq!(refused(&of_third), DecodeError::Version { expected: 2, found: 3 });
    let none = [&[1, 2], &plain[2..], &[0; 4]].concat();
    assert_eq!(refused(&none), DecodeError::Value { field: "reasons" }, "the first version is for that");
    let unordered = with_reasons(&[(2, 0.5), (0, 0.25)]).encode();
    assert_eq!(refused(&unordered), DecodeError::Value { field: "reasons" });
    let many = with_reasons(&[(0, 0.1); 6]).encode();
    assert_eq!(refused(&many), DecodeError::Length { field: "reasons", found: 6, max: 5 });
}

#[test]
fn reasons_name_features_of_the_schema_with_shares_of_one() {
    let check = |reasons: &[(u16, f32)]| with_reasons(reasons).check(2, 1);
    assert_eq!(check(&[(0, 0.5), (1, 0.25), (2, 0.25)]), Ok(()));
    let shape = SignatureRefused::Shape { field: "reasons", found: 4, expected: 3 };
    assert_eq!(check(&[(3, 0.5)]), Err(shape));
    assert_eq!(check(&[(1, 0.5), (1, 0.25)]), Err(SignatureRefused::Unsorted { field: "reasons" }));
    for unfit in [&[(0, 0.0)][..], &[(0, 1.5)], &[(0, f32::NAN)], &[(0, 0.6), (1, 0.6)]] {
        assert!(matches!(check(unfit), Err(SignatureRefused::Range { field: "reasons", .. })), "{unfit:?}");
    }
}

#[test]
fn a_fault_in_an_encoding_is_named() {
    let bytes = example_vote().encode();
    assert_eq!(Vote::decode(&bytes[..38]), Err(DecodeError::Truncated { field: "voter", at: 35 }));
    assert_eq!(Vote::decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing { bytes: 1 }));
    assert_eq!(Signature::decode(&bytes), Err(DecodeError::Kind { expected: 1, found: 2 }));
    let changed = |place: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[place] = value;
        Vote::decode(&bytes).unwrap_err()
    };
    assert_eq!(changed(1, 9), DecodeError::Version { expected: 1, found: 9 });
    assert_eq!(changed(2, 3), DecodeError::Value { field: "motion" });
    assert_eq!(changed(44, 0), DecodeError::Value { field: "verdict" });
    assert_eq!(changed(48, 0x7f), DecodeError::Value { field: "confidence" });
    assert_eq!(changed(55, 0xff), DecodeError::Value { field: "matches" });
}

#[test]
fn a_list_that_claims_too_much_is_refused_before_memory_is_reserved() {
    let mut bytes = example_sighting().encode();
    bytes[42..46].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = Sighting::decode(&bytes).unwrap_err();
    assert_eq!(error, DecodeError::Length { field: "sources", found: u32::MAX, max: SOURCES_MAX as u32 });
    bytes[42..46].copy_from_slice(&64_u32.to_le_bytes());
    assert_eq!(Sighting::decode(&bytes).unwrap_err(), DecodeError::Truncated { field: "sources", at: 42 });
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut signature = example_signature();
        signature.pattern.centre[1] = value;
        assert_eq!(Signature::decode(&signature.encode()), Err(DecodeError::Value { field: "centre" }));
        let decision = Decision { confirm_weight: value, ..example_decision() };
        assert_eq!(Decision::decode(&decision.encode()), Err(DecodeError::Value { field: "confirm_weight" }));
    }
}

#[test]
fn lists_out_of_order_are_not_canonical() {
    let mut sighting = example_sighting();
    sighting.sources.reverse();
    assert_eq!(Sighting::decode(&sighting.encode()), Err(DecodeError::Value { field: "sources" }));
    let mut signature = example_signature();
    signature.ports = vec![22, 22];
    assert_eq!(Signature::decode(&signature.encode()), Err(DecodeError::Value { field: "ports" }));
}

#[test]
fn a_sighting_keeps_a_bounded_number_of_sources() {
    let sources = (0..200_u32).rev().map(|i| IpAddr::from(i.to_be_bytes())).collect();
    let sighting = Sighting::new(AgentId(1), 1, SignatureId::default(), sources);
    assert_eq!(sighting.sources.len(), SOURCES_MAX);
    assert_eq!(sighting.sources[0], IpAddr::from([0, 0, 0, 0]));
}

#[test]
fn a_signature_that_is_not_fit_for_a_vote_is_refused_with_the_reason() {
    assert_eq!(example_signature().check(2, 1), Ok(()));
    let refused = |change: &dyn Fn(&mut Signature)| {
        let mut signature = example_signature();
        change(&mut signature);
        signature.check(2, 1).unwrap_err()
    };
    assert!(matches!(example_signature().check(3, 1), Err(SignatureRefused::Shape { field: "centre", .. })));
    for (field, change) in [
        ("spread", &(|s: &mut Signature| s.pattern.spread[1] = 0.039) as &dyn Fn(&mut Signature)),
        ("centre", &|s| s.pattern.centre[0] = f32::NAN),
        ("medoid.numeric", &|s| s.medoid.numeric[0] = f32::INFINITY),
        ("radius", &|s| s.radius = 0.0),
        ("radius", &|s| s.radius = 4.01),
        ("support", &|s| s.support = 0),
        ("medoid_p", &|s| s.medoid_p = -0.1),
        ("confidence", &|s| s.confidence = 1.1),
    ] {
        let error = refused(change);
        assert!(matches!(error, SignatureRefused::Range { field: found, .. } if found == field), "{error}");
    }
    assert_eq!(refused(&|s| s.pattern.categories[0].clear()), SignatureRefused::NoCategory { feature: 0 });
    assert_eq!(refused(&|s| s.medoid.codes[0] = 2), SignatureRefused::MedoidOutside { feature: 0 });
    assert_eq!(refused(&|s| s.sources.reverse()), SignatureRefused::Unsorted { field: "sources" });
    assert_eq!(refused(&|s| s.refinement = 0), SignatureRefused::Refinement { refinement: 0 });
    let error = refused(&|s| s.ports = (0..65).collect());
    assert_eq!(error, SignatureRefused::TooMany { field: "ports", found: 65, max: 64 });
}

#[test]
fn messages_survive_serialisation_in_formats_for_people_and_for_machines() {
    let signature = example_signature();
    let json = serde_json::to_string(&signature).unwrap();
    assert!(json.contains(&"cd".repeat(32)) && json.contains("port_scan"), "{json}");
    assert_eq!(serde_json::from_str::<Signature>(&json).unwrap(), signature);
    let bytes = postcard::to_allocvec(&signature).unwrap();
    assert_eq!(postcard::from_bytes::<Signature>(&bytes).unwrap(), signature);
    let bytes = postcard::to_allocvec(&example_decision()).unwrap();
    assert_eq!(postcard::from_bytes::<Decision>(&bytes).unwrap(), example_decision());
}

/// Whatever is read writes the same bytes again: there is one encoding of every message.
fn read_or_refuse(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(message) = Signature::decode(bytes) {
        prop_assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = Vote::decode(bytes) {
        prop_assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = Decision::decode(bytes) {
        prop_assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = Sighting::decode(bytes) {
        prop_assert_eq!(message.encode(), bytes);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_message_is_read_back_exactly(
        signature in strategies::signature(5, 2),
        vote in strategies::vote(),
        decision in strategies::decision(),
        sighting in strategies::sighting(),
    ) {
        prop_assert_eq!(signature.check(5, 2), Ok(()));
        prop_assert_eq!(Signature::decode(&signature.encode()), Ok(signature));
        prop_assert_eq!(Vote::decode(&vote.encode()), Ok(vote));
        prop_assert_eq!(Decision::decode(&decision.encode()), Ok(decision));
        prop_assert_eq!(Sighting::decode(&sighting.encode()), Ok(sighting));
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_canonical(kind in 0..6_u8, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = vec![kind, 1];
        bytes.extend(body);
        read_or_refuse(&bytes)?;
    }

    #[test]
    fn damaged_encodings_are_refused_or_canonical(
        signature in strategies::signature(3, 2),
        vote in strategies::vote(),
        sighting in strategies::sighting(),
        place in any::<prop::sample::Index>(),
        value in any::<u8>(),
        kept in any::<prop::sample::Index>(),
    ) {
        for mut bytes in [signature.encode(), vote.encode(), sighting.encode()] {
            let cut = bytes[..kept.index(bytes.len())].to_vec();
            prop_assert!(Signature::decode(&cut).is_err() && Vote::decode(&cut).is_err());
            prop_assert!(Sighting::decode(&cut).is_err());
            let longer = [&bytes[..], &[0]].concat();
            prop_assert!(Signature::decode(&longer).is_err() && Vote::decode(&longer).is_err());
            let place = place.index(bytes.len());
            bytes[place] = value;
            read_or_refuse(&bytes)?;
        }
    }

    #[test]
    fn another_content_has_another_id(a in strategies::signature(3, 1), b in strategies::signature(3, 1)) {
        prop_assert_eq!(a.id() == b.id(), a == b);
        prop_assert_eq!(a.id(), a.clone().id());
    }
}
