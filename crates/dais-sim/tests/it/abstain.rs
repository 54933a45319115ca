//! A voter whose model cannot know abstains, says so in its evidence, and the ledger still proves every decision.

use dais_ledger::Kind;
use dais_protocol::{Evidence, Motion, Verdict, Vote};
use dais_sim::{Rules, audit};

use crate::audit::{entries, play};

/// Votes on adoptions in a run whose ledger holds.
fn votes(rules: Rules) -> Vec<Vote> {
    let played = play(rules);
    let audited = audit(&*played.storage).expect("a ledger that holds");
    assert_eq!(audited.votes_refused, 0, "what abstains says what its evidence says");
    let all = entries(&*played.storage);
    let votes = all.iter().filter(|entry| entry.kind == Kind::Vote).map(|entry| Vote::decode(&entry.body));
    let votes: Vec<Vote> =
        votes.map(|vote| vote.expect("a vote")).filter(|vote| vote.motion == Motion::Adopt).collect();
    assert!(!votes.is_empty());
    votes
}

fn cannot_know(vote: &Vote) -> bool {
    matches!(vote, Vote { verdict: Verdict::Abstain, evidence: Evidence { baseline: 0, matches: 0, .. }, .. })
}

fn refutes_for_the_look(vote: &Vote) -> bool {
    vote.verdict == Verdict::Refute && vote.evidence.radius >= Rules::default().agent.vote.radius_min
}

#[test]
fn voters_abstain_on_what_lies_outside_of_their_baselines() {
    let mut rules = Rules::default();
    // A small memory, beyond which much lies.
    (rules.agent.baseline_rows, rules.agent.vouched_rows) = (256, 256);
    let before = votes(rules.clone());
    assert_eq!(before.iter().filter(|vote| cannot_know(vote)).count(), 0);
    rules.agent.abstain_margin = Some(0.0);
    let after = votes(rules);
    let abstain = after.iter().filter(|vote| cannot_know(vote)).count();
    let refute = |votes: &[Vote]| votes.iter().filter(|vote| refutes_for_the_look(vote)).count();
    println!(
        "{abstain} of {} abstain; {} refute for the look alone, without {} of {}",
        after.len(),
        refute(&after),
        refute(&before),
        before.len()
    );
    assert!(abstain > 0, "nobody abstains");
    assert!(after.iter().any(|vote| vote.verdict == Verdict::Confirm), "who can know still says so");
    let suspect_p = Rules::default().agent.vote.suspect_p;
    assert!(after.iter().filter(|vote| cannot_know(vote)).all(|vote| vote.evidence.medoid_p > suspect_p));
}

#[test]
fn voters_abstain_at_a_level_that_their_models_cannot_reach() {
    let mut rules = Rules::default();
    // Takes 999 flows; models are calibrated on 256.
    rules.agent.vote.suspect_p = 0.001;
    assert!(votes(rules.clone()).iter().any(refutes_for_the_look));
    rules.agent.abstain_margin = Some(100.0);
    let after = votes(rules);
    assert!(after.iter().any(cannot_know) && !after.iter().any(refutes_for_the_look));
}
