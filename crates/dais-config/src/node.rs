//! Values before they are typed: raw scalars, lists and mappings, each with the place it came from.

use crate::place::Place;

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// What a node holds. Scalars stay as they were written: what they mean depends on the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text; `plain` where it stood without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Node {
    /// A mapping without entries.
    pub(crate) fn empty(place: Place) -> Self {
        Self { value: Value::Map(Vec::new()), place }
    }

    /// A scalar as it was written.
    pub(crate) fn scalar(text: impl Into<String>, plain: bool, place: Place) -> Self {
        Self { value: Value::Scalar { text: text.into(), plain }, place }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether it says that there is no value.
    pub(crate) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, plain } => *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            Value::List(_) | Value::Map(_) => false,
        }
    }

    /// The entries of a mapping; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Scalar { .. } | Value::List(_) => &[],
        }
    }

    /// The entry of a mapping.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// What stands at a dotted path; parts of lists are counted from zero.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, part| match &node.value {
            Value::Map(_) => node.entry(part).map(|entry| &entry.node),
            Value::List(nodes) => nodes.get(part.parse::<usize>().ok()?),
            Value::Scalar { .. } => None,
        })
    }

    /// The closest node at or above a dotted path.
    pub(crate) fn nearest(&self, path: &str) -> &Self {
        let mut path = path;
        loop {
            if let Some(node) = self.at(path) {
                return node;
            }
            let Some((above, _)) = path.rsplit_once('.') else { return self };
            path = above;
        }
    }

    /// Takes the entry at a dotted path out, and the mappings above it that are empty then.
    pub(crate) fn take(&mut self, path: &str) -> Option<Entry> {
        let Value::Map(entries) = &mut self.value else { return None };
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let at = entries.iter().position(|entry| entry.key == key)?;
        let Some(rest) = rest else { return Some(entries.remove(at)) };
        let child = &mut entries.get_mut(at)?.node;
        let taken = child.take(rest)?;
        if child.entries().is_empty() {
            entries.remove(at);
        }
        Some(taken)
    }

    /// Puts a node at a dotted path, making the mappings above it. Gives the node back where something stands there
    /// or where the way is blocked by a value that is no mapping, with that value's place.
    pub(crate) fn put(&mut self, path: &str, entry_place: &Place, node: Self) -> Result<(), Place> {
        if self.is_null() {
            self.value = Value::Map(Vec::new());
        }
        let place = self.place.clone();
        let Value::Map(entries) = &mut self.value else { return Err(place) };
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let at = entries.iter().position(|entry| entry.key == key);
        match (at.and_then(|at| entries.get_mut(at)), rest) {
            (Some(entry), Some(rest)) => entry.node.put(rest, entry_place, node),
            (Some(entry), None) => Err(entry.place.clone()),
            (None, rest) => {
                let node = match rest {
                    None => node,
                    Some(rest) => {
                        let mut map = Self::empty(entry_place.clone());
                        map.put(rest, entry_place, node)?;
                        map
                    }
                };
                entries.push(Entry { key: key.to_owned(), place: entry_place.clone(), node });
                Ok(())
            }
        }
    }

    /// Lays `above` over this node: mappings are joined key by key, everything else is replaced. A mapping that is
    /// empty or null above leaves what is below.
    pub(crate) fn overlay(&mut self, above: Self) {
        if matches!(self.value, Value::Map(_)) && above.is_null() {
            return;
        }
        let Value::Map(over) = above.value else {
            *self = above;
            return;
        };
        let Value::Map(under) = &mut self.value else {
            *self = Self { value: Value::Map(over), place: above.place };
            return;
        };
        for entry in over {
            match under.iter_mut().find(|known| known.key == entry.key) {
                Some(known) => {
                    known.place = entry.place;
                    known.node.overlay(entry.node);
                }
                None => under.push(entry),
            }
        }
    }
}
