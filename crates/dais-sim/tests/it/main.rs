//! Tests of the simulation through its public face.

mod audit;
mod drift;
mod lookout;
mod witness;
mod world;
