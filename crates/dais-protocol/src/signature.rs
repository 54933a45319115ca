//! The shareable description of an attack pattern.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::{Kind, Reader, VERSION, VERSION_WITH_REASONS, Writer};
use crate::{AgentId, DecodeError, Matcher, Pattern, RADIUS_MAX, SPREAD_MAX, SPREAD_MIN, SignatureId, ThreatClass};

/// Most sources a signature or sighting carries.
pub const SOURCES_MAX: usize = 64;
/// Most ports a signature carries.
pub const PORTS_MAX: usize = 64;
/// Most numeric features of a schema.
pub const FEATURES_MAX: usize = 1024;
/// Most categorical features of a schema.
pub const CATEGORIES_MAX: usize = 64;
/// Most allowed codes of one categorical feature.
pub const CODES_MAX: usize = 1024;
/// Most reasons a signature carries.
pub const REASONS_MAX: usize = 5;
/// Largest absolute value of a centre or medoid coordinate: scaled values lie in about [0, 1], those beyond the schema's
/// bounds somewhat outside.
const COORDINATE_MAX: f32 = 1.0e6;

/// What rounding may add to the sum of the shares of the reasons.
const SHARES_SLACK: f32 = 1.0e-4;

/// One real flow of the cluster, the one nearest to its centre: what voters put to their own detectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Medoid {
    /// Its numeric features, scaled units.
    pub numeric: Vec<f32>,
    /// Its category codes.
    pub codes: Vec<u16>,
}

/// A feature by which the author's detector found the medoid strange.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Its position: the numeric features of the schema first, then the categorical ones, which count by their rarity.
    pub feature: u16,
    /// Its share in what made the medoid strange, above 0 and up to 1.
    pub share: f32,
}

/// The shareable description of an attack pattern.
///
/// A flow matches when its distance to [`Signature::pattern`] ([`Matcher`](crate::Matcher)) is at most the radius. What
/// is accepted by ballot may have a smaller radius than the one offered here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// Who found it.
    pub author: AgentId,
    /// The step in which it was published.
    pub step: u32,
    /// What kind of attack it is.
    pub class: ThreatClass,
    /// Where it lies.
    pub pattern: Pattern,
    /// The largest distance that matches in the author's opinion, in (0, [`RADIUS_MAX`]].
    pub radius: f32,
    /// A real flow of the cluster.
    pub medoid: Medoid,
    /// Source addresses seen, ascending, at most [`SOURCES_MAX`].
    pub sources: Vec<IpAddr>,
    /// Destination ports seen, ascending, at most [`PORTS_MAX`].
    pub ports: Vec<u16>,
    /// How many flows the cluster held; at least 1.
    pub support: u32,
    /// The medoid's p-value under the author's detector, in [0, 1].
    pub medoid_p: f32,
    /// The features that made the medoid strange to the author's detector, by ascending position, at most
    /// [`REASONS_MAX`]; their shares add up to 1 at most. None where the author does not say. For people: no vote rests on them.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// The author's confidence, in [0, 1].
    pub confidence: f32,
    /// The signature this one refines, if any.
    pub refines: Option<SignatureId>,
    /// How many times it was refined; 0 for a first offer.
    pub refinement: u8,
}

/// Why a signature is not fit to be put to a vote.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureRefused {
    /// A list has another length than the schema demands.
    #[error("`{field}` has {found} values, the schema has {expected}")]
    Shape {
        /// The list.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The schema's.
        expected: usize,
    },
    /// A list is longer than allowed.
    #[error("`{field}` has {found} items, allowed are {max}")]
    TooMany {
        /// The list.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// A list is not in strictly ascending order.
    #[error("`{field}` is not in ascending order without repetition")]
    Unsorted {
        /// The list.
        field: &'static str,
    },
    /// A categorical feature allows no value at all.
    #[error("categorical feature {feature} allows no value")]
    NoCategory {
        /// The position of the feature.
        feature: usize,
    },
    /// A number lies outside its range, or is none.
    #[error("`{field}` is {value}, allowed is {low} to {high}")]
    Range {
        /// The number.
        field: &'static str,
        /// Its value.
        value: f32,
        /// The smallest allowed value.
        low: f32,
        /// The largest allowed value.
        high: f32,
    },
    /// The medoid lies outside its own signature.
    #[error("the medoid's category {feature} is not among the allowed ones")]
    MedoidOutside {
        /// The position of the feature.
        feature: usize,
    },
    /// The medoid lies farther from the centre than the radius: it is not an example of the pattern.
    #[error("the medoid lies {distance} spreads from the centre, the radius is {radius}")]
    MedoidFar {
        /// Its distance, in spreads.
        distance: f32,
        /// The radius offered.
        radius: f32,
    },
    /// The signature would cover too much.
    #[error("the radius is {radius}, with these spreads at most {max} is allowed")]
    TooWide {
        /// The radius offered.
        radius: f32,
        /// The largest radius allowed with these spreads.
        max: f32,
    },
    /// A refinement names nothing it refines, or a first offer does.
    #[error("refinement {refinement} does not go with the signature it refines")]
    Refinement {
        /// The stated count.
        refinement: u8,
    },
}

