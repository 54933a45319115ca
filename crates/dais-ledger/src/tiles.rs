//! A log as static files that any web server can hand out (C2SP `tlog-tiles`).
//!
//! [`export_tiles`] writes them, [`verify_tiles`] checks them with nothing but the name and public key of the log, and
//! [`import_tiles`] makes a ledger of them again. The layout is described to the byte in
//! `docs/reference/ledger-export.md`.

mod bundle;
mod export;
mod fault;
mod folder;
mod import;
mod layout;
mod surplus;
mod verify;
mod walk;

pub use export::{ExportError, Exported, add_cosignatures, export_tiles};
pub use fault::TileFault;
pub use folder::FileError;
pub use import::{IMPORT_BATCH_BYTES_MAX, ImportError, import_tiles};
pub use verify::{VerifiedTiles, verify_tiles};
