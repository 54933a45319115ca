use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::check::{Check, Finding, Probe, State};
use super::report::{CheckReport, Report, Status};
use super::standing::Standing;

/// First calls are spread over this time at most, so that the first report is not long in coming.
const SPREAD_MAX: Duration = Duration::from_secs(1);

/// Why checks cannot stand together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Two checks of one name.
    #[error("there are two checks named `{0}`")]
    Twice(String),
    /// A dependency on nothing.
    #[error("the check `{check}` depends on `{after}`, which is no check")]
    Unknown {
        /// The check that depends.
        check: String,
        /// What it names.
        after: String,
    },
    /// Checks that wait for one another.
    #[error("the check `{0}` depends on itself, by way of others or at once")]
    Circle(String),
}

/// A check shows another status than before.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Name of the check.
    pub check: String,
    /// What it showed.
    pub from: Status,
    /// What it shows.
    pub to: Status,
    /// Why.
    pub detail: String,
}

/// A call that returned.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Name of the check.
    pub check: String,
    /// What it found.
    pub finding: Finding,
}

/// All checks with their findings: a state machine without clock and threads.
///
/// `now` is the time since any fixed moment, and never less than in the call before.
///
/// | input | output |
/// |---|---|
/// | [`start_due`](Registry::start_due) | the calls to make now; they count as begun |
/// | [`finish`](Registry::finish) | the finding is remembered, or dropped where it is too late |
/// | [`expire`](Registry::expire) | calls that take too long count as unhealthy |
/// | [`next_event`](Registry::next_event) | when to ask again |
/// | [`replace`](Registry::replace) | other checks from now on; those of the same name keep what was found |
/// | [`report`](Registry::report) | how everything is |
#[derive(Debug)]
pub struct Registry {
    standings: Vec<Standing>,
    /// Positions so that every check comes after those it depends on.
    order: Vec<usize>,
    history_len: usize,
    seed: u64,
    told: Vec<Status>,
}

impl Registry {
    /// A registry of these checks, each remembering its last `history_len` findings. `seed` spreads their first calls.
    ///
    /// # Errors
    /// Two checks of one name, and dependencies that are unknown or go round in a circle.
    pub fn new(checks: Vec<Check>, history_len: usize, seed: u64) -> Result<Self, RegistryError> {
        let mut registry = Self { standings: Vec::new(), order: Vec::new(), history_len, seed, told: Vec::new() };
        registry.replace(Duration::ZERO, checks, history_len)?;
        Ok(registry)
    }

    /// Goes on with these checks. A check of a name that was there keeps its status and history, also while a call is under
    /// way; one that is new begins as in a new registry.
    ///
    /// # Errors
    /// As [`Registry::new`]; the checks then stay as they were.
    pub fn replace(&mut self, now: Duration, checks: Vec<Check>, history_len: usize) -> Result<(), RegistryError> {
        let places = places(&checks)?;
        let after = checks.iter().map(|check| positions(check, &places)).collect::<Result<Vec<_>, _>>()?;
        let order = in_order(&checks, &after)?;
        let named = |(standing, told): (Standing, Status)| (standing.check.name.clone(), (standing, told));
        let told = std::mem::take(&mut self.told);
        let mut known: BTreeMap<String, _> = self.standings.drain(..).zip(told).map(named).collect();
        for (check, after) in checks.into_iter().zip(after) {
            let (mut standing, told) = if let Some((mut standing, told)) = known.remove(&check.name) {
                standing.change(check, now);
                (standing, told)
            } else {
                let first = now + check.interval.min(SPREAD_MAX).mul_f64(spread(&check.name, self.seed));
                (Standing::new(check, first), Status::Unknown)
            };
            standing.after = after;
            self.standings.push(standing);
            self.told.push(told);
        }
        self.order = order;
        self.history_len = history_len;
        Ok(())
    }

    /// The calls that are due, in the order of dependency. A check whose dependency has no finding yet waits; one whose
    /// dependency is unhealthy leaves this turn out.
    pub fn start_due(&mut self, now: Duration) -> Vec<(String, Probe)> {
        let mut calls = Vec::new();
        for place in self.order.clone() {
            let statuses = self.statuses();
            let standing = &self.standings[place];
            if !standing.is_due(now) || standing.after.iter().any(|&on| statuses[on] == Status::Unknown) {
                continue;
            }
            let blocked = statuses[place] == Status::Skipped;
            let standing = &mut self.standings[place];
            if blocked {
                standing.skip(now);
            } else {
                standing.start(now);
                calls.push((standing.check.name.clone(), Probe::clone(&standing.check.probe)));
            }
        }
        calls
    }

    /// Takes what a call found. After its time-out it is too old to count; the check is then called again later.
    pub fn finish(&mut self, now: Duration, ended: Ended) {
        let history_len = self.history_len;
        if let Some(standing) = self.standings.iter_mut().find(|standing| standing.check.name == ended.check) {
            standing.finish(now, ended.finding, history_len);
        }
    }

    /// Counts calls that have not returned in time as unhealthy, again at every interval until they return. They are
    /// not made a second time meanwhile.
    pub fn expire(&mut self, now: Duration) {
        for standing in &mut self.standings {
            standing.expire(now, self.history_len);
        }
    }

