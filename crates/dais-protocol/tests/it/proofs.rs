//! Proofs of equivocation: what holds convinces anyone, and nobody honest can be accused.

use std::sync::Arc;

use dais_protocol::{
    AgentId, Contradiction, DecodeError, EquivocationProof, Evidence, Motion, ProofLog, ProofRefused, Purpose, Seal,
    SealContext, SealKey, SealedStatement, SignatureId, Statement, Verdict, Vote,
};
use proptest::prelude::*;

use crate::strategies;

const LOG: &str = "dais/here";
const LIAR: AgentId = AgentId(3);

fn key(agent: AgentId) -> SealKey {
    SealKey::from_seed([agent.0 as u8; 32])
}

fn vote(voter: AgentId, step: u32, verdict: Verdict) -> Vote {
    Vote {
        motion: Motion::Adopt,
        signature: SignatureId::from_bytes([7; 32]),
        voter,
        step,
        round: 0,
        verdict,
        confidence: 0.5,
        evidence: Evidence { baseline: 512, radius: 2.0, ..Evidence::default() },
    }
}

/// What an agent seals in a step: these items between two others.
fn sealed(agent: AgentId, step: u32, votes: &[Vote]) -> Arc<SealedStatement> {
    let mut digests = vec![[1; 32]];
    digests.extend(votes.iter().map(Vote::digest));
    digests.push([2; 32]);
    let statement = Statement { agent, step, digests: &digests };
    let seal = SealContext { log: LOG, purpose: Purpose::Statement }.seal(&key(agent), &statement);
    Arc::new(SealedStatement { step, purpose: Purpose::Statement, digests, seal })
}

/// Two votes of the liar in one round, told in two steps.
fn proof() -> EquivocationProof {
    let (first, second) = (vote(LIAR, 5, Verdict::Confirm), vote(LIAR, 9, Verdict::Refute));
    let mut log = ProofLog::default();
    let statement = sealed(LIAR, 5, std::slice::from_ref(&first));
    assert_eq!(log.hear(&first, &statement), None);
    assert_eq!(log.hear(&first, &statement), None, "the same again is no contradiction");
    log.hear(&second, &sealed(LIAR, 9, std::slice::from_ref(&second))).expect("two votes in one round").clone()
}

#[test]
fn two_votes_in_one_round_prove_it_to_whoever_has_the_public_key() {
    let proof = proof();
    assert_eq!(proof.agent, LIAR);
    assert_eq!(proof.verify(LOG, &key(LIAR).verifying_key()), Ok(()));
    let read = EquivocationProof::decode(&proof.encode()).unwrap();
    assert_eq!(read.verify(LOG, &key(LIAR).verifying_key()), Ok(()));
    assert_eq!(proof.verify("dais/elsewhere", &key(LIAR).verifying_key()), Err(ProofRefused::Seal { which: 0 }));
    assert_eq!(proof.verify(LOG, &key(AgentId(4)).verifying_key()), Err(ProofRefused::Seal { which: 0 }));
}

#[test]
fn two_statements_of_one_step_prove_it_whatever_they_hold() {
    let [first, second] = [Verdict::Confirm, Verdict::Refute].map(|verdict| sealed(LIAR, 5, &[vote(LIAR, 5, verdict)]));
    let statements = [(*first).clone(), (*second).clone()];
    let proof = EquivocationProof { agent: LIAR, statements, contradiction: Contradiction::Statements };
    assert_eq!(proof.verify(LOG, &key(LIAR).verifying_key()), Ok(()));
    assert_eq!(EquivocationProof::decode(&proof.encode()), Ok(proof.clone()));
    let later = sealed(LIAR, 6, &[]);
    let honest = EquivocationProof { statements: [(*first).clone(), (*later).clone()], ..proof.clone() };
    assert_eq!(honest.verify(LOG, &key(LIAR).verifying_key()), Err(ProofRefused::NoContradiction));
    let same = EquivocationProof { statements: [(*first).clone(), (*first).clone()], ..proof };
    assert_eq!(same.verify(LOG, &key(LIAR).verifying_key()), Err(ProofRefused::NoContradiction));
}

#[test]
fn nobody_honest_can_be_accused() {
    let public = key(LIAR).verifying_key();
    let good = proof();
    let Contradiction::Votes(votes) = &good.contradiction else { panic!("{good:?}") };
    let with =
        |votes: [Vote; 2]| EquivocationProof { contradiction: Contradiction::Votes(Box::new(votes)), ..good.clone() };
    let [first, second] = (**votes).clone();
    let never_said = Vote { confidence: 0.75, ..second.clone() };
    assert_eq!(with([first.clone(), never_said]).verify(LOG, &public), Err(ProofRefused::NotSaid { which: 1 }));
    assert_eq!(with([second.clone(), first.clone()]).verify(LOG, &public), Err(ProofRefused::NotSaid { which: 0 }));
    let mut forged = good.clone();
    forged.statements[1].seal = Seal::from_bytes([0; 64]);
    assert_eq!(forged.verify(LOG, &public), Err(ProofRefused::Seal { which: 1 }));

    // Another round, another signature and another motion are other questions.
    for other in [
        Vote { round: 1, ..second.clone() },
        Vote { signature: SignatureId::from_bytes([8; 32]), ..second.clone() },
        Vote { motion: Motion::Revoke, ..second.clone() },
    ] {
        let mut honest = with([first.clone(), other.clone()]);
        honest.statements[1] = (*sealed(LIAR, 9, std::slice::from_ref(&other))).clone();
        assert_eq!(honest.verify(LOG, &public), Err(ProofRefused::NoContradiction), "{other:?}");
    }
}

