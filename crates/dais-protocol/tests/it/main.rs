//! The protocol from outside: encodings, ballots, trust, seals and distances.

mod aggregations;
mod ballot_properties;
mod ballot_states;
mod distances;
mod encodings;
mod explorer;
mod proofs;
mod records;
mod rules;
mod seals;
mod secret_ballots;
mod strategies;
mod trust;

/// About 0.001. Ranges of random floats begin at sums of few powers of two: from other beginnings proptest's sampler may,
/// once in millions of draws, overshoot the beginning and fail its own assertion.
const MILLI: f32 = 1.0 / 1024.0;
