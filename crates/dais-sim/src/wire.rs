//! The bytes that cross between a world and shards elsewhere: a version, then `postcard`, in one form only.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of the messages; both sides must have the same.
const VERSION: u8 = 1;

/// Bytes that are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// There are none.
    #[error("the message is empty")]
    Empty,
    /// Another version wrote them.
    #[error("the message has version {found}, and this side speaks version {VERSION}: both must run the same version")]
    Version {
        /// The version named in them.
        found: u8,
    },
    /// They do not decode, or are not how the message is encoded.
    #[error("the message cannot be read: {0}")]
    Malformed(String),
}

fn malformed(error: impl Display) -> WireError {
    WireError::Malformed(error.to_string())
}

/// A message as bytes.
pub(crate) fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    postcard::to_extend(message, vec![VERSION]).map_err(malformed)
}

/// The message that encodes to exactly these bytes.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let (&version, body) = bytes.split_first().ok_or(WireError::Empty)?;
    if version != VERSION {
        return Err(WireError::Version { found: version });
    }
    let message: T = postcard::from_bytes(body).map_err(malformed)?;
    if encode(&message)? == bytes { Ok(message) } else { Err(malformed("it is not in canonical form")) }
}

/// What has a text, as that text.
pub(crate) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Several of what has a text.
pub(crate) mod texts {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// A seal that may be missing, as bytes.
pub(crate) mod seal {
    use dais_protocol::Seal;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde asks with a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(seal: &Option<Seal>, serializer: S) -> Result<S::Ok, S::Error> {
        seal.as_ref().map(|seal| seal.as_bytes().as_slice()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seal>, D::Error> {
        let bytes = Option::<Vec<u8>>::deserialize(deserializer)?;
        let read = bytes.map(|bytes| bytes.try_into().map(Seal::from_bytes));
        read.transpose().map_err(|_| D::Error::custom("a seal has 64 bytes"))
    }
}
