//! Trust stays within its bounds, and lies do not pay.

use dais_protocol::{AgentId, Decision, Motion, Outcome, TrustBook, TrustGate, TrustModel, TrustParams, Verdict, Vote};
use proptest::prelude::*;

use crate::strategies;

const AGENTS: u32 = 8;

proptest! {
    #[test]
    fn trust_is_a_share_whatever_is_observed(
        model in prop::sample::select(TrustModel::ALL.to_vec()),
        forgetting in 1.0 / 64.0..=1.0_f32,
        gate in prop::sample::select(vec![TrustGate::Open, TrustGate::OwnEvidence]),
        history in prop::collection::vec(
            (strategies::decision(), prop::collection::vec(strategies::vote(), 0..6), 0..AGENTS + 2, 0..4_u32, any::<bool>()),
            0..20,
        ),
    ) {
        let params = TrustParams { model, gate, forgetting, forgetting_bad: 1.0, ..TrustParams::default() };
        prop_assert_eq!(params.check(), Ok(()));
        let mut book = TrustBook::new(AGENTS as usize, params);
        let mut step = 0;
        let mut liars = Vec::new();
        for (decision, mut votes, author, steps, equivocation) in history {
            for vote in &mut votes {
                vote.voter = AgentId(vote.voter.0 % (AGENTS + 2));
            }
            book.observe_decision(&decision, &votes, AgentId(author));
            book.observe_own(if equivocation { Verdict::Confirm } else { Verdict::Refute }, 0.9, &votes);
            book.observe_silence(AgentId(author));
            book.observe_sighting(AgentId(author), equivocation);
            step += steps;
            book.forget(step);
            if equivocation {
                book.equivocated(AgentId(author));
                liars.push(AgentId(author));
            }
            prop_assert_eq!(book.weights().len(), AGENTS as usize);
            for agent in (0..AGENTS + 2).map(AgentId) {
                let weight = book.weight(agent);
                prop_assert!((0.0..=1.0).contains(&weight), "{} has {}", agent, weight);
                let nothing = liars.contains(&agent) || agent.0 >= AGENTS;
                prop_assert!(weight <= 0.0 || !nothing);
                let always = matches!(model, TrustModel::Equal | TrustModel::Beta | TrustModel::Subjective);
                prop_assert!(weight > 0.0 || nothing || gate == TrustGate::OwnEvidence || !always);
            }
        }
        let bytes = postcard::to_allocvec(&book).unwrap();
        prop_assert_eq!(postcard::from_bytes::<TrustBook>(&bytes).unwrap(), book);
    }
}

/// Seven honest agents and three that invert every vote, over 60 steps: the book separates them.
#[test]
fn those_who_contradict_the_outcomes_end_below_those_who_agree() {
    let mut book = TrustBook::new(10, TrustParams::default());
    for step in 1..=60 {
        let accepted = step % 3 == 0;
        let truth = if accepted { Verdict::Confirm } else { Verdict::Refute };
        let lie = if accepted { Verdict::Refute } else { Verdict::Confirm };
        let votes: Vec<Vote> = (0..10)
            .map(|voter| Vote {
                motion: Motion::Adopt,
                signature: dais_protocol::SignatureId::default(),
                voter: AgentId(voter),
                step,
                round: 0,
                verdict: if voter < 7 { truth } else { lie },
                confidence: 0.5,
                evidence: dais_protocol::Evidence::default(),
            })
            .collect();
        let decision = Decision {
            motion: Motion::Adopt,
            signature: dais_protocol::SignatureId::default(),
            outcome: if accepted { Outcome::Accepted } else { Outcome::Rejected },
            step,
            round: 0,
            radius: 0.0,
            voters: 10,
            confirm_weight: 1.0,
            refute_weight: 1.0,
            confirmations: 7,
            refutations: 3,
            abstentions: 0,
        };
        let author = if accepted { AgentId(step % 7) } else { AgentId(7 + step % 3) };
        book.observe_decision(&decision, &votes, author);
        book.forget(step);
    }
    let weights = book.weights();
    assert!(weights[..7].iter().all(|&weight| weight > 0.95), "{weights:?}");
    assert!(weights[7..].iter().all(|&weight| weight < 0.05), "{weights:?}");
}
