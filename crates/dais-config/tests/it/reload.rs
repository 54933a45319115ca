//! Changing files while readers go on.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use dais_config::{Live, Loader, Reload};
use tempfile::TempDir;

use crate::folder;

/// Three values that belong together; a configuration in which they differ is torn.
fn text(number: u32) -> String {
    format!(
        "security:\n  rate_limit_requests_per_minute: {number}\n  rate_limit_burst: {number}\napi:\n  max_concurrent_requests: {number}\n"
    )
}

fn live(files: &TempDir) -> Arc<Live> {
    let loader = Loader::new().folder(files.path());
    let loaded = loader.load().expect("the first configuration is sound");
    Arc::new(Live::new(loader, loaded))
}

fn is_torn(live: &Live) -> bool {
    let now = live.current();
    let security = &now.config.security;
    let number = security.rate_limit_requests_per_minute;
    security.rate_limit_burst != Some(number) || now.config.api.max_concurrent_requests != number
}

/// Replaces the file at once, as careful editors do, or writes over it.
fn write(folder: &Path, text: &str, by_rename: bool) {
    let path = folder.join("default.yaml");
    if by_rename {
        fs::write(folder.join("new"), text).expect("the file can be written");
        fs::rename(folder.join("new"), path).expect("the file can be replaced");
    } else {
        fs::write(path, text).expect("the file can be written");
    }
}

#[test]
fn a_thousand_reloads_under_load_are_whole_or_refused() {
    let files = folder(&[("default.yaml", &text(1))]);
    let live = live(&files);
    let stop = AtomicBool::new(false);
    let (looks, torn) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    torn.fetch_add(usize::from(is_torn(&live)), Ordering::Relaxed);
                    looks.fetch_add(1, Ordering::Relaxed);
                    thread::yield_now();
                }
            });
        }
        let (mut changed, mut refused, mut last) = (0, 0, 1);
        for turn in 1..=1_000_u32 {
            let number = turn + 1;
            let wrong = turn % 3 == 0;
            // Wrong in the last key, so that a reload which goes key by key would have taken over the others.
            let content = if wrong { format!("{}  port: none\n", text(number)) } else { text(number) };
            write(files.path(), &content, turn % 2 == 0);
            match live.reload_now() {
                Reload::Changed { changed: keys, later, .. } if !wrong => {
                    assert_eq!((keys.len(), later.len()), (3, 0));
                    (changed, last) = (changed + 1, number);
                }
                Reload::Refused(errors) if wrong => {
                    assert_eq!(errors.problems().len(), 1, "{errors}");
                    refused += 1;
                }
                other @ (Reload::Unchanged | Reload::Changed { .. } | Reload::Refused(_)) => {
                    panic!("turn {turn}: {other:?}")
                }
            }
            assert_eq!(live.current().config.api.max_concurrent_requests, last);
        }
        stop.store(true, Ordering::Relaxed);
        assert_eq!((changed, refused), (667, 333));
    });
    assert!(looks.into_inner() > 1_000, "the readers looked while it changed");
    assert_eq!(torn.into_inner(), 0);
}

#[test]
fn what_is_not_safe_to_change_waits_for_the_next_start() {
    let files = folder(&[("default.yaml", "api: {port: 1}\nlogging: {level: info}\ndatabase: {password: hunter2}\n")]);
    let live = live(&files);
    write(files.path(), "api: {port: 2}\nlogging: {level: debug}\ndatabase: {password: hunter3}\n", true);
    let Reload::Changed { changed, later, config } = live.reload_now() else { panic!("it is sound") };
    let keys = |differences: &[dais_config::Difference]| differences.iter().map(|d| d.key).collect::<Vec<_>>();
    assert_eq!((keys(&changed), keys(&later)), (vec!["logging.level"], vec!["database.password", "api.port"]));
    assert_eq!(config.config.api.port, 1);
    assert_eq!(config.config.logging.level, dais_telemetry::log::Level::Debug);
    assert_eq!(config.config.database.password.as_ref().map(dais_config::Secret::expose), Some("hunter2"));
    assert!(!format!("{changed:?}{later:?}").contains("hunter"));
    write(files.path(), "api: {port: 1}\nlogging: {level: debug}\ndatabase: {password: hunter2}\n", false);
    assert!(matches!(live.reload_now(), Reload::Unchanged));
}

#[test]
fn old_and_new_values_must_fit_together() {
    let files = folder(&[("default.yaml", "monitoring: {enable_prometheus: true, metrics_port: 9000}\n")]);
    let live = live(&files);
    // Sound by itself; but the metrics stay where they are until the next start.
    write(
        files.path(),
        "monitoring: {enable_prometheus: true, metrics_port: 9001}\napi: {max_concurrent_requests: 7}\n",
        true,
    );
    let Reload::Changed { config, .. } = live.reload_now() else { panic!("it is sound") };
    assert_eq!((config.config.monitoring.metrics_port, config.config.api.max_concurrent_requests), (9000, 7));
}

#[test]
fn a_watched_folder_is_taken_over_by_itself() {
    let files = folder(&[("default.yaml", &text(1))]);
    let live = live(&files);
    let (tell, told) = mpsc::channel();
    let watch = live.watch(move |outcome| {
        let seen = match outcome {
            Reload::Changed { config, .. } => Some(config.config.api.max_concurrent_requests),
            Reload::Refused(_) => None,
            Reload::Unchanged => return,
        };
        tell.send(seen).ok();
    });
    let watch = watch.unwrap();
    let wait = Duration::from_mins(1);
    write(files.path(), &text(2), true);
    assert_eq!(told.recv_timeout(wait), Ok(Some(2)), "replaced by a rename");
    write(files.path(), &text(3), false);
    assert_eq!(told.recv_timeout(wait), Ok(Some(3)), "written over");
    write(files.path(), "api: 7\n", false);
    assert_eq!(told.recv_timeout(wait), Ok(None), "a wrong file");
    assert_eq!(live.current().config.api.max_concurrent_requests, 3, "the old values stay");
    fs::write(files.path().join("local.yaml"), "api: {max_concurrent_requests: 9}\n").unwrap();
    write(files.path(), &text(4), true);
    assert_eq!(told.recv_timeout(wait), Ok(Some(9)), "a new file above the others");
    drop(watch);
}
