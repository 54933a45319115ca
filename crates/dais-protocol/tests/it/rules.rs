//! Rules to decide by, floors, ties, appeals and revocations, as ballots apply them.

use Verdict::{Abstain, Confirm, Refute};
use dais_protocol::{
    AgentId, Aggregation, AppealRefused, Ballot, Decision, Evidence, Motion, Outcome, PolicyParams, Resolution, Rule,
    SignatureId, Tie, Verdict, Vote,
};

const SIGNATURE: SignatureId = SignatureId::from_bytes([7; 32]);
const AUTHOR: AgentId = AgentId(1000);
const OPENED: u32 = 10;

fn agents(count: u32) -> Vec<AgentId> {
    (0..count).map(AgentId).collect()
}

fn vote(motion: Motion, voter: u32, verdict: Verdict) -> Vote {
    Vote {
        motion,
        signature: SIGNATURE,
        voter: AgentId(voter),
        step: OPENED,
        round: 0,
        verdict,
        confidence: 0.5,
        evidence: Evidence { baseline: 512, radius: (1.0 + 0.1 * voter as f32).min(4.0), ..Evidence::default() },
    }
}

/// A ballot of so many members in which the first ones voted: so many of each verdict.
fn voted(motion: Motion, members: u32, verdicts: &[(u32, Verdict)]) -> Ballot {
    let mut ballot = Ballot::open(motion, SIGNATURE, AUTHOR, agents(members), OPENED);
    let all = verdicts.iter().flat_map(|&(count, verdict)| vec![verdict; count as usize]);
    for (voter, verdict) in (0..).zip(all) {
        assert_eq!(ballot.record(&vote(motion, voter, verdict)), Ok(()));
    }
    ballot
}

fn no_escalation() -> PolicyParams {
    PolicyParams { escalation_rounds: 0, ..crate::strategies::votes_alone() }
}

/// What comes of a ballot by its deadline, whenever it closes.
fn decided(mut ballot: Ballot, policy: &PolicyParams) -> Decision {
    for now in OPENED..OPENED + 50 {
        match ballot.resolve(now, policy, &|agent| 0.5 + 0.001 * agent.0 as f32) {
            Resolution::Open => {}
            Resolution::Closed(decision) => return decision,
            Resolution::Escalate { .. } => panic!("no round is left: {ballot:?}"),
        }
    }
    panic!("a ballot ends by its deadline: {ballot:?}")
}

fn outcome(motion: Motion, members: u32, verdicts: &[(u32, Verdict)], policy: &PolicyParams) -> Outcome {
    decided(voted(motion, members, verdicts), policy).outcome
}

#[test]
fn abstentions_inform_nobody() {
    let policy = no_escalation();
    for (verdicts, expected) in [
        (vec![(2, Confirm), (8, Abstain)], Outcome::Expired),
        (vec![(3, Confirm), (7, Abstain)], Outcome::Expired),
        (vec![(4, Confirm), (6, Abstain)], Outcome::Accepted),
        (vec![(3, Refute), (7, Abstain)], Outcome::Expired),
        (vec![(4, Refute), (6, Abstain)], Outcome::Rejected),
        (vec![(10, Abstain)], Outcome::Expired),
    ] {
        assert_eq!(outcome(Motion::Adopt, 10, &verdicts, &policy), expected, "{verdicts:?}");
    }
    let lax = PolicyParams { informed_share: 0.0, informed_min: 1, ..no_escalation() };
    assert_eq!(outcome(Motion::Adopt, 10, &[(1, Confirm), (9, Abstain)], &lax), Outcome::Accepted, "if so wished");
}

#[test]
fn fewer_than_three_informed_voters_decide_only_where_there_are_no_more() {
    let policy = PolicyParams { informed_share: 0.0, ..no_escalation() };
    assert_eq!(outcome(Motion::Adopt, 4, &[(2, Confirm)], &policy), Outcome::Expired);
    assert_eq!(outcome(Motion::Adopt, 4, &[(3, Confirm)], &policy), Outcome::Accepted);
    assert_eq!(outcome(Motion::Adopt, 2, &[(2, Confirm)], &policy), Outcome::Accepted);
    assert_eq!(outcome(Motion::Adopt, 2, &[(1, Confirm)], &policy), Outcome::Expired);
}

