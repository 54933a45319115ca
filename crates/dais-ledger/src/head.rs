//! The state of a log in 40 bytes, and its seal.

use std::fmt;

use base64ct::{Base64, Encoding};
use ed25519_zebra::{Signature, SigningKey, VerificationKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::note::{self, SignatureType, VkeyError};
use crate::origin::Origin;
use crate::tree;

/// The size and root of a log: two logs with the same head hold the same entries in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// Root of the RFC 6962 tree over them.
    pub root: Digest,
}

impl Head {
    /// The head of a log without entries.
    pub fn empty() -> Self {
        Self { size: 0, root: tree::empty_root() }
    }

    /// The text that is sealed: the body of a C2SP `tlog-checkpoint`.
    ///
    /// Three lines, each ended by a newline: origin, size in decimal, root in base64.
    pub fn checkpoint_body(&self, origin: &Origin) -> String {
        let root = Base64::encode_string(self.root.as_bytes());
        format!("{origin}\n{}\n{root}\n", self.size)
    }
}

/// An Ed25519 signature over a head's checkpoint body; 128 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeadSeal([u8; 64]);

impl HeadSeal {
    /// The seal with these 64 bytes; whether it holds is decided by [`HeadVerifier::verify`].
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for HeadSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeadSeal({})", hex::encode(self.0))
    }
}

impl Serialize for HeadSeal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for HeadSeal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| de::Error::custom("expected 128 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// A head with the seal of the log's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SignedHead {
    /// Size and root.
    pub head: Head,
    /// Seal over [`Head::checkpoint_body`].
    pub seal: HeadSeal,
}

impl SignedHead {
    /// The whole checkpoint as a C2SP `signed-note`: body, empty line, one signature line under the log's name.
    pub fn checkpoint(&self, origin: &Origin, verifier: &HeadVerifier) -> String {
        Checkpoint::new(origin.clone(), self, verifier).to_string()
    }
}

/// The secret key that seals the heads of a log.
#[derive(Clone)]
pub struct HeadKey(SigningKey);

impl HeadKey {
    /// The key that belongs to a 32-byte seed (RFC 8032 section 5.1.5).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Seals a head. The same key, origin and head always give the same bytes.
    pub fn seal(&self, origin: &Origin, head: Head) -> SignedHead {
        let signature = self.0.sign(head.checkpoint_body(origin).as_bytes());
        SignedHead { head, seal: HeadSeal(signature.to_bytes()) }
    }

    /// The public half.
    pub fn verifier(&self) -> HeadVerifier {
        HeadVerifier(self.0.verification_key())
    }
}

impl fmt::Debug for HeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeadKey(secret of {:?})", self.verifier())
    }
}

/// The public key that checks the seals of a log's heads.
#[derive(Clone, Copy)]
pub struct HeadVerifier(VerificationKey);

/// 32 bytes that are not an Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these 32 bytes are not an Ed25519 public key")]
pub struct InvalidKey;

/// A seal that does not belong to head, origin and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seal of the head of size {size} does not fit the head, the log's name and the key")]
pub struct InvalidSeal {
    /// Size in the head.
    pub size: u64,
}

impl HeadVerifier {
    /// The key with these bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] when they are no point of the curve.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidKey> {
        VerificationKey::try_from(bytes).map(Self).map_err(|_| InvalidKey)
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.into()
    }

    /// Checks a seal, by the rules of ZIP 215.
    ///
    /// # Errors
    ///
    /// [`InvalidSeal`] when head, origin or seal is not what was sealed with this key.
    pub fn verify(&self, origin: &Origin, signed: &SignedHead) -> Result<(), InvalidSeal> {
        let signature = Signature::from_bytes(&signed.seal.0);
        let body = signed.head.checkpoint_body(origin);
        self.0.verify(&signature, body.as_bytes()).map_err(|_| InvalidSeal { size: signed.head.size })
    }

    /// The key id of C2SP `signed-note`: first 4 bytes of SHA-256 over name, newline, 0x01 (Ed25519) and key.
    pub fn key_id(&self, origin: &Origin) -> [u8; 4] {
        note::key_id(origin, SignatureType::Ed25519, &self.to_bytes())
    }

    /// The key under the name of its log as a C2SP `vkey`, the text by which verifiers know it.
    pub fn to_vkey(&self, origin: &Origin) -> String {
        note::vkey(origin, SignatureType::Ed25519, &self.to_bytes())
    }

    /// Name and key of a log from a `vkey`.
    ///
    /// # Errors
    ///
    /// [`VkeyError`] when the text is damaged or names a key of another type.
    pub fn from_vkey(text: &str) -> Result<(Origin, Self), VkeyError> {
        let (origin, bytes) = note::parse_vkey(text, SignatureType::Ed25519)?;
        let verifier = Self::from_bytes(bytes).map_err(|_| VkeyError { what: "its bytes are not an Ed25519 key" })?;
        Ok((origin, verifier))
    }
}