impl Signature {
    /// The canonical encoding, about 12 bytes per numeric feature plus 150; layout in `docs/reference/encodings.md`.
    pub fn encode(&self) -> Vec<u8> {
        let Pattern { centre, spread, categories } = &self.pattern;
        // What says nothing new is written as it always was: there is one encoding of every signature.
        let version = if self.reasons.is_empty() { VERSION } else { VERSION_WITH_REASONS };
        let capacity = 192 + 12 * centre.len() + 17 * self.sources.len();
        let mut w = Writer::with_version(Kind::Signature, version, capacity);
        w.agent(self.author);
        w.u32(self.step);
        w.u8(self.class.code());
        w.f32s(centre);
        w.f32s(spread);
        w.length(categories.len());
        for codes in categories {
            w.u16s(codes);
        }
        w.f32(self.radius);
        w.f32s(&self.medoid.numeric);
        w.u16s(&self.medoid.codes);
        w.addresses(&self.sources);
        w.u16s(&self.ports);
        w.u32(self.support);
        w.f32(self.medoid_p);
        w.f32(self.confidence);
        w.u8(u8::from(self.refines.is_some()));
        if let Some(id) = self.refines {
            w.id(id);
        }
        w.u8(self.refinement);
        if !self.reasons.is_empty() {
            w.length(self.reasons.len());
            for reason in &self.reasons {
                w.u16(reason.feature);
                w.f32(reason.share);
            }
        }
        w.finish()
    }

