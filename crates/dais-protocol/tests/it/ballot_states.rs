//! The rows of the ballot's table, one by one.

use Verdict::{Abstain, Confirm, Refute};
use dais_protocol::{
    AgentId, Ballot, Decision, Evidence, Motion, Outcome, PolicyParams, Resolution, SignatureId, Verdict, Vote,
    VoteRefused,
};

const SIGNATURE: SignatureId = SignatureId::from_bytes([7; 32]);
const AUTHOR: AgentId = AgentId(100);
const OPENED: u32 = 10;

fn agents(count: u32) -> Vec<AgentId> {
    (0..count).map(AgentId).collect()
}

fn open(members: u32) -> Ballot {
    Ballot::open(Motion::Adopt, SIGNATURE, AUTHOR, agents(members), OPENED)
}

fn vote(voter: u32, verdict: Verdict) -> Vote {
    let evidence = Evidence { baseline: 512, radius: 2.0 + 0.1 * voter as f32, ..Evidence::default() };
    Vote {
        motion: Motion::Adopt,
        signature: SIGNATURE,
        voter: AgentId(voter),
        step: OPENED,
        round: 0,
        verdict,
        confidence: 0.5,
        evidence,
    }
}

/// A ballot in which agents 0, 1, … voted these verdicts.
fn voted(members: u32, verdicts: &[Verdict]) -> Ballot {
    let mut ballot = open(members);
    for (voter, &verdict) in verdicts.iter().enumerate() {
        assert_eq!(ballot.record(&vote(voter as u32, verdict)), Ok(()));
    }
    ballot
}

