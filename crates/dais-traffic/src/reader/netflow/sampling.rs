//! How many packets an exporter looks at, and what it counted multiplied by that.

use std::collections::BTreeMap;

/// Most samplers and interfaces of one exporter whose rates are kept.
const RATES_MAX: usize = 4_096;

/// So many packets were looked at out of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rate {
    seen: u64,
    of: u64,
}

impl Rate {
    /// `None` where that cannot be.
    pub(super) fn new(seen: u64, of: u64) -> Option<Self> {
        (seen > 0 && of >= seen).then_some(Self { seen, of })
    }

    /// By a probability above 0 and up to 1.
    pub(super) fn probable(probability: f64) -> Option<Self> {
        const WHOLE: f64 = 1e9;
        (probability > 0.0 && probability <= 1.0).then(|| Self::new((probability * WHOLE) as u64, WHOLE as u64))?
    }

    /// Whether packets were left out.
    pub(super) fn is_partial(self) -> bool {
        self.of > self.seen
    }

    /// What a count of sampled packets or bytes stands for.
    pub(super) fn whole(self, count: u64) -> u64 {
        let whole = u128::from(count) * u128::from(self.of) / u128::from(self.seen);
        u64::try_from(whole).unwrap_or(u64::MAX)
    }
}

/// As `1 in 1000`.
impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", 1, self.of / self.seen)
    }
}

/// What a rate is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Exporter,
    Interface(u64),
    Sampler(u64),
}

/// The rates that one exporter has told.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<Scope, Rate>);

impl Rates {
    pub(super) fn set(&mut self, scope: Scope, rate: Rate) {
        if self.0.len() < RATES_MAX || self.0.contains_key(&scope) {
            self.0.insert(scope, rate);
        }
    }

    /// The rate of what came through an interface, by a sampler.
    pub(super) fn of(&self, sampler: Option<u64>, interface: Option<u64>) -> Option<Rate> {
        if self.0.is_empty() {
            return None;
        }
        let of = |scope| self.0.get(&scope).copied();
        let by_sampler = sampler.and_then(|sampler| of(Scope::Sampler(sampler)));
        let by_interface = || interface.and_then(|interface| of(Scope::Interface(interface)));
        by_sampler.or_else(by_interface).or_else(|| of(Scope::Exporter))
    }
}

/// What was multiplied, and what was not because its rate was not known yet.
#[derive(Debug, Default)]
pub(super) struct Multiplied {
    /// Records by the rate that they were multiplied with.
    records: BTreeMap<Rate, u64>,
    /// Records that came before the first word of sampling.
    pub(super) before: u64,
}

impl Multiplied {
    pub(super) fn count(&mut self, rate: Rate) {
        let more = self.records.len() >= RATES_MAX && !self.records.contains_key(&rate);
        let rate = if more { self.records.keys().next().copied().unwrap_or(rate) } else { rate };
        *self.records.entry(rate).or_default() += 1;
    }

    /// What there is to say about it.
    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        let records: u64 = self.records.values().sum();
        if let Some((rate, _)) = self.records.iter().max_by_key(|&(rate, records)| (*records, *rate)) {
            let others = if self.records.len() > 1 { " and at other rates" } else { "" };
            hints.push(format!(
                "the exporter sampled packets, {rate}{others}: packets and bytes of {records} records are multiplied by it"
            ));
        }
        if self.before > 0 && records > 0 {
            hints.push(format!(
                "records that came before the exporter said that it samples packets have their counts as they came: {}",
                self.before
            ));
        }
        hints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(of: u64) -> Rate {
        Rate::new(1, of).expect("a rate")
    }

    #[test]
    fn counts_are_multiplied_without_overflow() {
        let three_of_ten = Rate::new(3, 10).expect("a rate");
        assert_eq!((three_of_ten.whole(9), rate(1_000).whole(31)), (30, 31_000));
        assert_eq!(rate(1_000).whole(u64::MAX / 2), u64::MAX);
        assert_eq!(Rate::probable(0.01).map(|rate| rate.whole(5)), Some(500));
        assert_eq!(
            (Rate::new(0, 5), Rate::new(5, 0), Rate::probable(0.0), Rate::probable(f64::NAN)),
            Default::default()
        );
    }

    #[test]
    fn the_nearest_scope_decides() {
        let mut rates = Rates::default();
        assert_eq!(rates.of(Some(1), Some(2)), None);
        for (scope, of) in [(Scope::Exporter, 10), (Scope::Interface(2), 20), (Scope::Sampler(1), 30)] {
            rates.set(scope, rate(of));
        }
        assert_eq!(rates.of(Some(1), Some(2)), Some(rate(30)));
        assert_eq!(rates.of(Some(9), Some(2)), Some(rate(20)));
        assert_eq!(rates.of(None, None), Some(rate(10)));
    }

    #[test]
    fn rates_are_bounded() {
        let mut rates = Rates::default();
        (0..2 * RATES_MAX as u64).for_each(|id| rates.set(Scope::Sampler(id), rate(2)));
        assert_eq!(rates.0.len(), RATES_MAX);
    }
}
