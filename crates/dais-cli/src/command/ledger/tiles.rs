//! `dais ledger export`, `verify-export` and `import`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_ledger::{Durability, HeadVerifier, ImportError, Ledger, TileFault, export_tiles, import_tiles, verify_tiles};
use serde_json::json;

use super::source::open;
use crate::args::ledger::{ExportArgs, ImportArgs, VerifyExportArgs};
use crate::place;
use crate::run::ending;
use crate::screen::figure::{bytes, plural};
use crate::screen::meter::Meter;
use crate::screen::output::{self, Ink};

pub(super) fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let ledger = Ledger::open(open(&args.ledger, &args.server)?)?;
    let verifier = HeadVerifier::from_bytes(*ledger.public_key())?;
    let key = verifier.to_vkey(ledger.origin());
    let meter = Meter::working("writing tiles");
    let exported = export_tiles(&ledger, &args.to)?;
    drop(meter);
    let size = exported.head.head.size;
    let text = if args.json {
        let object = json!({
            "entries": size, "entries_added": exported.entries_added, "files": exported.files, "bytes": exported.bytes,
            "head": exported.head, "key": key,
        });
        format!("{object}\n")
    } else {
        format!(
            "{}\n  {} in the export, {} of it new; {} written now ({})\n  key  {key}\n  check it: dais ledger verify-export {} --key '{key}'\n",
            args.to.display(),
            plural(size, "entry"),
            plural(exported.entries_added, "entry"),
            plural(exported.files, "file"),
            bytes(exported.bytes),
            args.to.display(),
        )
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn verify_export(args: &VerifyExportArgs) -> anyhow::Result<ExitCode> {
    let (origin, verifier) = &args.key;
    be_folder(&args.export)?;
    let meter = Meter::working("verifying checkpoint, tiles and entries");
    let found = verify_tiles(&args.export, origin, verifier);
    drop(meter);
    let text = match (&found, args.json) {
        (Ok(verified), false) => format!(
            "{}: {} in {} of {origin}: every hash fits, up to the sealed root {}\n",
            Ink::of_stdout().heading("verified"),
            plural(verified.entries, "entry"),
            plural(verified.files, "file"),
            verified.head.head.root
        ),
        (Ok(verified), true) => {
            let (entries, heads, files) = (verified.entries, verified.heads, verified.files);
            let object =
                json!({ "ok": true, "entries": entries, "heads": heads, "files": files, "head": verified.head });
            format!("{object}\n")
        }
        (Err(fault), false) => damaged(fault),
        (Err(fault), true) => {
            let object = json!({ "ok": false, "entry": fault.first_index(), "message": fault.to_string() });
            format!("{object}\n")
        }
    };
    output::print(&text)?;
    Ok(if found.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn import(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let (origin, verifier) = &args.key;
    be_folder(&args.export)?;
    let to = place::location(&args.to)?;
    let storage = place::create(&to, &args.server.options(Durability::Full))?;
    ending::remove_on_signal(&to)?;
    let meter = Meter::working("verifying and importing");
    let imported = import_tiles(&args.export, origin, verifier, storage);
    drop(meter);
    let size = match imported {
        Ok(ledger) => ledger.head().head.size,
        Err(error) => {
            dais_runs::remove_unfinished(&to);
            let ImportError::Fault(fault) = error else {
                return Err(anyhow::Error::from(error).context(place::shown_location(&to)));
            };
            output::print(&damaged(&fault))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    dais_runs::close_file(&to)?;
    let shown = place::shown_location(&to);
    output::print(&format!("{shown}\n  {} of {origin}, with their heads\n", plural(size, "entry")))?;
    Ok(ExitCode::SUCCESS)
}

fn be_folder(path: &Path) -> anyhow::Result<()> {
    let found = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    if !found.is_dir() {
        bail!("{}: expected the folder of an export", path.display());
    }
    Ok(())
}

fn damaged(fault: &TileFault) -> String {
    let place = fault.first_index().map(|index| format!("\n  first bad entry: {index}")).unwrap_or_default();
    format!("{}\n  {fault}{place}\n", Ink::of_stdout().strong("The export does not hold."))
}
