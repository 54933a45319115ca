//! The comparison of many runs on the terminal.

use dais_lab::{Spread, Sweep, SweepPoint, TRADE_OFF_FPR, TradeOff};
use dais_sim::Mode;

use crate::screen::figure::{NOTHING, plural, seconds};
use crate::screen::output::Ink;
use crate::screen::table::Table;

/// The sweep, ready to be printed.
pub(crate) fn sweep(sweep: &Sweep, ink: Ink) -> String {
    let runs = sweep.points.len() * sweep.seeds.len();
    let mut lines = vec![format!(
        "{} · {} · {} · {} of {} in {}",
        ink.strong(&sweep.scenario),
        plural(sweep.agents as u64, "agent"),
        plural(sweep.steps.into(), "step"),
        plural(runs as u64, "run"),
        plural(sweep.seeds.len() as u64, "seed"),
        seconds(sweep.wall_s),
    )];
    if sweep.interrupted {
        lines.push(ink.strong("Stopped before its end: figures cover the runs that were finished."));
    }
    lines.push(String::new());
    lines.push(ink.heading("Macro recall at false positive rate, in percent, mean ± standard deviation over seeds"));
    lines.extend(worlds(sweep));
    lines.push(String::new());
    lines.push(ink.heading("What sharing is worth"));
    lines.extend(worth(sweep));
    lines.push(
        ink.faint("  at equal FPR: collaborative minus isolated macro recall, in points, with isolated read at the"),
    );
    lines.push(ink.faint("  false positive rate of collaborative, between its alert levels"));
    lines.push(String::new());
    lines.push(
        ink.heading("Trade-off: macro recall in percent by false positive rate, alert level moved, learning unchanged"),
    );
    lines.extend(trade_offs(sweep));
    let plot = plot(sweep);
    if !plot.is_empty() {
        lines.push(String::new());
        lines.extend(plot);
    }
    lines.join("\n") + "\n"
}

/// Columns that tell the points apart.
fn head(sweep: &Sweep) -> Vec<&'static str> {
    let levels = sweep.points.iter().any(|point| point.alert_p.is_some());
    let liars = sweep.points.iter().any(|point| point.liars.is_some());
    [(levels, "alert level"), (liars, "liars")].into_iter().filter(|(shown, _)| *shown).map(|(_, name)| name).collect()
}

fn choice(alert_p: Option<f32>, liars: Option<f64>) -> Vec<String> {
    let level = alert_p.map(|level| level.to_string());
    level.into_iter().chain(liars.map(|share| format!("{:.0} %", share * 100.0))).collect()
}

fn modes(sweep: &Sweep) -> Vec<Mode> {
    sweep.points.first().map(|point| point.worlds.keys().copied().collect()).unwrap_or_default()
}

fn spread(spread: Option<Spread>, scale: f64, digits: usize) -> String {
    let Some(Spread { mean, std, values }) = spread else { return NOTHING.to_owned() };
    let mean = format!("{:.digits$}", mean * scale);
    if values > 1 { format!("{mean} ±{:.digits$}", std * scale) } else { mean }
}

fn worlds(sweep: &Sweep) -> Vec<String> {
    let mut table = Table::new(0);
    let names = modes(sweep).into_iter().map(|mode| mode.name().to_owned());
    table.row(head(sweep).into_iter().map(str::to_owned).chain(names));
    for point in &sweep.points {
        let figures = point
            .worlds
            .values()
            .map(|world| format!("{} at {}", spread(world.macro_recall, 100.0, 1), spread(world.fpr, 100.0, 2)));
        table.row(choice(point.alert_p, point.liars).into_iter().chain(figures));
    }
    table.lines()
}

fn worth(sweep: &Sweep) -> Vec<String> {
    let mut table = Table::new(0);
    let lying = sweep.points.iter().any(|point| point.trust_liars.is_some());
    let trust = if lying { ["trust honest", "trust liars"].as_slice() } else { ["trust honest"].as_slice() };
    let names = ["gap closed %", "at equal FPR", "accepted", "mostly benign"];
    table.row(head(sweep).into_iter().chain(names).chain(trust.iter().copied()));
    for point in &sweep.points {
        let SweepPoint { gap_closed, gain_matched, accepted, accepted_benign, trust_honest, trust_liars, .. } = point;
        let gain = spread(*gain_matched, 100.0, 1);
        let gain = if gain_matched.is_some_and(|gain| gain.mean >= 0.0) { format!("+{gain}") } else { gain };
        let figures = [
            spread(*gap_closed, 100.0, 0),
            gain,
            spread(*accepted, 1.0, 0),
            spread(*accepted_benign, 1.0, 1),
            spread(*trust_honest, 1.0, 2),
        ];
        let liars = lying.then(|| spread(*trust_liars, 1.0, 2));
        table.row(choice(point.alert_p, point.liars).into_iter().chain(figures).chain(liars));
    }
    table.lines()
}

