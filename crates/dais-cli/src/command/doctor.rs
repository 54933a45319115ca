//! `dais doctor`: checks the installation, and says how to mend what it finds.

mod configuration;
mod finding;
mod folders;
mod machine;
mod network;
mod program;

use std::process::ExitCode;

use serde_json::json;

use self::finding::{Finding, Verdict};
use crate::args::doctor::DoctorArgs;
use crate::screen::figure::plural;
use crate::screen::output::{self, Ink};
use crate::screen::table::Table;

pub(crate) fn doctor(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let findings = examine(args);
    let problems = of(&findings, Verdict::Problem);
    let text = if args.json {
        format!("{}\n", json!({ "ok": problems == 0, "findings": findings }))
    } else {
        words(&findings)
    };
    output::print(&text)?;
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn examine(args: &DoctorArgs) -> Vec<Finding> {
    let mut findings = program::examine();
    let (of_configuration, config) = configuration::examine(&args.settings.loader());
    findings.extend(of_configuration);
    findings.extend(folders::examine(args, &config));
    findings.extend(network::examine(&args.listen, &config.monitoring));
    findings.extend(machine::examine(&args.runs, &config.monitoring.health));
    findings
}

fn of(findings: &[Finding], verdict: Verdict) -> u64 {
    findings.iter().filter(|finding| finding.verdict == verdict).count() as u64
}

fn words(findings: &[Finding]) -> String {
    let ink = Ink::of_stdout();
    let mut table = Table::new(3);
    for Finding { subject, verdict, detail, .. } in findings {
        table.row([verdict.name(), subject, detail]);
    }
    let mut lines = Vec::new();
    for (line, finding) in table.lines().into_iter().zip(findings) {
        lines.push(match finding.verdict {
            Verdict::Ok => line,
            Verdict::Warning => ink.heading(&line),
            Verdict::Problem => ink.strong(&line),
        });
        lines.extend(finding.mend.as_ref().map(|mend| format!("             → {mend}")));
    }
    let (problems, warnings) = (of(findings, Verdict::Problem), of(findings, Verdict::Warning));
    lines.push(match (problems, warnings) {
        (0, 0) => "Nothing to mend.".to_owned(),
        _ => format!("{}, {}", plural(problems, "problem"), plural(warnings, "warning")),
    });
    lines.join("\n") + "\n"
}
