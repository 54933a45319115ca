//! Many runs of one scenario: every combination of seed, alert level and share of liars.

use std::collections::BTreeMap;

use dais_ledger::MemoryStorage;
use dais_sim::{Execution, Mode};
use serde::{Deserialize, Serialize};

use crate::load::Material;
use crate::run::{Next, Progress, RunError, run_loaded};
use crate::scenario::{LIES, Scenario};
use crate::summarise::summarise;
use crate::summary::{Detection, Summary};

/// What is varied.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepParams {
    /// Seeds; every other choice is run with each of them.
    pub seeds: Vec<u64>,
    /// Alert levels; empty for that of the scenario. The suspect and quarantine levels are raised where they would lie
    /// below the alert level.
    pub alert_p: Vec<f32>,
    /// Shares of agents that both publish signatures of normal traffic and invert their votes, 0 to 1, in place of the
    /// adversaries of the scenario; empty to leave those.
    pub liars: Vec<f64>,
}

/// How far a sweep has come.
#[derive(Clone, Copy, Debug)]
pub struct SweepProgress<'a> {
    /// Runs that are finished.
    pub runs_done: usize,
    /// Runs in all.
    pub runs: usize,
    /// The run that is under way.
    pub run: Progress<'a>,
}

/// Mean and standard deviation over seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// Sample standard deviation; 0 for a single value.
    pub std: f64,
    /// How many values they are taken over.
    pub values: u32,
}

impl Spread {
    /// Mean and deviation of some values; `None` without any.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().flatten().collect();
        if values.is_empty() {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let std = if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        Some(Self { mean, std, values: values.len() as u32 })
    }
}

/// One world at one alert level and share of liars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorldPoint {
    /// Macro recall.
    pub macro_recall: Option<Spread>,
    /// False positive rate.
    pub fpr: Option<Spread>,
}

/// All seeds at one alert level and share of liars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// Alert level; `None` for that of the scenario.
    pub alert_p: Option<f32>,
    /// Share of liars; `None` for the adversaries of the scenario.
    pub liars: Option<f64>,
    /// Figures by world.
    pub worlds: BTreeMap<Mode, WorldPoint>,
    /// Gap closed.
    pub gap_closed: Option<Spread>,
    /// Collaborative minus isolated macro recall at the false positive rate of the collaborative world; see
    /// [`Sweep::points`].
    pub gain_matched: Option<Spread>,
    /// Trust of honest agents at the end.
    pub trust_honest: Option<Spread>,
    /// Trust of liars at the end.
    pub trust_liars: Option<Spread>,
    /// Signatures accepted.
    pub accepted: Option<Spread>,
    /// Signatures accepted though most of their flows were benign.
    pub accepted_benign: Option<Spread>,
}

/// Macro recall of a world at given false positive rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TradeOff {
    /// Alert level that learning used; `None` for that of the scenario.
    pub alert_p: Option<f32>,
    /// Share of liars; `None` for the adversaries of the scenario.
    pub liars: Option<f64>,
    /// The world.
    pub mode: Mode,
    /// False positive rate, and macro recall there where the curves of all seeds reach it.
    pub recall_at: Vec<(f64, Option<Spread>)>,
}

/// The figures of many runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Name of the scenario.
    pub scenario: String,
    /// Agents of each run.
    pub agents: usize,
    /// Steps of each run.
    pub steps: u32,
    /// Seeds that were run.
    pub seeds: Vec<u64>,
    /// One point for each alert level and share of liars.
    ///
    /// `gain_matched` compares, seed by seed, with what the isolated world reaches at the false positive rate of the
    /// collaborative one. Its points (false positive rate, macro recall) at the alert levels of the sweep are joined by
    /// straight lines; where the rate lies beyond them, or only one level was run, the trade-off curve of the isolated
    /// run itself takes over, in which the alert level moves and learning stays.
    pub points: Vec<SweepPoint>,
    /// Trade-off curves: the alert level moves, learning stays as it was.
    pub trade_offs: Vec<TradeOff>,
    /// Whether the sweep was stopped before its end; figures then cover the runs that were finished.
    pub interrupted: bool,
    /// Seconds of the whole sweep.
    pub wall_s: f64,
}

/// False positive rates at which trade-off curves are read.
pub const TRADE_OFF_FPR: [f64; 8] = [0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.10];

/// One choice of what is varied besides the seed.
#[derive(Clone, Copy)]
struct Choice {
    alert_p: Option<f32>,
    liars: Option<f64>,
}

impl Choice {
    fn all(params: &SweepParams) -> Vec<Self> {
        let or_none = |values: usize| if values == 0 { 1 } else { values };
        let levels = (0..or_none(params.alert_p.len())).map(|at| params.alert_p.get(at).copied());
        let with = |alert_p| {
            let shares = (0..or_none(params.liars.len())).map(|at| params.liars.get(at).copied());
            shares.map(move |liars| Self { alert_p, liars })
        };
        levels.flat_map(with).collect()
    }

