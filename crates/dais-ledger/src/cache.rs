//! What was read before, kept in memory within bounds.
//!
//! An entry under a sealed head never changes, so what is kept never goes stale, and nothing has to be invalidated: not
//! with time, and not when the log grows, but for the nodes over its last entries, which are read again to their end. What is kept has been checked as if it were read: an entry against the leaf
//! hash beside it, a part of the tree against the root that the ledger holds.
//!
//! A cache hides damage that happens to the storage afterwards. So verification never uses it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::entry::Entry;
use crate::tree::Span;

/// How much of what was read a ledger, or all readers of a [`crate::ReaderPool`] together, may keep.
///
/// When a bound is reached, what was not asked for again goes first; reading a whole log once does not drive out what is
/// asked for often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Most bytes of entries, with 100 bytes for each beside its body. An entry larger than a small part of this is not
    /// kept. Zero: none are. Default: 16 MiB, about 30,000 entries of 400 bytes.
    pub entries_bytes: u64,
    /// Most bytes of tree nodes for proofs: 17 KiB for each 256 neighbouring entries that a proof was asked for. Zero:
    /// none are kept. Default: 16 MiB, which spans about 250,000 entries.
    pub nodes_bytes: u64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { entries_bytes: 16 << 20, nodes_bytes: 16 << 20 }
    }
}

impl CacheSettings {
    /// Nothing is kept.
    pub const NONE: Self = Self { entries_bytes: 0, nodes_bytes: 0 };
}

/// What a cache did since it was made, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheStats {
    /// How often something was taken from it.
    pub hits: u64,
    /// How often something was read from the storage instead, and kept.
    pub misses: u64,
    /// Number of things it holds: entries, or parts of the tree over 256 entries.
    pub entries: u64,
    /// Their size, in bytes; at most what [`CacheSettings`] allow.
    pub bytes: u64,
}

impl CacheStats {
    /// Share of hits in all that was read, 0 to 1; 0 before anything was.
    pub fn hit_rate(&self) -> f64 {
        let asked = self.hits + self.misses;
        if asked == 0 { 0.0 } else { self.hits as f64 / asked as f64 }
    }
}

/// What the caches of a ledger did, by cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerCacheStats {
    /// Of entries.
    pub entries: CacheStats,
    /// Of tree nodes for proofs.
    pub nodes: CacheStats,
}

/// The caches of a ledger, or of all readers of a pool.
#[derive(Default)]
pub(crate) struct Caches {
    entries: Option<Counted<Arc<Entry>>>,
    spans: Option<Counted<Arc<Span>>>,
}

impl Caches {
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        Self {
            entries: Counted::new(settings.entries_bytes, ENTRY_WEIGHT_USUAL),
            spans: Counted::new(settings.nodes_bytes, Span::BYTES_MAX),
        }
    }

    pub(crate) fn entry(&self, index: u64) -> Option<Entry> {
        self.entries.as_ref()?.get(index, |_| true).map(|entry| Entry::clone(&entry))
    }

    pub(crate) fn keep_entry(&self, index: u64, entry: &Entry) {
        if let Some(entries) = &self.entries {
            entries.keep(index, Arc::new(entry.clone()));
        }
    }

    /// A span with at least so many leaves: the last one of a log grows.
    pub(crate) fn span(&self, number: u64, leaves: u64) -> Option<Arc<Span>> {
        self.spans.as_ref()?.get(number, |span| span.leaves() >= leaves)
    }

    pub(crate) fn keep_span(&self, number: u64, span: &Arc<Span>) {
        if let Some(spans) = &self.spans {
            spans.keep(number, Arc::clone(span));
        }
    }

    pub(crate) fn stats(&self) -> LedgerCacheStats {
        LedgerCacheStats {
            entries: self.entries.as_ref().map(Counted::stats).unwrap_or_default(),
            nodes: self.spans.as_ref().map(Counted::stats).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caches({:?})", self.stats())
    }
}

/// Key, counters, an entry without its body, and the room that tables leave free.
const ENTRY_OVERHEAD: u64 = 100;
/// A guess of how much an entry weighs: it only sizes the tables.
const ENTRY_WEIGHT_USUAL: u64 = 400;

/// Weighs by bytes of memory.
#[derive(Clone)]
struct ByMemory;

impl Weighter<u64, Arc<Entry>> for ByMemory {
    fn weight(&self, _: &u64, entry: &Arc<Entry>) -> u64 {
        ENTRY_OVERHEAD + entry.body.len() as u64
    }
}

impl Weighter<u64, Arc<Span>> for ByMemory {
    fn weight(&self, _: &u64, _: &Arc<Span>) -> u64 {
        Span::BYTES_MAX
    }
}

/// A cache that counts what it saved and what it did not.
struct Counted<V> {
    cache: Cache<u64, V, ByMemory>,
    hits: AtomicU64,
    /// Counted when something is kept: much may be read after a single look.
    misses: AtomicU64,
}

impl<V: Clone> Counted<V>
where
    ByMemory: Weighter<u64, V>,
{
    /// A cache of so many bytes, if they are any.
    fn new(bytes: u64, weight_usual: u64) -> Option<Self> {
        let items = usize::try_from(bytes / weight_usual).unwrap_or(usize::MAX);
        let cache = (bytes > 0).then(|| Cache::with_weighter(items, bytes, ByMemory))?;
        Some(Self { cache, hits: AtomicU64::new(0), misses: AtomicU64::new(0) })
    }

    fn get(&self, key: u64, is_enough: impl FnOnce(&V) -> bool) -> Option<V> {
        let found = self.cache.get(&key).filter(is_enough)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    fn keep(&self, key: u64, value: V) {
        self.misses.fetch_add(1, Ordering::Relaxed);
        self.cache.insert(key, value);
    }

    fn stats(&self) -> CacheStats {
        let (hits, misses) = (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed));
        CacheStats { hits, misses, entries: self.cache.len() as u64, bytes: self.cache.weight() }
    }
}
