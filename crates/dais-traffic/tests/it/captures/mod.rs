//! Captures built packet by packet: what each becomes is known.

mod bounds;
mod broken;
pub(crate) mod build;
mod flows;
mod formats;
mod headers;