    /// Reads a canonical encoding. The result has bounded, ordered lists and finite numbers; whether it fits a schema and
    /// its ranges is for [`Signature::check`].
    ///
    /// # Errors
    /// [`DecodeError`] for any bytes that [`Signature::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (mut r, version) = Reader::up_to_version(bytes, Kind::Signature, VERSION_WITH_REASONS)?;
        let mut signature = Self {
            author: r.agent("author")?,
            step: r.u32("step")?,
            class: ThreatClass::from_code(r.u8("class")?).ok_or(DecodeError::Value { field: "class" })?,
            pattern: Pattern {
                centre: r.f32s("centre", FEATURES_MAX)?,
                spread: r.f32s("spread", FEATURES_MAX)?,
                categories: {
                    let length = r.length("categories", CATEGORIES_MAX, 4)?;
                    (0..length).map(|_| r.sorted_u16s("categories", CODES_MAX)).collect::<Result<_, _>>()?
                },
            },
            radius: r.f32("radius")?,
            medoid: Medoid {
                numeric: r.f32s("medoid.numeric", FEATURES_MAX)?,
                codes: r.u16s("medoid.codes", CATEGORIES_MAX)?,
            },
            sources: r.addresses("sources", SOURCES_MAX)?,
            ports: r.sorted_u16s("ports", PORTS_MAX)?,
            support: r.u32("support")?,
            medoid_p: r.f32("medoid_p")?,
            reasons: Vec::new(),
            confidence: r.f32("confidence")?,
            refines: match r.u8("refines")? {
                0 => None,
                1 => Some(r.id("refines")?),
                _ => return Err(DecodeError::Value { field: "refines" }),
            },
            refinement: r.u8("refinement")?,
        };
        if version == VERSION_WITH_REASONS {
            signature.reasons = read_reasons(&mut r)?;
        }
        r.finish()?;
        Ok(signature)
    }

    /// The content id: SHA-256 of [`Signature::encode`].
    pub fn id(&self) -> SignatureId {
        SignatureId::from_bytes(Sha256::digest(self.encode()).into())
    }

    /// Whether the signature fits a schema with that many numeric and categorical features and every value is in range.
    ///
    /// # Errors
    /// [`SignatureRefused`] with the first fault found.
    pub fn check(&self, numeric: usize, categorical: usize) -> Result<(), SignatureRefused> {
        let Pattern { centre, spread, categories } = &self.pattern;
        shape("centre", centre.len(), numeric)?;
        shape("spread", spread.len(), numeric)?;
        shape("medoid.numeric", self.medoid.numeric.len(), numeric)?;
        shape("categories", categories.len(), categorical)?;
        shape("medoid.codes", self.medoid.codes.len(), categorical)?;
        bounded("centre", numeric, FEATURES_MAX)?;
        bounded("categories", categorical, CATEGORIES_MAX)?;
        for &value in centre {
            range("centre", value, -COORDINATE_MAX, COORDINATE_MAX)?;
        }
        for &value in spread {
            range("spread", value, SPREAD_MIN, SPREAD_MAX)?;
        }
        for &value in &self.medoid.numeric {
            range("medoid.numeric", value, -COORDINATE_MAX, COORDINATE_MAX)?;
        }
        for (feature, codes) in categories.iter().enumerate() {
            bounded("categories", codes.len(), CODES_MAX)?;
            ascending("categories", codes)?;
            if codes.is_empty() {
                return Err(SignatureRefused::NoCategory { feature });
            }
            if codes.binary_search(&self.medoid.codes[feature]).is_err() {
                return Err(SignatureRefused::MedoidOutside { feature });
            }
        }
        range("radius", self.radius, f32::MIN_POSITIVE, RADIUS_MAX)?;
        self.check_reach()?;
        bounded("sources", self.sources.len(), SOURCES_MAX)?;
        ascending("sources", &self.sources)?;
        bounded("ports", self.ports.len(), PORTS_MAX)?;
        ascending("ports", &self.ports)?;
        range("support", self.support as f32, 1.0, u32::MAX as f32)?;
        range("medoid_p", self.medoid_p, 0.0, 1.0)?;
        range("confidence", self.confidence, 0.0, 1.0)?;
        self.check_reasons(numeric + categorical)?;
        if self.refines.is_some() == (self.refinement > 0) {
            Ok(())
        } else {
            Err(SignatureRefused::Refinement { refinement: self.refinement })
        }
    }

    /// Whether the signature is not too wide and its example matches it.
    fn check_reach(&self) -> Result<(), SignatureRefused> {
        let (radius, max) = (self.radius, self.pattern.radius_max());
        if radius > max {
            return Err(SignatureRefused::TooWide { radius, max });
        }
        let distance = Matcher::new(&self.pattern).distance(&self.medoid.numeric, &self.medoid.codes);
        if distance <= radius { Ok(()) } else { Err(SignatureRefused::MedoidFar { distance, radius }) }
    }

    fn check_reasons(&self, features: usize) -> Result<(), SignatureRefused> {
        bounded("reasons", self.reasons.len(), REASONS_MAX)?;
        if !self.reasons.is_sorted_by(|a, b| a.feature < b.feature) {
            return Err(SignatureRefused::Unsorted { field: "reasons" });
        }
        if let Some(last) = self.reasons.last().filter(|last| usize::from(last.feature) >= features) {
            let found = usize::from(last.feature) + 1;
            return Err(SignatureRefused::Shape { field: "reasons", found, expected: features });
        }
        for reason in &self.reasons {
            range("reasons", reason.share, f32::MIN_POSITIVE, 1.0)?;
        }
        let sum: f32 = self.reasons.iter().map(|reason| reason.share).sum();
        range("reasons", sum, 0.0, 1.0 + SHARES_SLACK)
    }
}

/// The reasons at the end of a signature that has some.
fn read_reasons(r: &mut Reader<'_>) -> Result<Vec<Reason>, DecodeError> {
    let length = r.length("reasons", REASONS_MAX, 6)?;
    let reasons = (0..length).map(|_| Ok(Reason { feature: r.u16("reasons")?, share: r.f32("reasons")? }));
    let reasons: Vec<Reason> = reasons.collect::<Result<_, DecodeError>>()?;
    let ascending = reasons.is_sorted_by(|a, b| a.feature < b.feature);
    if ascending && !reasons.is_empty() { Ok(reasons) } else { Err(DecodeError::Value { field: "reasons" }) }
}

fn shape(field: &'static str, found: usize, expected: usize) -> Result<(), SignatureRefused> {
    if found == expected { Ok(()) } else { Err(SignatureRefused::Shape { field, found, expected }) }
}

fn bounded(field: &'static str, found: usize, max: usize) -> Result<(), SignatureRefused> {
    if found <= max { Ok(()) } else { Err(SignatureRefused::TooMany { field, found, max }) }
}

fn ascending<T: PartialOrd>(field: &'static str, values: &[T]) -> Result<(), SignatureRefused> {
    if values.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(SignatureRefused::Unsorted { field }) }
}

fn range(field: &'static str, value: f32, low: f32, high: f32) -> Result<(), SignatureRefused> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(SignatureRefused::Range { field, value, low, high }) }
}
