//! Tests of the simulation through its public face.

mod abstain;
mod audit;
mod drift;
mod poison;
mod witness;
mod world;
