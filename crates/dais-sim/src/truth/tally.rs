//! What really happened, counted beside the run: the only code of this crate that reads the truth.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dais_traffic::{FamilyId, Label, Truth};
use serde::{Deserialize, Serialize};

/// Flows of one attack family, and how many of them were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyTally {
    /// Flows seen.
    pub flows: u64,
    /// Flows detected: alerted, matched by a signature, or from a blocked source.
    pub found: u64,
}

/// Counts of one step over all agents of a world. All are integers, so that the order of adding does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTally {
    /// Flows observed.
    pub flows: u64,
    /// Flows with a label that decides nothing.
    pub undecided: u64,
    /// Benign flows.
    pub benign: u64,
    /// Benign flows that were detected all the same.
    pub false_alarms: u64,
    /// Benign flows that alerted.
    pub false_alerts: u64,
    /// Benign flows that a signature matched.
    pub false_matches: u64,
    /// Benign flows from blocked sources.
    pub false_blocks: u64,
    /// Flows whose p-value alerts.
    pub alerts: u64,
    /// Flows that an adopted signature matches.
    pub matched: u64,
    /// Flows from blocked sources.
    pub blocked: u64,
    /// Attack flows by family.
    pub families: Vec<FamilyTally>,
    /// Agents that have met the family so far.
    pub reached: Vec<u32>,
    /// Agents that apply a signature made of the family's flows.
    pub protected: Vec<u32>,
}

impl StepTally {
    /// Adds the counts of other agents in the same step.
    pub fn add(&mut self, other: &Self) {
        self.flows += other.flows;
        self.undecided += other.undecided;
        self.benign += other.benign;
        self.false_alarms += other.false_alarms;
        self.false_alerts += other.false_alerts;
        self.false_matches += other.false_matches;
        self.false_blocks += other.false_blocks;
        self.alerts += other.alerts;
        self.matched += other.matched;
        self.blocked += other.blocked;
        let families = self.families.len().max(other.families.len());
        self.families.resize(families, FamilyTally::default());
        self.reached.resize(families, 0);
        self.protected.resize(families, 0);
        for (own, add) in self.families.iter_mut().zip(&other.families) {
            own.flows += add.flows;
            own.found += add.found;
        }
        self.reached.iter_mut().zip(&other.reached).for_each(|(own, add)| *own += add);
        self.protected.iter_mut().zip(&other.protected).for_each(|(own, add)| *own += add);
    }
}

/// Alert levels of a trade-off curve: `CURVE_POINTS` p-values from 0.002 upwards, each 1.13 times the one before.
pub const CURVE_POINTS: usize = 42;

/// The alert level at point `index` of a trade-off curve.
#[must_use]
pub fn curve_level(index: usize) -> f32 {
    (0..index).fold(0.002, |level, _| level * 1.13)
}

/// How many flows would be detected at other alert levels, learning unchanged.
///
/// Place 0 counts flows that are detected at any level, because a signature matches or the source is blocked; place
/// `i + 1` counts those whose p-value lies at most at `curve_level(i)` but above the level before; the last place the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curve {
    /// Benign flows by place.
    pub benign: Vec<u64>,
    /// Attack flows by family and place.
    pub attack: Vec<Vec<u64>>,
}

impl Curve {
    fn new(families: usize) -> Self {
        Self { benign: vec![0; CURVE_POINTS + 2], attack: vec![vec![0; CURVE_POINTS + 2]; families] }
    }

    /// Adds the counts of other agents.
    pub fn add(&mut self, other: &Self) {
        if self.benign.is_empty() {
            *self = Self::new(other.attack.len());
        }
        let rows = self.attack.iter_mut().zip(&other.attack).chain(std::iter::once((&mut self.benign, &other.benign)));
        for (own, add) in rows {
            own.iter_mut().zip(add).for_each(|(own, add)| *own += add);
        }
    }
}

/// When an agent first met a family, and first found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSight {
    /// Step of the first flow.
    pub seen: Option<u32>,
    /// Step of the first detected flow.
    pub found: Option<u32>,
}

/// The first flow of an attacking source at a site.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Site.
    pub agent: u32,
    /// Step of that flow.
    pub step: u32,
    /// Its time in seconds, where flows carry times.
    pub time_s: Option<f64>,
    /// The step since which the source was blocked here, if it was.
    pub blocked_since: Option<u32>,
}

/// Contacts remembered for one agent; later sources are not followed.
const CONTACTS_MAX: usize = 8192;

/// What a signature was really made of. Agents never see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureTruth {
    /// The attack family most of its flows belong to; `None` where most are benign.
    pub(crate) family: Option<FamilyId>,
}

