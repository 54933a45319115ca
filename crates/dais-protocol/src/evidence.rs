//! What a voter measured on its own data about a signature.

use serde::{Deserialize, Serialize};

use crate::codec::{Reader, Writer};
use crate::{DecodeError, RADIUS_MAX};

/// What a voter measured on its own data about a signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Flows in the voter's baseline; 0 where none bears on the signature, so that the voter cannot know.
    pub baseline: u32,
    /// Baseline flows within the offered radius; at most `baseline`.
    pub matches: u32,
    /// Recent own alerts within the offered radius.
    pub alerts_matched: u32,
    /// The medoid's p-value under the voter's own detector, in [0, 1].
    pub medoid_p: f32,
    /// Cosine of the deviation vectors of the signature and the nearest own alert ([`similarity`]), in [-1, 1].
    pub similarity: f32,
    /// The largest radius at which the voter's own baseline stays out ([`widest_radius`](crate::widest_radius)), in [0, 4].
    pub radius: f32,
    /// Offered sources that are ordinary in the voter's own baseline.
    pub sources_ordinary: u32,
    /// Own odd flows within the offered radius in the last steps ([`BurstParams::recent`](crate::BurstParams)).
    pub recent: u32,
    /// Own odd flows within the offered radius before those, as far as the voter remembers.
    pub past: u32,
    /// Steps that `past` covers.
    pub past_steps: u32,
}

/// A piece of evidence that cannot have been measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("evidence holds an impossible `{field}`")]
pub struct EvidenceRefused {
    /// The first impossible value.
    pub field: &'static str,
}

impl Evidence {
    /// Whether every value could have been measured.
    ///
    /// # Errors
    /// [`EvidenceRefused`] with the first that could not.
    pub fn check(&self) -> Result<(), EvidenceRefused> {
        let field = if self.matches > self.baseline {
            "matches"
        } else if !(0.0..=1.0).contains(&self.medoid_p) {
            "medoid_p"
        } else if !(-1.0..=1.0).contains(&self.similarity) {
            "similarity"
        } else if !(0.0..=RADIUS_MAX).contains(&self.radius) {
            "radius"
        } else {
            return Ok(());
        };
        Err(EvidenceRefused { field })
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.u32(self.baseline);
        w.u32(self.matches);
        w.u32(self.alerts_matched);
        w.f32(self.medoid_p);
        w.f32(self.similarity);
        w.f32(self.radius);
        w.u32(self.sources_ordinary);
        w.u32(self.recent);
        w.u32(self.past);
        w.u32(self.past_steps);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let evidence = Self {
            baseline: r.u32("evidence.baseline")?,
            matches: r.u32("evidence.matches")?,
            alerts_matched: r.u32("evidence.alerts_matched")?,
            medoid_p: r.f32("evidence.medoid_p")?,
            similarity: r.f32("evidence.similarity")?,
            radius: r.f32("evidence.radius")?,
            sources_ordinary: r.u32("evidence.sources_ordinary")?,
            recent: r.u32("evidence.recent")?,
            past: r.u32("evidence.past")?,
            past_steps: r.u32("evidence.past_steps")?,
        };
        evidence.check().map_err(|refused| DecodeError::Value { field: refused.field })?;
        Ok(evidence)
    }
}

/// The cosine of two deviation vectors, in [-1, 1]; 0 when one of them is zero or not finite.
///
/// Both vectors hold, per feature, how many own standard deviations a flow lies from the voter's own mean. Without that
/// standardisation the cosine would see volume alone.
///
/// # Panics
/// When the vectors differ in length.
///
/// ```
/// use dais_protocol::similarity;
/// assert_eq!(similarity(&[3.0, 0.0], &[5.0, 0.0]), 1.0);
/// assert_eq!(similarity(&[3.0, 0.0], &[0.0, -2.0]), 0.0);
/// assert_eq!(similarity(&[0.0, 0.0], &[1.0, 2.0]), 0.0);
/// ```
pub fn similarity(z_a: &[f32], z_b: &[f32]) -> f32 {
    assert_eq!(z_a.len(), z_b.len(), "deviations over the same features");
    let (mut product, mut norm_a, mut norm_b) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (&a, &b) in z_a.iter().zip(z_b) {
        let (a, b) = (f64::from(a), f64::from(b));
        product += a * b;
        norm_a += a * a;
        norm_b += b * b;
    }
    let cosine = product / (norm_a * norm_b).sqrt();
    if cosine.is_finite() { cosine.clamp(-1.0, 1.0) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_measured_is_named() {
        let measured = Evidence { baseline: 512, matches: 2, radius: 2.0, ..Evidence::default() };
        assert_eq!(measured.check(), Ok(()));
        for (evidence, field) in [
            (Evidence { matches: 513, ..measured }, "matches"),
            (Evidence { medoid_p: f32::NAN, ..measured }, "medoid_p"),
            (Evidence { similarity: 1.5, ..measured }, "similarity"),
            (Evidence { radius: f32::INFINITY, ..measured }, "radius"),
            (Evidence { radius: 4.1, ..measured }, "radius"),
        ] {
            assert_eq!(evidence.check(), Err(EvidenceRefused { field }));
        }
    }

    #[test]
    fn similarity_sees_direction_and_not_length() {
        assert!((similarity(&[1.0, 2.0, -3.0], &[10.0, 20.0, -30.0]) - 1.0).abs() < 1.0e-6);
        assert!((similarity(&[1.0, 2.0], &[-1.0, -2.0]) + 1.0).abs() < 1.0e-6);
        assert!(similarity(&[f32::INFINITY, 0.0], &[1.0, 1.0]).abs() < f32::EPSILON);
        assert!(similarity(&[f32::MAX; 8], &[f32::MAX; 8]) <= 1.0);
    }
}
