//! Carrying what is good in a damaged log into a new one.

use std::ops::ControlFlow;

use crate::audit::{Damage, read_row};
use crate::head::{HeadVerifier, SignedHead};
use crate::origin::Origin;
use crate::storage::{Batch, Identity, Storage, StorageError};
use crate::tree::Frontier;

/// What is known of a damaged log from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The public key of its heads. Nothing is copied that this key did not seal.
    pub verifier: &'a HeadVerifier,
    /// Its name, for a log whose own record of it cannot be read.
    pub origin: Option<&'a Origin>,
    /// Heads kept outside of the storage: they stand in for those that cannot be read there. Who holds the secret key
    /// can always give the head of the empty log, which is sealed the same way every time.
    pub heads: &'a [SignedHead],
}

/// What was carried over, and what was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Name of the log.
    pub origin: Origin,
    /// Number of entries saved.
    pub entries: u64,
    /// Number of sealed heads saved, that of the empty log included.
    pub heads: u64,
    /// The last head of the new log.
    pub head: SignedHead,
    /// What was lost; `None` when everything was good.
    pub lost: Option<Lost>,
}

/// What a salvage had to leave behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The first damage, in the order of the log.
    pub damage: Damage,
    /// Number of entries left behind; `None` when the storage cannot tell how many it had.
    pub entries: Option<u64>,
    /// Number of readable heads left behind, because their seal is not good or their entries are not.
    pub heads: u64,
}

/// Why nothing was salvaged, or a salvage ended in the middle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SalvageError {
    /// Nothing in the damaged log can be trusted; the new storage was not touched.
    #[error("nothing can be salvaged: {0}")]
    Nothing(Damage),
    /// The new storage failed; what it holds by then is a whole, shorter log.
    #[error("the salvaged log cannot be written: {0}")]
    Into(StorageError),
}

/// Copies the good beginning of a log into an empty storage: the same entries under the same sealed heads.
///
/// Good are the entries up to the last head that has its seal and whose entries give its root. A batch with a bad entry
/// is left behind whole, since no head seals a part of it; a head with a bad seal is left behind alone, if the entries
/// around it are good. The structure of the storage is not checked first: it is read as far as it can be read. The
/// damaged storage is never written.
///
/// Holds one batch in memory at a time.
///
/// # Errors
///
/// [`SalvageError::Nothing`] when key or head of the empty log are missing or foreign, [`SalvageError::Into`] when the
/// new storage holds a log already or fails.
pub fn salvage<F, I>(from: &F, into: &mut I, known: &Known<'_>) -> Result<Salvaged, SalvageError>
where
    F: Storage + ?Sized,
    I: Storage + ?Sized,
{
    let origin = origin(from, known).map_err(SalvageError::Nothing)?;
    let mut candidates = Candidates::new(from, known.heads);
    let mut salvage = Salvage { from, into, frontier: Frontier::default(), batch: Batch::default(), good: None };
    let (mut heads, mut heads_lost) = (0, 0);
    let mut damage = None;
    let mut readable = true;
    while let Some(found) = candidates.next(salvage.good.map_or(0, |good| good.head.size)) {
        let carried = found.and_then(|signed| {
            if !readable {
                return Ok(false);
            }
            known.verifier.verify(&origin, &signed).map_err(|seal| Carry::Head(seal.into()))?;
            if salvage.good.is_none_or(|good| good.head != signed.head) {
                salvage.carry(&origin, known.verifier, signed)?;
                heads += 1;
            }
            Ok(true)
        });
        match carried {
            Ok(true) => (),
            Ok(false) => heads_lost += 1,
            Err(Carry::Unread(found)) => {
                damage.get_or_insert(found);
            }
            Err(Carry::Head(found)) => {
                heads_lost += 1;
                damage.get_or_insert(found);
            }
            Err(Carry::Entries(found)) => {
                heads_lost += 1;
                damage.get_or_insert(found);
                readable = false;
            }
            Err(Carry::Into(error)) => return Err(SalvageError::Into(error)),
        }
    }
    let Some(head) = salvage.good else {
        let nothing = Damage::Headless { what: "head of the empty log" };
        return Err(SalvageError::Nothing(damage.unwrap_or(nothing)));
    };
    let entries = head.head.size;
    let stored = from.len();
    if let Ok(stored) = stored
        && stored > entries
    {
        damage.get_or_insert(Damage::EntriesUnsealed { first: entries, last: stored - 1 });
    }
    let lost = damage.map(|damage| Lost {
        damage,
        entries: stored.ok().map(|all| all.saturating_sub(entries)),
        heads: heads_lost,
    });
    Ok(Salvaged { origin, entries, heads, head, lost })
}

/// The name of the log, from its storage or from elsewhere.
fn origin<F: Storage + ?Sized>(from: &F, known: &Known<'_>) -> Result<Origin, Damage> {
    let expected = known.verifier.to_bytes();
    match (from.identity(), known.origin) {
        (_, Some(origin)) => Ok(origin.clone()),
        (Ok(Some(identity)), None) if identity.public_key == expected => Ok(identity.origin),
        (Ok(Some(identity)), None) => Err(Damage::ForeignKey { found: identity.public_key, expected }),
        (Ok(None), None) => Err(Damage::Headless { what: "identity" }),
        (Err(source), None) => Err(Damage::Unreadable { entries_read: 0, source }),
    }
}

/// Why a head was not carried over.
enum Carry {
    /// It cannot be read.
    Unread(Damage),
    /// It is not good, which says nothing about its entries.
    Head(Damage),
    /// Its entries are not good, and nothing after them can be.
    Entries(Damage),
    /// The new storage failed.
    Into(StorageError),
}

struct Salvage<'a, F: ?Sized, I: ?Sized> {
    from: &'a F,
    into: &'a mut I,
    /// The tree over the entries read so far, those in `batch` included.
    frontier: Frontier,
    /// Good entries behind the last good head.
    batch: Batch,
    good: Option<SignedHead>,
}

