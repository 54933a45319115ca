//! A signature's history, for people.

use dais_lab::{FeatureView, FlowView, SignatureExplanation, VoteView};
use dais_protocol::{Decision, Motion, Outcome, Signature, Verdict};

use super::proof::{head_line, proven};
use crate::screen::figure::{NOTHING, count, number, plural};
use crate::screen::output::Ink;
use crate::screen::table::Table;

/// Votes shown unless all are asked for.
const VOTES_MAX: usize = 40;
/// Features shown unless all are asked for.
const FEATURES_MAX: usize = 10;
/// Sources and ports shown unless all are asked for.
const NAMES_MAX: usize = 12;

pub(super) fn text(explanation: &SignatureExplanation, all: bool, ink: Ink) -> String {
    let signature = &explanation.signature;
    let technique = explanation.technique.map(|technique| format!(" · ATT&CK {technique}")).unwrap_or_default();
    let mut lines = vec![
        format!("{} {}", ink.heading("Signature"), ink.strong(&explanation.id.to_string())),
        format!("  {}{technique} · {}", explanation.class, standing(explanation)),
    ];
    if let Some(truth) = &explanation.truth {
        lines.push(format!("  the labels say: most of its flows are {truth}"));
    }
    section(&mut lines, ink, "Flow", flow(explanation.flow.as_ref(), all, ink));
    section(&mut lines, ink, "Alert", alert(signature, explanation.flow.as_ref(), all));
    section(&mut lines, ink, "Published", published(explanation));
    section(&mut lines, ink, "Votes", votes(&explanation.votes, Motion::Adopt, all, ink));
    if explanation.votes.iter().any(|view| view.vote.motion == Motion::Revoke) {
        section(&mut lines, ink, "Votes on revocation", votes(&explanation.votes, Motion::Revoke, all, ink));
    }
    section(&mut lines, ink, "Outcome", outcomes(explanation));
    lines.push(head_line(&explanation.head, ink));
    lines.join("\n") + "\n"
}

fn section(lines: &mut Vec<String>, ink: Ink, title: &str, content: Vec<String>) {
    lines.push(String::new());
    lines.push(ink.heading(title));
    lines.extend(content);
}

/// What became of the signature, in a few words.
fn standing(explanation: &SignatureExplanation) -> String {
    let Some(adoption) = explanation.adoption() else {
        return "its ballot was still open when the run ended".to_owned();
    };
    let step = adoption.decision.step;
    match (adoption.decision.outcome, explanation.revocation()) {
        (Outcome::Accepted, Some(revocation)) => {
            format!("accepted in step {step}, revoked in step {}", revocation.decision.step)
        }
        (outcome, _) => format!("{} in step {step}", outcome_name(outcome)),
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Rejected => "rejected",
        Outcome::Disputed => "disputed",
        Outcome::Expired => "expired",
    }
}

fn flow(flow: Option<&FlowView>, all: bool, ink: Ink) -> Vec<String> {
    let Some(flow) = flow else {
        return vec!["  not shown: the schema, which summary.json holds, is missing or another one".to_owned()];
    };
    let known = flow.ordinary_flows > 0;
    let mut lines = vec![ink.faint(&if known {
        format!(
            "  compared with {} of the author's site at the beginning of the run",
            plural(flow.ordinary_flows as u64, "flow")
        )
    } else {
        "  the traffic could not be loaded again: what the flows had most in common comes first".to_owned()
    })];
    let shown = if all { flow.features.len() } else { FEATURES_MAX.min(flow.features.len()) };
    let mut table = Table::new(1);
    table.row(if known { vec!["", "value", "ordinary", "deviation"] } else { vec!["", "value", "spread"] });
    for feature in &flow.features[..shown] {
        let mut row = vec![feature.name.clone(), amount(feature.value, feature)];
        match (feature.ordinary, feature.deviation) {
            (Some(ordinary), Some(deviation)) => row.extend([amount(ordinary, feature), format!("{deviation:+.1} sd")]),
            _ => row.push(format!("{:.2}", feature.spread)),
        }
        table.row(row);
    }
    lines.extend(table.lines());
    if shown < flow.features.len() {
        lines.push(
            ink.faint(&format!("  and {} more (--all)", plural((flow.features.len() - shown) as u64, "feature"))),
        );
    }
    for category in &flow.categories {
        let others: Vec<&str> =
            category.allowed.iter().filter(|value| **value != category.value).map(String::as_str).collect();
        let others = if others.is_empty() { String::new() } else { format!(" (also {})", others.join(", ")) };
        let share =
            category.ordinary_percent.map(|percent| format!(", {percent} % of the ordinary flows")).unwrap_or_default();
        lines.push(format!("  {} = {}{others}{share}", category.name, category.value));
    }
    lines
}

/// A value with its unit, with as many digits as its size asks for.
fn amount(value: f64, feature: &FeatureView) -> String {
    let digits = match value.abs() {
        size if size.fract().abs() < 1e-6 || size >= 1000.0 => count(size.round() as u64),
        size if size >= 10.0 => format!("{size:.1}"),
        size => format!("{size:.3}"),
    };
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{digits} {}", feature.unit).trim_end().to_owned()
}

