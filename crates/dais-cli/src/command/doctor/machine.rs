//! The machine: room, memory, clock, limits.

use std::path::Path;
use std::time::{Duration, SystemTime};

use dais_telemetry::health::{self, Check, HealthParams, State};

use super::finding::Finding;

pub(super) fn examine(runs: &Path, params: &HealthParams) -> Vec<Finding> {
    let folder = runs.to_owned();
    vec![
        checked(&health::disk(params, folder), "remove what is no longer needed: `dais clean --runs --dry-run`"),
        checked(&health::memory(params), "end other programs, or run fewer agents and threads"),
        clock(SystemTime::now(), built()),
        #[cfg(unix)]
        open_files(rustix::process::getrlimit(rustix::process::Resource::Nofile).current),
    ]
}

fn checked(check: &Check, mend: &str) -> Finding {
    let found = (check.probe)();
    match found.state {
        State::Healthy => Finding::ok(&check.name, found.detail),
        State::Degraded => Finding::warning(&check.name, found.detail, mend),
        State::Unhealthy => Finding::problem(&check.name, found.detail, mend),
    }
}

/// When the program was built or installed.
fn built() -> Option<SystemTime> {
    std::env::current_exe().and_then(std::fs::metadata).and_then(|file| file.modified()).ok()
}

/// A clock that is behind the program's own file is wrong. Decisions do not depend on it: backups, logs and traces do.
fn clock(now: SystemTime, built: Option<SystemTime>) -> Finding {
    const DAY: Duration = Duration::from_hours(24);
    let shown = jiff::Timestamp::try_from(now).map(|now| now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    match (shown, built) {
        (Ok(shown), Some(built)) if now + DAY < built => {
            let detail = format!("{shown}, which is before this program was installed");
            Finding::problem("clock", detail, "set it, and let it be synchronised: `timedatectl set-ntp true`")
        }
        (Ok(shown), _) => Finding::ok("clock", shown),
        (Err(error), _) => Finding::problem(
            "clock",
            error.to_string(),
            "set it, and let it be synchronised: `timedatectl set-ntp true`",
        ),
    }
}

/// Files that may be open at once: a run needs few, an endpoint with many readers more.
#[cfg(unix)]
fn open_files(limit: Option<u64>) -> Finding {
    const SUBJECT: &str = "open files";
    match limit {
        None => Finding::ok(SUBJECT, "no limit"),
        Some(limit) if limit < 64 => Finding::problem(
            SUBJECT,
            format!("at most {limit}, a run needs 64"),
            "ulimit -n 1024, or LimitNOFILE= of the unit",
        ),
        Some(limit) if limit < 256 => Finding::warning(
            SUBJECT,
            format!("at most {limit}: few for many input files and readers of metrics"),
            "ulimit -n 1024, or LimitNOFILE= of the unit",
        ),
        Some(limit) => Finding::ok(SUBJECT, format!("at most {limit}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::Verdict;

    #[test]
    fn a_clock_before_the_installation_is_a_problem() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365);
        assert_eq!(clock(now, Some(now)).verdict, Verdict::Ok);
        assert_eq!(clock(now, Some(now + Duration::from_hours(48))).verdict, Verdict::Problem);
    }

    #[cfg(unix)]
    #[test]
    fn few_files_are_a_warning_and_fewer_a_problem() {
        let verdict = |limit| open_files(limit).verdict;
        assert_eq!(
            [verdict(None), verdict(Some(1024)), verdict(Some(200)), verdict(Some(20))],
            [Verdict::Ok, Verdict::Ok, Verdict::Warning, Verdict::Problem]
        );
    }
}
