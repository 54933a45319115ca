//! Makes the strange ordinary, slowly.

use dais_traffic::{Batch, BatchBuilder, Endpoint, Schema};

use super::lie::Lie;

/// Moves the traffic of its site a little each step, so that its model takes for ordinary what once was strange. It votes
/// and publishes by that model, and believes what it says.
pub(super) struct Evader;

/// How far flows are moved in a step, in scaled units, and at most.
const PACE: f32 = 0.004;
const FAR: f32 = 0.5;

impl Lie for Evader {
    fn sees(&self, step: u32, schema: &Schema, batch: &Batch) -> Option<Batch> {
        let gone = (PACE * step as f32).min(FAR);
        let mut moved = BatchBuilder::new(schema, batch.rows());
        for row in 0..batch.rows() {
            // Every second flow: the others keep the model from following at once.
            let by = if row % 2 == 0 { gone } else { 0.0 };
            let numeric: Vec<f32> = (0..schema.numeric.len()).map(|k| batch.numeric_column(k)[row] + by).collect();
            let codes: Vec<u16> = (0..schema.categorical.len()).map(|k| batch.code_column(k)[row]).collect();
            let endpoint = batch.endpoints().map(|all| Endpoint {
                source: all.source[row],
                destination: all.destination[row],
                destination_port: all.destination_port[row],
            });
            moved.push(&numeric, &codes, endpoint, batch.time_s().map(|all| all[row]));
        }
        Some(moved.finish())
    }
}
