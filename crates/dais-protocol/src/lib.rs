//! Signature, evidence, vote, ballot, policy, trust and seal: what agents say to one another.
//!
//! An agent that finds a cluster of suspicious flows [describes](describe) it as a [`Signature`] and publishes it. A
//! [`committee`] measures it: every member computes [`Evidence`] on its own data, [`judge`]s it and casts a [`Vote`]. A
//! [`Ballot`] turns the votes into a [`Decision`] under a policy ([`PolicyParams`]); decisions and votes together move
//! the [`TrustBook`]. What an agent says in one step is sealed once (a [`Statement`] under a [`Seal`]).
//!
//! Everything here is a plain value or a state machine without input or output: time, randomness and weights are
//! arguments, and the same inputs give the same bits on every machine. The byte layouts are described in
//! `docs/reference/encodings.md`.

#![forbid(unsafe_code)]

mod agent;
mod aggregate;
mod ballot;
mod burst;
mod challenge;
mod check;
mod class;
mod cluster;
mod codec;
mod commitment;
mod committee;
mod context;
mod decision;
mod evidence;
mod hex_bytes;
mod judge;
mod matcher;
mod params;
mod pattern;
mod policy;
mod proof;
mod radius;
mod refusal;
mod rows;
mod rule;
mod seal;
mod sighting;
mod signature;
mod signature_id;
mod span;
mod trust;
mod vote;
mod weights;

pub use agent::AgentId;
pub use aggregate::{Aggregation, Aggregator, Sample, aggregations};
pub use ballot::{AppealRefused, Ballot, Resolution};
pub use burst::{BurstParams, BurstPool};
pub use challenge::Challenge;
pub use check::RecordRefused;
pub use class::ThreatClass;
pub use cluster::{ClusterParams, cluster, describe};
pub use codec::DecodeError;
pub use commitment::{Commitment, Reveal};
pub use committee::{ballot_seed, committee};
pub use context::{Purpose, SEALED_BYTES, SealContext};
pub use decision::{Decision, Outcome};
pub use evidence::{Evidence, EvidenceRefused, similarity};
pub use hex_bytes::HexError;
pub use judge::{VoteParams, judge};
pub use matcher::Matcher;
pub use params::ParamsError;
pub use pattern::{Pattern, RADIUS_MAX, SPREAD_MAX, SPREAD_MIN, WIDTH_MAX};
pub use policy::PolicyParams;
pub use proof::{Contradiction, EquivocationProof, ProofLog, ProofRefused, SealedStatement};
pub use radius::widest_radius;
pub use refusal::{Equivocation, VoteRefused};
pub use rows::Rows;
pub use rule::{Rule, Tie, Voting, byzantine_faults, byzantine_quorum, capture_probability, rules, sortition_size};
pub use seal::{KeyRefused, STATEMENT_BYTES, Seal, SealKey, SealRefused, Statement, VerifyingKey, seal, verify_batch};
pub use sighting::Sighting;
pub use signature::{
    CATEGORIES_MAX, CODES_MAX, FEATURES_MAX, Medoid, PORTS_MAX, REASONS_MAX, Reason, SOURCES_MAX, Signature,
    SignatureRefused,
};
pub use signature_id::SignatureId;
pub use span::{STEP_S, Span};
pub use trust::{TrustBook, TrustGate, TrustModel, TrustParams, trust_models};
pub use vote::{Motion, Verdict, Vote};
