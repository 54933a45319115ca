//! Traces: the life of each signature, sent over OTLP.
//!
//! One trace follows one signature through the steps of a run, from the detection that led to it to the agents that
//! learned it. Whoever runs the steps tells [`SignatureTraces::observe`] the plain facts of each step ([`StepFacts`]);
//! spans are made from them afterwards, with the times they really had.
//!
//! ```text
//! signature            id, author, family, outcome           from detection to the last thing that happened
//! ├─ detect            the phase in which its author observed
//! ├─ publish           its ballot is opened: members
//! ├─ vote              one for each round and step: confirmations, refutations, abstentions, weights
//! ├─ resolve           outcome, threshold, radius
//! ├─ record            entries and size of the ledger
//! ├─ learn             agents that adopted it
//! └─ revocation        a later ballot on withdrawing it, with its own publish, vote, resolve and record
//! ```
//!
//! The id of a trace is the first half of the signature's id, so that whoever knows one finds the other. Runs with the
//! same seed make the same signatures and the same traces.
//!
//! Nothing here can hold up a step: spans go into a bounded queue ([`TraceParams::queue_spans_max`]) that a thread of
//! its own empties; where it is full, spans are dropped and counted. Traces that are switched off cost nothing: there
//! is no thread and no [`SignatureTraces`].

mod courier;
mod exporter;
mod facts;
mod lives;
mod params;
mod secret;
mod signature_traces;
mod span;

pub use courier::TraceCounts;
pub use facts::{Adopted, Decided, Interval, Motion, Published, Recorded, StepFacts, Voted};
pub use params::{Protocol, TraceParams};
pub use secret::Secret;
pub use signature_traces::{SignatureTraces, TraceError, trace_id};
