//! `dais ledger check-proof`.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_ledger::{
    Checkpoint, ConsistencyProof, ConsistencyText, Digest, Head, InclusionProof, InclusionText, SignedHead,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::content;
use crate::args::ledger::CheckProofArgs;
use crate::args::value::author_name;
use crate::screen::figure::{count, plural};
use crate::screen::output::{self, Ink};

/// Longest proof that is read: a checkpoint, an entry in hexadecimal digits and a path are less.
const PROOF_BYTES_MAX: u64 = 4 << 20;

/// Either proof, and what its text says beyond it.
enum Proof {
    /// With the leaf hash that the text claims the entry has.
    Inclusion(InclusionText, Option<Digest>),
    /// With the older root that the text claims.
    Consistency(ConsistencyText, Option<Digest>),
}

/// What a proof shows.
struct Shown {
    words: String,
    json: Value,
}

pub(super) fn check_proof(args: &CheckProofArgs) -> anyhow::Result<ExitCode> {
    let text = read(&args.proof)?;
    let old = args.old.as_deref().map(|path| Ok::<_, anyhow::Error>((path, read(path)?))).transpose()?;
    // From here on, what is wrong is wrong with what was given to check.
    let shown = parse(&text).and_then(|proof| match proof {
        Proof::Inclusion(proof, leaf) => inclusion(&proof, args, leaf),
        Proof::Consistency(proof, claimed) => consistency(&proof, args, old, claimed),
    });
    match shown {
        Ok(Shown { words, json }) => {
            let heading = Ink::of_stdout().heading("verified");
            output::print(&if args.json { format!("{json}\n") } else { format!("{heading}: {words}") })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(reason) if reason.is::<OldRootMissing>() => Err(reason),
        Err(reason) => {
            let heading = Ink::of_stdout().strong("The proof does not hold.");
            let object = json!({ "ok": false, "message": format!("{reason:#}") });
            output::print(&if args.json { format!("{object}\n") } else { format!("{heading}\n  {reason:#}\n") })?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// A proof of growth says nothing about a log that nobody knows.
#[derive(Debug, thiserror::Error)]
#[error("from which head did the log grow? Give it with --old FILE or --old-root HEX")]
struct OldRootMissing;

fn inclusion(proof: &InclusionText, args: &CheckProofArgs, claimed: Option<Digest>) -> anyhow::Result<Shown> {
    if args.old.is_some() || args.old_root.is_some() {
        bail!("this proves that an entry is in the log, not that the log grew: --old and --old-root do not fit");
    }
    let (origin, verifier) = &args.key;
    let included = proof.verify(origin, verifier, args.leaf.or(claimed))?;
    let head = included.head.head;
    let entry = included.entry.as_ref();
    let mut lines = vec![
        format!("entry {} is in the log {origin} of {}", count(proof.index), plural(head.size, "entry")),
        format!("  leaf  {}", included.leaf),
    ];
    lines.extend(entry.map(|entry| {
        let (kind, author, step) = (entry.kind.name(), author_name(entry.author), count(entry.step.into()));
        format!("  entry {kind} of {author} in step {step}: {}", content::summary(entry))
    }));
    lines.push(format!("  head  {}\n", head.root));
    let words = lines.join("\n");
    let entry = entry.map(|entry| content::object(proof.index, entry));
    let json = json!({
        "ok": true, "proof": "inclusion", "origin": origin, "index": proof.index, "leaf": included.leaf,
        "entry": entry, "head": included.head,
    });
    Ok(Shown { words, json })
}

fn consistency(
    proof: &ConsistencyText,
    args: &CheckProofArgs,
    old: Option<(&Path, String)>,
    claimed: Option<Digest>,
) -> anyhow::Result<Shown> {
    if args.leaf.is_some() {
        bail!("this proves that the log grew, not that an entry is in it: --leaf does not fit");
    }
    let (origin, verifier) = &args.key;
    let old_root = match (args.old_root, old) {
        (Some(root), _) => root,
        (None, Some((path, text))) => older_head(&text, proof, args).with_context(|| path.display().to_string())?.root,
        (None, None) => claimed.ok_or(OldRootMissing)?,
    };
    let head: SignedHead = proof.verify(origin, verifier, old_root)?;
    let mut words = format!(
        "the log {origin} of {} begins with that of {}\n  old root {old_root}\n  head     {}\n",
        plural(head.head.size, "entry"),
        plural(proof.old_size, "entry"),
        head.head.root
    );
    let is_claimed = args.old.is_none() && args.old_root.is_none();
    if is_claimed {
        words += "  the old root is the one in the proof: compare it with the one you hold, or give that with --old\n";
    }
    let json = json!({
        "ok": true, "proof": "consistency", "origin": origin, "old_size": proof.old_size, "old_root": old_root,
        "old_root_given": !is_claimed, "head": head,
    });
    Ok(Shown { words, json })
}

/// The sealed head in a file that the proof must start from.
fn older_head(text: &str, proof: &ConsistencyText, args: &CheckProofArgs) -> anyhow::Result<Head> {
    let checkpoint = match parse(text) {
        Ok(Proof::Inclusion(older, _)) => older.checkpoint,
        Ok(Proof::Consistency(older, _)) => older.checkpoint,
        Err(_) => text.parse::<Checkpoint>().context("this is no checkpoint, nor a proof that ends in one")?,
    };
    let (origin, verifier) = &args.key;
    if checkpoint.origin() != origin {
        bail!("the checkpoint is of the log {}, expected {origin}", checkpoint.origin());
    }
    let head = checkpoint.signed_by(verifier)?.head;
    if head.size != proof.old_size {
        let (found, expected) = (plural(head.size, "entry"), plural(proof.old_size, "entry"));
        bail!("this is the head of {found}, and the proof starts from {expected}");
    }
    Ok(head)
}

/// A proof in JSON.
#[derive(Deserialize)]
struct Printed {
    leaf: Option<Digest>,
    entry: Option<String>,
    old_root: Option<Digest>,
    proof: Value,
    checkpoint: String,
}

fn parse(text: &str) -> anyhow::Result<Proof> {
    if text.starts_with("old ") {
        return Ok(Proof::Consistency(text.parse()?, None));
    }
    if !text.trim_start().starts_with('{') {
        return Ok(Proof::Inclusion(text.parse()?, None));
    }
    let printed: Printed = serde_json::from_str(text).context("this is no proof as `dais ledger prove` prints it")?;
    let checkpoint: Checkpoint = printed.checkpoint.parse()?;
    let size = checkpoint.head().size;
    let fits =
        |found| if found == size { Ok(()) } else { bail!("the proof leads to size {found}, its head has {size}") };
    if printed.proof.get("index").is_some() {
        let InclusionProof { index, size, path } = serde_json::from_value(printed.proof)?;
        fits(size)?;
        let entry = printed.entry.map(hex::decode).transpose().context("the entry")?;
        return Ok(Proof::Inclusion(InclusionText { entry, index, path, checkpoint }, printed.leaf));
    }
    let ConsistencyProof { old_size, new_size, path } = serde_json::from_value(printed.proof)?;
    fits(new_size)?;
    Ok(Proof::Consistency(ConsistencyText { old_size, path, checkpoint }, printed.old_root))
}

/// A file, or standard input for `-`.
fn read(path: &Path) -> anyhow::Result<String> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| path.display().to_string())?)
    };
    let mut bytes = Vec::new();
    input.take(PROOF_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    if bytes.len() as u64 > PROOF_BYTES_MAX {
        bail!("{}: a proof has at most {PROOF_BYTES_MAX} bytes", path.display());
    }
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{}: a proof is text", path.display()))
}
