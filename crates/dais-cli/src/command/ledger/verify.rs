//! `dais ledger verify`.

use std::process::ExitCode;
use std::time::Instant;

use dais_ledger::{Damage, HeadVerifier, Storage, StorageError, Verified, verify as verify_log};
use serde_json::json;

use crate::args::ledger::VerifyLogArgs;
use crate::place;
use crate::screen::figure::{plural, seconds};
use crate::screen::meter::Meter;
use crate::screen::output::{self, Ink};
use crate::screen::table::Table;

pub(super) fn verify(args: &VerifyLogArgs) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let meter = Meter::working("verifying entries, hashes and seals");
    let place = place::of(&args.ledger)?;
    let found = match place::open(&place, &args.server) {
        Ok(storage) => check(&*storage, args.public_key),
        Err(error) => match error.downcast() {
            Ok(source @ StorageError::Corrupt { .. }) => Err(Damage::Unreadable { entries_read: 0, source }),
            Ok(error) => return Err(place::failed(&place.location, error)),
            Err(error) => return Err(error),
        },
    };
    drop(meter);
    if let Some(unread) = found.as_ref().err().and_then(place::unread) {
        return Err(place::failed(&place.location, unread.clone()));
    }
    let wall_s = began.elapsed().as_secs_f64();
    let given = args.public_key.is_some();
    let text = match (&found, args.json) {
        (Ok((verified, key)), false) => whole(verified, *key, given, wall_s),
        (Err(damage), false) => damaged(damage),
        (Ok((verified, key)), true) => {
            let object = json!({
                "ok": true, "origin": verified.origin, "entries": verified.entries, "heads": verified.heads,
                "head": verified.head, "public_key": key, "public_key_given": given, "wall_s": wall_s,
            });
            format!("{object}\n")
        }
        (Err(damage), true) => {
            let object = json!({ "ok": false, "entry": damage.first_index(), "message": damage.to_string() });
            format!("{object}\n")
        }
    };
    output::print(&text)?;
    Ok(if found.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(storage: &dyn Storage, expected: Option<HeadVerifier>) -> Result<(Verified, HeadVerifier), Damage> {
    let stored = || {
        let identity = storage.identity().map_err(|source| Damage::Unreadable { entries_read: 0, source })?;
        let identity = identity.ok_or(Damage::Headless { what: "identity" })?;
        HeadVerifier::from_bytes(identity.public_key).map_err(|_| Damage::Headless { what: "public key" })
    };
    let key = expected.map_or_else(stored, Ok)?;
    verify_log(storage, &key).map(|verified| (verified, key))
}

fn whole(verified: &Verified, key: HeadVerifier, given: bool, wall_s: f64) -> String {
    let ink = Ink::of_stdout();
    let mut table = Table::new(2);
    let log = format!(
        "{} and {} in {}: every hash, root and seal fits",
        plural(verified.entries, "entry"),
        plural(verified.heads, "head"),
        verified.origin
    );
    table.row(["log".to_owned(), log]);
    table.row(["head".to_owned(), verified.head.head.root.to_string()]);
    table.row(["key".to_owned(), hex::encode(key.to_bytes())]);
    let mut lines = table.lines();
    if !given {
        let note = "  the key is the one in the file; --public-key says whose log it must be";
        lines.push(ink.faint(note));
    }
    lines.push(format!("{} in {}", ink.heading("verified"), seconds(wall_s)));
    lines.join("\n") + "\n"
}

fn damaged(damage: &Damage) -> String {
    let ink = Ink::of_stdout();
    let place = damage.first_index().map(|index| format!("\n  first bad entry: {index}")).unwrap_or_default();
    format!("{}\n  {damage}{place}\n", ink.strong("The log does not hold."))
}
