//! Encryption with age: who may read a backup, and what reads it.

use std::fmt;
use std::io::{BufReader, Read, Write};

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{Decryptor, Encryptor, Identity, IdentityFile, scrypt, x25519};

use super::BackupError;

/// Who can read a backup.
pub enum Lock {
    /// The holders of the identities of these public keys.
    Recipients(Vec<x25519::Recipient>),
    /// Whoever knows the passphrase.
    Passphrase(SecretString),
}

impl Lock {
    /// For holders of the identities that belong to these public keys, `age1…`.
    ///
    /// # Errors
    ///
    /// [`BackupError::Key`] for a text that is no such key, or without any.
    pub fn recipients<T: AsRef<str>>(keys: impl IntoIterator<Item = T>) -> Result<Self, BackupError> {
        let read = |key: T| {
            let key = key.as_ref();
            key.parse().map_err(|error| BackupError::Key(format!("`{key}` is no public key of age: {error}")))
        };
        let recipients: Vec<_> = keys.into_iter().map(read).collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            return Err(BackupError::Key("encryption needs at least one public key".to_owned()));
        }
        Ok(Self::Recipients(recipients))
    }

    /// For those who know the passphrase.
    ///
    /// # Errors
    ///
    /// [`BackupError::Key`] for an empty one.
    pub fn passphrase(text: &str) -> Result<Self, BackupError> {
        secret(text).map(Self::Passphrase)
    }

    pub(super) fn wrap<W: Write>(&self, output: W) -> Result<StreamWriter<W>, String> {
        let encryptor = match self {
            Self::Recipients(keys) => {
                Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient)).map_err(|e| e.to_string())
            }
            Self::Passphrase(secret) => Ok(Encryptor::with_user_passphrase(secret.clone())),
        };
        encryptor?.wrap_output(output).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipients(keys) => write!(f, "Lock({} recipients)", keys.len()),
            Self::Passphrase(_) => f.write_str("Lock(passphrase)"),
        }
    }
}

/// What decrypts a backup.
pub struct Unlock(Vec<Box<dyn Identity + Send + Sync>>);

impl Unlock {
    /// The identities in the text of an identity file, as `age-keygen` writes it.
    ///
    /// # Errors
    ///
    /// [`BackupError::Key`] when it holds none, or anything else.
    pub fn identities(text: &[u8]) -> Result<Self, BackupError> {
        let unread = |error: String| BackupError::Key(format!("this is no identity file of age: {error}"));
        let file = IdentityFile::from_buffer(text).map_err(|error| unread(error.to_string()))?;
        let identities = file.into_identities().map_err(|error| unread(error.to_string()))?;
        if identities.is_empty() {
            return Err(BackupError::Key("the identity file holds no identity".to_owned()));
        }
        Ok(Self(identities))
    }

    /// A passphrase.
    ///
    /// # Errors
    ///
    /// [`BackupError::Key`] for an empty one.
    pub fn passphrase(text: &str) -> Result<Self, BackupError> {
        Ok(Self(vec![Box::new(scrypt::Identity::new(secret(text)?))]))
    }

    pub(super) fn unwrap<R: Read>(&self, input: R) -> Result<StreamReader<BufReader<R>>, String> {
        let decryptor = Decryptor::new_buffered(BufReader::new(input)).map_err(|error| error.to_string())?;
        let identities = self.0.iter().map(|identity| &**identity as &dyn Identity);
        decryptor.decrypt(identities).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unlock({})", self.0.len())
    }
}

fn secret(text: &str) -> Result<SecretString, BackupError> {
    if text.is_empty() {
        return Err(BackupError::Key("the passphrase is empty".to_owned()));
    }
    Ok(SecretString::from(text.to_owned()))
}
