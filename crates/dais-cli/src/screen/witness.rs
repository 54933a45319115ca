//! The cosigned checkpoint of a run, and proofs against its coordinator, in words and as JSON.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use dais_ledger::{CHECKPOINT_BYTES_MAX, Digest, Origin, SplitView, Storage, StorageError};
use dais_runs::{CHECKPOINT, Place, SPLIT_VIEW};
use dais_sim::{Accusation, Cosignature, Cosigned, Doubt, accusation, cosigned};
use serde_json::{Value, json};

use crate::screen::figure::count;
use crate::screen::output::Ink;

/// What lies beside a ledger, compared with it.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    cosigned: Option<Cosigned>,
    accusation: Option<(PathBuf, Accusation)>,
}

impl Beside {
    /// Looks into the folder in which a ledger lies, if it lies in one. That the cosigned checkpoint is not there counts
    /// against the folder of a whole run only: ledgers are restored, imported and copied without it.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub(crate) fn look(place: &Place, storage: &dyn Storage) -> anyhow::Result<Self> {
        let path = |name| place.folder.as_ref().map(|folder| folder.join(name));
        let read = |path: &Option<PathBuf>| path.as_deref().map_or(Ok(None), read);
        let checkpoint = read(&path(CHECKPOINT))?;
        let proof_path = path(SPLIT_VIEW);
        let proof = read(&proof_path)?;
        let compare = || {
            let mut cosigned = cosigned(storage, checkpoint.as_deref())?;
            if let Some(found) = cosigned.as_mut().filter(|_| !place.whole_run) {
                found.doubt.take_if(|doubt| matches!(doubt, Doubt::NoCheckpoint { .. }));
            }
            let text = proof.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let accusation = text.map(|text| accusation(storage, &text)).transpose()?.flatten();
            Ok::<Self, StorageError>(Self { cosigned, accusation: proof_path.zip(accusation) })
        };
        // A ledger that cannot be read is for the audit to report.
        Ok(compare().unwrap_or_default())
    }

    /// Whether nothing speaks against the ledger.
    pub(crate) fn holds(&self) -> bool {
        let proven = matches!(self.accusation, Some((_, Accusation::Proven { .. })));
        !proven && self.cosigned.as_ref().is_none_or(|cosigned| cosigned.doubt.is_none())
    }

    /// `witnesses` and `split_view`, null where there is nothing to say.
    pub(crate) fn json(&self) -> (Value, Value) {
        (
            self.cosigned.as_ref().map_or(Value::Null, cosigned_json),
            self.accusation.as_ref().map_or(Value::Null, accused),
        )
    }

    /// Lines for the screen.
    pub(crate) fn lines(&self, ink: Ink) -> Vec<String> {
        let mut lines = self.cosigned.as_ref().map_or_else(Vec::new, |cosigned| cosigned_lines(cosigned, ink));
        if let Some((path, accusation)) = &self.accusation {
            lines.extend(accusation_lines(path, accusation, ink));
        }
        lines
    }
}

/// The file, or its beginning where it is larger than any checkpoint; `None` where there is none.
fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(|| path.display().to_string())?,
    };
    let read = file.take(CHECKPOINT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
    read.with_context(|| path.display().to_string())?;
    Ok(Some(bytes))
}

fn names(cosigned: &Cosigned, wanted: fn(&Cosignature) -> bool) -> Vec<&str> {
    let fitting = cosigned.witnesses.iter().filter(|(_, cosignature)| wanted(cosignature));
    fitting.map(|(name, _)| name.as_str()).collect()
}

fn cosigned_json(cosigned: &Cosigned) -> Value {
    json!({
        "ok": cosigned.doubt.is_none(),
        "message": cosigned.doubt.as_ref().map(ToString::to_string),
        "head": cosigned.head,
        "named": cosigned.witnesses.len(),
        "held": names(cosigned, |found| matches!(found, Cosignature::Holds { .. })),
        "missing": names(cosigned, |found| matches!(found, Cosignature::Missing)),
        "invalid": names(cosigned, |found| matches!(found, Cosignature::Invalid)),
        "unknown": cosigned.unknown,
    })
}

fn cosigned_lines(cosigned: &Cosigned, ink: Ink) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(doubt) = &cosigned.doubt {
        lines.push(ink.strong("The witnesses do not bear the ledger out."));
        lines.push(format!("  {doubt}"));
    }
    let witnesses = cosigned.witnesses.len();
    match cosigned.head {
        None if witnesses == 0 && cosigned.doubt.is_none() => {
            lines.push(ink.faint("  the run was made without witnesses: no checkpoint of theirs to compare with"));
        }
        None if cosigned.doubt.is_none() => {
            let text =
                format!("  witnesses named in it: {witnesses}; no checkpoint of theirs beside it to compare with");
            lines.push(ink.faint(&text));
        }
        None => return lines,
        Some(head) => {
            let (size, held) = (count(head.size), cosigned.held());
            lines.push(format!("  head of size {size} cosigned by {held} of {witnesses} witnesses"));
        }
    }
    let mut named = |what: &str, names: Vec<&str>| {
        if !names.is_empty() {
            lines.push(format!("    {what}: {}", names.join(", ")));
        }
    };
    named("missing", names(cosigned, |found| matches!(found, Cosignature::Missing)));
    named("does not hold", names(cosigned, |found| matches!(found, Cosignature::Invalid)));
    named("not named in the ledger, so it does not count", cosigned.unknown.iter().map(Origin::as_str).collect());
    lines
}

/// The key of a split view, as a C2SP `vkey`, which begins with the name of its log.
fn author(proof: &SplitView) -> String {
    proof.key().to_vkey(proof.origin())
}

fn accused((path, accusation): &(PathBuf, Accusation)) -> Value {
    let about = |proof: &SplitView, here: Option<Digest>| {
        let [a, b] = proof.heads();
        json!({
            "origin": proof.origin(), "key": author(proof), "size": a.head.size, "roots": [a.head.root, b.head.root],
            "here": here,
        })
    };
    let (proven, mut object, message) = match accusation {
        Accusation::Proven { proof, here } => (true, about(proof, *here), None),
        Accusation::Foreign(proof) => (false, about(proof, None), Some("it is about another log".to_owned())),
        Accusation::Void(error) => (false, json!({}), Some(error.to_string())),
    };
    object["proven"] = json!(proven);
    object["message"] = json!(message);
    object["path"] = json!(path.display().to_string());
    object
}

fn accusation_lines(path: &Path, accusation: &Accusation, ink: Ink) -> Vec<String> {
    let path = path.display();
    let (proof, here) = match accusation {
        Accusation::Proven { proof, here } => (proof, here),
        Accusation::Foreign(proof) => {
            let author = author(proof);
            return vec![ink.faint(&format!("  {path} is about {author}: it proves nothing against this log"))];
        }
        Accusation::Void(error) => return vec![ink.faint(&format!("  {path} proves nothing: {error}"))],
    };
    let heads = proof.heads();
    let root = |at: usize| {
        let root = heads[at].head.root;
        format!("{root}{}", if *here == Some(root) { ", which is in this ledger" } else { "" })
    };
    vec![
        ink.strong("The coordinator showed two histories."),
        format!("  author  {}", author(proof)),
        format!("  size    {}", count(heads[0].head.size)),
        format!("  roots   {}", root(0)),
        format!("          {}", root(1)),
        format!("  proof   {path}"),
        "  Both heads in the proof bear the seal of that key, which nobody else can make. To check it elsewhere: take the"
            .to_owned(),
        "  key from where you trust it, compare, and verify both checkpoints as C2SP signed notes.".to_owned(),
    ]
}
