//! The summary of a run on one screen.

use std::path::Path;

use dais_lab::{Detection, LedgerSummary, Summary, Warning};
use dais_runs::{LEDGER, REPORT, SPLIT_VIEW};
use dais_sim::Mode;

use crate::screen::figure::{count, fine_percent, number, percent, plural, rate, seconds};
use crate::screen::found;
use crate::screen::output::Ink;
use crate::screen::table::Table;

/// Families shown; the others are in the report.
const FAMILIES_MAX: usize = 12;
/// Notes on the input that are shown; all are in `summary.json`.
const NOTES_MAX: usize = 3;
/// Columns of the screen.
const COLUMNS: usize = 100;
/// Longest name of a family.
const NAME_CHARS_MAX: usize = 28;

/// The summary, ready to be printed.
pub(crate) fn summary(summary: &Summary, folder: &Path, files: &[String], ink: Ink) -> String {
    let mut lines = heading(summary, ink);
    lines.extend(found::section(summary, ink));
    lines.push(String::new());
    lines.extend(detection(summary, ink));
    lines.push(String::new());
    lines.push(ink.heading("What happened"));
    lines.extend(happened(summary));
    if let Some(warning) = &summary.warning {
        lines.push(String::new());
        lines.push(ink.heading("Early warning"));
        lines.extend(early_warning(warning));
    }
    lines.push(String::new());
    lines.push(ink.heading("How fast"));
    let memory = summary.peak_rss_mb.map(|mb| format!(" · peak memory {} MiB", count(mb.round() as u64)));
    lines.push(format!(
        "  {} · {} agent-steps/s · {} flows/s{}",
        seconds(summary.wall_s),
        rate(summary.agent_steps_per_s),
        rate(summary.flows_per_s),
        memory.unwrap_or_default()
    ));
    lines.push(String::new());
    lines.push(format!("{} {}", ink.heading("Files in"), folder.display()));
    lines.push(format!("  {}", files.join("   ")));
    lines.extend(ledger(summary).iter().map(|line| format!("  {line}")));
    let next = next(summary, folder);
    if !next.is_empty() {
        lines.push(String::new());
        lines.push(ink.heading("Next"));
        lines.extend(next.table().lines());
    }
    lines.join("\n") + "\n"
}

/// Commands that lead on from this run.
fn next(summary: &Summary, folder: &Path) -> Commands {
    let mut commands = Commands::default();
    if summary.ledger_location.is_none() {
        return commands;
    }
    let shown = folder.display();
    if let Some(worst) = summary.found.first() {
        let id = &worst.id.to_string()[..8];
        commands.add("why the first one", format!("dais explain {shown} {id}"));
    }
    if summary.found.iter().any(|found| found.stands() && !found.sources.is_empty()) {
        commands.add("what to block", format!("dais blocklist {shown} --format nft"));
    }
    commands.add("check the ledger", format!("dais verify {shown}"));
    commands
}

