//! Ballots whose votes are committed in one step and revealed in the next.

use dais_protocol::{
    AgentId, Ballot, Commitment, Evidence, Motion, Outcome, PolicyParams, Resolution, Reveal, SignatureId, Verdict,
    Vote, VoteRefused, Voting,
};

const SIGNATURE: SignatureId = SignatureId::from_bytes([7; 32]);
const AUTHOR: AgentId = AgentId(100);
const OPENED: u32 = 10;

fn policy() -> PolicyParams {
    PolicyParams { voting: Voting::CommitReveal, ..crate::strategies::votes_alone() }
}

fn open(members: u32) -> Ballot {
    let committee = (0..members).map(AgentId).collect();
    Ballot::open(Motion::Adopt, SIGNATURE, AUTHOR, committee, OPENED).under(policy().voting)
}

fn reveal(voter: u32, verdict: Verdict) -> Reveal {
    let vote = Vote {
        motion: Motion::Adopt,
        signature: SIGNATURE,
        voter: AgentId(voter),
        step: OPENED + 1,
        round: 0,
        verdict,
        confidence: 0.5,
        evidence: Evidence { baseline: 512, radius: 2.0, ..Evidence::default() },
    };
    Reveal { vote, nonce: [voter as u8; 32] }
}

fn commitment(voter: u32, verdict: Verdict) -> Commitment {
    reveal(voter, verdict).commitment(OPENED)
}

fn resolve(ballot: &mut Ballot, now: u32) -> Resolution {
    ballot.resolve(now, &policy(), &|_| 0.5)
}

#[test]
fn what_is_committed_is_revealed_a_step_later_and_counts() {
    let mut ballot = open(5);
    for voter in 0..4 {
        assert_eq!(ballot.commit(&commitment(voter, Verdict::Confirm), OPENED), Ok(()));
    }
    assert_eq!(resolve(&mut ballot, OPENED), Resolution::Open);
    for voter in 0..3 {
        assert_eq!(ballot.reveal(&reveal(voter, Verdict::Confirm)), Ok(()));
    }
    assert_eq!(ballot.unrevealed().collect::<Vec<_>>(), [AgentId(3)]);
    assert_eq!(ballot.committed().count(), 4);
    let Resolution::Closed(decision) = resolve(&mut ballot, OPENED + 1) else { panic!("{ballot:?}") };
    assert_eq!((decision.outcome, decision.confirmations), (Outcome::Accepted, 3));
}

#[test]
fn nobody_votes_after_having_seen_a_vote() {
    let mut ballot = open(5);
    let (voter, vote) = (AgentId(0), reveal(0, Verdict::Confirm));
    ballot.commit(&commitment(0, Verdict::Confirm), OPENED).unwrap();
    assert_eq!(ballot.record(&vote.vote), Err(VoteRefused::NotCommitted { voter }), "a vote in the open");
    ballot.reveal(&vote).unwrap();
    // Agent 1 saw the vote. It neither commits now, nor pretends to have committed before.
    let late = Commitment { step: OPENED + 1, ..commitment(1, Verdict::Confirm) };
    for (late, now) in [(late, OPENED + 1), (commitment(1, Verdict::Confirm), OPENED + 1), (late, OPENED)] {
        assert_eq!(
            ballot.commit(&late, now),
            Err(VoteRefused::CommitmentsClosed { opened: OPENED, found: OPENED + 1 })
        );
    }
    assert_eq!(ballot.reveal(&reveal(1, Verdict::Confirm)), Err(VoteRefused::NotCommitted { voter: AgentId(1) }));
}

#[test]
fn only_the_committed_vote_can_be_revealed() {
    let mut ballot = open(5);
    ballot.commit(&commitment(0, Verdict::Confirm), OPENED).unwrap();
    let voter = AgentId(0);
    let copied = Reveal { nonce: [0; 32], ..reveal(0, Verdict::Refute) };
    assert_eq!(ballot.reveal(&copied), Err(VoteRefused::WrongReveal { voter }));
    let other_secret = Reveal { nonce: [9; 32], ..reveal(0, Verdict::Confirm) };
    assert_eq!(ballot.reveal(&other_secret), Err(VoteRefused::WrongReveal { voter }));
    let mut at_once = reveal(0, Verdict::Confirm);
    at_once.vote.step = OPENED;
    ballot = open(5);
    ballot.commit(&at_once.commitment(OPENED), OPENED).unwrap();
    assert_eq!(ballot.reveal(&at_once), Err(VoteRefused::WrongReveal { voter }), "in the step of the commitment");
}

#[test]
fn two_commitments_are_two_statements() {
    let mut ballot = open(3);
    let voter = AgentId(0);
    ballot.commit(&commitment(0, Verdict::Confirm), OPENED).unwrap();
    assert_eq!(ballot.commit(&commitment(0, Verdict::Confirm), OPENED), Err(VoteRefused::Duplicate { voter }));
    assert_eq!(ballot.commit(&commitment(0, Verdict::Refute), OPENED), Err(VoteRefused::SecondCommitment { voter }));
    assert_eq!(ballot.equivocators(), [voter]);
    ballot.reveal(&reveal(0, Verdict::Confirm)).unwrap();
    for voter in 1..3 {
        ballot.commit(&commitment(voter, Verdict::Confirm), OPENED).unwrap();
        ballot.reveal(&reveal(voter, Verdict::Confirm)).unwrap();
    }
    assert_eq!(resolve(&mut ballot, OPENED + 1), Resolution::Open, "the first vote informs nobody");
}

#[test]
fn commitments_of_outsiders_and_to_open_ballots_are_refused() {
    let mut ballot = open(3);
    let outsider = AgentId(3);
    assert_eq!(
        ballot.commit(&commitment(3, Verdict::Confirm), OPENED),
        Err(VoteRefused::NotInCommittee { voter: outsider })
    );
    assert_eq!(
        ballot.commit(&commitment(100, Verdict::Confirm), OPENED),
        Err(VoteRefused::OwnSignature { voter: AUTHOR })
    );
    let mut plain = Ballot::open(Motion::Adopt, SIGNATURE, AUTHOR, vec![AgentId(0)], OPENED);
    assert_eq!(plain.voting(), Voting::Open);
    assert_eq!(plain.commit(&commitment(0, Verdict::Confirm), OPENED), Err(VoteRefused::NotSecret));
    assert_eq!(plain.reveal(&reveal(0, Verdict::Confirm)), Err(VoteRefused::NotSecret));
}

#[test]
fn a_next_round_takes_new_commitments() {
    let mut ballot = open(4);
    let verdicts = [Verdict::Confirm, Verdict::Confirm, Verdict::Refute, Verdict::Refute];
    for (voter, verdict) in (0..).zip(verdicts) {
        ballot.commit(&commitment(voter, verdict), OPENED).unwrap();
    }
    for (voter, verdict) in (0..).zip(verdicts) {
        ballot.reveal(&reveal(voter, verdict)).unwrap();
    }
    assert_eq!(resolve(&mut ballot, OPENED + 1), Resolution::Escalate { round: 1 });
    assert_eq!(ballot.commit(&commitment(0, Verdict::Confirm), OPENED), Err(VoteRefused::Escalating));
    ballot.escalate((0..8).map(AgentId).collect(), OPENED + 2);
    assert_eq!(ballot.committed().count(), 0);
    assert_eq!(
        ballot.commit(&commitment(0, Verdict::Confirm), OPENED + 2),
        Err(VoteRefused::WrongRound { expected: 1, found: 0 })
    );
}
