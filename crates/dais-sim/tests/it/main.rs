//! Tests of the simulation through its public face.

mod abstain;
mod audit;
mod drift;
mod head;
mod lookout;
mod poison;
mod shards;
mod witness;
mod world;