fn alert(signature: &Signature, flow: Option<&FlowView>, all: bool) -> Vec<String> {
    let mut lines = vec![format!(
        "  {} found it: {} alike, the example has p = {:.4} under its detector",
        signature.author,
        plural(signature.support.into(), "suspicious flow"),
        signature.medoid_p
    )];
    let reasons: Vec<String> = flow
        .into_iter()
        .flat_map(|flow| &flow.reasons)
        .map(|reason| format!("{} {:.0} %", reason.name, 100.0 * reason.share))
        .collect();
    if !reasons.is_empty() {
        lines.push(format!("  why it looked strange: {}", reasons.join(", ")));
    }
    let list = |names: Vec<String>| {
        let shown = if all { names.len() } else { NAMES_MAX.min(names.len()) };
        let more = names.len() - shown;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", names[..shown].join(", "))
    };
    if !signature.sources.is_empty() {
        lines.push(format!("  from {}", list(signature.sources.iter().map(ToString::to_string).collect())));
    }
    if !signature.ports.is_empty() {
        lines.push(format!("  to port {}", list(signature.ports.iter().map(ToString::to_string).collect())));
    }
    lines
}

fn published(explanation: &SignatureExplanation) -> Vec<String> {
    let signature = &explanation.signature;
    let when = explanation.time.as_ref().map(|time| format!(" ({time})")).unwrap_or_default();
    let refines =
        signature.refines.map(|id| format!(", refines {} for the {}. time", id.short(), signature.refinement));
    vec![
        format!(
            "  by {} in step {}{when}, radius {:.2}, confidence {:.2}{}",
            signature.author,
            signature.step,
            signature.radius,
            signature.confidence,
            refines.unwrap_or_default()
        ),
        format!("  {}", proven(&explanation.published)),
    ]
}

fn votes(views: &[VoteView], motion: Motion, all: bool, ink: Ink) -> Vec<String> {
    let views: Vec<&VoteView> = views.iter().filter(|view| view.vote.motion == motion).collect();
    if views.is_empty() {
        return vec!["  none".to_owned()];
    }
    let shown = if all { views.len() } else { VOTES_MAX.min(views.len()) };
    let mut table = Table::new(2);
    let what = if motion == Motion::Adopt { "own baseline hit" } else { "flows matched" };
    table.row([
        "voter",
        "verdict",
        "step",
        "sure",
        "trust",
        "radius",
        what,
        "p",
        "alike",
        "alerts hit",
        "sources seen",
        "entry",
    ]);
    views[..shown].iter().for_each(|view| table.row(vote_row(view)));
    let mut lines = table.lines();
    if shown < views.len() {
        let rest = &views[shown..];
        let of = |verdict| rest.iter().filter(|view| view.vote.verdict == verdict).count();
        let (confirm, refute, abstain) = (of(Verdict::Confirm), of(Verdict::Refute), of(Verdict::Abstain));
        lines.push(ink.faint(&format!(
            "  and {}: {confirm} confirm, {refute} refute, {abstain} abstain (--all)",
            plural(rest.len() as u64, "vote")
        )));
    }
    for view in views.iter().filter(|view| view.uncounted.is_some()).take(if all { usize::MAX } else { 3 }) {
        let why = view.uncounted.as_deref().unwrap_or(NOTHING);
        lines.push(format!("  {} did not count: {why}", view.vote.voter));
    }
    lines
}

fn vote_row(view: &VoteView) -> [String; 12] {
    let evidence = &view.vote.evidence;
    let verdict = match view.vote.verdict {
        Verdict::Confirm => "confirm",
        Verdict::Refute => "refute",
        Verdict::Abstain => "abstain",
    };
    let uncounted = if view.uncounted.is_some() { " (not counted)" } else { "" };
    let whole = if view.vote.motion == Motion::Adopt { format!(" of {}", evidence.baseline) } else { String::new() };
    [
        view.vote.voter.to_string(),
        format!("{verdict}{uncounted}"),
        view.vote.step.to_string(),
        format!("{:.2}", view.vote.confidence),
        format!("{:.2}", view.trust),
        format!("{:.2}", evidence.radius),
        format!("{}{whole}", evidence.matches),
        format!("{:.3}", evidence.medoid_p),
        format!("{:+.2}", evidence.similarity),
        evidence.alerts_matched.to_string(),
        evidence.sources_ordinary.to_string(),
        count(view.index),
    ]
}

fn outcomes(explanation: &SignatureExplanation) -> Vec<String> {
    if explanation.outcomes.is_empty() {
        return vec!["  none: its ballot was still open when the run ended".to_owned()];
    }
    let mut lines = Vec::new();
    for outcome in &explanation.outcomes {
        lines.extend(decision(&outcome.decision));
        lines.push(format!("  {}", proven(&outcome.entry)));
    }
    lines
}

fn decision(decision: &Decision) -> Vec<String> {
    let motion = match decision.motion {
        Motion::Adopt => "to adopt",
        Motion::Revoke => "to revoke",
    };
    let weight = decision.confirm_weight + decision.refute_weight;
    let share = (weight > 0.0).then(|| f64::from(decision.confirm_weight / weight) * 100.0);
    let round = if decision.round > 0 {
        format!(", after {}", plural(decision.round.into(), "escalation"))
    } else {
        String::new()
    };
    let radius =
        if decision.radius > 0.0 { format!(" · accepted radius {:.2}", decision.radius) } else { String::new() };
    vec![
        format!("  {motion}: {} in step {}{round}{radius}", outcome_name(decision.outcome), decision.step),
        format!(
            "  {} confirmed (weight {:.2}), {} refuted (weight {:.2}), {} abstained, committee of {}: {} % of the weight confirms",
            decision.confirmations,
            decision.confirm_weight,
            decision.refutations,
            decision.refute_weight,
            decision.abstentions,
            decision.voters,
            number(share)
        ),
    ]
}