#[test]
fn a_log_of_proofs_takes_what_holds_and_remembers_it_for_all_time() {
    let proof = proof();
    let mut log = ProofLog::default();
    let public = key(LIAR).verifying_key();
    assert_eq!(log.accept(&proof, "dais/elsewhere", &public), Err(ProofRefused::Seal { which: 0 }));
    assert!(!log.is_proven(LIAR));
    assert_eq!(log.accept(&proof, LOG, &public), Ok(true));
    assert_eq!(log.accept(&proof, LOG, &public), Ok(false));
    let honest = vote(AgentId(1), 5, Verdict::Confirm);
    assert_eq!(log.hear(&honest, &sealed(AgentId(1), 5, std::slice::from_ref(&honest))), None);
    assert_eq!(log.remembered(), 1);
    log.forget(6);
    assert_eq!((log.remembered(), log.is_proven(LIAR), log.proofs().count()), (0, true, 1));
}

#[test]
fn a_digest_of_another_kind_can_be_sealed_too() {
    let entry = |vote: &Vote| -> [u8; 32] {
        let mut digest = vote.digest();
        digest.reverse();
        digest
    };
    let votes = [vote(LIAR, 5, Verdict::Confirm), vote(LIAR, 5, Verdict::Refute)];
    let statements = [0, 1].map(|which: usize| {
        let digests = vec![entry(&votes[which])];
        let statement = Statement { agent: LIAR, step: 5, digests: &digests };
        let seal = SealContext { log: LOG, purpose: Purpose::Vote }.seal(&key(LIAR), &statement);
        SealedStatement { step: 5, purpose: Purpose::Vote, digests, seal }
    });
    let proof = EquivocationProof { agent: LIAR, statements, contradiction: Contradiction::Votes(Box::new(votes)) };
    let public = key(LIAR).verifying_key();
    assert_eq!(proof.verify_with(LOG, &public, entry), Ok(()));
    assert_eq!(proof.verify(LOG, &public), Err(ProofRefused::NotSaid { which: 0 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is changed in a proof, it proves nothing any more, or is not read at all.
    #[test]
    fn a_changed_proof_proves_nothing(place in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let proof = proof();
        let mut bytes = proof.encode();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let public = key(LIAR).verifying_key();
        let holds = EquivocationProof::decode(&bytes).is_ok_and(|read| read.verify(LOG, &public).is_ok());
        prop_assert!(!holds, "byte {} bit {}", place, bit);
    }

    /// Who is proven does not depend on the order in which votes are heard.
    #[test]
    fn the_order_of_votes_does_not_matter(
        votes in prop::collection::vec((0..3_u32, 0..2_u8, strategies::verdict()), 0..12)
            .prop_flat_map(|votes| (Just(votes.clone()), Just(votes).prop_shuffle())),
    ) {
        let proven = |votes: &[(u32, u8, Verdict)]| -> Vec<AgentId> {
            let mut log = ProofLog::default();
            for &(voter, round, verdict) in votes {
                let vote = Vote { round, ..vote(AgentId(voter), 5, verdict) };
                log.hear(&vote, &sealed(AgentId(voter), 5, std::slice::from_ref(&vote)));
            }
            log.proofs().map(|proof| proof.agent).collect()
        };
        prop_assert_eq!(proven(&votes.0), proven(&votes.1));
    }
}

#[test]
fn a_cut_proof_is_refused_with_the_field() {
    let bytes = proof().encode();
    for length in 0..bytes.len() {
        let error = EquivocationProof::decode(&bytes[..length]).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { .. }), "{length}: {error}");
    }
}

#[test]
fn the_bytes_of_a_proof_are_fixed() {
    let statement = |digest: u8| SealedStatement {
        step: 258,
        purpose: Purpose::Vote,
        digests: vec![[digest; 32]],
        seal: Seal::from_bytes([0xee; 64]),
    };
    let proof = EquivocationProof {
        agent: LIAR,
        statements: [statement(0x11), statement(0x22)],
        contradiction: Contradiction::Statements,
    };
    let seal = "ee".repeat(64);
    let [first, second] = ["11", "22"].map(|digest| format!("02010000 06 01000000 {} {seal}", digest.repeat(32)));
    assert_eq!(hex::encode(proof.encode()), format!("0801 03000000 {first} {second} 01").replace(' ', ""));
}
