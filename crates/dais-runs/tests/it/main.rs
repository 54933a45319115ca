//! Runs carried out through the library alone.
#![expect(clippy::unwrap_used, reason = "tests, which fail by panicking")]

use std::path::Path;

use dais_lab::{Scenario, Traffic};
use dais_runs::{
    Concluded, Conduct, ConductError, Ended, Event, FolderError, Left, Login, RunFolder, RunLedger, Safety, Step,
    Stopper,
};
use dais_sim::Mode;

const STEPS: u32 = 10;

/// A small run that is to lie at `folder`.
fn small(folder: &Path) -> Conduct {
    let mut scenario = Scenario::default();
    scenario.set_agents(8).unwrap();
    scenario.set_steps(STEPS).unwrap();
    if let Traffic::Synthetic(traffic) = &mut scenario.traffic {
        traffic.flows_per_step = 30.0;
    }
    Conduct::new(scenario, 7, RunFolder::begin(folder, false).unwrap(), RunLedger::Folder)
}

/// Carries a run out, and tells `each` of its events.
fn carried(conduct: &mut Conduct, stopper: &Stopper, each: impl Fn(&Event)) -> (Ended, Vec<Event>) {
    let mut events = Vec::new();
    let mut observer = |event: &Event| {
        each(event);
        events.push(event.clone());
    };
    let material = conduct.read(&mut observer).unwrap();
    let ended = conduct.carry_out(material, stopper, &Safety::default, &mut observer).unwrap();
    (ended, events)
}

fn complete(ended: Ended) -> Concluded {
    let Ended::Complete(concluded) = ended else { panic!("{ended:?}") };
    *concluded
}

fn step(event: &Event) -> Option<&Step> {
    if let Event::Step(step) = event { Some(step) } else { None }
}

fn steps(events: &[Event]) -> Vec<(Mode, u32)> {
    events.iter().filter_map(step).map(|step| (step.world, step.step)).collect()
}

#[test]
fn every_event_comes_in_its_order_and_can_be_sent_and_read_back() {
    let place = tempfile::tempdir().unwrap();
    let (ended, events) = carried(&mut small(&place.path().join("run")), &Stopper::default(), |_| {});
    let (first, last) = (&events[..3], &events[events.len() - 2..]);
    assert!(matches!(
        first,
        [Event::Reading { files: 0 }, Event::Preparing, Event::Began { agents: 8, steps: STEPS, .. }]
    ));
    assert!(matches!(last, [Event::Concluding, Event::Complete(_)]));
    let expected = [Mode::Collaborative, Mode::Isolated, Mode::Oracle];
    let expected = expected.into_iter().flat_map(|world| (1..=STEPS).map(move |step| (world, step)));
    assert_eq!(steps(&events), expected.collect::<Vec<_>>());
    for event in &events {
        let text = serde_json::to_string(event).unwrap();
        let again: Event = serde_json::from_str(&text).unwrap();
        match (&again, event) {
            (Event::Complete(again), Event::Complete(told)) => {
                assert_eq!((&again.files, &again.summary.ledger), (&told.files, &told.summary.ledger));
            }
            _ => assert_eq!(&again, event),
        }
    }
    let Concluded { folder, files, summary } = complete(ended);
    assert!(files.len() >= 4 && files.iter().all(|name| folder.join(name).is_file()), "{files:?}");
    assert!(summary.ledger.head.is_some() && !summary.interrupted);
}

#[test]
fn a_run_that_is_left_in_the_middle_and_gone_on_with_ends_like_an_unbroken_one() {
    let place = tempfile::tempdir().unwrap();
    let unbroken = complete(carried(&mut small(&place.path().join("unbroken")), &Stopper::default(), |_| {}).0);

    let target = place.path().join("broken");
    let stopper = Stopper::default();
    let leave = |event: &Event| {
        if step(event).is_some_and(|step| (step.world, step.step) == (Mode::Collaborative, 4)) {
            let stopper = stopper.clone();
            std::thread::spawn(move || stopper.leave()).join().unwrap();
        }
    };
    let mut conduct = small(&target);
    let (ended, events) = carried(&mut conduct, &stopper, leave);
    assert!(matches!(ended, Ended::Left(Left::Asked)) && conduct.is_kept());
    assert_eq!(events.last(), Some(&Event::Left { why: Left::Asked }));
    assert_eq!(steps(&events).last(), Some(&(Mode::Collaborative, 4)));
    assert!(!target.exists(), "what is unfinished is not in its place");
    drop(conduct);

    let mut conduct = Conduct::resume(&target, None, &Login::default()).unwrap();
    let in_use = Conduct::resume(&target, None, &Login::default());
    assert!(matches!(in_use, Err(ConductError::Folder(FolderError::InUse { .. }))));
    let (ended, events) = carried(&mut conduct, &Stopper::default(), |_| {});
    assert_eq!(steps(&events).first(), Some(&(Mode::Collaborative, 5)));
    let resumed = complete(ended);
    assert_eq!(resumed.summary.ledger, unbroken.summary.ledger);
    assert_eq!(resumed.summary.detection, unbroken.summary.detection);
    let again = Conduct::resume(&target, None, &Login::default());
    assert!(matches!(again, Err(ConductError::Folder(FolderError::Complete { .. }))));
}

#[test]
fn a_run_that_is_stopped_has_the_files_of_what_it_came_to() {
    let place = tempfile::tempdir().unwrap();
    let stopper = Stopper::default();
    let stop = |event: &Event| {
        if step(event).is_some_and(|step| step.step == 3) {
            stopper.stop();
        }
    };
    let concluded = complete(carried(&mut small(&place.path().join("run")), &stopper, stop).0);
    assert!(concluded.summary.interrupted);
    assert_eq!(concluded.summary.steps, 3);
}

#[test]
fn a_run_that_is_never_carried_out_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ledger.db");
    let folder = RunFolder::begin(&place.path().join("run"), false).unwrap();
    let ledger = RunLedger::at(file.to_str(), &Login::default()).unwrap();
    drop(Conduct::new(Scenario::default(), 1, folder, ledger));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}
