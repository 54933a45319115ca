//! What really happened: labels for evaluation, out of reach of agents.

use serde::{Deserialize, Serialize};

/// An attack family: campaigns of one kind, such as `port_scan_vertical` or `neptune`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Name, unique within a source.
    pub name: String,
    /// MITRE ATT&CK technique id such as `T1046`, where one is known.
    pub technique: Option<String>,
}

impl Family {
    /// The family of this name, with its technique where the name is well known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), technique: crate::technique::of_family(name).map(str::to_owned) }
    }
}

/// Index of a [`Family`] within its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FamilyId(pub u16);

/// The truth about one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Label {
    /// Ordinary traffic.
    Benign,
    /// Part of an attack of this family.
    Attack(FamilyId),
    /// Nobody decided: left out of every detection figure.
    Undecided,
}

/// Labels of the flows of one batch, in its row order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    labels: Vec<Label>,
}

impl Truth {
    /// Truth from one label a row.
    #[must_use]
    pub fn new(labels: Vec<Label>) -> Self {
        Self { labels }
    }

    /// Labels in row order.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }
}
