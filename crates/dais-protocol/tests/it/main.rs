//! The protocol from outside: encodings, ballots, trust, seals and distances.

mod ballot_properties;
mod ballot_states;
mod distances;
mod encodings;
mod seals;
mod strategies;
mod trust;
