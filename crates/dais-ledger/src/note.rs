//! Names, keys and signature lines of C2SP `signed-note`.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use sha2::{Digest as _, Sha256};

use crate::origin::Origin;

/// What begins a signature line.
const DASH: &str = "\u{2014} ";

/// The signature types of `signed-note` that are known here, by their byte in key ids and verifier keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SignatureType {
    /// Ed25519 over the note's text: the seal of a log.
    Ed25519 = 1,
    /// Timestamped Ed25519 cosignature of a witness (C2SP `tlog-cosignature`).
    Cosignature = 4,
}

/// The key id: first 4 bytes of SHA-256 over name, newline, type and public key.
pub(crate) fn key_id(name: &Origin, kind: SignatureType, public_key: &[u8; 32]) -> [u8; 4] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(name.as_str())
        .chain_update([b'\n', kind as u8])
        .chain_update(public_key)
        .finalize()
        .into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A text that is not a verifier key (`vkey`) of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a verifier key: {what}")]
pub struct VkeyError {
    /// What is wrong with the text.
    pub what: &'static str,
}

/// The `vkey` of a public key: name, key id in hexadecimal, and base64 of type and key, joined by `+`.
pub(crate) fn vkey(name: &Origin, kind: SignatureType, public_key: &[u8; 32]) -> String {
    let mut typed = vec![kind as u8];
    typed.extend_from_slice(public_key);
    format!("{name}+{}+{}", hex::encode(key_id(name, kind, public_key)), Base64::encode_string(&typed))
}

/// Name and public key of a `vkey`.
pub(crate) fn parse_vkey(text: &str, kind: SignatureType) -> Result<(Origin, [u8; 32]), VkeyError> {
    let wrong = |what| VkeyError { what };
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong("expected name, key id and key, joined by `+`"));
    };
    let name = Origin::new(name).map_err(|_| wrong("its name is empty, too long or has a forbidden character"))?;
    let mut bytes = [0; 33];
    match Base64::decode(typed, &mut bytes) {
        Ok(decoded) if decoded.len() == 33 => (),
        _ => return Err(wrong("expected base64 of 33 bytes after the second `+`")),
    }
    let [found, public_key @ ..] = bytes;
    if found != kind as u8 {
        return Err(wrong("the key is of another type"));
    }
    if id != hex::encode(key_id(&name, kind, &public_key)) {
        return Err(wrong("the key id does not fit name and key"));
    }
    Ok((name, public_key))
}

/// One signature line of a note; as text without the newline at its end.
///
/// Whether the signature holds is decided by whoever knows the key:
/// [`Checkpoint::signed_by`](crate::Checkpoint::signed_by) and [`WitnessVerifier`](crate::WitnessVerifier).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NoteSignature {
    pub(crate) name: Origin,
    pub(crate) key_id: [u8; 4],
    pub(crate) signature: Vec<u8>,
}

/// A text that is not a signature line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a signature line: `\u{2014}`, a name and base64 of key id and signature")]
pub struct NoteSignatureError;

impl NoteSignature {
    /// Name of the key: the origin for the log's own signature, otherwise the witness.
    ///
    /// The rules for names of keys are those of an [`Origin`].
    pub fn name(&self) -> &Origin {
        &self.name
    }

    /// Which of the keys of that name signed.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The signature, in the layout of its type; 64 bytes for a log's seal, 72 for a witness.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether both lines name the same key.
    pub(crate) fn same_key(&self, other: &Self) -> bool {
        (&self.name, self.key_id) == (&other.name, other.key_id)
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id[..], &self.signature].concat();
        write!(f, "{DASH}{} {}", self.name, Base64::encode_string(&bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteSignatureError;

    fn from_str(line: &str) -> Result<Self, NoteSignatureError> {
        let parts = line.strip_prefix(DASH).and_then(|rest| rest.split_once(' '));
        let (name, encoded) = parts.ok_or(NoteSignatureError)?;
        let name = Origin::new(name).map_err(|_| NoteSignatureError)?;
        let bytes = Base64::decode_vec(encoded).map_err(|_| NoteSignatureError)?;
        match bytes.split_first_chunk::<4>() {
            Some((&key_id, signature)) if !signature.is_empty() => {
                Ok(Self { name, key_id, signature: signature.to_vec() })
            }
            _ => Err(NoteSignatureError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of Go's package note.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn a_published_verifier_key_is_read_and_written() {
        let (name, key) = parse_vkey(PETER, SignatureType::Ed25519).unwrap();
        assert_eq!(name.as_str(), "PeterNeumann");
        assert_eq!(vkey(&name, SignatureType::Ed25519, &key), PETER);
        assert!(parse_vkey(PETER, SignatureType::Cosignature).is_err());
    }

    #[test]
    fn a_changed_character_of_a_verifier_key_is_noticed() {
        for at in 0..PETER.len() {
            let mut text = PETER.as_bytes().to_vec();
            text[at] = if text[at] == b'0' { b'1' } else { b'0' };
            let text = String::from_utf8(text).unwrap();
            assert!(parse_vkey(&text, SignatureType::Ed25519).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_signature_line_is_read_back(name in "[!-*,-~]{1,40}", key_id: [u8; 4], signature in prop::collection::vec(any::<u8>(), 1..200)) {
            let line = NoteSignature { name: Origin::new(name).unwrap(), key_id, signature };
            prop_assert_eq!(line.to_string().parse(), Ok(line));
        }

        #[test]
        fn an_accepted_line_has_one_text_only(name in ".{0,8}", encoded in "[A-Za-z0-9+/=]{0,24}", junk in ".{0,40}") {
            for text in [format!("\u{2014} {name} {encoded}"), junk] {
                if let Ok(line) = text.parse::<NoteSignature>() {
                    prop_assert_eq!(line.to_string(), text);
                }
            }
        }
    }
}