#[test]
fn a_few_cannot_revoke_however_silent_the_others_are() {
    let policy = no_escalation();
    for liars in 0..=16 {
        let verdicts = [(liars, Confirm), (50 - liars, Abstain)];
        assert_eq!(outcome(Motion::Revoke, 50, &verdicts, &policy), Outcome::Expired, "{liars} of 50");
    }
    assert_eq!(outcome(Motion::Revoke, 50, &[(17, Confirm), (33, Abstain)], &policy), Outcome::Accepted);
    assert_eq!(outcome(Motion::Revoke, 50, &[(16, Confirm), (4, Refute), (30, Abstain)], &policy), Outcome::Expired);
    assert_eq!(outcome(Motion::Revoke, 50, &[(5, Confirm), (15, Refute), (30, Abstain)], &policy), Outcome::Rejected);
}

#[test]
fn a_revocation_waits_for_those_who_know_better() {
    let policy = no_escalation();
    let mut ballot = voted(Motion::Revoke, 10, &[(6, Confirm)]);
    for now in [OPENED, OPENED + 1] {
        assert_eq!(ballot.resolve(now, &policy, &|_| 0.5), Resolution::Open);
    }
    for voter in 6..10 {
        let late = Vote { step: OPENED + 2, ..vote(Motion::Revoke, voter, Refute) };
        ballot.record(&late).unwrap();
    }
    let strict = PolicyParams { threshold: 0.75, ..policy };
    let Resolution::Closed(decision) = ballot.resolve(OPENED + 2, &strict, &|_| 0.5) else { panic!("{ballot:?}") };
    assert_eq!((decision.outcome, decision.refutations), (Outcome::Rejected, 4));
}

#[test]
fn each_rule_decides_the_same_votes_by_its_own_measure() {
    // Seven confirm, three refute: 0.7 of the heads and a little less of the trust, which grows with the number.
    let votes = [(7, Confirm), (3, Refute)];
    let by = |rule, threshold| {
        outcome(Motion::Adopt, 10, &votes, &PolicyParams { rule, threshold, margin: 0.0, ..no_escalation() })
    };
    assert_eq!(by(Rule::SimpleMajority, 1.0), Outcome::Accepted, "its share is fixed");
    assert_eq!(by(Rule::Weighted, 1.0), Outcome::Accepted, "its share is fixed");
    assert_eq!([by(Rule::Threshold, 0.51), by(Rule::Threshold, 0.66)], [Outcome::Accepted; 2]);
    assert_eq!(by(Rule::Threshold, 0.75), Outcome::Rejected);
    assert_eq!(by(Rule::Threshold, 0.699), Outcome::Rejected, "by trust it is 0.698");
    assert_eq!(by(Rule::Sortition, 0.699), Outcome::Accepted, "by heads it is 0.7");
    assert_eq!(by(Rule::Byzantine, 1.0), Outcome::Accepted);
    let byzantine = PolicyParams { rule: Rule::Byzantine, ..no_escalation() };
    assert_eq!(outcome(Motion::Adopt, 10, &[(6, Confirm), (3, Refute)], &byzantine), Outcome::Expired);
    assert_eq!(outcome(Motion::Adopt, 10, &[(7, Refute), (3, Confirm)], &byzantine), Outcome::Rejected);
}

#[test]
fn under_a_byzantine_quorum_liars_who_tell_each_side_something_else_split_nobody() {
    // Of ten members three lie: they confirm to one observer and refute to another; the honest are five to two.
    let policy = PolicyParams { rule: Rule::Byzantine, ..no_escalation() };
    let seen = |lie| outcome(Motion::Adopt, 10, &[(5, Confirm), (2, Refute), (3, lie)], &policy);
    let (first, second) = (seen(Confirm), seen(Refute));
    assert_eq!((first, second), (Outcome::Accepted, Outcome::Expired), "one waits, but never contradicts the other");
}

#[test]
fn trust_that_weighs_nothing_counts_under_no_rule() {
    for rule in Rule::ALL {
        let policy = PolicyParams { rule, ..no_escalation() };
        let mut ballot = voted(Motion::Adopt, 10, &[(10, Confirm)]);
        assert_eq!(ballot.resolve(OPENED, &policy, &|_| 0.0), Resolution::Open, "{rule:?}");
    }
}

#[test]
fn a_tie_refutes_or_ends_disputed() {
    let even = |tie| {
        let policy = PolicyParams {
            rule: Rule::SimpleMajority,
            tie,
            margin: 0.0,
            escalation_rounds: 0,
            ..crate::strategies::votes_alone()
        };
        outcome(Motion::Adopt, 10, &[(5, Confirm), (5, Refute)], &policy)
    };
    assert_eq!([even(Tie::Refute), even(Tie::Dispute)], [Outcome::Rejected, Outcome::Disputed]);
}