impl PartialEq for HeadVerifier {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for HeadVerifier {}

impl fmt::Debug for HeadVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeadVerifier({})", hex::encode(self.to_bytes()))
    }
}

impl Serialize for HeadVerifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.to_bytes()))
    }
}

impl<'de> Deserialize<'de> for HeadVerifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| de::Error::custom("expected 64 hexadecimal digits"))?;
        Self::from_bytes(bytes).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Origin, HeadKey, SignedHead) {
        let origin = Origin::new("example.com/log").unwrap();
        let key = HeadKey::from_seed([3; 32]);
        let head = Head { size: 20_852_163, root: Digest::from_bytes([0xab; 32]) };
        let signed = key.seal(&origin, head);
        (origin, key, signed)
    }

    #[test]
    fn the_sealed_text_is_a_checkpoint_body() {
        let (origin, _, signed) = sealed();
        let expected = "example.com/log\n20852163\nq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=\n";
        assert_eq!(signed.head.checkpoint_body(&origin), expected);
    }

    #[test]
    fn a_checkpoint_ends_with_one_signature_line() {
        let (origin, key, signed) = sealed();
        let note = signed.checkpoint(&origin, &key.verifier());
        let (body, signature) = note.split_once("\n\n").unwrap();
        assert_eq!(format!("{body}\n"), signed.head.checkpoint_body(&origin));
        let encoded = signature.strip_prefix("\u{2014} example.com/log ").unwrap();
        let bytes = Base64::decode_vec(encoded.trim_end_matches('\n')).unwrap();
        assert_eq!(bytes[..4], key.verifier().key_id(&origin));
        assert_eq!(bytes[4..], signed.seal.0);
    }

    #[test]
    fn the_key_id_is_that_of_a_published_key() {
        // The example of Go's package note: PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
        let encoded = Base64::decode_vec("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let verifier = HeadVerifier::from_bytes(encoded[1..].try_into().unwrap()).unwrap();
        let id = verifier.key_id(&Origin::new("PeterNeumann").unwrap());
        assert_eq!(id, [0xc7, 0x4f, 0x20, 0xa3]);
    }

    #[test]
    fn sealing_twice_gives_the_same_bytes() {
        assert_eq!(sealed().2, sealed().2);
    }

    #[test]
    fn another_size_root_name_key_or_seal_is_refused() {
        let (origin, key, signed) = sealed();
        let verifier = key.verifier();
        assert_eq!(verifier.verify(&origin, &signed), Ok(()));
        let refused = Err(InvalidSeal { size: signed.head.size });
        let mut other = signed;
        other.head.root = Digest::from_bytes([0; 32]);
        assert_eq!(verifier.verify(&origin, &other), refused);
        for bit in 0..512 {
            let mut other = signed;
            other.seal.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verifier.verify(&origin, &other), refused, "bit {bit}");
        }
        assert_eq!(verifier.verify(&Origin::new("example.com/lot").unwrap(), &signed), refused);
        assert_eq!(HeadKey::from_seed([4; 32]).verifier().verify(&origin, &signed), refused);
        let mut other = signed;
        other.head.size += 1;
        assert!(verifier.verify(&origin, &other).is_err());
    }

    #[test]
    fn head_and_keys_survive_json() {
        let (_, key, signed) = sealed();
        let json = serde_json::to_string(&(signed, key.verifier())).unwrap();
        let read: (SignedHead, HeadVerifier) = serde_json::from_str(&json).unwrap();
        assert_eq!(read, (signed, key.verifier()));
    }

    #[test]
    fn a_secret_key_is_not_shown() {
        let shown = format!("{:?}", HeadKey::from_seed([0x5c; 32]));
        assert!(!shown.contains("5c5c"), "{shown}");
    }
}
