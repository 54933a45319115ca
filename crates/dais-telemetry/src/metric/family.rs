use super::cell::{Counter, Gauge, Histogram};

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Only grows, and is counted elsewhere, such as by the operating system.
    Reading,
    /// Goes up and down; absent until it is set.
    Gauge,
    /// Counted by upper bounds.
    Histogram(&'static [f64]),
}

/// The label of a metric and all values it can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values; none else can appear, so that the number of series is known beforehand.
    pub values: &'static [&'static str],
}

/// A metric: its name, what it means, and the series it consists of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Family {
    /// Name as Prometheus shows it.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// Unit, in the plural.
    pub unit: &'static str,
    /// What it means, in a sentence.
    pub help: &'static str,
    /// Its label, if it has one: one series for each value.
    pub label: Option<Label>,
}

impl Family {
    pub(crate) const fn counter(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, unit, help, label: None }
    }

    pub(crate) const fn reading(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Reading, unit, help, label: None }
    }

    pub(crate) const fn gauge(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit, help, label: None }
    }

    pub(crate) const fn histogram(
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        bounds: &'static [f64],
    ) -> Self {
        Self { name, kind: Kind::Histogram(bounds), unit, help, label: None }
    }

    pub(crate) const fn by(self, name: &'static str, values: &'static [&'static str]) -> Self {
        Self { label: Some(Label { name, values }), ..self }
    }

    /// The name without `_total`, as `OpenMetrics` calls a family of counters.
    pub(crate) fn stem(&self) -> &'static str {
        match self.kind {
            Kind::Counter | Kind::Reading => self.name.strip_suffix("_total").unwrap_or(self.name),
            Kind::Gauge | Kind::Histogram(_) => self.name,
        }
    }

    /// The unit where the name ends in it, which `OpenMetrics` wants to be told.
    pub(crate) fn unit_in_name(&self) -> Option<&'static str> {
        self.stem().strip_suffix(self.unit)?.ends_with('_').then_some(self.unit)
    }

    pub(crate) fn cell(&self) -> Cell {
        match self.kind {
            Kind::Counter => Cell::Counter(Counter::default()),
            Kind::Reading | Kind::Gauge => Cell::Gauge(Gauge::default()),
            Kind::Histogram(bounds) => Cell::Histogram(Histogram::new(bounds)),
        }
    }
}

/// Where the number of a series is.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}
