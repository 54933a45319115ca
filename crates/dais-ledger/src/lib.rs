//! The append-only Merkle log: entries, proofs, signed heads and their storage.
//!
//! An [`Entry`] is appended as canonical bytes; its hash becomes a leaf of an RFC 6962 tree (SHA-256). After every
//! batch the size and root of the tree, the [`Head`], are sealed with Ed25519 over the text of a C2SP checkpoint. Who
//! holds a sealed head can be shown that an entry is in the log ([`InclusionProof`]) and that a later head only added
//! to it ([`ConsistencyProof`]), without seeing the rest.
//!
//! One [`LedgerWriter`] appends for many threads, and a [`ReaderPool`] lends readers to others meanwhile.
//!
//! Witnesses cosign a head only if it continues what they saw ([`Witness`]); who seals two histories and shows both is
//! convicted by a [`SplitView`]. A log can be exported as static files ([`export_tiles`]) that others verify without it.
//!
//! Entries, tree, heads, proofs and witnesses are pure; files are known only to the implementors of [`Storage`] and to
//! the export. The formats are described to the byte in `docs/reference/ledger-format.md` and
//! `docs/reference/ledger-export.md`.
//!
//! ```
//! use dais_ledger::{Entry, HeadKey, Kind, Ledger, MemoryStorage, Origin};
//!
//! let key = HeadKey::from_seed([7; 32]);
//! let mut ledger = Ledger::create(MemoryStorage::new(), Origin::new("dais/example")?, key.clone())?;
//! let entry = Entry { kind: Kind::Vote, step: 3, author: 12, body: b"confirm".to_vec() };
//! ledger.append_batch(&[entry.clone()])?;
//!
//! let head = ledger.head().head;
//! let proof = ledger.prove_inclusion(0, head.size)?;
//! proof.verify(&entry.leaf_hash(), &head.root)?;
//! assert_eq!(ledger.verify(&key.verifier())?.entries, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod audit;
#[cfg(feature = "backup")]
pub mod backup;
mod cache;
mod checkpoint;
mod cosignature;
mod digest;
mod entry;
mod error;
mod head;
mod ledger;
mod note;
mod origin;
mod pool;
mod proof;
mod proof_text;
mod salvage;
mod split_view;
mod storage;
mod tiles;
mod tree;
mod witness;
mod writer;

pub use audit::{Damage, Verified, verify};
pub use cache::{CacheSettings, CacheStats, LedgerCacheStats};
pub use checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, CheckpointError, SIGNATURES_MAX, Unsigned};
pub use cosignature::{CosignedHead, NotWitnessed, PolicyError, WitnessPolicy, WitnessVerifier};
pub use digest::{Digest, DigestError};
pub use entry::{BODY_BYTES_MAX, COORDINATOR, DecodeError, ENTRY_BYTES_MAX, Entry, Kind};
pub use error::LedgerError;
pub use head::{Head, HeadKey, HeadSeal, HeadVerifier, InvalidKey, InvalidSeal, SignedHead};
pub use ledger::{EntriesSince, Ledger};
pub use note::{NoteSignature, NoteSignatureError, VkeyError};
pub use origin::{Origin, OriginError};
pub use pool::{PoolError, PoolStats, Reader, ReaderPool};
pub use proof::{ConsistencyProof, InclusionProof, ProofError};
pub use proof_text::{ConsistencyText, Included, InclusionText, NotProven, ProofTextError};
pub use salvage::{Known, Lost, SalvageError, Salvaged, salvage};
pub use split_view::{SplitView, SplitViewError};
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use storage::ServerStorage;
#[cfg(feature = "sqlite")]
pub use storage::SqliteStorage;
pub use storage::{
    Batch, Durability, Identity, Location, LocationError, MemoryStorage, PoolSettings, RowRef, ServerSettings,
    ServerUrl, Storage, StorageError, StorageOptions, System,
};
pub use tiles::{
    ExportError, Exported, FileError, IMPORT_BATCH_BYTES_MAX, ImportError, TileFault, VerifiedTiles, add_cosignatures,
    export_tiles, import_tiles, verify_tiles,
};
pub use tree::{empty_root, leaf_hash, node_hash};
pub use witness::{Refused, Witness};
pub use writer::{Appender, LedgerWriter, Pending, WriteError, WriterParams};
