//! What an agent says of its flows to whoever watches it alone, before it learns them.

use dais_protocol::{Medoid, Reason};
use dais_traffic::Batch;

use super::Agent;
use super::observe::rows_of;
use crate::agent::model::Workspace;

impl Agent {
    /// How strange each flow is to the newest model, as the share of its own ordinary flows at least as strange; `None`
    /// before there is one.
    pub(crate) fn p_values(&self, batch: &Batch, workspace: &mut Workspace) -> Vec<Option<f32>> {
        let Some(model) = self.models.front() else { return vec![None; batch.rows()] };
        model.score(rows_of(batch), workspace);
        workspace.scores.iter().map(|&score| Some(self.p_value(model, score))).collect()
    }

    /// Which suspicious flows an own signature matches.
    pub(crate) fn own_matches(
        &self,
        batch: &Batch,
        p: &[Option<f32>],
        suspect_p: f32,
        workspace: &mut Workspace,
    ) -> Vec<bool> {
        let mut matched = vec![false; batch.rows()];
        for (own, standing) in self.own.iter().zip(&self.standings) {
            own.matcher.distances(rows_of(batch), &mut workspace.distances);
            for (row, &distance) in workspace.distances.iter().enumerate() {
                matched[row] |= distance <= standing.radius && p[row].is_some_and(|p| p <= suspect_p);
            }
        }
        matched
    }

    /// The features that make a flow strange to the newest model.
    pub(crate) fn reasons(&self, flow: &Medoid, workspace: &mut Workspace) -> Vec<Reason> {
        self.models.front().map(|model| model.reasons(flow, workspace)).unwrap_or_default()
    }

    /// Flows in the baseline.
    pub(crate) fn baseline_rows(&self) -> usize {
        self.window.rows()
    }
}
