//! The roots of parts of the tree, for proofs.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::Ledger;
use crate::audit::Damage;
use crate::digest::Digest;
use crate::error::LedgerError;
use crate::storage::Storage;
use crate::tree::{Frontier, SPAN_LEAVES, Span};

impl<S: Storage> Ledger<S> {
    /// The roots over ranges of leaves, each split as RFC 6962 splits a tree of that width.
    pub(super) fn range_roots(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Digest>, LedgerError> {
        // Neighbouring ranges of a proof lie in the same span.
        let mut last: Option<(u64, Arc<Span>)> = None;
        let mut span = |number| match &last {
            Some((known, span)) if *known == number => Ok(Arc::clone(span)),
            _ => Ok(Arc::clone(&last.insert((number, self.span(number)?)).1)),
        };
        ranges.into_iter().map(|range| self.tree.range_root(range, &mut span)).collect()
    }

    /// The root over a range of leaves, split as RFC 6962 splits a tree of that width.
    pub(crate) fn range_root(&self, range: Range<u64>) -> Result<Digest, LedgerError> {
        self.tree.range_root(range, &mut |number| self.span(number))
    }

    /// The right edge of the tree as it was at `size`, which is at most the present one.
    pub(crate) fn frontier_at(&self, size: u64) -> Result<Frontier, LedgerError> {
        Frontier::from_parts(size, |range| self.range_root(range))
    }

    fn span(&self, number: u64) -> Result<Arc<Span>, LedgerError> {
        let first = number * SPAN_LEAVES;
        let range = first..self.head.head.size.min(first + SPAN_LEAVES);
        if let Some(span) = self.caches.span(number, range.end - first) {
            return Ok(span);
        }
        let span = self.stored_span(range).map_err(|error| self.noted(error))?;
        self.caches.keep_span(number, &span);
        Ok(span)
    }

    /// The span over stored leaf hashes, which must lead to the root that the tree knows.
    fn stored_span(&self, range: Range<u64>) -> Result<Arc<Span>, LedgerError> {
        let mut leaves = Vec::with_capacity((range.end - range.start) as usize);
        let mut next = range.start;
        self.storage.scan_leaves(range.clone(), &mut |index, leaf| {
            if index != next {
                return ControlFlow::Break(());
            }
            next += 1;
            leaves.push(leaf);
            ControlFlow::Continue(())
        })?;
        if next < range.end {
            return Err(Damage::EntryMissing { index: next }.into());
        }
        let span = Arc::new(Span::new(range.start, leaves));
        let computed = span.range_root(range.clone());
        match self.tree.kept(&range) {
            Some(sealed) if sealed != computed => {
                let replaced = Damage::RootMismatch { first: range.start, size: range.end, sealed, computed };
                Err(self.first_altered(range)?.unwrap_or(replaced).into())
            }
            _ => Ok(span),
        }
    }
}
