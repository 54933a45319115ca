//! The named features of a flow.

use serde::{Deserialize, Serialize};

/// How a raw value is transformed before it is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// The value itself.
    Identity,
    /// `ln(1 + max(x, 0))`, for heavy-tailed amounts such as bytes and seconds.
    Log1p,
}

impl Transform {
    /// The transformed value.
    #[must_use]
    pub fn apply(self, raw: f64) -> f64 {
        match self {
            Self::Identity => raw,
            Self::Log1p => libm::log1p(raw.max(0.0)),
        }
    }

    /// The raw value that transforms to `value`.
    #[must_use]
    pub fn invert(self, value: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Log1p => libm::expm1(value),
        }
    }
}

/// A numeric feature: transformed, then scaled to [0, 1] by bounds that all agents know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numeric {
    /// Name, unique within the schema.
    pub name: String,
    /// Unit of the raw value, such as `s`, `bytes` or `share`; empty for plain counts.
    pub unit: String,
    /// Transform applied before scaling.
    pub transform: Transform,
    /// Transformed value that scales to 0.
    pub low: f64,
    /// Transformed value that scales to 1; more than `low`.
    pub high: f64,
}

impl Numeric {
    /// Scales a raw value to [0, 1]; values beyond the bounds are clamped to them.
    #[must_use]
    pub fn scale(&self, raw: f64) -> f32 {
        let value = (self.transform.apply(raw) - self.low) / (self.high - self.low);
        value.clamp(0.0, 1.0) as f32
    }

    /// The raw value of a scaled one, to show to people.
    #[must_use]
    pub fn raw(&self, scaled: f32) -> f64 {
        let value = self.low + f64::from(scaled) * (self.high - self.low);
        self.transform.invert(value)
    }
}

/// A categorical feature: a small dictionary, code 0 stands for any unseen value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categorical {
    /// Name, unique within the schema.
    pub name: String,
    /// Known values in the order of their codes; the first has code 1.
    pub values: Vec<String>,
}

impl Categorical {
    /// The code of `value`: its place in the dictionary plus one, or 0 where it is unknown.
    #[must_use]
    pub fn code(&self, value: &str) -> u16 {
        let place = self.values.iter().position(|known| known == value);
        place.map_or(0, |place| place as u16 + 1)
    }

    /// The value behind a code, `"?"` for code 0 and codes beyond the dictionary.
    #[must_use]
    pub fn value(&self, code: u16) -> &str {
        let place = usize::from(code).checked_sub(1);
        place.and_then(|place| self.values.get(place)).map_or("?", String::as_str)
    }

    /// How many codes there are, the unseen one included.
    #[must_use]
    pub fn codes(&self) -> usize {
        self.values.len() + 1
    }
}

/// The named features of a flow; all agents of a run share one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// Name of the layout, such as `flow` or `nsl-kdd`.
    pub name: String,
    /// Numeric features in column order.
    pub numeric: Vec<Numeric>,
    /// Categorical features in column order.
    pub categorical: Vec<Categorical>,
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A schema without features describes nothing.
    #[error("schema `{0}` has no features")]
    Empty(String),
    /// Two features share one name.
    #[error("schema `{schema}` names feature `{feature}` twice")]
    Duplicate {
        /// Name of the schema.
        schema: String,
        /// The repeated name.
        feature: String,
    },
    /// A numeric feature whose bounds span nothing or are not numbers.
    #[error("feature `{feature}` has bounds {low}..{high}: expected two finite numbers, low below high")]
    Bounds {
        /// Name of the feature.
        feature: String,
        /// Lower bound as given.
        low: String,
        /// Upper bound as given.
        high: String,
    },
    /// More values than 16-bit codes can tell apart.
    #[error("feature `{feature}` has {values} values: at most 65,535 can be told apart")]
    Values {
        /// Name of the feature.
        feature: String,
        /// Size of the dictionary.
        values: usize,
    },
}

impl Schema {
    /// Checks names, bounds and dictionary sizes.
    ///
    /// # Errors
    /// The first rule that is broken, with the feature it concerns.
    pub fn check(&self) -> Result<(), SchemaError> {
        if self.numeric.is_empty() && self.categorical.is_empty() {
            return Err(SchemaError::Empty(self.name.clone()));
        }
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(SchemaError::Duplicate { schema: self.name.clone(), feature: pair[0].to_owned() });
        }
        for feature in &self.numeric {
            if !(feature.low.is_finite() && feature.high.is_finite() && feature.low < feature.high) {
                return Err(SchemaError::Bounds {
                    feature: feature.name.clone(),
                    low: feature.low.to_string(),
                    high: feature.high.to_string(),
                });
            }
        }
        for feature in &self.categorical {
            if feature.values.len() > usize::from(u16::MAX) {
                return Err(SchemaError::Values { feature: feature.name.clone(), values: feature.values.len() });
            }
        }
        Ok(())
    }

    /// Names of all features, numeric ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let numeric = self.numeric.iter().map(|feature| feature.name.as_str());
        numeric.chain(self.categorical.iter().map(|feature| feature.name.as_str()))
    }

    /// Column of the numeric feature with this name.
    #[must_use]
    pub fn numeric_column(&self, name: &str) -> Option<usize> {
        self.numeric.iter().position(|feature| feature.name == name)
    }

    /// Column of the categorical feature with this name.
    #[must_use]
    pub fn categorical_column(&self, name: &str) -> Option<usize> {
        self.categorical.iter().position(|feature| feature.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Numeric {
        Numeric { name: "bytes".into(), unit: "bytes".into(), transform: Transform::Log1p, low: 0.0, high: 20.0 }
    }

    #[test]
    fn scaling_is_undone_by_raw() {
        let scaled = bytes().scale(1_000.0);
        assert!((bytes().raw(scaled) - 1_000.0).abs() < 0.1);
    }

    #[test]
    fn values_beyond_the_bounds_are_clamped() {
        let expected = [0.0_f32, 1.0];
        let scaled = [bytes().scale(-5.0), bytes().scale(1e30)];
        assert_eq!(scaled.map(f32::to_bits), expected.map(f32::to_bits));
    }

    #[test]
    fn an_unknown_value_has_code_zero() {
        let protocol = Categorical { name: "protocol".into(), values: vec!["tcp".into(), "udp".into()] };
        assert_eq!([protocol.code("udp"), protocol.code("sctp")], [2, 0]);
        assert_eq!([protocol.value(1), protocol.value(0), protocol.value(9)], ["tcp", "?", "?"]);
    }

    #[test]
    fn a_name_used_twice_is_refused() {
        let schema = Schema { name: "s".into(), numeric: vec![bytes(), bytes()], categorical: vec![] };
        assert!(matches!(schema.check(), Err(SchemaError::Duplicate { feature, .. }) if feature == "bytes"));
    }

    #[test]
    fn empty_bounds_are_refused() {
        let schema = Schema { name: "s".into(), numeric: vec![Numeric { high: 0.0, ..bytes() }], categorical: vec![] };
        assert!(matches!(schema.check(), Err(SchemaError::Bounds { .. })));
    }
}
