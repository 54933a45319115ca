//! `dais ledger salvage`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_ledger::{Durability, HeadVerifier, Known, SalvageError, Salvaged, SqliteStorage, Storage};
use serde_json::json;

use crate::args::ledger::SalvageArgs;
use crate::place;
use crate::run::ending;
use crate::screen::figure::plural;
use crate::screen::meter::Meter;
use crate::screen::output;

pub(super) fn salvage(args: &SalvageArgs) -> anyhow::Result<ExitCode> {
    let damaged = place::file(
        place::of(&args.ledger)?,
        &|_| "repair it there or restore the server's own backup, or make a new ledger of an export with `dais ledger import`",
    )?;
    let from = SqliteStorage::open_damaged(damaged)?;
    let verifier = args.public_key.map_or_else(|| stored_key(&from), Ok)?;
    let to = place::location(&args.to)?;
    let mut into = place::create(&to, &args.server.options(Durability::Full))?;
    ending::remove_on_signal(&to)?;
    let known = Known { verifier: &verifier, origin: None, heads: &[] };
    let meter = Meter::working("reading what can be read");
    let salvaged = dais_ledger::salvage(&from, &mut into, &known);
    drop(meter);
    let salvaged = match salvaged {
        Ok(salvaged) => salvaged,
        Err(error) => {
            drop(into);
            dais_runs::remove_unfinished(&to);
            let SalvageError::Nothing(damage) = error else {
                return Err(anyhow::Error::from(error).context(place::shown_location(&to)));
            };
            output::print(&format!("Nothing can be salvaged.\n  {damage}\n"))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    drop(into);
    dais_runs::close_file(&to)?;
    output::print(&if args.json { object(&salvaged) } else { lines(&place::shown_location(&to), &salvaged) })?;
    Ok(ExitCode::SUCCESS)
}

fn stored_key(from: &SqliteStorage) -> anyhow::Result<HeadVerifier> {
    let identity = from.identity().context("the key of the log cannot be read: give it with --public-key")?;
    let Some(identity) = identity else { bail!("the log has no key: give it with --public-key") };
    Ok(HeadVerifier::from_bytes(identity.public_key)?)
}

fn lines(to: &str, salvaged: &Salvaged) -> String {
    let saved = format!("{to}\n  {} and {} saved\n", plural(salvaged.entries, "entry"), plural(salvaged.heads, "head"));
    let Some(lost) = &salvaged.lost else { return saved + "  nothing is lost: the log is whole\n" };
    let entries = lost.entries.map_or("an unknown number of entries".to_owned(), |entries| plural(entries, "entry"));
    format!("{saved}  {entries} and {} left behind: {}\n", plural(lost.heads, "head"), lost.damage)
}

fn object(salvaged: &Salvaged) -> String {
    let lost = salvaged
        .lost
        .as_ref()
        .map(|lost| json!({ "entries": lost.entries, "heads": lost.heads, "message": lost.damage.to_string() }));
    let object = json!({
        "origin": salvaged.origin, "entries": salvaged.entries, "heads": salvaged.heads, "head": salvaged.head,
        "lost": lost,
    });
    format!("{object}\n")
}
