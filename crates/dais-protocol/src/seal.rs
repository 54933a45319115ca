//! Ed25519 signatures over what an agent says in a step.

use ed25519_zebra::{Signature as Ed25519Signature, SigningKey, VerificationKey, VerificationKeyBytes, batch};
use rand::rand_core::{Infallible, TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

use crate::AgentId;
use crate::hex_bytes::hex_newtype;

/// What separates sealed statements from every other use of the keys.
const STATEMENT_TAG: &[u8; 17] = b"dais-statement-v1";
/// What separates the random coefficients of a batch from every other hash.
const BATCH_TAG: &[u8] = b"dais-seal-batch-v1";
/// Bytes of the message of a [`Statement`].
pub const STATEMENT_BYTES: usize = STATEMENT_TAG.len() + 4 + 4 + 4 + 32;

/// An agent's secret key. It has no text form and is not serialised.
#[derive(Clone)]
pub struct SealKey(SigningKey);

impl SealKey {
    /// The key that follows from 32 secret bytes (RFC 8032).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from(seed))
    }

    /// The public key.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verification_key().into())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Seal {
        Seal(self.0.sign(message).to_bytes())
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKey(of {})", self.verifying_key())
    }
}

/// An agent's public key, 32 bytes; shown as 64 lower-case hexadecimal digits.
///
/// Text and serialised forms take any 32 bytes: bytes that are no point of the curve verify nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey([u8; 32]);

hex_newtype!(VerifyingKey, 32);

/// Bytes that are no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no point of the curve")]
pub struct KeyRefused;

impl VerifyingKey {
    /// The key with these bytes.
    ///
    /// # Errors
    /// [`KeyRefused`] when they are no point of the curve.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyRefused> {
        VerificationKey::try_from(bytes).map(|_| Self(bytes)).map_err(|_| KeyRefused)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks one seal over a message, by the rules of ZIP 215 (the same set as [`verify_batch`] accepts).
    ///
    /// # Errors
    /// [`SealRefused`] when the seal is not this key's over this message.
    pub fn verify(&self, message: &[u8], seal: &Seal) -> Result<(), SealRefused> {
        let key = VerificationKey::try_from(self.0).map_err(|_| SealRefused)?;
        key.verify(&Ed25519Signature::from_bytes(&seal.0), message).map_err(|_| SealRefused)
    }
}

/// A seal that is not its key's over its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seal is not this key's over this message")]
pub struct SealRefused;

/// An Ed25519 signature, 64 bytes; shown as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seal([u8; 64]);

hex_newtype!(Seal, 64);

impl Seal {
    /// The seal with these bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// All that an agent says in one step, sealed once: the digests of its signatures, votes and sightings, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Who speaks.
    pub agent: AgentId,
    /// When.
    pub step: u32,
    /// SHA-256 of the canonical encoding of every item, in the order they were said.
    pub digests: &'a [[u8; 32]],
}

