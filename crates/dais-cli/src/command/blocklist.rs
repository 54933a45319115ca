//! `dais blocklist`.

mod format;

use std::process::ExitCode;

use dais_ledger::Durability;

use crate::args::blocklist::BlocklistArgs;
use crate::place;
use crate::screen::output;

pub(crate) fn blocklist(args: &BlocklistArgs) -> anyhow::Result<ExitCode> {
    let place = place::of_run(&args.run, args.ledger.as_deref())?;
    let archive = place.archive(&args.server.options(Durability::default()));
    let archive = archive.map_err(|error| place::unopened(&place, error))?;
    let blocked = dais_lab::blocklist(archive)?;
    output::print(&format::text(&blocked, args.format, &place::shown(&args.run)))?;
    if blocked.is_empty() {
        output::say("nothing is blocked at the end of this run");
    }
    Ok(ExitCode::SUCCESS)
}
