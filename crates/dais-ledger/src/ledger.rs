//! The log itself: appending, reading, proving.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use crate::audit::{self, Damage, Verified, read_row};
use crate::cache::{CacheSettings, Caches, LedgerCacheStats};
use crate::digest::Digest;
use crate::entry::Entry;
use crate::error::LedgerError;
use crate::head::{Head, HeadKey, HeadVerifier, SignedHead};
use crate::origin::Origin;
use crate::proof::{ConsistencyProof, InclusionProof, consistency_ranges, inclusion_ranges};
use crate::storage::{Batch, Identity, Storage, StorageError};
use crate::tree::Tree;

mod append;
mod follow;
mod part;
mod since;

use append::Attempt;
pub(crate) use follow::Known;
pub use since::EntriesSince;

/// An append-only log over a storage.
///
/// Without a type argument it is a ledger over any storage, chosen at run time: `Box::new(storage)`.
///
/// Beside the storage it holds about a quarter of a byte per entry (tree nodes over 256 entries and more), so that a
/// proof reads the hashes of at most 512 leaves, and 256 in the present log, whatever its size.
///
/// The log may grow by other hands while a ledger is open: it shows the log as of its head until
/// [`Ledger::catch_up`].
///
/// | state | entered | appending | reading |
/// |---|---|---|---|
/// | open | when opened with the key | stores the batch | every entry |
/// | in doubt | the storage failed, and could not say whether the batch is stored | first finds out | every entry |
/// | closed | reading, verifying or appending met damage | refused | the entries that are good |
///
/// A closed ledger stays closed: [`crate::salvage`] carries what is good into a new log.
#[derive(Debug)]
pub struct Ledger<S: Storage = Box<dyn Storage>> {
    storage: S,
    identity: Identity,
    key: Option<HeadKey>,
    head: SignedHead,
    tree: Tree,
    caches: Arc<Caches>,
    /// Kept for its memory.
    batch: Batch,
    /// A batch of which the storage could not say whether it is stored.
    doubtful: Option<Attempt>,
    /// The first error that told of damage.
    closed_by: OnceLock<LedgerError>,
}

impl<S: Storage> Ledger<S> {
    /// Begins a log in an empty storage and seals its empty head.
    ///
    /// # Errors
    ///
    /// When the storage holds a log or cannot be written.
    pub fn create(mut storage: S, origin: Origin, key: HeadKey) -> Result<Self, LedgerError> {
        let head = key.seal(&origin, Head::empty());
        let identity = Identity { origin, public_key: key.verifier().to_bytes() };
        if let Err(error) = storage.initialise(&identity, &head) {
            // A storage may fail after it wrote; what it holds decides.
            let stored = || Ok::<_, StorageError>((storage.identity()?, storage.latest_head()?));
            if error == StorageError::AlreadyCreated || stored() != Ok((Some(identity.clone()), Some(head))) {
                return Err(error.into());
            }
        }
        Ok(Self::with_tree(storage, identity, head, Tree::default()).with_key(key))
    }

    /// Opens a log for reading, and checks that the last head is sealed with the stored key and fits the stored hashes.
    ///
    /// Reads 32 bytes per entry. Whether each entry has its hash is checked when it is read, and by [`Ledger::verify`].
    ///
    /// # Errors
    ///
    /// [`LedgerError::Damaged`] when head and hashes do not fit, with the first damage found by [`crate::verify`].
    pub fn open(storage: S) -> Result<Self, LedgerError> {
        let identity = storage.identity()?.ok_or(LedgerError::NotCreated)?;
        // Counted before the head is read: what another process appends in between comes with a head of its own.
        let stored = storage.len()?;
        let head = storage.latest_head()?.ok_or(Damage::Headless { what: "head" })?;
        let Ok(verifier) = HeadVerifier::from_bytes(identity.public_key) else {
            return Err(Damage::Headless { what: "public key" }.into());
        };
        verifier.verify(&identity.origin, &head).map_err(Damage::from)?;
        let tree = stored_tree(&storage, head.head.size)?;
        let growth = tree.growth();
        if stored > head.head.size || growth.size() != head.head.size || growth.root() != head.head.root {
            return Err(locate(&storage, &verifier, &head, &tree).into());
        }
        Ok(Self::with_tree(storage, identity, head, tree))
    }

    /// Opens a log to append to it; as [`Ledger::open`], with the key.
    ///
    /// # Errors
    ///
    /// Those of [`Ledger::open`], and [`LedgerError::WrongKey`] when the key is not that of the log.
    pub fn resume(storage: S, key: HeadKey) -> Result<Self, LedgerError> {
        let ledger = Self::open(storage)?;
        let expected = ledger.identity.public_key;
        if key.verifier().to_bytes() != expected {
            return Err(LedgerError::WrongKey { expected });
        }
        Ok(ledger.with_key(key))
    }

    fn with_tree(storage: S, identity: Identity, head: SignedHead, tree: Tree) -> Self {
        let (batch, caches, closed_by) = (Batch::default(), Arc::default(), OnceLock::new());
        Self { storage, identity, key: None, head, tree, caches, batch, doubtful: None, closed_by }
    }

