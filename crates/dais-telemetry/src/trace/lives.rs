//! The lives of signatures: facts of steps go in, spans come out.

use std::collections::BTreeMap;
use std::time::SystemTime;

use opentelemetry::trace::SpanId;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use super::facts::{Decided, Interval, Motion, Published, Recorded, StepFacts, Voted};
use super::span::{Draft, Id, attribute, count, is_sampled, later, span_id, trace_id};

/// A ballot whose end has not been seen.
#[derive(Debug)]
struct Life {
    begin: SystemTime,
    /// The end of the last thing that happened.
    end: SystemTime,
    attributes: Vec<KeyValue>,
    root: SpanId,
    /// It was accepted in this step; agents learn it in the next.
    accepted_step: Option<u64>,
}

/// All signatures that are followed.
#[derive(Debug)]
pub(super) struct Lives {
    open: BTreeMap<(Id, Motion), Life>,
    open_max: usize,
    sample_ratio: f64,
    scope: InstrumentationScope,
    /// Signatures that were not followed because too many were.
    pub(super) untraced: u64,
}

/// Name of the span that all others of a ballot lie in.
fn root_name(motion: Motion) -> &'static str {
    match motion {
        Motion::Adopt => "signature",
        Motion::Revoke => "revocation",
    }
}

fn root_id(signature: &Id, motion: Motion, opened_step: u64) -> SpanId {
    // A signature is published once, and may be challenged again and again.
    let step = if motion == Motion::Adopt { 0 } else { opened_step };
    span_id(signature, motion, root_name(motion), step, 0)
}

impl Lives {
    pub(super) fn new(open_max: usize, sample_ratio: f64) -> Self {
        let scope = InstrumentationScope::builder("dais").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { open: BTreeMap::new(), open_max, sample_ratio, scope, untraced: 0 }
    }

    /// The spans that a step completes.
    pub(super) fn observe(&mut self, facts: &StepFacts) -> Vec<SpanData> {
        let mut spans = Vec::new();
        self.learn(facts, &mut spans);
        for published in &facts.published {
            self.publish(facts, published, &mut spans);
        }
        for voted in &facts.voted {
            self.vote(facts, voted, &mut spans);
        }
        for decided in &facts.decided {
            self.decide(facts, decided, &mut spans);
        }
        spans
    }

    /// Ends every life where it stands.
    pub(super) fn finish(&mut self) -> Vec<SpanData> {
        let mut spans = Vec::new();
        let open = std::mem::take(&mut self.open);
        for ((id, motion), mut life) in open {
            if life.accepted_step.is_none() {
                life.attributes.push(attribute("dais.outcome", "open"));
            }
            spans.push(self.root(&id, motion, life));
        }
        spans
    }

    fn learn(&mut self, facts: &StepFacts, spans: &mut Vec<SpanData>) {
        for adopted in &facts.adopted {
            let attributes = vec![count("dais.step", facts.step), count("dais.adopted_by", adopted.agents)];
            spans.extend(self.child(&adopted.signature, Motion::Adopt, "learn", facts.step, facts.observe, attributes));
        }
        let learned = |life: &mut Life| life.accepted_step.is_some_and(|step| step < facts.step);
        let ended: Vec<_> = self.open.extract_if(.., |_, life| learned(life)).collect();
        for ((id, motion), life) in ended {
            spans.push(self.root(&id, motion, life));
        }
    }

