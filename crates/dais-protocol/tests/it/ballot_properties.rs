//! What holds for every ballot: order does not matter, outsiders do not count, a minority of liars wins nothing.

use dais_protocol::{
    AgentId, Ballot, Decision, Evidence, Motion, Outcome, PolicyParams, Resolution, SignatureId, Verdict, Vote,
    VoteRefused,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies;

const SIGNATURE: SignatureId = SignatureId::from_bytes([7; 32]);
const AUTHOR: AgentId = AgentId(1000);

fn vote(voter: u32, verdict: Verdict, radius: f32, step: u32) -> Vote {
    Vote {
        motion: Motion::Adopt,
        signature: SIGNATURE,
        voter: AgentId(voter),
        step,
        round: 0,
        verdict,
        confidence: 0.5,
        evidence: Evidence { baseline: 512, radius, ..Evidence::default() },
    }
}

fn open(members: u32) -> Ballot {
    Ballot::open(Motion::Adopt, SIGNATURE, AUTHOR, (0..members).map(AgentId).collect(), 0)
}

/// Some votes, of which a few are late, repeated or contradictory; and the same in another order.
fn shuffled_votes() -> impl Strategy<Value = (Vec<Vote>, Vec<Vote>)> {
    let one = (0..12_u32, strategies::verdict(), prop::sample::select(vec![1.0_f32, 2.0, 3.0]), 0..5_u32);
    vec(one, 0..30)
        .prop_map(|votes| votes.into_iter().map(|(voter, verdict, radius, step)| vote(voter, verdict, radius, step)))
        .prop_map(Iterator::collect::<Vec<_>>)
        .prop_flat_map(|votes| (Just(votes.clone()), Just(votes).prop_shuffle()))
}

/// A ballot's way through all its rounds, the same votes in each.
fn decide(votes: &[Vote], members: u32, policy: &PolicyParams, trust: &[f32]) -> Decision {
    let mut ballot = open(members);
    let mut start = 0;
    for round in 0..=policy.escalation_rounds {
        for vote in votes {
            let again = Vote { round, step: start + vote.step, ..vote.clone() };
            let _refused_or_counted = ballot.record(&again);
        }
        for now in start..=start + policy.deadline_steps {
            match ballot.resolve(now, policy, &|agent| trust[agent.index()]) {
                Resolution::Open => {}
                Resolution::Closed(decision) => return decision,
                Resolution::Escalate { .. } => {
                    ballot.escalate((0..members).map(AgentId).collect(), now + 1);
                    start = now + 1;
                    break;
                }
            }
        }
    }
    panic!("a ballot ends by its last deadline: {ballot:?}")
}

/// Verdicts and radii of honest members, and how many liars join them: fewer than a third.
fn honest_and_liars() -> impl Strategy<Value = (Vec<f32>, u32)> {
    vec(1.25..3.0_f32, 4..16).prop_flat_map(|honest| {
        let liars_max = (honest.len() as u32 - 1) / 2;
        (Just(honest), 0..=liars_max)
    })
}

proptest! {
    #[test]
    fn the_order_of_votes_does_not_matter(
        (votes, shuffled) in shuffled_votes(),
        trust in vec(0.0..=1.0_f32, 12),
        threshold in prop::sample::select(vec![0.51_f32, 0.66, 0.75]),
    ) {
        let policy = PolicyParams { threshold, margin: 0.1, ..crate::strategies::votes_alone() };
        let first = decide(&votes, 10, &policy, &trust);
        let second = decide(&shuffled, 10, &policy, &trust);
        prop_assert_eq!(first.encode(), second.encode());
    }

    #[test]
    fn votes_of_outsiders_are_refused_and_change_nothing(
        verdicts in vec(strategies::verdict(), 1..10),
        outsiders in vec((10..2000_u32, strategies::verdict()), 1..20),
    ) {
        let members = verdicts.len() as u32;
        let mut ballot = open(members);
        let mut plain = open(members);
        for (voter, &verdict) in verdicts.iter().enumerate() {
            for &(outsider, lie) in &outsiders {
                let refused = ballot.record(&vote(outsider, lie, 4.0, 0)).unwrap_err();
                let voter = AgentId(outsider);
                let expected = [VoteRefused::NotInCommittee { voter }, VoteRefused::OwnSignature { voter }];
                prop_assert!(expected.contains(&refused));
            }
            let vote = vote(voter as u32, verdict, 2.0, 0);
            prop_assert_eq!(ballot.record(&vote), plain.record(&vote));
        }
        prop_assert_eq!(ballot, plain);
    }

    /// Liars below a third of the weight confirm with the widest possible radius.
    #[test]
    fn a_minority_cannot_widen_the_radius_beyond_the_honest(
        (honest, liars) in honest_and_liars(),
        refuters in 0..16_usize,
    ) {
        let members = honest.len() as u32 + liars;
        let refuters = refuters % honest.len();
        let mut votes: Vec<Vote> = (0..liars).map(|voter| vote(voter, Verdict::Confirm, 4.0, 0)).collect();
        for (i, (&radius, voter)) in honest.iter().zip(liars..).enumerate() {
            let verdict = if i < refuters { Verdict::Refute } else { Verdict::Confirm };
            votes.push(vote(voter, verdict, radius, 0));
        }
        let decision = decide(&votes, members, &crate::strategies::votes_alone(), &vec![0.5; members as usize]);
        let widest = honest[refuters..].iter().copied().fold(0.0, f32::max);
        prop_assert!(decision.radius <= widest, "{} beyond {}", decision.radius, widest);
        if decision.outcome == Outcome::Accepted {
            let narrowest = honest[refuters..].iter().copied().fold(4.0, f32::min);
            prop_assert!(decision.radius >= narrowest);
        }
    }

    /// Liars below a third of the weight vote against everyone else, whatever the exact weights.
    #[test]
    fn a_minority_cannot_flip_a_unanimous_majority(
        (honest, liars) in honest_and_liars(),
        confirmed in any::<bool>(),
        weights in vec(0.4375..0.5_f32, 32),
    ) {
        let members = honest.len() as u32 + liars;
        let (truth, lie) =
            if confirmed { (Verdict::Confirm, Verdict::Refute) } else { (Verdict::Refute, Verdict::Confirm) };
        let total: f32 = weights[..members as usize].iter().sum();
        prop_assume!(weights[..liars as usize].iter().sum::<f32>() < total / 3.0);
        let votes: Vec<Vote> =
            (0..members).map(|voter| vote(voter, if voter < liars { lie } else { truth }, 2.0, 0)).collect();
        let decision = decide(&votes, members, &crate::strategies::votes_alone(), &weights);
        let expected = if confirmed { Outcome::Accepted } else { Outcome::Rejected };
        prop_assert_eq!(decision.outcome, expected);
    }

    /// Silence of a minority delays nothing that the others agree on.
    #[test]
    fn silent_members_do_not_change_what_the_others_decide(members in 5..20_u32, confirmed in any::<bool>()) {
        let verdict = if confirmed { Verdict::Confirm } else { Verdict::Refute };
        let votes: Vec<Vote> = (0..members.div_ceil(2)).map(|voter| vote(voter, verdict, 2.0, 0)).collect();
        let decision = decide(&votes, members, &crate::strategies::votes_alone(), &vec![0.5; members as usize]);
        prop_assert_eq!(decision.outcome, if confirmed { Outcome::Accepted } else { Outcome::Rejected });
        prop_assert_eq!(decision.step, 0);
    }
}