impl SignatureTruth {
    /// Grades the rows a signature was made from.
    pub(crate) fn of(truth: &Truth, rows: &[usize]) -> Self {
        let mut families: BTreeMap<FamilyId, usize> = BTreeMap::new();
        for &row in rows {
            if let Label::Attack(family) = truth.labels()[row] {
                *families.entry(family).or_default() += 1;
            }
        }
        let attacks: usize = families.values().sum();
        let most = families.iter().max_by_key(|(family, count)| (**count, std::cmp::Reverse(**family)));
        Self { family: most.filter(|_| attacks * 2 > rows.len()).map(|(family, _)| *family) }
    }
}

/// How one flow fared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    pub(crate) p: f32,
    pub(crate) alerted: bool,
    pub(crate) matched: bool,
    pub(crate) blocked_since: Option<u32>,
}

/// The evaluation of a block of agents.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Evaluation {
    pub(crate) curve: Curve,
    pub(crate) first_sights: Vec<Vec<FirstSight>>,
    pub(crate) contacts: Vec<BTreeMap<IpAddr, Contact>>,
    families: usize,
}

impl Evaluation {
    pub(crate) fn new(agents: usize, families: usize) -> Self {
        Self {
            curve: Curve::new(families),
            first_sights: vec![vec![FirstSight::default(); families]; agents],
            contacts: vec![BTreeMap::new(); agents],
            families,
        }
    }

    pub(crate) fn blank(&self) -> StepTally {
        StepTally {
            families: vec![FamilyTally::default(); self.families],
            reached: vec![0; self.families],
            protected: vec![0; self.families],
            ..StepTally::default()
        }
    }

    /// Counts one flow of the agent at `place` within the block.
    pub(crate) fn count(&mut self, tally: &mut StepTally, place: usize, step: u32, label: Label, fate: Fate) {
        let found = fate.alerted || fate.matched || fate.blocked_since.is_some();
        tally.flows += 1;
        tally.alerts += u64::from(fate.alerted);
        tally.matched += u64::from(fate.matched);
        tally.blocked += u64::from(fate.blocked_since.is_some());
        let column = match label {
            Label::Undecided => {
                tally.undecided += 1;
                return;
            }
            Label::Benign => {
                tally.benign += 1;
                tally.false_alarms += u64::from(found);
                tally.false_alerts += u64::from(fate.alerted);
                tally.false_matches += u64::from(fate.matched);
                tally.false_blocks += u64::from(fate.blocked_since.is_some());
                &mut self.curve.benign
            }
            Label::Attack(family) => {
                let family = usize::from(family.0);
                tally.families[family].flows += 1;
                tally.families[family].found += u64::from(found);
                let first = &mut self.first_sights[place][family];
                first.seen.get_or_insert(step);
                if found {
                    first.found.get_or_insert(step);
                }
                &mut self.curve.attack[family]
            }
        };
        let sure = fate.matched || fate.blocked_since.is_some();
        column[if sure { 0 } else { curve_place(fate.p) }] += 1;
    }

    /// Remembers the first flow of an attacking source at a site.
    pub(crate) fn contact(&mut self, place: usize, source: IpAddr, contact: Contact) {
        let contacts = &mut self.contacts[place];
        if contacts.len() < CONTACTS_MAX {
            contacts.entry(source).or_insert(contact);
        }
    }
}

fn curve_place(p: f32) -> usize {
    let mut level = curve_level(0);
    for index in 0..CURVE_POINTS {
        if p <= level {
            return index + 1;
        }
        level *= 1.13;
    }
    CURVE_POINTS + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_graded_by_the_majority_of_its_flows() {
        let attack = |family| Label::Attack(FamilyId(family));
        let truth = Truth::new(vec![attack(1), attack(2), attack(2), Label::Benign, Label::Benign]);
        assert_eq!(SignatureTruth::of(&truth, &[0, 1, 2]).family, Some(FamilyId(2)));
        assert_eq!(SignatureTruth::of(&truth, &[0, 3, 4]).family, None);
        assert_eq!(SignatureTruth::of(&truth, &[]).family, None);
    }

    #[test]
    fn every_p_value_has_one_place_on_the_curve() {
        assert_eq!(curve_place(0.0), 1);
        assert_eq!(curve_place(curve_level(5)), 6);
        assert_eq!(curve_place(1.0), CURVE_POINTS + 1);
    }

    #[test]
    fn undecided_flows_count_for_no_figure() {
        let mut evaluation = Evaluation::new(1, 1);
        let mut tally = evaluation.blank();
        let fate = Fate { p: 0.001, alerted: true, matched: false, blocked_since: None };
        evaluation.count(&mut tally, 0, 3, Label::Undecided, fate);
        evaluation.count(&mut tally, 0, 3, Label::Attack(FamilyId(0)), fate);
        assert_eq!((tally.undecided, tally.benign, tally.families[0].found), (1, 0, 1));
        assert_eq!(evaluation.first_sights[0][0], FirstSight { seen: Some(3), found: Some(3) });
    }
}
