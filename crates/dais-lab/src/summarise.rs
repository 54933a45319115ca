//! From counted histories to figures.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use dais_sim::{CURVE_POINTS, Contact, ExchangeCounts, Mode, StepTally, curve_level};
use dais_traffic::{Family, FamilyId};

use crate::advice::advice;
use crate::found::{self, Clock, Found};
use crate::run::{History, WorldHistory, mean_trust};
use crate::summary::{
    Alerts, CurvePoint, Detection, FamilyDetection, LedgerSummary, Rate, Series, Signatures, Summary, TrustSummary,
    Warning,
};

/// Share of agents that must be protected for immunity.
const IMMUNE_SHARE: f64 = 0.8;

/// The figures of a run. `peak_rss_mb` is measured by the caller, which knows the system.
///
/// Worlds are compared over the steps that all of them carried out; a world that was stopped early shortens the others.
#[must_use]
pub fn summarise(history: &History, peak_rss_mb: Option<f64>) -> Summary {
    let agents = history.behaviours.len();
    let steps = history.worlds.values().map(|world| world.course.steps()).min().unwrap_or(0);
    let families = history.loaded.source.families();
    let detection: BTreeMap<Mode, Detection> =
        history.worlds.iter().map(|(mode, world)| (*mode, detection(world, steps, families, agents))).collect();
    let rates: BTreeMap<Mode, Rate> = history.worlds.iter().map(|(mode, world)| (*mode, rate(world, agents))).collect();
    let all_flows: u64 = history.worlds.values().map(flows).sum();
    let agent_steps: usize = history.worlds.values().map(|world| world.course.steps() as usize * agents).sum();
    let wall_s = history.wall.as_secs_f64();
    let main = history.worlds.get_key_value(&Mode::Collaborative).or_else(|| history.worlds.iter().next());
    let advice = main.map_or_else(Vec::new, |(mode, world)| advice(history, *mode, world));
    let main = main.map(|(_, world)| world);
    let (found, unread) = found(history);
    let counts = main.map(|world| world.finished.counts).unwrap_or_default();
    let closed = counts.accepted + counts.rejected + counts.disputed + counts.expired;
    let per_decision = |amount: u64| (closed > 0).then(|| amount as f64 / closed as f64);
    let (honest_mean, liars_mean) =
        main.map_or((None, None), |world| mean_trust(&world.finished.trust, &history.behaviours));
    Summary {
        scenario: history.scenario.name.clone(),
        seed: history.seed,
        agents,
        adversaries: history.behaviours.iter().filter(|behaviours| !behaviours.is_empty()).count(),
        steps: main.map_or(0, |world| world.course.steps()),
        steps_planned: history.steps_planned,
        interrupted: history.interrupted,
        wall_s,
        agent_steps_per_s: agent_steps as f64 / wall_s,
        flows: main.map_or(0, flows),
        flows_per_s: all_flows as f64 / wall_s,
        rates,
        peak_rss_mb,
        found,
        alerts: main.map(alerts).unwrap_or_default(),
        advice,
        clock: Clock::of(&history.loaded),
        signatures: signatures(counts),
        votes: counts.votes,
        votes_refused: counts.refused_votes,
        messages_per_decision: per_decision(counts.messages),
        bytes_per_decision: per_decision(counts.message_bytes),
        ledger: ledger(history),
        ledger_location: None,
        gap_closed: gap_closed(&detection),
        detection,
        trust: TrustSummary { honest_mean, liars_mean },
        warning: main.and_then(|world| warning(&world.finished.contacts, history.loaded.source.step_s())),
        notes: history.loaded.notes.iter().cloned().chain(unread).collect(),
        schema: history.loaded.source.schema().clone(),
    }
}

fn signatures(counts: ExchangeCounts) -> Signatures {
    Signatures {
        offered: counts.offered,
        published: counts.published,
        accepted: counts.accepted,
        rejected: counts.rejected,
        disputed: counts.disputed,
        expired: counts.expired,
        revoked: counts.revoked,
        accepted_benign: counts.accepted_benign,
    }
}

/// What the ledger holds, and why it could not be read, where it could not.
fn found(history: &History) -> (Vec<Found>, Option<String>) {
    let Some(world) = history.worlds.get(&Mode::Collaborative) else { return (Vec::new(), None) };
    let Some(ledger) = &world.finished.ledger else { return (Vec::new(), None) };
    let families = history.loaded.source.families();
    let labelled =
        world.course.tallies().iter().any(|tally| tally.benign > 0 || tally.families.iter().any(|f| f.flows > 0));
    let name = |family: &Option<FamilyId>| match family {
        Some(family) => families.get(usize::from(family.0)).map(|family| family.name.clone()),
        None => Some("benign".to_owned()),
    };
    let truths = world.truths.iter().filter(|_| labelled);
    let truths = truths.filter_map(|(id, family)| Some((*id, name(family)?))).collect();
    match found::found(ledger.storage(), &history.loaded, &truths) {
        Ok(found) => (found, None),
        Err(error) => {
            (Vec::new(), Some(format!("what was found cannot be listed, as the ledger cannot be read: {error}")))
        }
    }
}

