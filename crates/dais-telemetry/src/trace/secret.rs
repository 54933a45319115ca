use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A value that is never shown: neither debug output nor serialisation holds it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[schemars(inline, extend("x-secret" = true))]
pub struct Secret(String);

/// What is shown in its place.
const MASK: &str = "***";

impl Secret {
    /// Keeps a value to itself.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the place that needs it and no other.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}