    fn apply(self, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        if let Some(alert_p) = self.alert_p {
            scenario.set_alert_level(alert_p);
        }
        if let Some(share) = self.liars {
            scenario.set_liars(share, &LIES);
        }
        scenario
    }
}

/// Runs every combination, with ledgers in memory. The files in `material` are read once; each seed plays them anew.
///
/// # Errors
/// Traffic that cannot be played, parameters out of range.
pub fn sweep(
    scenario: &Scenario,
    material: &Material,
    params: &SweepParams,
    execution: Execution,
    each_step: &mut dyn FnMut(SweepProgress<'_>) -> Next,
) -> Result<Sweep, RunError> {
    let choices = Choice::all(params);
    let variants: Vec<Scenario> = choices.iter().map(|choice| choice.apply(scenario)).collect();
    for variant in &variants {
        variant.rules.check()?;
    }
    let runs = choices.len() * params.seeds.len();
    let mut summaries: Vec<Vec<Summary>> = vec![Vec::new(); choices.len()];
    let (mut runs_done, mut interrupted, mut wall_s, mut steps) = (0, false, 0.0, 0);
    'seeds: for &seed in &params.seeds {
        let loaded = material.clone().load(&scenario.traffic, seed)?;
        steps = loaded.steps;
        for (variant, summaries) in variants.iter().zip(&mut summaries) {
            let mut told = |run: Progress<'_>| each_step(SweepProgress { runs_done, runs, run });
            let storage = Box::new(MemoryStorage::new());
            let history = run_loaded(variant, loaded.clone(), seed, execution, storage, &mut told)?;
            wall_s += history.wall.as_secs_f64();
            if history.interrupted {
                interrupted = true;
                break 'seeds;
            }
            summaries.push(summarise(&history, None));
            runs_done += 1;
        }
    }
    let points = choices.iter().enumerate().map(|(at, choice)| point(*choice, &summaries[at], &choices, &summaries));
    Ok(Sweep {
        scenario: scenario.name.clone(),
        agents: summaries.iter().flatten().next().map_or(0, |summary| summary.agents),
        steps,
        seeds: params.seeds.clone(),
        points: points.collect(),
        trade_offs: choices.iter().zip(&summaries).flat_map(|(choice, runs)| trade_offs(*choice, runs)).collect(),
        interrupted,
        wall_s,
    })
}

fn point(choice: Choice, runs: &[Summary], choices: &[Choice], all: &[Vec<Summary>]) -> SweepPoint {
    let of = |figure: &dyn Fn(&Summary) -> Option<f64>| Spread::of(runs.iter().map(figure));
    let world = |mode: Mode| {
        let figure = |figure: fn(&Detection) -> Option<f64>| of(&|run| run.detection.get(&mode).and_then(figure));
        WorldPoint { macro_recall: figure(|world| world.macro_recall), fpr: figure(|world| world.fpr) }
    };
    let modes = runs.first().map(|run| run.detection.keys().copied().collect::<Vec<Mode>>()).unwrap_or_default();
    let gain = |run: &Summary| {
        let (collaborative, isolated) = (run.detection.get(&Mode::Collaborative)?, run.detection.get(&Mode::Isolated)?);
        let (recall, fpr) = (collaborative.macro_recall?, collaborative.fpr?);
        let same_liars = choices.iter().zip(all).filter(|(other, _)| other.liars == choice.liars);
        let same_seed = same_liars.filter_map(|(_, runs)| runs.iter().find(|other| other.seed == run.seed));
        let points = same_seed.filter_map(|run| {
            let isolated = run.detection.get(&Mode::Isolated)?;
            Some((isolated.fpr?, isolated.macro_recall?))
        });
        let matched = recall_at(points.collect(), fpr).or_else(|| recall_at(curve(isolated), fpr))?;
        Some(recall - matched)
    };
    SweepPoint {
        alert_p: choice.alert_p,
        liars: choice.liars,
        worlds: modes.into_iter().map(|mode| (mode, world(mode))).collect(),
        gap_closed: of(&|run| run.gap_closed),
        gain_matched: of(&gain),
        trust_honest: of(&|run| run.trust.honest_mean),
        trust_liars: of(&|run| run.trust.liars_mean),
        accepted: of(&|run| Some(run.signatures.accepted as f64)),
        accepted_benign: of(&|run| Some(run.signatures.accepted_benign as f64)),
    }
}

