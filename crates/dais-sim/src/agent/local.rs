//! Own signatures that others have not judged yet.

use dais_protocol::{Rows, SignatureId};
use serde::{Deserialize, Serialize};

use crate::agent::adopted::Adopted;
use crate::agent::model::Workspace;

/// Own signatures at once; the oldest makes room.
const LOCAL_MAX: usize = 64;

/// Signatures that an agent found itself and applies on its own evidence, until the others turn them down or their time is
/// over. So an agent that shares never sees less than one that does not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LocalSignatures {
    signatures: Vec<Adopted>,
}

impl LocalSignatures {
    pub(crate) fn push(&mut self, signature: Adopted) {
        if self.signatures.len() >= LOCAL_MAX {
            self.signatures.remove(0);
        }
        self.signatures.push(signature);
    }

    /// Forgets a signature that the others judged.
    pub(crate) fn forget(&mut self, id: SignatureId) {
        self.signatures.retain(|own| own.id != id);
    }

    /// Forgets what has expired before `step`.
    pub(crate) fn expire(&mut self, step: u32) {
        self.signatures.retain(|own| own.expires_step > step);
    }

    /// Marks the suspicious rows that a signature matches.
    pub(crate) fn mark(
        &self,
        rows: Rows<'_>,
        p: &[f32],
        suspect_p: f32,
        marked: &mut [bool],
        workspace: &mut Workspace,
    ) {
        for own in &self.signatures {
            own.matcher.distances(rows, &mut workspace.distances);
            for (row, &distance) in workspace.distances.iter().enumerate() {
                marked[row] |= distance <= own.radius && p[row] <= suspect_p;
            }
        }
    }
}