fn flows(world: &WorldHistory) -> u64 {
    world.course.tallies().iter().map(|tally| tally.flows).sum()
}

fn rate(world: &WorldHistory, agents: usize) -> Rate {
    let seconds: f64 = world.phases.values().map(Duration::as_secs_f64).sum();
    let per_second = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
    Rate {
        seconds,
        agent_steps_per_s: per_second(f64::from(world.course.steps()) * agents as f64),
        flows_per_s: per_second(flows(world) as f64),
    }
}

fn alerts(world: &WorldHistory) -> Alerts {
    let tallies = world.course.tallies().iter();
    tallies.fold(Alerts::default(), |sum, tally| Alerts {
        alerted: sum.alerted + tally.alerts,
        matched: sum.matched + tally.matched,
        blocked: sum.blocked + tally.blocked,
    })
}

fn ledger(history: &History) -> LedgerSummary {
    let world = history.worlds.get(&Mode::Collaborative);
    let Some(finished) = world.map(|world| &world.finished) else { return LedgerSummary::default() };
    let head = finished.ledger.as_ref().map(|ledger| ledger.head().head);
    let witnessed = &finished.witnessed;
    LedgerSummary {
        entries: head.map_or(0, |head| head.size),
        head: head.map(|head| head.root.to_string()),
        witnesses: witnessed.witnesses as u64,
        cosigned: witnessed.cosigned() as u64,
        split_views: witnessed.split_views.len() as u64,
    }
}

/// (collaborative - isolated) / (oracle - isolated) of macro recall.
fn gap_closed(detection: &BTreeMap<Mode, Detection>) -> Option<f64> {
    let recall = |mode| detection.get(&mode).and_then(|detection| detection.macro_recall);
    let (isolated, collaborative, oracle) =
        (recall(Mode::Isolated)?, recall(Mode::Collaborative)?, recall(Mode::Oracle)?);
    let gap = oracle - isolated;
    (gap.abs() > 1e-9).then(|| (collaborative - isolated) / gap)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The lower median of values of which `None` lies above all others; `None` where the median is one of those.
fn median(mut values: Vec<Option<f64>>) -> Option<f64> {
    values.sort_by(|a, b| a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY)));
    let middle = values.len().checked_sub(1)? / 2;
    values[middle]
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn detection(world: &WorldHistory, steps: u32, families: &[Family], agents: usize) -> Detection {
    let mut total = StepTally::default();
    let course = world.course.within(steps);
    for tally in course {
        total.add(tally);
    }
    let attacks: u64 = total.families.iter().map(|family| family.flows).sum();
    let found: u64 = total.families.iter().map(|family| family.found).sum();
    let recall = ratio(found, attacks);
    let precision = ratio(found, found + total.false_alarms).filter(|_| attacks + total.benign > 0);
    let delays = |family: usize| {
        let sights = world.finished.first_sights.iter().map(move |agent| agent[family]);
        let seen = sights.filter_map(|sight| Some((sight.seen?, sight.found)));
        seen.map(|(seen, found)| found.map(|found| f64::from(found - seen))).collect::<Vec<_>>()
    };
    let by_family = families.iter().enumerate().map(|(index, family)| {
        let tally = total.families.get(index).copied().unwrap_or_default();
        FamilyDetection {
            name: family.name.clone(),
            technique: family.technique.clone(),
            flows: tally.flows,
            recall: ratio(tally.found, tally.flows),
            delay_steps_median: median(delays(index)),
        }
    });
    let by_family: Vec<FamilyDetection> = by_family.collect();
    let labelled = attacks + total.benign > 0;
    Detection {
        recall,
        macro_recall: mean(by_family.iter().filter_map(|family| family.recall)),
        precision,
        f1: recall.zip(precision).filter(|(r, p)| r + p > 0.0).map(|(r, p)| 2.0 * r * p / (r + p)),
        fpr: ratio(total.false_alarms, total.benign),
        delay_steps_median: median((0..families.len()).flat_map(delays).collect()),
        immunity_steps_median: immunity(course, world.course.span(), families.len(), agents),
        families: by_family,
        curve: if labelled { curve(world) } else { Vec::new() },
    }
}

/// Median over families of the steps from first sight until enough agents are protected.
fn immunity(course: &[StepTally], span: u32, families: usize, agents: usize) -> Option<f64> {
    let needed = IMMUNE_SHARE * agents as f64;
    let of_family = |family: usize| {
        let seen = course.iter().position(|tally| tally.reached.get(family).is_some_and(|&count| count > 0))?;
        let immune = course[seen..].iter().position(|tally| f64::from(tally.protected[family]) >= needed);
        Some(immune.map(|points| points as f64 * f64::from(span)))
    };
    median((0..families).filter_map(of_family).collect())
}