#[test]
fn the_accepted_radius_follows_the_chosen_aggregation() {
    let radius = |radius_rule| {
        let policy = PolicyParams { radius_rule, rule: Rule::SimpleMajority, ..no_escalation() };
        decided(voted(Motion::Adopt, 9, &[(9, Confirm)]), &policy).radius
    };
    // Radii 1.0, 1.1, … 1.8.
    for (rule, expected) in [
        (Aggregation::LowerQuantile, 1.2),
        (Aggregation::Median, 1.4),
        (Aggregation::Mean, 1.4),
        (Aggregation::Krum, 1.2),
    ] {
        let found = radius(rule);
        assert!((found - expected).abs() < 1.0e-5, "{rule:?}: {found} not {expected}");
    }
}

fn lost() -> (Ballot, PolicyParams) {
    let policy = PolicyParams { appeals_max: 1, ..no_escalation() };
    let mut ballot = voted(Motion::Adopt, 10, &[(2, Confirm), (4, Refute), (2, Abstain)]);
    let Resolution::Closed(decision) = ballot.resolve(OPENED, &policy, &|_| 0.5) else { panic!("{ballot:?}") };
    assert_eq!(decision.outcome, Outcome::Rejected);
    (ballot, policy)
}

/// What agents say when they appeal in step 20.
fn appeals(voters: &[u32]) -> Vec<Vote> {
    voters.iter().map(|&voter| Vote { step: 20, round: 1, ..vote(Motion::Adopt, voter, Confirm) }).collect()
}

#[test]
fn new_evidence_opens_a_new_ballot_on_a_lost_motion() {
    let (ballot, policy) = lost();
    let before = ballot.clone();
    let mut again = ballot.appeal(&appeals(&[3, 6, 8]), agents(10), 20, &policy).unwrap();
    assert_eq!(ballot, before, "what is closed stays closed");
    assert_eq!((again.round(), again.opened(), again.appeals(), again.votes().len()), (1, 20, 1, 3));
    for voter in [0, 1, 2, 4] {
        again.record(&appeals(&[voter])[0]).unwrap();
    }
    let Resolution::Closed(decision) = again.resolve(20, &policy, &|_| 0.5) else { panic!("{again:?}") };
    assert_eq!((decision.outcome, decision.round), (Outcome::Accepted, 1));
    assert_eq!(again.appeal(&appeals(&[3, 6, 8]), agents(10), 20, &policy), Err(AppealRefused::NotLost));
}

#[test]
fn what_was_said_before_is_no_new_evidence() {
    let (ballot, policy) = lost();
    let too_few = |found| Err(AppealRefused::NoNewEvidence { found, needed: 3 });
    let appeal = |evidence: &[Vote]| ballot.appeal(evidence, agents(10), 20, &policy);
    assert_eq!(appeal(&appeals(&[0, 1, 3, 8])), too_few(2), "0 and 1 confirmed before");
    assert_eq!(appeal(&appeals(&[3, 3, 3])), too_few(1), "one voice three times");
    assert_eq!(appeal(&appeals(&[3, 6, 1000])), too_few(2), "the author");
    let backdated: Vec<Vote> = appeals(&[3, 6, 8]).into_iter().map(|vote| Vote { step: 19, ..vote }).collect();
    assert_eq!(appeal(&backdated), too_few(0));
    let refuting: Vec<Vote> = appeals(&[3, 6, 8]).into_iter().map(|vote| Vote { verdict: Refute, ..vote }).collect();
    assert_eq!(appeal(&refuting), too_few(0));
}

#[test]
fn appeals_end() {
    let (ballot, policy) = lost();
    let none = PolicyParams { appeals_max: 0, ..policy.clone() };
    let evidence = appeals(&[3, 6, 8]);
    assert_eq!(ballot.appeal(&evidence, agents(10), 20, &none), Err(AppealRefused::Exhausted { made: 0, max: 0 }));
    let mut again = ballot.appeal(&evidence, agents(10), 20, &policy).unwrap();
    let Resolution::Closed(decision) = again.resolve(40, &policy, &|_| 0.5) else { panic!("{again:?}") };
    assert_eq!(decision.outcome, Outcome::Expired);
    assert_eq!(again.appeal(&evidence, agents(10), 41, &policy), Err(AppealRefused::Exhausted { made: 1, max: 1 }));
    let open = voted(Motion::Adopt, 10, &[]);
    assert_eq!(open.appeal(&evidence, agents(10), 20, &policy), Err(AppealRefused::NotLost));
}
