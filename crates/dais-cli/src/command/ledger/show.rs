//! `dais ledger show`.

use std::ops::ControlFlow;
use std::process::ExitCode;

use anyhow::bail;
use dais_ledger::{Entry, Storage};

use super::content;
use super::reader::{self, Listing};
use super::source::open;
use crate::args::ledger::ShowArgs;
use crate::args::value::author_name;
use crate::screen::figure::{count, plural};
use crate::screen::output::{self, Ink};
use crate::screen::table::Table;

/// Entries shown where no limit is given.
const ENTRIES_MAX: u64 = 50;

pub(super) fn show(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let storage = open(&args.ledger, &args.server)?;
    match args.index {
        Some(index) => one(&*storage, index, args.json)?,
        None => many(&*storage, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn one(storage: &dyn Storage, index: u64, json: bool) -> anyhow::Result<()> {
    let size = reader::size(storage)?;
    if index >= size {
        bail!("there is no entry {index}: the log has {}, counted from 0", plural(size, "entry"));
    }
    let mut text = String::new();
    let origin = storage.identity()?.map(|identity| identity.origin.to_string()).unwrap_or_default();
    let _ = reader::entries(storage, index..index + 1, &mut |index, entry| {
        text = if json { format!("{}\n", content::object(index, &entry)) } else { full(index, &entry, size, &origin)? };
        Ok(ControlFlow::Continue(()))
    })?;
    output::print(&text)
}

fn full(index: u64, entry: &Entry, size: u64, origin: &str) -> anyhow::Result<String> {
    let ink = Ink::of_stdout();
    let mut table = Table::new(2);
    table.row(["kind".to_owned(), entry.kind.name().to_owned()]);
    table.row(["step".to_owned(), count(entry.step.into())]);
    table.row(["author".to_owned(), author_name(entry.author)]);
    table.row(["body".to_owned(), plural(entry.body.len() as u64, "byte")]);
    table.row(["leaf".to_owned(), entry.leaf_hash().to_string()]);
    let heading = ink.heading(&format!("entry {} of {} in {origin}", count(index), count(size)));
    let body = serde_json::to_string_pretty(&content::body(entry))?;
    Ok(format!("{heading}\n{}\n{body}\n", table.lines().join("\n")))
}

fn many(storage: &dyn Storage, args: &ShowArgs) -> anyhow::Result<()> {
    let size = reader::size(storage)?;
    let limit = args.limit.unwrap_or(if args.json { u64::MAX } else { ENTRIES_MAX });
    let wanted = |entry: &Entry| {
        args.kind.is_none_or(|kind| kind == entry.kind)
            && args.author.is_none_or(|author| author == entry.author)
            && args.step.is_none_or(|step| step == entry.step)
    };
    let mut listing = Listing::new(size, args.json);
    let mut shown = 0;
    let mut more = false;
    if listing.heading()?.is_break() {
        return Ok(());
    }
    let read = reader::entries(storage, 0..size, &mut |index, entry| {
        if !wanted(&entry) {
            return Ok(ControlFlow::Continue(()));
        }
        if shown == limit {
            more = true;
            return Ok(ControlFlow::Break(()));
        }
        shown += 1;
        listing.entry(index, &entry)
    })?;
    if more {
        let _ = listing.note(&format!("the first {}; there are more: --limit N", plural(shown, "entry")))?;
    } else if read.is_continue() {
        let _ = listing.note(&format!("{} of {}", count(shown), plural(size, "entry")))?;
    }
    let _ = listing.flush()?;
    Ok(())
}
