//! A log that lives as long as the process.

use std::fmt;
use std::ops::{ControlFlow, Range};

use super::{Batch, Identity, RowRef, Storage, StorageError};
use crate::head::SignedHead;

/// Keeps the rows in memory: for runs whose log is not wanted afterwards, and for tests.
///
/// An entry costs its bytes, 32 bytes for the leaf hash and 8 for its place; as the columns grow by doubling, up to
/// twice that is reserved.
#[derive(Default)]
pub struct MemoryStorage {
    identity: Option<Identity>,
    rows: Batch,
    /// In ascending order of size.
    heads: Vec<SignedHead>,
}

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, heads) = (self.rows.len(), self.heads.len());
        write!(f, "MemoryStorage({entries} entries, {heads} heads)")
    }
}

impl Storage for MemoryStorage {
    fn initialise(&mut self, identity: &Identity, head: &SignedHead) -> Result<(), StorageError> {
        if self.identity.is_some() {
            return Err(StorageError::AlreadyCreated);
        }
        self.identity = Some(identity.clone());
        self.heads.push(*head);
        Ok(())
    }

    fn identity(&self) -> Result<Option<Identity>, StorageError> {
        Ok(self.identity.clone())
    }

    fn append_batch(&mut self, batch: &Batch, head: &SignedHead) -> Result<(), StorageError> {
        let found = self.rows.len() as u64;
        if batch.first_index() != found {
            return Err(StorageError::Conflict { expected: batch.first_index(), found });
        }
        self.rows.extend(batch);
        self.heads.push(*head);
        Ok(())
    }

    fn len(&self) -> Result<u64, StorageError> {
        Ok(self.rows.len() as u64)
    }

    fn scan(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let end = range.end.min(self.rows.len() as u64);
        let positions = range.start.min(end) as usize..end as usize;
        for row in self.rows.rows_at(positions) {
            if visit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn latest_head(&self) -> Result<Option<SignedHead>, StorageError> {
        Ok(self.heads.last().copied())
    }

    fn next_head(&self, size: Option<u64>) -> Result<Option<SignedHead>, StorageError> {
        let next = match size {
            None => 0,
            Some(size) => self.heads.partition_point(|signed| signed.head.size <= size),
        };
        Ok(self.heads.get(next).copied())
    }

    fn check_structure(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