    fn publish(&mut self, facts: &StepFacts, published: &Published, spans: &mut Vec<SpanData>) {
        let Published { signature, motion, author, family, members, sources } = published;
        if !is_sampled(signature, self.sample_ratio) {
            return;
        }
        if self.open.len() >= self.open_max {
            self.untraced += 1;
            return;
        }
        let mut attributes = vec![
            attribute("dais.signature.id", hex::encode(signature)),
            count("dais.signature.author", (*author).into()),
            count("dais.signature.sources", (*sources).into()),
            count("dais.opened_step", facts.step),
        ];
        attributes.extend(family.clone().map(|family| attribute("dais.signature.family", family)));
        let begin = if *motion == Motion::Adopt { facts.observe.begin } else { facts.publish.begin };
        let root = root_id(signature, *motion, facts.step);
        let life = Life { begin, end: begin, attributes, root, accepted_step: None };
        if let Some(former) = self.open.insert((*signature, *motion), life) {
            spans.push(self.root(signature, *motion, former));
        }
        if *motion == Motion::Adopt {
            let attributes = vec![count("dais.step", facts.step)];
            spans.extend(self.child(signature, *motion, "detect", facts.step, facts.observe, attributes));
        }
        let attributes = vec![count("dais.step", facts.step), count("dais.ballot.members", (*members).into())];
        spans.extend(self.child(signature, *motion, "publish", facts.step, facts.publish, attributes));
    }

    fn vote(&mut self, facts: &StepFacts, voted: &Voted, spans: &mut Vec<SpanData>) {
        let attributes = vec![
            count("dais.step", facts.step),
            count("dais.ballot.round", voted.round.into()),
            count("dais.votes.confirm", voted.confirmations.into()),
            count("dais.votes.refute", voted.refutations.into()),
            count("dais.votes.abstain", voted.abstentions.into()),
            attribute("dais.weight.confirm", voted.confirm_weight),
            attribute("dais.weight.refute", voted.refute_weight),
        ];
        spans.extend(self.child(&voted.signature, voted.motion, "vote", facts.step, facts.vote, attributes));
    }

    fn decide(&mut self, facts: &StepFacts, decided: &Decided, spans: &mut Vec<SpanData>) {
        let (id, motion) = (&decided.signature, decided.motion);
        let attributes = vec![
            count("dais.step", facts.step),
            attribute("dais.outcome", decided.outcome),
            count("dais.ballot.round", decided.round.into()),
            count("dais.ballot.members", decided.members.into()),
            attribute("dais.ballot.threshold", decided.threshold),
            attribute("dais.weight.confirm", decided.confirm_weight),
            attribute("dais.weight.refute", decided.refute_weight),
            attribute("dais.signature.radius", decided.radius),
            count("dais.opened_step", decided.opened_step),
        ];
        spans.extend(self.child(id, motion, "resolve", facts.step, facts.resolve, attributes));
        if let Some(Recorded { interval, entries, tree_size }) = facts.recorded {
            let attributes = vec![
                count("dais.step", facts.step),
                count("dais.ledger.entries", entries),
                count("dais.ledger.size", tree_size),
            ];
            spans.extend(self.child(id, motion, "record", facts.step, interval, attributes));
        }
        let Some(life) = self.open.get_mut(&(*id, motion)) else { return };
        life.attributes.push(attribute("dais.outcome", decided.outcome));
        life.attributes.push(count("dais.decided_step", facts.step));
        if decided.carried && motion == Motion::Adopt {
            life.accepted_step = Some(facts.step);
        } else if let Some(life) = self.open.remove(&(*id, motion)) {
            spans.push(self.root(id, motion, life));
        }
    }

    /// A span within a life; `None` where that life is not followed.
    fn child(
        &mut self,
        id: &Id,
        motion: Motion,
        name: &'static str,
        step: u64,
        interval: Interval,
        attributes: Vec<KeyValue>,
    ) -> Option<SpanData> {
        let life = self.open.get_mut(&(*id, motion))?;
        life.end = later(life.end, interval.end);
        let parent = life.root;
        let draft =
            Draft { trace: trace_id(id), id: span_id(id, motion, name, step, 1), parent, name, interval, attributes };
        Some(draft.span(&self.scope))
    }

    fn root(&self, id: &Id, motion: Motion, life: Life) -> SpanData {
        let parent = match motion {
            Motion::Adopt => SpanId::INVALID,
            Motion::Revoke => root_id(id, Motion::Adopt, 0),
        };
        let interval = Interval { begin: life.begin, end: life.end };
        let draft = Draft {
            trace: trace_id(id),
            id: life.root,
            parent,
            name: root_name(motion),
            interval,
            attributes: life.attributes,
        };
        draft.span(&self.scope)
    }
}