    /// When the next call or time-out is due; `None` without checks. A check that waits for another is no event.
    #[must_use]
    pub fn next_event(&self) -> Option<Duration> {
        let statuses = self.statuses();
        let waits = |standing: &&Standing| standing.after.iter().any(|&on| statuses[on] == Status::Unknown);
        self.standings.iter().filter(|standing| !waits(standing)).map(Standing::next_event).min()
    }

    /// The checks whose status is another than when this was last asked.
    pub fn changes(&mut self) -> Vec<Change> {
        let statuses = self.statuses();
        let told = std::mem::replace(&mut self.told, statuses.clone());
        let mut changes = Vec::new();
        for (place, (from, &to)) in told.into_iter().zip(&statuses).enumerate() {
            if from != to {
                let standing = &self.standings[place];
                let detail = standing.shown.as_ref().map(|shown| shown.detail.clone());
                let detail = self.reason(place, &statuses).or(detail).unwrap_or_default();
                changes.push(Change { check: standing.check.name.clone(), from, to, detail });
            }
        }
        changes
    }

    /// How everything is. The shell adds the stage and the wall clock's time.
    #[must_use]
    pub fn report(&self, now: Duration) -> Report {
        let statuses = self.statuses();
        let checks = self.standings.iter().enumerate().map(|(place, standing)| {
            let shown = standing.shown.as_ref();
            let detail = shown.map_or_else(|| "not checked yet".to_owned(), |shown| shown.detail.clone());
            let last = standing.history.back();
            CheckReport {
                name: standing.check.name.clone(),
                status: statuses[place],
                detail: self.reason(place, &statuses).unwrap_or(detail),
                figures: shown.map(|shown| shown.figures.clone()).unwrap_or_default(),
                critical: standing.check.critical,
                liveness: standing.check.liveness,
                weight: standing.check.weight,
                after: standing.check.after.clone(),
                interval_s: standing.check.interval.as_secs_f64(),
                checked_s_ago: last.map(|last| now.as_secs_f64() - last.at_s),
                duration_ms: last.map(|last| last.duration_ms),
                failures_in_row: standing.failures,
                history: standing.history.iter().cloned().collect(),
            }
        });
        Report::of(now, checks.collect())
    }

    /// The status of every check, with the skipped ones.
    fn statuses(&self) -> Vec<Status> {
        let mut statuses = vec![Status::Unknown; self.standings.len()];
        for &place in &self.order {
            let standing = &self.standings[place];
            let fails = |&on: &usize| matches!(statuses[on], Status::Unhealthy | Status::Skipped);
            statuses[place] = if standing.after.iter().any(fails) {
                Status::Skipped
            } else {
                standing.shown.as_ref().map_or(Status::Unknown, |shown| shown.state.into())
            };
        }
        statuses
    }

    /// Why a check is skipped.
    fn reason(&self, place: usize, statuses: &[Status]) -> Option<String> {
        let failing = |&&on: &&usize| matches!(statuses[on], Status::Unhealthy | Status::Skipped);
        let on = *self.standings[place].after.iter().find(failing)?;
        Some(format!("needs `{}`, which is {}", self.standings[on].check.name, statuses[on]))
    }
}

impl From<State> for Status {
    fn from(state: State) -> Self {
        match state {
            State::Healthy => Self::Healthy,
            State::Degraded => Self::Degraded,
            State::Unhealthy => Self::Unhealthy,
        }
    }
}

/// A share in [0, 1) that differs from name to name.
fn spread(name: &str, seed: u64) -> f64 {
    let mut hasher = DefaultHasher::new();
    (name, seed).hash(&mut hasher);
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The position of each name.
fn places(checks: &[Check]) -> Result<BTreeMap<String, usize>, RegistryError> {
    let mut places = BTreeMap::new();
    for (place, check) in checks.iter().enumerate() {
        if places.insert(check.name.clone(), place).is_some() {
            return Err(RegistryError::Twice(check.name.clone()));
        }
    }
    Ok(places)
}

/// The positions of the checks that a check depends on.
fn positions(check: &Check, places: &BTreeMap<String, usize>) -> Result<Vec<usize>, RegistryError> {
    let unknown = |after: &String| RegistryError::Unknown { check: check.name.clone(), after: after.clone() };
    check.after.iter().map(|after| places.get(after).copied().ok_or_else(|| unknown(after))).collect()
}

/// Every check after those it depends on.
fn in_order(checks: &[Check], after: &[Vec<usize>]) -> Result<Vec<usize>, RegistryError> {
    let mut order: Vec<usize> = Vec::new();
    let mut left: Vec<usize> = (0..checks.len()).collect();
    while let Some(&first) = left.first() {
        let ready = |place: &usize| after[*place].iter().all(|on| order.contains(on));
        let (next, rest): (Vec<usize>, Vec<usize>) = left.iter().partition(|place| ready(place));
        if next.is_empty() {
            return Err(RegistryError::Circle(checks[first].name.clone()));
        }
        order.extend(next);
        left = rest;
    }
    Ok(order)
}
