//! The content id of a signature.

use crate::hex_bytes::hex_newtype;

/// The content id of a signature: SHA-256 of its canonical encoding ([`Signature::encode`](crate::Signature::encode)).
///
/// Shown, parsed and (in formats for people) serialised as 64 lower-case hexadecimal digits; as 32 bytes elsewhere.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureId([u8; 32]);

impl SignatureId {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 12 hexadecimal digits: enough to name a signature among millions on a screen.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

hex_newtype!(SignatureId, 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_json() {
        let id = SignatureId::from_bytes(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short(), id.to_string()[..12]);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<SignatureId>(&json).unwrap(), id);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "00", &"g".repeat(64), &"AB".repeat(32), &"0".repeat(66)] {
            assert!(text.parse::<SignatureId>().is_err(), "{text}");
        }
    }
}
