//! Spans with ids that follow from what they are about.

use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use sha2::{Digest, Sha256};

use super::facts::{Interval, Motion};

/// Id of a signature.
pub(super) type Id = [u8; 32];

/// The first half of the id of a signature.
pub(super) fn trace_id(signature: &Id) -> TraceId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&signature[..16]);
    // All zeros mean "no trace".
    TraceId::from_bytes(if bytes == [0; 16] { [1; 16] } else { bytes })
}

/// Follows from everything that tells one span of a signature from another.
pub(super) fn span_id(signature: &Id, motion: Motion, name: &str, step: u64, part: u8) -> SpanId {
    let mut hash = Sha256::new();
    hash.update(signature);
    hash.update([motion as u8, part]);
    hash.update(step.to_be_bytes());
    hash.update(name.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.finalize()[..8]);
    SpanId::from_bytes(if bytes == [0; 8] { [1; 8] } else { bytes })
}

/// Whether the life of this signature is traced: so many of all ids are below the share.
pub(super) fn is_sampled(signature: &Id, ratio: f64) -> bool {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&signature[24..]);
    let place = (u64::from_be_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64;
    place < ratio
}

/// A number as OTLP has them.
pub(super) fn count(key: &'static str, value: u64) -> KeyValue {
    KeyValue::new(key, i64::try_from(value).unwrap_or(i64::MAX))
}

/// Any other attribute.
pub(super) fn attribute(key: &'static str, value: impl Into<Value>) -> KeyValue {
    KeyValue::new(key, value)
}

/// What a span is made of.
pub(super) struct Draft {
    pub(super) trace: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: SpanId,
    pub(super) name: &'static str,
    pub(super) interval: Interval,
    pub(super) attributes: Vec<KeyValue>,
}

impl Draft {
    pub(super) fn span(self, scope: &InstrumentationScope) -> SpanData {
        let Interval { begin, end } = self.interval;
        SpanData {
            span_context: SpanContext::new(self.trace, self.id, TraceFlags::SAMPLED, false, TraceState::default()),
            parent_span_id: self.parent,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: self.name.into(),
            start_time: begin,
            end_time: later(begin, end),
            attributes: self.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: scope.clone(),
        }
    }
}

/// The later of two times: a clock that was set back makes no negative spans.
pub(super) fn later(a: SystemTime, b: SystemTime) -> SystemTime {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_ids_that_are_traced_is_what_was_asked_for() {
        let id = |number: u32| -> Id { Sha256::digest(number.to_be_bytes()).into() };
        let traced = (0..10_000).filter(|&number| is_sampled(&id(number), 0.25)).count();
        assert!((2300..2700).contains(&traced), "{traced}");
        assert!((0..100).all(|number| is_sampled(&id(number), 1.0) && !is_sampled(&id(number), 0.0)));
        assert!(!is_sampled(&[255; 32], 0.999) && is_sampled(&[255; 32], 1.0));
    }

    #[test]
    fn ids_are_never_the_empty_ones() {
        assert_ne!(trace_id(&[0; 32]), TraceId::INVALID);
        let of = |part| span_id(&[0; 32], Motion::Adopt, "vote", 3, part);
        assert_ne!(of(0), of(1));
    }
}
