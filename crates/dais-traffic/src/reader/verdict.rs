//! What a labelled file says about a row, and the families it names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::{Family, FamilyId, Label};

use super::error::{Flaw, quoted};

/// What a row is said to be, before its family has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    Benign,
    Attack(Cow<'a, str>),
    Undecided,
}

impl<'a> Said<'a> {
    /// By the columns `label` and `detailedlabel` of labelled Zeek logs: `Malicious` is an attack of the family
    /// that the details name, `Benign` is benign, everything else (`Background`, `Unknown`, unset) is undecided.
    pub(crate) fn zeek(label: Cow<'a, str>, details: Cow<'a, str>) -> Self {
        let starts = |with: &str| label.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        if starts("malicious") || starts("attack") {
            let unset = matches!(details.trim(), "" | "-" | "(empty)");
            Self::Attack(if unset { label } else { details })
        } else if starts("benign") || starts("normal") {
            Self::Benign
        } else {
            Self::Undecided
        }
    }
}

/// Families of one file, numbered in the order of their first appearance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Families {
    list: Vec<Family>,
    ids: BTreeMap<String, FamilyId>,
}

impl Families {
    /// The label of a row; a new family gets the next number.
    pub(crate) fn label(&mut self, column: &str, said: Said<'_>) -> Result<Label, Flaw> {
        match said {
            Said::Benign => Ok(Label::Benign),
            Said::Undecided => Ok(Label::Undecided),
            Said::Attack(name) => self.id(column, &name).map(Label::Attack),
        }
    }

    fn id(&mut self, column: &str, name: &str) -> Result<FamilyId, Flaw> {
        if let Some(&id) = self.ids.get(name) {
            return Ok(id);
        }
        let Ok(next) = u16::try_from(self.list.len()) else {
            return Err(Flaw {
                column: Some(column.to_owned()),
                expected: "at most 65,536 attack families".into(),
                found: quoted(name.as_bytes()),
            });
        };
        self.list.push(Family::named(name));
        self.ids.insert(name.to_owned(), FamilyId(next));
        Ok(FamilyId(next))
    }

    pub(crate) fn into_list(self) -> Vec<Family> {
        self.list
    }

    pub(crate) fn list(&self) -> &[Family] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_malicious_is_an_attack_and_only_benign_is_benign() {
        let said = |label: &'static str, details: &'static str| Said::zeek(label.into(), details.into());
        assert_eq!(said("Malicious", "CC"), Said::Attack("CC".into()));
        assert_eq!(said("malicious", "-"), Said::Attack("malicious".into()));
        assert_eq!(said("Benign", "Google"), Said::Benign);
        for open in ["Background", "Unknown", "-", "(empty)", "", "é"] {
            assert_eq!(said(open, "x"), Said::Undecided);
        }
    }

    #[test]
    fn a_family_keeps_its_number() {
        let mut families = Families::default();
        let ids = ["a", "b", "a"].map(|name| families.label("label", Said::Attack(name.into())).expect("few families"));
        assert_eq!(ids, [0, 1, 0].map(|id| Label::Attack(FamilyId(id))));
        assert_eq!(families.list().len(), 2);
    }
}
