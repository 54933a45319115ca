//! Old spellings: keys of the original system that have another name here, or none.

mod table;

use std::fmt;

use crate::error::Problem;
use crate::node::{Entry, Node, Value};
use crate::place::Place;
use crate::shape::joined;

/// A key that is no more read under this name.
pub(crate) struct Old {
    /// Its dotted path; for a retired one, everything below it goes with it.
    path: &'static str,
    fate: Fate,
}

enum Fate {
    /// The same value has another name.
    Renamed(&'static str),
    /// Another name, and a value written differently.
    Converted(&'static str, fn(&str) -> Option<String>),
    /// A switch that is spelt by leaving another key without a value: `false` empties that key.
    Switch(&'static str),
    /// It has no effect; what to do in its place.
    Retired(&'static str),
}

/// A key of a file that has no effect any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredKey {
    /// The key as it was written.
    pub key: String,
    /// Where.
    pub place: Place,
    /// What to do in its place.
    pub instead: &'static str,
}

impl fmt::Display for RetiredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.key, self.instead)
    }
}

/// Paths of keys under their old names, for their environment variables. Variables of retired keys may belong to other
/// programs (`VERSION`), and are not heeded.
pub(crate) fn paths() -> impl Iterator<Item = String> {
    let heeded = table::OLD.iter().filter(|old| !matches!(old.fate, Fate::Retired(_)));
    heeded.map(|old| old.path.to_owned())
}

/// Every old name with its present one, for the reference page.
pub(crate) fn renamed() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::OLD.iter().filter_map(|old| match old.fate {
        Fate::Renamed(new) | Fate::Converted(new, _) => Some((old.path, new)),
        Fate::Switch(_) | Fate::Retired(_) => None,
    })
}

/// Every key that has no effect, with what to do in its place, for the reference page.
pub(crate) fn retired() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::OLD.iter().filter_map(|old| match old.fate {
        Fate::Retired(instead) => Some((old.path, instead)),
        Fate::Renamed(_) | Fate::Converted(..) | Fate::Switch(_) => None,
    })
}

/// Rewrites the old names of a layer to the present ones.
pub(crate) fn modernise(layer: &mut Node, retired: &mut Vec<RetiredKey>, problems: &mut Vec<Problem>) {
    for old in table::OLD {
        let Some(mut entry) = layer.take(old.path) else { continue };
        match old.fate {
            Fate::Retired(instead) => gather(&entry, old.path, instead, retired),
            Fate::Renamed(new) => moved(layer, old.path, new, entry, problems),
            Fate::Converted(new, convert) => {
                let is_null = entry.node.is_null();
                if let Value::Scalar { text, .. } = &mut entry.node.value
                    && !is_null
                {
                    // What cannot be converted is judged, and refused, under the present name.
                    if let Some(converted) = convert(text) {
                        *text = converted;
                    }
                }
                moved(layer, old.path, new, entry, problems);
            }
            Fate::Switch(key) => match entry.node.text().map(str::to_ascii_lowercase).as_deref() {
                Some("false" | "no" | "off") => {
                    layer.take(key);
                    let node = Node::scalar("", true, entry.node.place);
                    let put = layer.put(key, &entry.place, node);
                    problems.extend(put.err().map(|place| Problem::new(&place, format!("`{key}` is given twice"))));
                }
                Some("true" | "yes" | "on") => {}
                _ => {
                    let message = format!("`{}` must be true or false", old.path);
                    problems.push(Problem::new(&entry.node.place, message));
                }
            },
        }
    }
}

fn moved(layer: &mut Node, old: &str, new: &str, entry: Entry, problems: &mut Vec<Problem>) {
    // The original had switches that are one here; both may be given while they agree.
    if entry.node.text().is_some() && layer.at(new).and_then(Node::text) == entry.node.text() {
        return;
    }
    if let Err(other) = layer.put(new, &entry.place, entry.node) {
        let message = format!("`{old}` is the old name of `{new}`, which is also given at {other}");
        problems.push(Problem::new(&entry.place, message).help(format!("keep `{new}` and remove `{old}`")));
    }
}

/// Names every value below a retired key.
fn gather(entry: &Entry, path: &str, instead: &'static str, retired: &mut Vec<RetiredKey>) {
    let below = entry.node.entries();
    if below.is_empty() && !entry.node.is_null() {
        retired.push(RetiredKey { key: path.to_owned(), place: entry.place.clone(), instead });
    }
    for entry in below {
        gather(entry, &joined(path, &entry.key), instead, retired);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn every_old_name_leads_to_a_key_that_exists_and_is_none_itself() {
        for old in table::OLD {
            assert!(Shape::root().at(old.path).is_none(), "{} is a key today", old.path);
            if let Fate::Renamed(new) | Fate::Converted(new, _) | Fate::Switch(new) = old.fate {
                assert!(Shape::root().at(new).is_some(), "{} leads to {new}, which is none", old.path);
            }
        }
    }
}
