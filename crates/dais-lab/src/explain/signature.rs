//! The history of one signature, as the ledger tells it.

use std::collections::BTreeSet;
use std::sync::Arc;

use dais_ledger::{Head, Ledger};
use dais_protocol::{Decision, Motion, Outcome, Signature, SignatureId, Vote};
use dais_sim::{Depth, ReplayedStep, replay};
use serde::Serialize;

use super::flow::FlowView;
use super::{ExplainError, Proven, prove};

/// Why a signature became what it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignatureExplanation {
    /// Its id.
    pub id: SignatureId,
    /// What kind of attack its author takes it for.
    pub class: &'static str,
    /// ATT&CK technique of that class, where there is one.
    pub technique: Option<&'static str>,
    /// The signature itself.
    pub signature: Signature,
    /// Its example flow, in the units of the traffic; absent without the run's summary, which holds the schema.
    pub flow: Option<FlowView>,
    /// What most of its flows are, as the labels say: an attack family or `benign`; absent where there are no labels.
    pub truth: Option<String>,
    /// When the step of its publication began; of recorded traffic with times of a clock.
    pub time: Option<String>,
    /// Where it was published.
    pub published: Proven,
    /// Votes on it, in the order of the ledger.
    pub votes: Vec<VoteView>,
    /// The outcomes of its ballots: adoption first, then revocations.
    pub outcomes: Vec<OutcomeView>,
    /// The head that the proofs lead to.
    pub head: Head,
}

/// A vote, and whether it was counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VoteView {
    /// Index of its entry.
    pub index: u64,
    /// The vote, with its evidence.
    pub vote: Vote,
    /// Trust of the voter when the votes of the step were counted, before the cap.
    pub trust: f32,
    /// Why it was not counted; absent where it was.
    pub uncounted: Option<String>,
}

/// The end of a ballot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeView {
    /// Where it is recorded.
    pub entry: Proven,
    /// What was decided.
    pub decision: Decision,
}

impl SignatureExplanation {
    /// The outcome of the ballot on its adoption, once it is closed.
    #[must_use]
    pub fn adoption(&self) -> Option<&OutcomeView> {
        self.outcomes.iter().find(|outcome| outcome.decision.motion == Motion::Adopt)
    }

    /// The outcome that withdrew it, if one did.
    #[must_use]
    pub fn revocation(&self) -> Option<&OutcomeView> {
        let withdrew = |decision: &Decision| decision.motion == Motion::Revoke && decision.outcome == Outcome::Accepted;
        self.outcomes.iter().find(|outcome| withdrew(&outcome.decision))
    }
}

/// What is gathered while the ledger is replayed.
#[derive(Default)]
struct Gathered {
    matching: BTreeSet<SignatureId>,
    published: Option<(u64, SignatureId, Arc<Signature>)>,
    votes: Vec<VoteView>,
    outcomes: Vec<(u64, Decision)>,
}

impl Gathered {
    fn take(&mut self, step: &ReplayedStep<'_>, prefix: &str) {
        for (place, signature) in step.signatures {
            let id = signature.id();
            if id.to_string().starts_with(prefix) {
                self.matching.insert(id);
                self.published.get_or_insert_with(|| (place.index, id, Arc::clone(signature)));
            }
        }
        let Some((_, id, _)) = self.published else { return };
        for ((place, vote), heard) in step.votes.iter().zip(step.heard).filter(|((_, vote), _)| vote.signature == id) {
            let trust = step.trust.get(vote.voter.index()).copied().unwrap_or(0.0);
            let uncounted = heard.as_ref().err().map(ToString::to_string);
            self.votes.push(VoteView { index: place.index, vote: vote.clone(), trust, uncounted });
        }
        let about = step.outcomes.iter().filter(|(_, decision)| decision.signature == id);
        self.outcomes.extend(about.map(|(place, decision)| (place.index, decision.clone())));
    }
}

/// Most signatures named when a prefix fits several.
const NAMED_MAX: usize = 5;

/// Explains the one signature whose id begins with `prefix`.
pub(super) fn explain(ledger: &Ledger, prefix: &str) -> Result<SignatureExplanation, ExplainError> {
    let mut gathered = Gathered::default();
    replay(ledger.storage(), Depth::Decisions, &mut |step| gathered.take(step, prefix))?;
    let Gathered { matching, published, votes, outcomes } = gathered;
    let Some((index, id, signature)) = published else { return Err(ExplainError::NoSignature(prefix.to_owned())) };
    if matching.len() > 1 {
        let ids = matching.iter().take(NAMED_MAX).map(SignatureId::short).collect();
        return Err(ExplainError::Ambiguous { prefix: prefix.to_owned(), ids });
    }
    let outcomes =
        outcomes.into_iter().map(|(index, decision)| Ok(OutcomeView { entry: prove(ledger, index)?, decision }));
    Ok(SignatureExplanation {
        id,
        class: signature.class.name(),
        technique: signature.class.technique(),
        flow: None,
        truth: None,
        time: None,
        published: prove(ledger, index)?,
        votes,
        outcomes: outcomes.collect::<Result<_, ExplainError>>()?,
        head: ledger.head().head,
        signature: Signature::clone(&signature),
    })
}