impl Statement<'_> {
    /// The bytes that are sealed: `dais-statement-v1`, agent, step and number of items (4 bytes each, little endian), and
    /// SHA-256 over the concatenated digests.
    pub fn message(&self) -> [u8; STATEMENT_BYTES] {
        let count = u32::try_from(self.digests.len()).expect("a step holds far fewer than 2^32 items");
        let items = Sha256::digest(self.digests.as_flattened());
        let parts: [&[u8]; 5] =
            [STATEMENT_TAG, &self.agent.0.to_le_bytes(), &self.step.to_le_bytes(), &count.to_le_bytes(), &items];
        let mut message = [0; STATEMENT_BYTES];
        let mut at = 0;
        for part in parts {
            message[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        message
    }
}

/// Seals a statement without its context. Deterministic: the same key and statement give the same seal.
///
/// Such a seal holds in every log. [`SealContext::seal`](crate::SealContext::seal) binds it to one.
pub fn seal(key: &SealKey, statement: &Statement<'_>) -> Seal {
    key.sign(&statement.message())
}

/// Checks many seals at once: key, message and seal of each.
///
/// One equation over the whole batch is checked first (for a hundred keys about half the cost of one by one); only when it fails are
/// the seals checked singly. Batch and single check accept the same seals (ZIP 215). The random coefficients are drawn
/// from a hash of everything verified, so the check is deterministic and a forger cannot know them before the forgery is
/// complete.
///
/// # Errors
/// The positions of the bad seals, ascending.
pub fn verify_batch(items: &[(VerifyingKey, &[u8], Seal)]) -> Result<(), Vec<usize>> {
    if items.is_empty() {
        return Ok(());
    }
    let mut transcript = Sha256::new_with_prefix(BATCH_TAG);
    let mut verifier = batch::Verifier::new();
    for (key, message, seal) in items {
        transcript.update(key.0);
        transcript.update((message.len() as u64).to_le_bytes());
        transcript.update(message);
        transcript.update(seal.0);
        verifier.queue((VerificationKeyBytes::from(key.0), Ed25519Signature::from_bytes(&seal.0), *message));
    }
    if verifier.verify(Coefficients::new(transcript.finalize().into())).is_ok() {
        return Ok(());
    }
    let bad: Vec<usize> = items
        .iter()
        .enumerate()
        .filter(|(_, (key, message, seal))| key.verify(message, seal).is_err())
        .map(|(position, _)| position)
        .collect();
    if bad.is_empty() { Ok(()) } else { Err(bad) }
}

/// SHA-256 in counter mode: the coefficients of a batch, unpredictable before all that is verified is fixed.
struct Coefficients {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Coefficients {
    fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0, block: [0; 32], used: 32 }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.block.len() {
                let hash = Sha256::new().chain_update(self.seed).chain_update(self.counter.to_le_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

impl TryRng for Coefficients {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Coefficients {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_follows_from_its_seed_as_in_rfc_8032() {
        // RFC 8032, section 7.1, test 1: the empty message.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let key = SealKey::from_seed(crate::hex_bytes::parse(seed).unwrap());
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(key.verifying_key().to_string(), public);
        let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555\
                        fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        let seal = Seal(key.0.sign(b"").to_bytes());
        assert_eq!(seal.to_string(), expected);
        assert_eq!(key.verifying_key().verify(b"", &seal), Ok(()));
    }

    #[test]
    fn a_secret_key_does_not_show_itself() {
        let shown = format!("{:?}", SealKey::from_seed([0xab; 32]));
        assert!(shown.contains("SealKey") && !shown.contains("abab"), "{shown}");
    }

    #[test]
    fn a_statement_says_who_when_and_what() {
        let digests = [[1; 32], [2; 32]];
        let statement = Statement { agent: AgentId(258), step: 7, digests: &digests };
        let message = statement.message();
        assert_eq!(&message[..17], STATEMENT_TAG);
        assert_eq!(message[17..29], [2, 1, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(message[29..], Sha256::digest([[1_u8; 32], [2; 32]].as_flattened())[..]);
        for other in [
            Statement { agent: AgentId(259), ..statement },
            Statement { step: 8, ..statement },
            Statement { digests: &digests[..1], ..statement },
        ] {
            assert_ne!(other.message(), message);
        }
    }

    #[test]
    fn bytes_off_the_curve_are_no_key_and_verify_nothing() {
        // y = 2 is on no point of the curve.
        let mut bytes = [0; 32];
        bytes[0] = 2;
        assert_eq!(VerifyingKey::from_bytes(bytes), Err(KeyRefused));
        let seal = Seal::from_bytes([0; 64]);
        assert_eq!(VerifyingKey(bytes).verify(b"x", &seal), Err(SealRefused));
        assert_eq!(verify_batch(&[(VerifyingKey(bytes), b"x", seal)]), Err(vec![0]));
    }

    #[test]
    fn an_empty_batch_holds() {
        assert_eq!(verify_batch(&[]), Ok(()));
    }
}