/// Commands with what each is for.
#[derive(Default)]
struct Commands(Vec<(&'static str, String)>);

impl Commands {
    fn add(&mut self, purpose: &'static str, command: String) {
        self.0.push((purpose, command));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(2);
        for (purpose, command) in &self.0 {
            table.row([*purpose, command]);
        }
        table
    }
}

/// Where the ledger is, if not with the other files.
pub(crate) fn ledger(summary: &Summary) -> Option<String> {
    summary.ledger.head.as_ref()?;
    match summary.ledger_location.as_deref() {
        Some(LEDGER) => None,
        Some(elsewhere) => Some(format!("ledger in {elsewhere}")),
        None => Some("the ledger was in memory and is not kept".to_owned()),
    }
}

fn heading(summary: &Summary, ink: Ink) -> Vec<String> {
    let steps = if summary.interrupted {
        format!("{} of {} steps", count(summary.steps.into()), count(summary.steps_planned.into()))
    } else {
        plural(summary.steps.into(), "step")
    };
    let liars = match summary.adversaries {
        0 => String::new(),
        liars => format!(" ({liars} of them liars)"),
    };
    let mut lines = vec![format!(
        "{} · seed {} · {}{liars} · {steps} · {}",
        ink.strong(&summary.scenario),
        summary.seed,
        plural(summary.agents as u64, "agent"),
        plural(summary.flows, "flow"),
    )];
    if summary.interrupted {
        lines.push(ink.strong("Stopped before its end: this report is partial."));
    }
    let note = |note: &String| ink.faint(&shortened(&format!("Note: {note}"), COLUMNS));
    lines.extend(summary.notes.iter().take(NOTES_MAX).map(note));
    if summary.notes.len() > NOTES_MAX {
        lines.push(ink.faint(&format!("Note: {} more in summary.json", summary.notes.len() - NOTES_MAX)));
    }
    lines.push(String::new());
    lines
}

fn detection(summary: &Summary, ink: Ink) -> Vec<String> {
    let worlds: Vec<(&Mode, &Detection)> = summary.detection.iter().collect();
    if !summary.is_labelled() {
        return vec!["The traffic has no labels: there is no truth to compare detection with.".to_owned()];
    }
    let mut table = Table::new(1);
    let head = ["Detection", "flows"].into_iter().map(str::to_owned);
    table.row(head.chain(worlds.iter().map(|(mode, _)| mode.name().to_owned())));
    let mut figures = |name: &str, figure: &dyn Fn(&Detection) -> String| {
        let head = [name.to_owned(), String::new()].into_iter();
        table.row(head.chain(worlds.iter().map(|(_, world)| figure(world))));
    };
    figures("macro recall, mean over families", &|world| percent(world.macro_recall));
    figures("recall over all attack flows", &|world| percent(world.recall));
    figures("precision", &|world| percent(world.precision));
    figures("F1", &|world| percent(world.f1));
    figures("false positive rate", &|world| fine_percent(world.fpr));
    figures("median delay, steps", &|world| number(world.delay_steps_median));
    figures("median steps to immunity", &|world| number(world.immunity_steps_median));
    let families = families(&mut table, &worlds);
    let mut lines = table.lines();
    if let Some(head) = lines.first_mut() {
        *head = ink.heading(head.strip_prefix("  ").map_or("", |head| head)).replacen("Detection", "Detection  ", 1);
    }
    if families > FAMILIES_MAX {
        lines.push(format!("  …and {} more in {}", families - FAMILIES_MAX, REPORT));
    }
    if let Some(gap) = summary.gap_closed {
        let share = ink.strong(&format!("{:.0} %", gap * 100.0));
        lines.push(format!("  gap closed: {share} of the way from isolated to oracle, in macro recall"));
    }
    lines
}

/// Adds the families with the most flows; returns how many families there are.
fn families(table: &mut Table, worlds: &[(&Mode, &Detection)]) -> usize {
    let Some((_, first)) = worlds.first() else { return 0 };
    let mut order: Vec<usize> = (0..first.families.len()).filter(|&at| first.families[at].flows > 0).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(first.families[at].flows));
    if !order.is_empty() {
        table.row(["recall by family"]);
    }
    for &at in order.iter().take(FAMILIES_MAX) {
        let family = &first.families[at];
        let technique = family.technique.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let head =
            [format!("  {}{technique}", shortened(&family.name, NAME_CHARS_MAX)), count(family.flows)].into_iter();
        let recall = |world: &Detection| percent(world.families.get(at).and_then(|family| family.recall));
        table.row(head.chain(worlds.iter().map(|(_, world)| recall(world))));
    }
    order.len()
}

fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max - 1).chain(std::iter::once('…')).collect()
}

fn happened(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    let signatures = &summary.signatures;
    let shared = summary.detection.contains_key(&Mode::Collaborative);
    if shared {
        lines.push(format!(
            "  signatures  {} published · {} accepted · {} rejected · {} disputed · {} expired · {} revoked",
            count(signatures.published),
            count(signatures.accepted),
            count(signatures.rejected),
            count(signatures.disputed),
            count(signatures.expired),
            count(signatures.revoked),
        ));
        if signatures.accepted_benign > 0 && summary.is_labelled() {
            let benign = count(signatures.accepted_benign);
            lines.push(format!(
                "              {benign} of the accepted describe mostly benign flows, as the truth says"
            ));
        }
        let each = match (summary.messages_per_decision, summary.bytes_per_decision) {
            (Some(messages), Some(bytes)) => {
                format!(" · {} messages and {:.1} KiB a decision", rate(messages), bytes / 1024.0)
            }
            _ => String::new(),
        };
        lines.push(format!(
            "  votes       {} counted · {} refused{each}",
            count(summary.votes),
            count(summary.votes_refused)
        ));
    }
    if let Some(head) = &summary.ledger.head {
        lines.push(format!("  ledger      {} entries · head {head}", count(summary.ledger.entries)));
    }
    if summary.ledger.witnesses > 0 {
        let LedgerSummary { witnesses, cosigned, .. } = summary.ledger;
        lines.push(format!("  witnesses   {cosigned} of {witnesses} cosigned the head"));
    }
    if summary.ledger.split_views > 0 {
        lines.push(format!("              the coordinator showed two histories: proof in {SPLIT_VIEW}"));
    }
    if let (true, Some(honest)) = (shared, summary.trust.honest_mean) {
        let liars = summary.trust.liars_mean.map(|liars| format!(" · liars {liars:.2}")).unwrap_or_default();
        lines.push(format!("  trust       honest agents {honest:.2}{liars}, mean at the end, 0 to 1"));
    }
    if lines.is_empty() {
        lines.push("  nothing was shared: the collaborative world was left out".to_owned());
    }
    lines
}

fn early_warning(warning: &Warning) -> Vec<String> {
    let ahead = match (warning.warning_hours_median, warning.warning_steps_median) {
        (Some(hours), _) if hours >= 1.0 => format!(", blocked {hours:.1} h before (median)"),
        (Some(hours), _) => format!(", blocked {:.0} min before (median)", hours * 60.0),
        (None, Some(steps)) => format!(", blocked {steps:.0} steps before (median)"),
        (None, None) => String::new(),
    };
    vec![
        format!(
            "  {} attacking addresses, {} of them at two sites or more",
            count(warning.attackers),
            count(warning.shared_attackers)
        ),
        format!(
            "  {} of {} arrivals at a further site were blocked already{ahead}",
            count(warning.blocked_on_arrival),
            count(warning.later_arrivals)
        ),
    ]
}