fn curve(world: &WorldHistory) -> Vec<CurvePoint> {
    let curve = &world.finished.curve;
    let benign: u64 = curve.benign.iter().sum();
    let upto = |counts: &[u64], place: usize| counts[..=place].iter().sum::<u64>();
    let point = |index: usize| {
        let place = index + 1;
        let recalls = curve.attack.iter().filter_map(|counts| ratio(upto(counts, place), counts.iter().sum()));
        Some(CurvePoint {
            alert_p: f64::from(curve_level(index)),
            fpr: ratio(upto(&curve.benign, place), benign)?,
            macro_recall: mean(recalls)?,
        })
    };
    (0..CURVE_POINTS).filter_map(point).collect()
}

/// How the sites warned one another: attackers seen first at one site that another had blocked when they arrived.
fn warning(contacts: &[(IpAddr, Contact)], step_s: Option<f64>) -> Option<Warning> {
    let mut by_source: BTreeMap<IpAddr, Vec<Contact>> = BTreeMap::new();
    for (source, contact) in contacts {
        by_source.entry(*source).or_default().push(*contact);
    }
    if by_source.is_empty() {
        return None;
    }
    let mut warning = Warning { attackers: by_source.len() as u64, ..Warning::default() };
    let mut steps_ahead = Vec::new();
    for arrivals in by_source.values_mut().filter(|arrivals| arrivals.len() > 1) {
        arrivals.sort_by(|a, b| {
            let time = |contact: &Contact| contact.time_s.unwrap_or_default();
            a.step.cmp(&b.step).then(time(a).total_cmp(&time(b))).then(a.agent.cmp(&b.agent))
        });
        warning.shared_attackers += 1;
        for arrival in &arrivals[1..] {
            warning.later_arrivals += 1;
            if let Some(since) = arrival.blocked_since {
                warning.blocked_on_arrival += 1;
                steps_ahead.push(Some(f64::from(arrival.step - since)));
            }
        }
    }
    warning.warning_steps_median = median(steps_ahead);
    warning.warning_hours_median =
        warning.warning_steps_median.zip(step_s).map(|(steps, step_s)| steps * step_s / 3600.0);
    Some(warning)
}

/// Values over time, for plots.
#[must_use]
pub fn series(history: &History) -> Series {
    let span = history.worlds.values().map(|world| world.course.span()).max().unwrap_or(1);
    let mut series = Series { steps_per_point: span, ..Series::default() };
    let agents = history.behaviours.len().max(1) as f64;
    for (&mode, world) in &history.worlds {
        let recall = world.course.tallies().iter().map(|tally| {
            let (flows, found) =
                tally.families.iter().fold((0, 0), |(a, b), family| (a + family.flows, b + family.found));
            ratio(found, flows)
        });
        series.recall.insert(mode, recall.collect());
        let fpr = world.course.tallies().iter().map(|tally| ratio(tally.false_alarms, tally.benign));
        series.fpr.insert(mode, fpr.collect());
        let phases = world.phases.iter();
        series.phases.extend(phases.map(|(phase, time)| (mode, phase.name().to_owned(), time.as_secs_f64())));
    }
    if let Some(world) = history.worlds.get(&Mode::Collaborative) {
        let share = |counts: fn(&StepTally) -> &Vec<u32>, family: usize| {
            world.course.tallies().iter().map(|tally| f64::from(counts(tally)[family]) / agents).collect::<Vec<f64>>()
        };
        for (index, family) in history.loaded.source.families().iter().enumerate() {
            series.reached.push((family.name.clone(), share(|tally| &tally.reached, index)));
            series.protected.push((family.name.clone(), share(|tally| &tally.protected, index)));
        }
        series.trust_honest = world.course.trust().iter().filter_map(|(honest, _)| *honest).collect();
        series.trust_liars = world.course.trust().iter().filter_map(|(_, liars)| *liars).collect();
        let ends = world.finished.trust.iter().zip(&history.behaviours);
        series.trust_end = ends.map(|(&trust, lies)| (f64::from(trust), !lies.is_empty())).collect();
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_of_mostly_never_is_never() {
        assert_eq!(median(vec![Some(1.0), None, None]), None);
        assert_eq!(median(vec![Some(3.0), None, Some(1.0)]), Some(3.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn an_attacker_blocked_before_it_arrives_counts_as_warned() {
        let source: IpAddr = [192, 0, 2, 1].into();
        let contact = |agent, step, blocked_since| (source, Contact { agent, step, time_s: None, blocked_since });
        let contacts = [contact(1, 9, Some(4)), contact(0, 2, None), contact(2, 5, None)];
        let warning = warning(&contacts, Some(1800.0)).expect("there are attackers");
        assert_eq!((warning.shared_attackers, warning.later_arrivals, warning.blocked_on_arrival), (1, 2, 1));
        assert_eq!((warning.warning_steps_median, warning.warning_hours_median), (Some(5.0), Some(2.5)));
    }
}
