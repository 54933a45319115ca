//! `dais ledger prove`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_ledger::{Checkpoint, ConsistencyText, Digest, HeadVerifier, InclusionText, Ledger, SignedHead, Storage};
use serde_json::{Value, json};

use super::source::open;
use crate::args::ledger::ProveArgs;
use crate::screen::figure::{count, plural};
use crate::screen::output;

/// A proof, in both forms, and what it shows.
struct Shown {
    text: String,
    json: Value,
    words: String,
}

pub(super) fn prove(args: &ProveArgs) -> anyhow::Result<ExitCode> {
    let ledger = Ledger::open(open(&args.ledger, &args.server)?)?;
    let shown = match (args.index, args.from) {
        (Some(index), _) => inclusion(&ledger, index, args.size)?,
        (None, Some(from)) => consistency(&ledger, from, args.to)?,
        (None, None) => bail!("which entry? Give its index, or --from and --to"),
    };
    if args.json {
        output::print(&format!("{}\n", shown.json))?;
    } else {
        output::print(&shown.text)?;
        output::say(&shown.words);
    }
    Ok(ExitCode::SUCCESS)
}

fn inclusion(ledger: &Ledger, index: u64, size: Option<u64>) -> anyhow::Result<Shown> {
    let head = sealed_head(ledger, size)?;
    let proof = ledger.prove_inclusion(index, head.head.size)?;
    let entry = ledger.entry(index)?;
    let (leaf, entry) = (entry.leaf_hash(), entry.encode());
    proof.verify(&leaf, &head.head.root)?;
    let checkpoint = checkpoint(ledger, &head)?;
    let (path, last) = (proof.path.clone(), checkpoint.clone());
    Ok(Shown {
        text: InclusionText { entry: Some(entry.clone()), index, path, checkpoint: last }.to_string(),
        words: format!(
            "entry {} with the leaf hash {leaf} is in the log of {}: {} to the root {}",
            count(index),
            plural(head.head.size, "entry"),
            hashes(&proof.path),
            head.head.root
        ),
        json: json!({
            "origin": ledger.origin(), "public_key": hex::encode(ledger.public_key()),
            "leaf": leaf, "entry": hex::encode(entry), "proof": proof, "head": head,
            "checkpoint": checkpoint.to_string(),
        }),
    })
}

fn consistency(ledger: &Ledger, from: u64, to: Option<u64>) -> anyhow::Result<Shown> {
    let head = sealed_head(ledger, to)?;
    let proof = ledger.prove_consistency(from, head.head.size)?;
    let old_root = ledger.root_at(from)?;
    proof.verify(&old_root, &head.head.root)?;
    let checkpoint = checkpoint(ledger, &head)?;
    let (path, last) = (proof.path.clone(), checkpoint.clone());
    Ok(Shown {
        text: ConsistencyText { old_size: from, path, checkpoint: last }.to_string(),
        words: format!(
            "the log of {} begins with the log of {} and the root {old_root}: {} to the root {}",
            plural(head.head.size, "entry"),
            plural(from, "entry"),
            hashes(&proof.path),
            head.head.root
        ),
        json: json!({
            "origin": ledger.origin(), "public_key": hex::encode(ledger.public_key()),
            "old_root": old_root, "proof": proof, "head": head, "checkpoint": checkpoint.to_string(),
        }),
    })
}

/// The head of a size, or the last one. Without a sealed head a proof would lead nowhere.
fn sealed_head(ledger: &Ledger, size: Option<u64>) -> anyhow::Result<SignedHead> {
    let last = *ledger.head();
    let Some(size) = size else { return Ok(last) };
    if size > last.head.size {
        bail!("there is no state of {} in a log of {}", plural(size, "entry"), count(last.head.size));
    }
    let next = ledger.storage().next_head(size.checked_sub(1))?.unwrap_or(last);
    if next.head.size != size {
        bail!("no head of {} was sealed; the next one that was has {}", plural(size, "entry"), count(next.head.size));
    }
    Ok(next)
}

fn checkpoint(ledger: &Ledger, head: &SignedHead) -> anyhow::Result<Checkpoint> {
    let verifier = HeadVerifier::from_bytes(*ledger.public_key()).context("the key stored with the log")?;
    verifier.verify(ledger.origin(), head)?;
    Ok(Checkpoint::new(ledger.origin().clone(), head, &verifier))
}

fn hashes(path: &[Digest]) -> String {
    if path.len() == 1 { "1 hash".to_owned() } else { format!("{} hashes", path.len()) }
}