impl<F: Storage + ?Sized, I: Storage + ?Sized> Salvage<'_, F, I> {
    /// Reads the entries up to a head whose seal is good, and writes them with it.
    fn carry(&mut self, origin: &Origin, verifier: &HeadVerifier, signed: SignedHead) -> Result<(), Carry> {
        if signed.head.size == 0 {
            if signed.head.root != self.frontier.root() {
                return Err(Carry::Head(Damage::Headless { what: "head of the empty log" }));
            }
            let identity = Identity { origin: origin.clone(), public_key: verifier.to_bytes() };
            self.into.initialise(&identity, &signed).map_err(Carry::Into)?;
            self.good = Some(signed);
            return Ok(());
        }
        if self.good.is_none() {
            return Err(Carry::Entries(Damage::Headless { what: "head of the empty log" }));
        }
        self.read_to(signed.head.size).map_err(Carry::Entries)?;
        let computed = self.frontier.root();
        if computed != signed.head.root {
            let first = self.batch.first_index();
            let mismatch = Damage::RootMismatch { first, size: signed.head.size, sealed: signed.head.root, computed };
            return Err(Carry::Entries(mismatch));
        }
        self.into.append_batch(&self.batch, &signed).map_err(Carry::Into)?;
        self.batch.restart(signed.head.size);
        self.good = Some(signed);
        Ok(())
    }

    fn read_to(&mut self, size: u64) -> Result<(), Damage> {
        let mut damage = None;
        let (frontier, batch) = (&mut self.frontier, &mut self.batch);
        let scanned = self.from.scan(frontier.size()..size, &mut |row| {
            let index = frontier.size();
            let checked = if row.index == index { read_row(row) } else { Err(Damage::EntryMissing { index }) };
            match checked {
                Ok(entry) => {
                    frontier.push(batch.push(&entry), |_, _| ());
                    ControlFlow::Continue(())
                }
                Err(found) => {
                    damage = Some(found);
                    ControlFlow::Break(())
                }
            }
        });
        let entries_read = self.frontier.size();
        scanned.map_err(|source| Damage::Unreadable { entries_read, source })?;
        match damage {
            Some(damage) => Err(damage),
            None if entries_read < size => Err(Damage::EntryMissing { index: entries_read }),
            None => Ok(()),
        }
    }
}

/// The heads to try, those of the storage and those kept elsewhere, in ascending order of size.
struct Candidates<'a, F: ?Sized> {
    from: &'a F,
    kept: Vec<SignedHead>,
    /// Size of the last head taken from the storage.
    stored: Option<u64>,
    next_stored: Option<SignedHead>,
    /// Number of entries in the storage, 0 if it cannot tell: no head worth looking for is larger.
    entries: u64,
    /// Whether the storage can still be asked for the next head.
    steps: bool,
    /// Whether it was said that a head cannot be read.
    unread_told: bool,
    /// Whether the last head of the storage was not seen yet.
    last_unseen: bool,
}

impl<'a, F: Storage + ?Sized> Candidates<'a, F> {
    fn new(from: &'a F, kept: &[SignedHead]) -> Self {
        let mut kept = kept.to_vec();
        kept.sort_by_key(|signed| std::cmp::Reverse(signed.head.size));
        let entries = from.len().unwrap_or(0);
        let (stored, next_stored) = (None, None);
        Self { from, kept, stored, next_stored, entries, steps: true, unread_told: false, last_unseen: true }
    }

    /// The next head, or that it cannot be read; `None` after the last. `good` is the size saved so far.
    fn next(&mut self, good: u64) -> Option<Result<SignedHead, Carry>> {
        if self.next_stored.is_none()
            && let Err(source) = self.read_stored(good)
        {
            return Some(Err(Carry::Unread(Damage::Unreadable { entries_read: good, source })));
        }
        let kept_first = match (self.kept.last(), &self.next_stored) {
            (Some(kept), Some(stored)) => kept.head.size <= stored.head.size,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !kept_first {
            return self.next_stored.take().map(Ok);
        }
        // A head that is also in the storage is tried once.
        if self.next_stored.as_ref() == self.kept.last() {
            self.next_stored = None;
        }
        self.kept.pop().map(Ok)
    }

    fn read_stored(&mut self, good: u64) -> Result<(), StorageError> {
        while self.steps {
            match self.from.next_head(self.stored) {
                Ok(Some(signed)) if self.stored.is_none_or(|stored| signed.head.size > stored) => {
                    self.stored = Some(signed.head.size);
                    self.next_stored = Some(signed);
                    return Ok(());
                }
                Ok(_) => self.steps = false,
                Err(source) => {
                    // The size of a head that cannot be read is not known: every size is tried until there is a good one.
                    self.stored = Some(self.stored.map_or(0, |stored| stored + 1));
                    self.steps = self.stored < Some(self.entries);
                    if !std::mem::replace(&mut self.unread_told, true) {
                        return Err(source);
                    }
                }
            }
        }
        // A bad size may have led past good heads; the last one covers all entries.
        if self.last_unseen {
            self.last_unseen = false;
            let last = self.from.latest_head()?;
            self.next_stored = last.filter(|last| last.head.size > good && self.stored != Some(last.head.size));
        }
        Ok(())
    }
}