fn trade_offs(choice: Choice, runs: &[Summary]) -> Vec<TradeOff> {
    let modes = runs.first().map(|run| run.detection.keys().copied().collect::<Vec<Mode>>()).unwrap_or_default();
    let trade_off = |mode: Mode| {
        let at = |fpr: f64| {
            let recalls: Option<Vec<f64>> =
                runs.iter().map(|run| recall_at(curve(run.detection.get(&mode)?), fpr)).collect();
            (fpr, recalls.and_then(|recalls| Spread::of(recalls.into_iter().map(Some))))
        };
        let recall_at = TRADE_OFF_FPR.into_iter().map(at).collect();
        TradeOff { alert_p: choice.alert_p, liars: choice.liars, mode, recall_at }
    };
    modes.into_iter().map(trade_off).collect()
}

fn curve(world: &Detection) -> Vec<(f64, f64)> {
    world.curve.iter().map(|point| (point.fpr, point.macro_recall)).collect()
}

/// Recall at a false positive rate on the straight lines between points; `None` beyond the outermost ones.
///
/// Where several points have the same rate, the best one counts.
fn recall_at(mut points: Vec<(f64, f64)>, fpr: f64) -> Option<f64> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    points.dedup_by(|later, kept| later.0.total_cmp(&kept.0).is_eq());
    let above = points.partition_point(|point| point.0 < fpr);
    let upper = *points.get(above)?;
    if upper.0.total_cmp(&fpr).is_eq() {
        return Some(upper.1);
    }
    let lower = points[above.checked_sub(1)?];
    Some(lower.1 + (upper.1 - lower.1) * (fpr - lower.0) / (upper.0 - lower.0))
}

#[cfg(test)]
mod tests {
    use dais_traffic::SyntheticParams;

    use super::*;
    use crate::scenario::Traffic;

    fn tiny() -> Scenario {
        let params = SyntheticParams { sites: 6, steps: 8, flows_per_step: 40.0, ..SyntheticParams::default() };
        Scenario { traffic: Traffic::Synthetic(params), ..Scenario::default() }
    }

    fn swept(params: &SweepParams) -> Sweep {
        let scenario = tiny();
        let material = Material::read(&scenario.traffic).expect("nothing to read");
        let execution = Execution { threads: 1, use_parallel_threshold: 16 };
        sweep(&scenario, &material, params, execution, &mut |_| Next::Continue).expect("a sound sweep")
    }

    #[test]
    fn every_combination_is_run_once_and_the_spread_is_over_seeds() {
        let sweep = swept(&SweepParams { seeds: vec![1, 2], alert_p: vec![0.02, 0.2], liars: vec![0.0, 0.5] });
        let choices: Vec<_> = sweep.points.iter().map(|point| (point.alert_p, point.liars)).collect();
        let expected = [(0.02, 0.0), (0.02, 0.5), (0.2, 0.0), (0.2, 0.5)];
        assert_eq!(choices, expected.map(|(level, liars)| (Some(level), Some(liars))));
        for point in &sweep.points {
            assert_eq!(point.worlds.len(), 3);
            assert_eq!(point.accepted.map(|spread| spread.values), Some(2));
            assert_eq!(point.trust_liars.is_some(), point.liars > Some(0.0), "{point:?}");
        }
        let fpr = |at: usize| sweep.points[at].worlds[&Mode::Isolated].fpr.map(|spread| spread.mean);
        assert!(fpr(2) > fpr(0), "ten times the alert level must raise false positives: {:?} {:?}", fpr(0), fpr(2));
        assert_eq!(sweep.trade_offs.len(), 12);
    }

    #[test]
    fn a_sweep_that_is_stopped_keeps_the_runs_it_finished() {
        let scenario = tiny();
        let material = Material::read(&scenario.traffic).expect("nothing to read");
        let params = SweepParams { seeds: vec![1, 2, 3], alert_p: vec![], liars: vec![] };
        let mut stop_in_second = |progress: SweepProgress<'_>| {
            if progress.runs_done == 1 { Next::Stop } else { Next::Continue }
        };
        let sweep = sweep(&scenario, &material, &params, Execution::default(), &mut stop_in_second).expect("sound");
        assert!(sweep.interrupted);
        assert_eq!(sweep.points[0].accepted.map(|spread| spread.values), Some(1));
    }

    #[test]
    fn recall_is_read_between_points_and_never_beyond_them() {
        let points = vec![(0.04, 0.8), (0.02, 0.4), (0.02, 0.5)];
        let at = |fpr| recall_at(points.clone(), fpr);
        assert_eq!((at(0.02), at(0.04)), (Some(0.5), Some(0.8)));
        assert!(at(0.03).is_some_and(|recall| (recall - 0.65).abs() < 1e-12));
        assert_eq!((at(0.01), at(0.05), recall_at(vec![], 0.1)), (None, None, None));
    }

    #[test]
    fn the_spread_is_the_sample_standard_deviation() {
        let spread = Spread::of([Some(1.0), None, Some(3.0)]).expect("two values");
        assert!((spread.mean - 2.0).abs() < 1e-12 && (spread.std - 2.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Spread::of([None]), None);
    }
}
