//! Fixed-size byte strings that people see as hexadecimal digits: ids, keys and seals.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not the expected number of lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} lower-case hexadecimal digits, found `{found}`")]
pub struct HexError {
    /// How many digits were expected.
    pub digits: usize,
    /// The text, cut after 160 characters.
    pub found: String,
}

/// Reads exactly `N` bytes written as lower-case hexadecimal digits.
///
/// # Errors
/// [`HexError`] for any other text.
pub(crate) fn parse<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let mut bytes = [0; N];
    let lower_case = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if lower_case && hex::decode_to_slice(text, &mut bytes).is_ok() {
        Ok(bytes)
    } else {
        Err(HexError { digits: 2 * N, found: text.chars().take(160).collect() })
    }
}

/// A hexadecimal string in formats for people, bytes in others.
///
/// # Errors
/// Those of the serializer.
pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        hex::encode(bytes).serialize(serializer)
    } else {
        serializer.serialize_bytes(bytes)
    }
}

/// The reverse of [`serialize`].
///
/// # Errors
/// Those of the deserializer, and texts or byte strings of another length.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error> {
    if deserializer.is_human_readable() {
        let text = String::deserialize(deserializer)?;
        parse(&text).map_err(de::Error::custom)
    } else {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor<const N: usize>;

impl<const N: usize> de::Visitor<'_> for BytesVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

/// Gives a newtype over a byte array its text form and its serialisation.
macro_rules! hex_newtype {
    ($type:ident, $bytes:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($type))
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::HexError;

            fn from_str(text: &str) -> Result<Self, crate::HexError> {
                crate::hex_bytes::parse::<$bytes>(text).map(Self)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::hex_bytes::serialize(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::hex_bytes::deserialize(deserializer).map(Self)
            }
        }
    };
}
pub(crate) use hex_newtype;
