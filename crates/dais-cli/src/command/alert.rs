//! `dais alert`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_alert::{
    Alert, AlertParams, DeadLetter, DeadLetters, Labels, Notification, Reason, Severity, Silence, Status,
    change_silences, deliver_now, read_silences,
};
use jiff::Timestamp;
use serde_json::json;

use crate::args::alert::{AlertArgs, AlertCommand, SilenceCommand};
use crate::screen::output;
use crate::screen::table::Table;

/// A message was not taken.
const EXIT_FAILED: u8 = 1;

pub(crate) fn alert(args: &AlertArgs) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load(false)?.current();
    let params = &loaded.config.monitoring.alerting;
    match &args.command {
        AlertCommand::Test { channel } => test(params, channel, args.json),
        AlertCommand::Rules => rules(params, args.json),
        AlertCommand::Silence(command) => silence(params, command, args.json),
        AlertCommand::DeadLetters { resend: false } => list_letters(params, args.json),
        AlertCommand::DeadLetters { resend: true } => resend(params, args.json),
    }
}

fn test(params: &AlertParams, channel: &str, json: bool) -> anyhow::Result<ExitCode> {
    let channels = params.all_channels();
    if !channels.contains_key(channel) {
        let names: Vec<&str> = channels.keys().map(String::as_str).collect();
        let known = if names.is_empty() { "there is none".to_owned() } else { names.join(", ") };
        bail!("there is no channel `{channel}` ({known})");
    }
    let outcome = deliver_now(params, channel, &test_message(params, channel, Status::Firing));
    // What was begun is ended, so that no incident stays open.
    let outcome = outcome.and_then(|answer| {
        let over = channels.get(channel).is_some_and(|one| one.kind() == "pagerduty");
        if over { deliver_now(params, channel, &test_message(params, channel, Status::Resolved)) } else { Ok(answer) }
    });
    let (delivered, said) = match &outcome {
        Ok(answer) => (true, answer.clone()),
        Err(failure) => (false, failure.to_string()),
    };
    if json {
        output::print(&format!("{}\n", json!({ "channel": channel, "delivered": delivered, "answer": said })))?;
    } else {
        let verdict = if delivered { "delivered" } else { "not delivered" };
        output::print(&format!("{channel}: {verdict}: {said}\n"))?;
    }
    Ok(if delivered { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) })
}

fn test_message(params: &AlertParams, channel: &str, status: Status) -> Notification {
    let now = Timestamp::now();
    let pairs = [("alertname", "Test"), ("severity", Severity::Info.name()), ("channel", channel)];
    let labels: Labels = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let alert = Alert {
        name: "Test".to_owned(),
        severity: Severity::Info,
        value: 0.0,
        summary: format!("`dais alert test {channel}` works"),
        description: "Nothing has happened: somebody wanted to see whether messages arrive.".to_owned(),
        runbook: String::new(),
        starts_at: now,
        ends_at: (status == Status::Resolved).then_some(now),
        flapping: false,
        caused_by: Vec::new(),
        labels: labels.clone(),
    };
    Notification {
        group_key: format!("test:{channel}"),
        group_labels: labels,
        status,
        reason: Reason::Test,
        at: now,
        source: params.source.clone(),
        channels: vec![channel.to_owned()],
        alerts: vec![alert],
        truncated: 0,
    }
}