#[test]
fn a_yes_without_a_burst_is_disputed_and_with_one_accepted() {
    let policy = PolicyParams { escalation_rounds: 0, ..PolicyParams::default() };
    let outcome = |recent, past| {
        let mut ballot = open(12);
        for voter in 0..12 {
            let evidence = Evidence { recent, past, past_steps: 40, ..vote(voter, Verdict::Confirm).evidence };
            ballot.record(&Vote { evidence, ..vote(voter, Verdict::Confirm) }).expect("a member's first vote");
        }
        match ballot.resolve(OPENED + 1, &policy, &|_| 0.8) {
            Resolution::Closed(decision) => decision.outcome,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(outcome(2, 0), Outcome::Accepted);
    assert_eq!(outcome(2, 8), Outcome::Disputed, "as often as ever");
    assert_eq!(outcome(0, 0), Outcome::Disputed, "nobody has seen its like");
}

fn two_thirds() -> PolicyParams {
    PolicyParams { threshold: 0.66, ..crate::strategies::votes_alone() }
}

fn resolve(ballot: &mut Ballot, now: u32) -> Resolution {
    ballot.resolve(now, &two_thirds(), &|_| 0.5)
}

fn closed(ballot: &mut Ballot, now: u32) -> Decision {
    match resolve(ballot, now) {
        Resolution::Closed(decision) => decision,
        Resolution::Open | Resolution::Escalate { .. } => panic!("the ballot is not closed: {ballot:?}"),
    }
}

#[test]
fn below_the_quorum_a_ballot_stays_open_and_then_expires() {
    let mut ballot = voted(10, &[Confirm; 4]);
    assert_eq!(resolve(&mut ballot, OPENED), Resolution::Open);
    assert_eq!(resolve(&mut ballot, OPENED + 2), Resolution::Open);
    assert!(ballot.decision().is_none());
    let decision = closed(&mut ballot, OPENED + 3);
    assert_eq!((decision.outcome, decision.confirmations, decision.voters), (Outcome::Expired, 4, 10));
    assert!(decision.radius.abs() < f32::EPSILON);
    assert_eq!(ballot.decision(), Some(&decision));
}

#[test]
fn at_the_quorum_the_share_decides() {
    let decision = closed(&mut voted(10, &[Confirm, Confirm, Confirm, Confirm, Refute]), OPENED);
    assert_eq!((decision.outcome, decision.step), (Outcome::Accepted, OPENED));
    assert!((decision.confirm_weight - 2.0).abs() < 1.0e-6 && (decision.refute_weight - 0.5).abs() < 1.0e-6);
    let decision = closed(&mut voted(10, &[Confirm, Confirm, Confirm, Refute, Refute]), OPENED);
    assert_eq!(decision.outcome, Outcome::Rejected);
}

#[test]
fn the_accepted_radius_is_the_lower_third_of_the_confirmers() {
    // Radii 2.0 to 2.4 confirm; the refuter's 2.5 does not count. A third of five equal weights is reached by the second.
    let decision = closed(&mut voted(6, &[Confirm, Confirm, Confirm, Confirm, Confirm, Refute]), OPENED);
    assert!((decision.radius - 2.1).abs() < 1.0e-6, "{}", decision.radius);
    let mut ballot = Ballot::open(Motion::Revoke, SIGNATURE, AUTHOR, agents(3), OPENED);
    for voter in 0..3 {
        ballot.record(&Vote { motion: Motion::Revoke, ..vote(voter, Confirm) }).unwrap();
    }
    assert_eq!(resolve(&mut ballot, OPENED + 1), Resolution::Open, "the grace period is not over");
    let decision = closed(&mut ballot, OPENED + 2);
    assert_eq!(decision.outcome, Outcome::Accepted);
    assert!(decision.radius.abs() < f32::EPSILON, "a revocation has no radius");
}

#[test]
fn a_tie_refutes_even_at_a_threshold_of_one_half() {
    let policy = PolicyParams { threshold: 0.5, escalation_rounds: 0, margin: 0.0, ..crate::strategies::votes_alone() };
    let mut ballot = voted(4, &[Confirm, Confirm, Refute, Refute]);
    let Resolution::Closed(decision) = ballot.resolve(OPENED, &policy, &|_| 1.0) else { panic!("{ballot:?}") };
    assert_eq!(decision.outcome, Outcome::Rejected);
}

#[test]
fn abstainers_answer_and_inform_nobody() {
    let decision = closed(&mut voted(8, &[Confirm, Confirm, Confirm, Abstain]), OPENED);
    assert_eq!((decision.outcome, decision.abstentions), (Outcome::Accepted, 1));
    let mut ballot = voted(8, &[Confirm, Confirm, Abstain, Abstain, Abstain, Abstain]);
    assert_eq!(resolve(&mut ballot, OPENED), Resolution::Open);
    assert_eq!(closed(&mut ballot, OPENED + 3).outcome, Outcome::Expired);
    let mut ballot = voted(4, &[Abstain; 4]);
    assert_eq!(resolve(&mut ballot, OPENED), Resolution::Open);
    assert_eq!(closed(&mut ballot, OPENED + 3).outcome, Outcome::Expired);
}

#[test]
fn too_few_decisive_votes_decide_nothing() {
    for verdict in [Confirm, Refute] {
        let mut ballot = voted(6, &[verdict, Abstain, Abstain]);
        assert_eq!(resolve(&mut ballot, OPENED), Resolution::Open);
        assert_eq!(closed(&mut ballot, OPENED + 3).outcome, Outcome::Expired);
    }
    assert_eq!(closed(&mut voted(1, &[Confirm]), OPENED).outcome, Outcome::Accepted, "a committee of one");
    let mut ballot = voted(6, &[Confirm, Confirm, Confirm]);
    let trust = |agent: AgentId| if agent.0 == 0 { 0.5 } else { 0.0 };
    assert_eq!(ballot.resolve(OPENED, &two_thirds(), &trust), Resolution::Open, "weightless votes");
}

#[test]
fn an_agent_alone_decides_nothing() {
    let mut ballot = Ballot::open(Motion::Adopt, SIGNATURE, AUTHOR, vec![AUTHOR], OPENED);
    assert!(ballot.committee().is_empty());
    assert_eq!(resolve(&mut ballot, OPENED), Resolution::Open);
    assert_eq!(closed(&mut ballot, OPENED + 3).outcome, Outcome::Expired);
}

#[test]
fn within_the_margin_the_ballot_escalates_to_a_fresh_round() {
    let two_thirds = [Confirm, Confirm, Refute];
    let mut ballot = voted(3, &two_thirds);
    assert_eq!(resolve(&mut ballot, OPENED), Resolution::Escalate { round: 1 });
    assert_eq!(resolve(&mut ballot, OPENED + 9), Resolution::Escalate { round: 1 });
    assert_eq!(ballot.record(&vote(2, Refute)), Err(VoteRefused::Escalating));
    ballot.escalate(agents(6), OPENED + 1);
    assert_eq!((ballot.round(), ballot.opened(), ballot.votes().len()), (1, OPENED + 1, 0));
    assert_eq!(ballot.pending().count(), 6);
    let late = Vote { step: OPENED + 1, ..vote(4, Confirm) };
    assert_eq!(ballot.record(&late), Err(VoteRefused::WrongRound { expected: 1, found: 0 }));
    for (voter, verdict) in [Confirm, Confirm, Confirm, Confirm, Refute, Refute].into_iter().enumerate() {
        let vote = Vote { step: OPENED + 1, round: 1, ..vote(voter as u32, verdict) };
        assert_eq!(ballot.record(&vote), Ok(()));
    }
    let decision = closed(&mut ballot, OPENED + 1);
    assert_eq!((decision.outcome, decision.round), (Outcome::Accepted, 1), "at or above the threshold");
}

#[test]
fn just_below_the_threshold_the_last_round_ends_disputed() {
    let policy = PolicyParams { threshold: 0.67, escalation_rounds: 0, ..crate::strategies::votes_alone() };
    let mut ballot = voted(3, &[Confirm, Confirm, Refute]);
    let Resolution::Closed(decision) = ballot.resolve(OPENED, &policy, &|_| 1.0) else { panic!("{ballot:?}") };
    assert_eq!(decision.outcome, Outcome::Disputed);
}

#[test]
fn a_unanimous_committee_is_never_close() {
    let policy = PolicyParams { threshold: 1.0, ..crate::strategies::votes_alone() };
    let mut ballot = voted(3, &[Confirm; 3]);
    let Resolution::Closed(decision) = ballot.resolve(OPENED, &policy, &|_| 1.0) else { panic!("{ballot:?}") };
    assert_eq!(decision.outcome, Outcome::Accepted);
}

#[test]
fn a_late_vote_is_refused_and_changes_nothing() {
    let mut ballot = voted(4, &[Confirm; 3]);
    let decision = closed(&mut ballot, OPENED);
    let before = ballot.clone();
    assert_eq!(ballot.record(&vote(3, Refute)), Err(VoteRefused::Closed));
    assert_eq!(ballot.record(&vote(2, Confirm)), Err(VoteRefused::Closed));
    assert_eq!(ballot, before);
    assert_eq!(closed(&mut ballot, OPENED + 50), decision);
}

#[test]
fn a_contradiction_is_found_however_late_it_arrives() {
    let mut ballot = voted(4, &[Confirm, Confirm, Refute]);
    assert_eq!(resolve(&mut ballot, OPENED), Resolution::Escalate { round: 1 });
    let Err(VoteRefused::Equivocation(proof)) = ballot.record(&vote(2, Confirm)) else { panic!("{ballot:?}") };
    assert_eq!((proof.first, proof.second), (vote(2, Refute), vote(2, Confirm)));
    ballot.escalate(agents(6), OPENED + 1);
    assert!(matches!(ballot.record(&vote(1, Refute)), Err(VoteRefused::Equivocation(_))), "of the round before");
    for voter in [0, 3, 4, 5] {
        ballot.record(&Vote { step: OPENED + 1, round: 1, ..vote(voter, Confirm) }).unwrap();
    }
    let decision = closed(&mut ballot, OPENED + 1);
    let second = Vote { step: OPENED + 1, round: 1, ..vote(3, Refute) };
    assert!(matches!(ballot.record(&second), Err(VoteRefused::Equivocation(_))), "after closing");
    assert_eq!(ballot.equivocators(), [AgentId(1), AgentId(2), AgentId(3)]);
    assert_eq!(closed(&mut ballot, OPENED + 9), decision, "what is decided stays decided");
}

#[test]
fn votes_dated_after_the_deadline_or_after_today_do_not_count() {
    let mut ballot = open(4);
    for voter in 0..4 {
        ballot.record(&Vote { step: OPENED + 1 + voter, ..vote(voter, Confirm) }).unwrap();
    }
    assert_eq!(resolve(&mut ballot, OPENED + 1), Resolution::Open);
    let decision = closed(&mut ballot, OPENED + 9);
    assert_eq!((decision.outcome, decision.confirmations), (Outcome::Accepted, 3));
}

#[test]
fn votes_that_do_not_belong_here_are_refused_with_the_reason() {
    let mut ballot = open(3);
    let other = SignatureId::from_bytes([8; 32]);
    for (vote, refused) in [
        (Vote { signature: other, ..vote(0, Confirm) }, VoteRefused::WrongSignature { found: other }),
        (Vote { motion: Motion::Revoke, ..vote(0, Confirm) }, VoteRefused::WrongMotion),
        (vote(3, Confirm), VoteRefused::NotInCommittee { voter: AgentId(3) }),
        (vote(100, Confirm), VoteRefused::OwnSignature { voter: AUTHOR }),
        (Vote { round: 1, ..vote(0, Confirm) }, VoteRefused::WrongRound { expected: 0, found: 1 }),
        (Vote { step: 9, ..vote(0, Confirm) }, VoteRefused::WrongStep { opened: OPENED, found: 9 }),
        (Vote { confidence: f32::NAN, ..vote(0, Confirm) }, VoteRefused::Impossible { field: "confidence" }),
    ] {
        assert_eq!(ballot.record(&vote), Err(refused));
    }
    let mut impossible = vote(0, Confirm);
    impossible.evidence.radius = 1.0e9;
    assert_eq!(ballot.record(&impossible), Err(VoteRefused::Impossible { field: "radius" }));
    assert_eq!(ballot.pending().collect::<Vec<_>>(), agents(3));
}

#[test]
fn a_second_vote_is_a_duplicate_or_proof_of_equivocation() {
    let mut ballot = voted(4, &[Confirm, Confirm, Refute, Confirm]);
    assert_eq!(ballot.record(&vote(0, Confirm)), Err(VoteRefused::Duplicate { voter: AgentId(0) }));
    assert!(ballot.equivocators().is_empty());
    let Err(VoteRefused::Equivocation(proof)) = ballot.record(&vote(2, Confirm)) else { panic!("{ballot:?}") };
    assert_eq!((proof.first, proof.second), (vote(2, Refute), vote(2, Confirm)));
    assert_eq!(ballot.equivocators(), [AgentId(2)]);
    let decision = closed(&mut ballot, OPENED);
    assert_eq!(decision.outcome, Outcome::Accepted, "who says both says nothing");
    assert_eq!((decision.confirmations, decision.refutations, decision.abstentions), (3, 0, 1));
}

#[test]
fn pending_members_are_those_without_a_vote() {
    let mut ballot = open(5);
    ballot.record(&vote(1, Confirm)).unwrap();
    ballot.record(&vote(4, Abstain)).unwrap();
    assert_eq!(ballot.pending().collect::<Vec<_>>(), [AgentId(0), AgentId(2), AgentId(3)]);
}

#[test]
fn nobody_decides_alone_however_trusted() {
    let mut ballot = voted(6, &[Confirm, Refute, Refute, Refute, Refute, Refute]);
    let trust = |agent: AgentId| if agent.0 == 0 { 1.0 } else { 0.01 };
    let Resolution::Closed(decision) = ballot.resolve(OPENED, &two_thirds(), &trust) else { panic!("{ballot:?}") };
    assert_eq!(decision.outcome, Outcome::Rejected);
    let share = decision.confirm_weight / (decision.confirm_weight + decision.refute_weight);
    assert!((share - 0.34).abs() < 1.0e-4, "{share}");
}

#[test]
fn a_ballot_survives_serialisation_in_the_middle() {
    let mut ballot = voted(5, &[Confirm, Confirm]);
    let bytes = postcard::to_allocvec(&ballot).unwrap();
    let mut restored: Ballot = postcard::from_bytes(&bytes).unwrap();
    for voter in 2..5 {
        assert_eq!(ballot.record(&vote(voter, Confirm)), restored.record(&vote(voter, Confirm)));
    }
    assert_eq!(resolve(&mut ballot, OPENED), resolve(&mut restored, OPENED));
    assert_eq!(ballot, restored);
}
