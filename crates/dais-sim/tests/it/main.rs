//! Tests of the simulation through its public face.

mod audit;
mod witness;
mod world;
