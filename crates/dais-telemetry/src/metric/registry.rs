use std::sync::Arc;

use serde::Serialize;

use super::catalogue::CATALOGUE;
use super::cell::{Counter, Gauge, Histogram};
use super::family::{Cell, Family};
use super::window::Statistics;

/// The numbers of one program. Clones share them.
#[derive(Clone, Debug)]
pub struct Registry(Arc<[Entry]>);

/// A family with its series.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) family: &'static Family,
    /// By the value of its label, which is empty where it has none.
    pub(crate) series: Vec<(&'static str, Cell)>,
}

/// A number as rules and programs read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Name; a histogram has `_count` and `_sum`, and `_p50`, `_p95` and `_p99` of its last values.
    pub name: String,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// Value.
    pub value: f64,
}

impl Default for Registry {
    /// A registry of every metric of the [`catalogue`](super::catalogue), all counters 0, no gauge set.
    fn default() -> Self {
        let entry = |family: &&'static Family| {
            let values = family.label.map_or(&[""][..], |label| label.values);
            Entry { family, series: values.iter().map(|value| (*value, family.cell())).collect() }
        };
        Self(CATALOGUE.iter().map(entry).collect())
    }
}

impl Registry {
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The series of `family` whose label has `value` (empty where it has none); the last one for a value that is not in
    /// the list.
    fn cell(&self, family: &'static Family, value: &str) -> Option<&Cell> {
        let entry = self.0.iter().find(|entry| std::ptr::eq(entry.family, family))?;
        let series = entry.series.iter().find(|(own, _)| *own == value).or(entry.series.last())?;
        Some(&series.1)
    }

    /// The counter of `family` for a value of its label, empty where it has none. Programs that count often keep it. A
    /// value that is not in the catalogue counts for the last one there, which is `other` where there can be any.
    pub fn counter(&self, family: &'static Family, value: &str) -> Counter {
        match self.cell(family, value) {
            Some(Cell::Counter(counter)) => counter.clone(),
            // Another kind of metric: the number is kept by the caller alone.
            _ => Counter::default(),
        }
    }

    /// The gauge of `family` for a value of its label, as [`Registry::counter`].
    pub fn gauge(&self, family: &'static Family, value: &str) -> Gauge {
        match self.cell(family, value) {
            Some(Cell::Gauge(gauge)) => gauge.clone(),
            _ => Gauge::default(),
        }
    }

    /// The histogram of `family` for a value of its label, as [`Registry::counter`].
    pub fn histogram(&self, family: &'static Family, value: &str) -> Histogram {
        match self.cell(family, value) {
            Some(Cell::Histogram(histogram)) => histogram.clone(),
            _ => Histogram::new(&[]),
        }
    }

    /// Statistics of the last 1,024 values of a histogram; of all its series together where it has a label. `None` where
    /// there is no such histogram, or no value.
    pub fn statistics(&self, name: &str) -> Option<Statistics> {
        let entry = self.0.iter().find(|entry| entry.family.name == name)?;
        let mut all: Option<super::Window> = None;
        for (_, cell) in &entry.series {
            if let Cell::Histogram(histogram) = cell {
                let window = histogram.window();
                all = Some(all.map_or_else(|| window.clone(), |all| all.joined(&window)));
            }
        }
        all?.statistics()
    }

    /// Every number there is, for rules and programs.
    pub fn snapshot(&self) -> Vec<Series> {
        let mut all = Vec::new();
        for Entry { family, series } in self.entries() {
            for (value, cell) in series {
                let mut push = |suffix: &str, number: f64| {
                    let labels = family.label.iter().map(|label| (label.name.to_owned(), (*value).to_owned()));
                    let name = format!("{}{suffix}", family.name);
                    all.push(Series { name, labels: labels.collect(), value: number });
                };
                match cell {
                    Cell::Counter(counter) => push("", counter.value() as f64),
                    Cell::Gauge(gauge) => gauge.value().into_iter().for_each(|number| push("", number)),
                    Cell::Histogram(histogram) => {
                        let (sum, buckets) = histogram.buckets();
                        push("_count", buckets.iter().map(|(_, count)| count).sum::<u64>() as f64);
                        push("_sum", sum);
                        if let Some(found) = histogram.window().statistics() {
                            push("_p50", found.p50);
                            push("_p95", found.p95);
                            push("_p99", found.p99);
                        }
                    }
                }
            }
        }
        all
    }
}