fn rules(params: &AlertParams, json: bool) -> anyhow::Result<ExitCode> {
    let rules = params.all_rules();
    if json {
        output::print(&format!("{}\n", serde_json::to_string(&rules)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(3);
    table.row(["rule", "severity", "fires when", "for"]);
    for rule in &rules {
        let held = if rule.for_s == 0 { "at once".to_owned() } else { format!("{} s", rule.for_s) };
        table.row([rule.name.clone(), rule.severity.name().to_owned(), rule.when.to_string(), held]);
    }
    print_lines(&table.lines())?;
    if !params.is_active() {
        output::say("No channel is configured: these rules are not looked at.");
    }
    Ok(ExitCode::SUCCESS)
}

fn silence(params: &AlertParams, command: &SilenceCommand, json: bool) -> anyhow::Result<ExitCode> {
    let (path, now) = (&params.silence_file, Timestamp::now());
    match command {
        SilenceCommand::Add { matchers, length, from, comment } => {
            let from = from.unwrap_or(now);
            let silence = Silence::new(matchers.clone(), from, from.checked_add(*length)?, comment)?;
            change_silences(path, now, |silences| silences.push(silence.clone()))?;
            if json {
                output::print(&format!("{}\n", serde_json::to_string(&silence)?))?;
            } else {
                output::print(&format!("{} until {}\n", silence.id, second(silence.until)))?;
            }
        }
        SilenceCommand::List => {
            let mut silences = read_silences(path)?;
            silences.retain(|silence| silence.until > now);
            if json {
                output::print(&format!("{}\n", serde_json::to_string(&silences)?))?;
                return Ok(ExitCode::SUCCESS);
            }
            if silences.is_empty() {
                output::say("There is no silence.");
                return Ok(ExitCode::SUCCESS);
            }
            let mut table = Table::new(5);
            table.row(["id", "from", "until", "alerts", "comment"]);
            for silence in &silences {
                let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
                let (from, until) = (second(silence.from), second(silence.until));
                table.row([silence.id.clone(), from, until, matchers.join(" "), silence.comment.clone()]);
            }
            print_lines(&table.lines())?;
        }
        SilenceCommand::Remove { id } => {
            let before = read_silences(path)?;
            if before.iter().all(|silence| silence.id != *id) {
                bail!("there is no silence `{id}` in {}", path.display());
            }
            change_silences(path, now, |silences| silences.retain(|silence| silence.id != *id))?;
            if !json {
                output::print(&format!("{id} is over\n"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn letters(params: &AlertParams) -> anyhow::Result<(DeadLetters, Vec<DeadLetter>)> {
    let path = &params.delivery.dead_letter_file;
    let file = DeadLetters::new(path, params.delivery.dead_letters_max);
    let letters = file.read().with_context(|| path.display().to_string())?;
    Ok((file, letters))
}

fn list_letters(params: &AlertParams, json: bool) -> anyhow::Result<ExitCode> {
    let (_, letters) = letters(params)?;
    if json {
        output::print(&format!("{}\n", serde_json::to_string(&letters)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    if letters.is_empty() {
        output::say("Everything was delivered.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(5);
    table.row(["id", "given up", "channel", "message", "why", "attempts"]);
    for letter in &letters {
        let (title, reason) = (letter.notification.title(), letter.reason.clone());
        let attempts = letter.attempts.to_string();
        table.row([letter.id.clone(), second(letter.at), letter.channel.clone(), title, reason, attempts]);
    }
    print_lines(&table.lines())?;
    Ok(ExitCode::SUCCESS)
}

fn resend(params: &AlertParams, json: bool) -> anyhow::Result<ExitCode> {
    let (file, letters) = letters(params)?;
    let mut outcomes = Vec::new();
    for letter in &letters {
        let outcome = deliver_now(params, &letter.channel, &letter.notification);
        if outcome.is_ok() {
            // One by one: what was delivered is not sent again, whatever happens to the next.
            file.remove(std::slice::from_ref(&letter.id))?;
        }
        let delivered = outcome.is_ok();
        let said = outcome.unwrap_or_else(|failure| failure.to_string());
        if json {
            outcomes
                .push(json!({ "id": letter.id, "channel": letter.channel, "delivered": delivered, "answer": said }));
        } else {
            let verdict = if delivered { "delivered" } else { "not delivered" };
            output::print(&format!("{} {}: {verdict}: {said}\n", letter.id, letter.channel))?;
            outcomes.push(json!({ "delivered": delivered }));
        }
    }
    if json {
        output::print(&format!("{}\n", serde_json::to_string(&outcomes)?))?;
    }
    let failed = outcomes.iter().any(|outcome| outcome["delivered"] == false);
    Ok(if failed { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn print_lines(lines: &[String]) -> anyhow::Result<()> {
    output::print(&format!("{}\n", lines.join("\n")))
}
