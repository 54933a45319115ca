//! What a record must be before it counts: said by its sealer, dated in its step, possible, readable.

use crate::{AgentId, Sighting, Signature, SignatureRefused, Vote};

/// Why something said is neither counted nor recorded.
///
/// Whoever records and whoever audits call the same checks. What passes decodes from its own encoding, so nothing that is
/// recorded stops a later reader.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordRefused {
    /// It names another author than the one who sealed it.
    #[error("it names {found} as its author, {sealer} sealed it")]
    Author {
        /// Who sealed it.
        sealer: AgentId,
        /// The author it names.
        found: AgentId,
    },
    /// It is dated in another step.
    #[error("it is dated in step {found}, this is step {now}")]
    Step {
        /// The step in which it was said.
        now: u32,
        /// The step it names.
        found: u32,
    },
    /// It holds a value that cannot have been measured, or a list that is not in order or too long.
    #[error("it holds an impossible `{field}`")]
    Impossible {
        /// The first such value.
        field: &'static str,
    },
    /// It is a signature that does not fit.
    #[error(transparent)]
    Signature(#[from] SignatureRefused),
}

impl RecordRefused {
    /// Passes what its sealer said now.
    pub(crate) fn unless_of(found: AgentId, sealer: AgentId, dated: u32, now: u32) -> Result<(), Self> {
        if found != sealer {
            Err(Self::Author { sealer, found })
        } else if dated != now {
            Err(Self::Step { now, found: dated })
        } else {
            Ok(())
        }
    }
}

impl Vote {
    /// Whether an agent may say this in a step: it is of that agent and step, and could have been measured.
    ///
    /// # Errors
    /// [`RecordRefused`] with the first fault.
    pub fn check(&self, voter: AgentId, step: u32) -> Result<(), RecordRefused> {
        RecordRefused::unless_of(self.voter, voter, self.step, step)?;
        self.check_values()
    }

    /// Whether every value could have been measured.
    pub(crate) fn check_values(&self) -> Result<(), RecordRefused> {
        self.evidence.check().map_err(|refused| RecordRefused::Impossible { field: refused.field })?;
        if (0.0..=1.0).contains(&self.confidence) {
            Ok(())
        } else {
            Err(RecordRefused::Impossible { field: "confidence" })
        }
    }
}

impl Signature {
    /// Whether an agent may offer this in a step over a schema with that many numeric and categorical features: it is of
    /// that agent and step, and passes [`Signature::check`].
    ///
    /// # Errors
    /// [`RecordRefused`] with the first fault.
    pub fn check_offer(
        &self,
        author: AgentId,
        step: u32,
        numeric: usize,
        categorical: usize,
    ) -> Result<(), RecordRefused> {
        RecordRefused::unless_of(self.author, author, self.step, step)?;
        Ok(self.check(numeric, categorical)?)
    }
}

impl Sighting {
    /// Whether an agent may say this in a step: it is of that agent and step, names a source, and lists its sources in
    /// order and within the bound.
    ///
    /// # Errors
    /// [`RecordRefused`] with the first fault.
    pub fn check(&self, agent: AgentId, step: u32) -> Result<(), RecordRefused> {
        RecordRefused::unless_of(self.agent, agent, self.step, step)?;
        let ordered = self.sources.is_sorted_by(|a, b| a < b);
        if ordered && (1..=crate::SOURCES_MAX).contains(&self.sources.len()) {
            Ok(())
        } else {
            Err(RecordRefused::Impossible { field: "sources" })
        }
    }
}