    fn with_key(mut self, key: HeadKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Keeps what is read within bounds, so that reading it again is faster: see [`CacheSettings`].
    ///
    /// Only readings of single entries, of [`Ledger::entries_since`] and of proofs use it; [`Ledger::verify`] never does.
    #[must_use]
    pub fn cached(mut self, settings: &CacheSettings) -> Self {
        self.caches = Arc::new(Caches::new(settings));
        self
    }

    /// Keeps what is read together with other ledgers over the same log.
    pub(crate) fn share_caches(&mut self, caches: Arc<Caches>) {
        self.caches = caches;
    }

    /// How often the caches had what was asked for, and what they hold.
    pub fn cache_stats(&self) -> LedgerCacheStats {
        self.caches.stats()
    }

    /// The sealed head over all entries.
    pub fn head(&self) -> &SignedHead {
        &self.head
    }

    /// Name of the log.
    pub fn origin(&self) -> &Origin {
        &self.identity.origin
    }

    /// The public key stored with the log. Trust it only as far as the storage; [`Ledger::verify`] takes the key from
    /// elsewhere.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.identity.public_key
    }

    /// The damage that closed the ledger for writing, if any was met.
    pub fn closed_by(&self) -> Option<&LedgerError> {
        self.closed_by.get()
    }

    /// The storage.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Gives the storage back, for instance to close it.
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// One entry, checked against its stored leaf hash.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchEntry`] beyond the end, [`LedgerError::Damaged`] when it was altered.
    pub fn entry(&self, index: u64) -> Result<Entry, LedgerError> {
        let size = self.head.head.size;
        if index >= size {
            return Err(LedgerError::NoSuchEntry { index, size });
        }
        if let Some(entry) = self.caches.entry(index) {
            return Ok(entry);
        }
        let entry = self.stored_entry(index).map_err(|error| self.noted(error))?;
        self.caches.keep_entry(index, &entry);
        Ok(entry)
    }

    fn stored_entry(&self, index: u64) -> Result<Entry, LedgerError> {
        let mut found = None;
        self.storage.scan(index..index + 1, &mut |row| {
            found = Some(read_row(row));
            ControlFlow::Break(())
        })?;
        Ok(found.ok_or(Damage::EntryMissing { index })??)
    }

    /// The entries from an index up to the present head, with their indices, each checked against its stored leaf hash.
    ///
    /// Holds at most 256 entries at a time. Ends after the first error.
    pub fn entries_since(&self, index: u64) -> EntriesSince<'_, S> {
        EntriesSince::new(self, index..self.head.head.size.max(index))
    }

    /// The root of the log when it had `size` entries: what an old head must show.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchSize`] beyond the present size.
    pub fn root_at(&self, size: u64) -> Result<Digest, LedgerError> {
        check_size(size, self.head.head.size)?;
        if size == 0 {
            return Ok(Head::empty().root);
        }
        self.range_root(0..size)
    }

    /// Proves that an entry is in the log of a given size, for instance that of a head someone holds.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchSize`] or [`LedgerError::NoSuchEntry`] when there is nothing to prove,
    /// [`LedgerError::Damaged`] when stored hashes were altered: what is given out verifies.
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<InclusionProof, LedgerError> {
        check_size(size, self.head.head.size)?;
        if index >= size {
            return Err(LedgerError::NoSuchEntry { index, size });
        }
        let path = self.range_roots(inclusion_ranges(index, size))?;
        Ok(InclusionProof { index, size, path })
    }

    /// Proves that the log of `new_size` entries begins with the log of `old_size` entries.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchSize`] unless `old_size <= new_size <=` present size; [`LedgerError::Damaged`] as for
    /// [`Ledger::prove_inclusion`].
    pub fn prove_consistency(&self, old_size: u64, new_size: u64) -> Result<ConsistencyProof, LedgerError> {
        check_size(new_size, self.head.head.size)?;
        check_size(old_size, new_size)?;
        let path = self.range_roots(consistency_ranges(old_size, new_size))?;
        Ok(ConsistencyProof { old_size, new_size, path })
    }

    /// Checks the whole log as stored, as [`crate::verify`], and that it ends in the head this ledger holds.
    ///
    /// # Errors
    ///
    /// The first [`Damage`].
    pub fn verify(&self, verifier: &HeadVerifier) -> Result<Verified, Damage> {
        let whole = audit::verify(&self.storage, verifier).and_then(|verified| {
            let lost = verified.entries < self.head.head.size;
            if lost { Err(Damage::EntryMissing { index: verified.entries }) } else { Ok(verified) }
        });
        whole.inspect_err(|damage| {
            self.noted(damage.clone().into());
        })
    }

    /// Passes an error on, and closes the ledger for writing if it tells of damage.
    fn noted(&self, error: LedgerError) -> LedgerError {
        if error.is_damage() {
            // Only the first damage is kept; a second one changes nothing.
            let _ = self.closed_by.set(error.clone());
        }
        error
    }
}

fn check_size(size: u64, size_max: u64) -> Result<(), LedgerError> {
    if size <= size_max { Ok(()) } else { Err(LedgerError::NoSuchSize { size, size_max }) }
}

/// The tree over the first `size` stored leaf hashes, or over those before the first gap.
fn stored_tree<S: Storage>(storage: &S, size: u64) -> Result<Tree, LedgerError> {
    let mut tree = Tree::default();
    let mut growth = tree.growth();
    storage.scan_leaves(0..size, &mut |index, leaf| {
        if index != growth.size() {
            return ControlFlow::Break(());
        }
        growth.push(leaf);
        ControlFlow::Continue(())
    })?;
    tree.adopt(growth);
    Ok(tree)
}

/// Finds what is wrong in a storage whose hashes do not fit its last head.
fn locate<S: Storage>(storage: &S, verifier: &HeadVerifier, head: &SignedHead, tree: &Tree) -> Damage {
    audit::verify(storage, verifier).err().unwrap_or_else(|| Damage::RootMismatch {
        first: 0,
        size: head.head.size,
        sealed: head.head.root,
        computed: tree.growth().root(),
    })
}
