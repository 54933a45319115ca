//! A report of health as people read it.

use dais_telemetry::health::{CheckReport, Report, Stage, State};

use crate::screen::figure::seconds;
use crate::screen::output::Ink;
use crate::screen::table::Table;

pub(super) fn text(report: &Report) -> String {
    let ink = Ink::of_stdout();
    let state = match report.state {
        State::Healthy => ink.heading(report.state.name()),
        State::Degraded | State::Unhealthy => ink.strong(report.state.name()),
    };
    let stage = match report.stage {
        Stage::Starting => ", starting",
        Stage::Serving => "",
        Stage::Stopping => ", about to end",
    };
    let mut lines = vec![format!("{state}{stage}, score {:.0} of 100", report.score)];
    let mut table = Table::new(4);
    for check in &report.checks {
        table.row(row(check));
    }
    lines.extend(table.lines());
    lines.join("\n") + "\n"
}

fn row(check: &CheckReport) -> [String; 4] {
    let name = if check.critical { format!("{} *", check.name) } else { check.name.clone() };
    let age = check.checked_s_ago.filter(|&age| age > 0.0).map(|age| format!("{} ago", seconds(age)));
    [name, check.status.name().to_owned(), check.detail.clone(), age.unwrap_or_default()]
}
