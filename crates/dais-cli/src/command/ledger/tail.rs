//! `dais ledger tail`.

use std::process::ExitCode;
use std::time::Duration;

use super::reader::{self, Listing};
use super::source::open;
use crate::args::ledger::TailArgs;
use crate::screen::output;

/// Time between two looks at a ledger that is followed.
const LOOK: Duration = Duration::from_millis(200);

pub(super) fn tail(args: &TailArgs) -> anyhow::Result<ExitCode> {
    let storage = open(&args.ledger, &args.server)?;
    let mut size = reader::size(&*storage)?;
    let mut next = size.saturating_sub(args.lines);
    let mut listing = Listing::new(size, args.json);
    loop {
        let read = reader::entries(&*storage, next..size, &mut |index, entry| listing.entry(index, &entry))?;
        let gone = read.is_break() || listing.flush()?.is_break();
        if gone || !args.follow || output::wait_for_reader(LOOK).is_break() {
            return Ok(ExitCode::SUCCESS);
        }
        next = size;
        size = storage.latest_head()?.map_or(size, |head| head.head.size.max(size));
    }
}