fn trade_offs(sweep: &Sweep) -> Vec<String> {
    let mut table = Table::new(head(sweep).len() + 1);
    let rates = TRADE_OFF_FPR.iter().map(|rate| format!("{} %", rate * 100.0));
    table.row(head(sweep).into_iter().chain(["world"]).map(str::to_owned).chain(rates));
    for TradeOff { alert_p, liars, mode, recall_at } in &sweep.trade_offs {
        let mean = |recall: &Option<Spread>| {
            recall.map_or_else(|| NOTHING.to_owned(), |recall| format!("{:.1}", recall.mean * 100.0))
        };
        let recalls = recall_at.iter().map(|(_, recall)| mean(recall));
        table.row(choice(*alert_p, *liars).into_iter().chain([mode.name().to_owned()]).chain(recalls));
    }
    table.lines()
}

/// Columns of the plot, and about as many rows.
const PLOT: (usize, usize) = (72, 16);

/// The points of each world at the alert levels of the sweep; empty where there are fewer than two levels.
fn plot(sweep: &Sweep) -> Vec<String> {
    let first_liars = sweep.points.first().and_then(|point| point.liars);
    let points = sweep.points.iter().filter(|point| point.liars == first_liars);
    let marks: Vec<(char, f64, f64)> = points
        .flat_map(|point| &point.worlds)
        .filter_map(|(mode, world)| Some((mark(*mode), world.fpr?.mean, world.macro_recall?.mean)))
        .collect();
    if marks.len() < 2 * modes(sweep).len().max(1) {
        return Vec::new();
    }
    let fpr_max = marks.iter().map(|mark| mark.1).fold(0.001, f64::max) * 1.05;
    // Tens of percent above and below all points, each with the same number of rows.
    let high = marks.iter().map(|mark| mark.2).fold(0.0, f64::max).mul_add(10.0, 0.1).ceil().min(10.0);
    let low = (marks.iter().map(|mark| mark.2).fold(1.0, f64::min) * 10.0).floor().min(high - 1.0);
    let (columns, rows_wanted) = PLOT;
    let rows_each = (rows_wanted / (high - low) as usize).max(1);
    let rows = (high - low) as usize * rows_each + 1;
    let mut grid = vec![vec![' '; columns]; rows];
    for (mark, fpr, recall) in marks {
        let column = (fpr / fpr_max * (columns - 1) as f64).round() as usize;
        let row = ((high - recall * 10.0) * rows_each as f64).round().max(0.0) as usize;
        grid[row.min(rows - 1)][column.min(columns - 1)] = mark;
    }
    let label = |row: usize| match row % rows_each {
        0 => format!("{:>3.0} %", high * 10.0 - (row / rows_each * 10) as f64),
        _ => " ".repeat(5),
    };
    let line = |(row, cells): (usize, &Vec<char>)| format!("  {} │{}", label(row), String::from_iter(cells));
    let mut lines: Vec<String> = grid.iter().enumerate().map(line).map(|line| line.trim_end().to_owned()).collect();
    lines.push(format!("        └{}", "─".repeat(columns)));
    lines.push(format!("         0 %{:>width$}", format!("{:.1} %", fpr_max * 100.0), width = columns - 3));
    let liars = first_liars.filter(|share| *share > 0.0).map(|share| format!(" with {:.0} % liars", share * 100.0));
    lines.push(format!(
        "         up: macro recall, right: false positive rate{}; i isolated, c collaborative, o oracle",
        liars.unwrap_or_default()
    ));
    lines
}

fn mark(mode: Mode) -> char {
    match mode {
        Mode::Isolated => 'i',
        Mode::Collaborative => 'c',
        Mode::Oracle => 'o',
    }
}
