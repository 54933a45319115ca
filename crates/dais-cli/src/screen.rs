//! What is shown at a terminal: text, tables, progress.

pub(crate) mod eval;
pub(crate) mod figure;
pub(crate) mod found;
pub(crate) mod line;
pub(crate) mod mask;
pub(crate) mod meter;
pub(crate) mod output;
pub(crate) mod summary;
pub(crate) mod sweep;
pub(crate) mod table;
pub(crate) mod witness;
