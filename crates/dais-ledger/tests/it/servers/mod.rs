//! Logs on real database servers, started and stopped here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dais_ledger::{
    Entry, Ledger, LedgerError, Location, MemoryStorage, PoolError, PoolSettings, PoolStats, ReaderPool,
    ServerSettings, Storage, StorageError, StorageOptions,
};

use crate::conformance::CHECKS;
use crate::{all_entries, entries, filled, key, origin, pool};

mod certificate;
mod process;
mod proxy;

#[cfg(feature = "mysql")]
mod mariadb_process;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_process;

use proxy::{Lose, Proxy};

/// A private server. It ends when it is dropped.
trait Server {
    /// The connection string of an own place for one log, over a port.
    fn url_through(&self, port: u16, name: &str) -> String;
    fn port(&self) -> u16;
    fn start(&mut self);
    /// Stops as suddenly as the server can.
    fn stop(&mut self);
    /// Ends the connections of logs, and returns how many there were.
    fn end_connections(&self) -> u64;
    /// Makes a log one of a later version.
    fn later_format(&self, name: &str);
    /// Makes a place that holds something else, and returns its connection string.
    fn other_tables(&self, name: &str) -> String;
    /// Adds a column to a log.
    fn altered(&self, name: &str);

    fn url(&self, name: &str) -> String {
        self.url_through(self.port(), name)
    }
}

/// Gives up soon.
fn impatient() -> ServerSettings {
    ServerSettings { retry_attempts: 2, retry_delay: Duration::from_millis(1), ..ServerSettings::default() }
}

/// Asks often, and for long.
fn patient() -> StorageOptions {
    let retry_delay = Duration::from_millis(5);
    StorageOptions {
        server: ServerSettings { retry_attempts: 20, retry_delay, ..ServerSettings::default() },
        ..StorageOptions::default()
    }
}

fn created(url: &str) -> Box<dyn Storage> {
    url.parse::<Location>().unwrap().create(&patient()).unwrap()
}

fn opened(url: &str) -> Box<dyn Storage> {
    url.parse::<Location>().unwrap().open(&patient()).unwrap()
}

/// The log holds exactly these entries, here and for who opens it anew.
fn assert_whole(ledger: &Ledger, url: &str, expected: &[Entry]) {
    assert_eq!(all_entries(ledger).unwrap(), expected);
    let reader = url.parse::<Location>().unwrap().open_read_only(&patient()).unwrap();
    let verified = Ledger::open(reader).unwrap().verify(&key().verifier()).unwrap();
    assert_eq!(verified.entries, expected.len() as u64);
    assert_eq!(verified.head, *ledger.head());
}

#[expect(clippy::print_stdout, reason = "a failing test shows where it was")]
fn does_what_a_storage_must(server: &mut impl Server) {
    for (at, (name, check)) in CHECKS.into_iter().enumerate() {
        println!("{name}");
        check(created(&server.url(&format!("log_{at}"))));
    }
}

fn what_is_there_decides_what_can_be_made_and_opened(server: &mut impl Server) {
    let options = StorageOptions { server: impatient(), ..StorageOptions::default() };
    let location: Location = server.url("log").parse().unwrap();
    let path = std::path::PathBuf::from(location.to_string());
    for refused in [location.open(&options), location.open_read_only(&options)] {
        assert_eq!(refused.unwrap_err(), StorageError::NotFound { path: path.clone() });
    }
    // Tables without a log are what an interrupted creation leaves: it can be made again.
    drop(location.create(&options).unwrap());
    assert_eq!(Ledger::open(location.open(&options).unwrap()).unwrap_err(), LedgerError::NotCreated);
    let ledger = filled(location.create(&options).unwrap(), 5, 5);
    assert_eq!(location.create(&options).unwrap_err(), StorageError::AlreadyCreated);
    let mut reader = Ledger::resume(location.open_read_only(&options).unwrap(), key()).unwrap();
    assert_eq!(reader.append_batch(&entries(1)), Err(LedgerError::Storage(StorageError::ReadOnly)));
    assert_whole(&ledger, &server.url("log"), &entries(5));

    server.altered("log");
    let refused = location.open(&options).unwrap_err();
    assert!(matches!(refused, StorageError::Corrupt { .. }), "{refused}");
    let refused = ledger.verify(&key().verifier()).unwrap_err();
    assert!(refused.to_string().contains("not those of a ledger"), "{refused}");
    server.later_format("log");
    let newer = StorageError::NewerFormat { path, found: 9, supported: 1 };
    assert_eq!(location.open(&options).unwrap_err(), newer);
    assert_eq!(location.create(&options).unwrap_err(), newer);
    let refused = server.other_tables("other").parse::<Location>().unwrap().create(&options).unwrap_err();
    assert!(matches!(refused, StorageError::NotALedger { .. }), "{refused}");
}

fn appends_wait_for_a_server_that_is_restarted(server: &mut impl Server) {
    let url = server.url("log");
    let expected = entries(3_000);
    let mut ledger = Ledger::create(created(&url), origin(), key()).unwrap();
    let (progress, appended) = mpsc::channel();
    let (log, batches) = (&mut ledger, expected.chunks(10));
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for (at, batch) in batches.enumerate() {
                log.append_batch(batch).unwrap();
                progress.send(at).unwrap();
            }
        });
        for stop_after in [20, 120] {
            appended.iter().find(|&at| at == stop_after).expect("the writer goes on");
            server.stop();
            thread::sleep(Duration::from_millis(100));
            assert!(!writer.is_finished(), "the server was stopped while there was something to append");
            server.start();
        }
        // What is still on its way has somewhere to go.
        appended.iter().for_each(drop);
    });
    assert_whole(&ledger, &url, &expected);
}

fn appends_and_reads_go_on_when_connections_are_ended(server: &mut impl Server) {
    let url = server.url("log");
    let batch = entries(10);
    let mut ledger = filled(created(&url), 10, 10);
    assert_eq!(server.end_connections(), 1);
    assert_eq!(all_entries(&ledger).unwrap(), batch);
    assert_eq!(server.end_connections(), 1);
    let mut batches = 1;
    let ended = AtomicU64::new(0);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while ended.load(Ordering::SeqCst) < 20 {
                ledger.append_batch(&batch).unwrap();
                batches += 1;
            }
        });
        while !writer.is_finished() {
            ended.fetch_add(server.end_connections(), Ordering::SeqCst);
            thread::sleep(Duration::from_millis(10));
        }
    });
    assert_whole(&ledger, &url, &vec![batch; batches].concat());
}

fn a_commit_whose_answer_is_lost_is_made_once(server: &mut impl Server) {
    let proxy = Proxy::to(server.port());
    let url = server.url_through(proxy.port, "log");
    let expected = entries(80);
    let mut storage = created(&url);
    let mut batches = expected.chunks(10);
    // Creating the log is a commit as well.
    for lose in [Lose::Answer, Lose::Commit] {
        storage = created(&server.url_through(proxy.port, &format!("{lose:?}").to_lowercase()));
        proxy.lose(lose);
        let ledger = Ledger::create(storage, origin(), key()).unwrap();
        assert!(proxy.has_lost(), "{lose:?}");
        assert_eq!(ledger.verify(&key().verifier()).unwrap().heads, 1);
        storage = created(&url);
    }
    let mut ledger = Ledger::create(storage, origin(), key()).unwrap();
    for lose in [Lose::Commit, Lose::Answer, Lose::Answer, Lose::Commit, Lose::Commit, Lose::Answer] {
        proxy.lose(lose);
        ledger.append_batch(batches.next().unwrap()).unwrap();
        assert!(proxy.has_lost(), "{lose:?}");
    }
    for batch in batches {
        ledger.append_batch(batch).unwrap();
    }
    assert_whole(&ledger, &url, &expected);
}

fn after_giving_up_the_same_batch_finds_out_whether_it_is_stored(server: &mut impl Server) {
    let expected = entries(40);
    for (name, lose) in [("commit", Lose::Commit), ("answer", Lose::Answer)] {
        let proxy = Proxy::to(server.port());
        let location: Location = server.url_through(proxy.port, name).parse().unwrap();
        let settings = ServerSettings { retry_attempts: 0, ..impatient() };
        let storage = location.create(&StorageOptions { server: settings, ..StorageOptions::default() }).unwrap();
        let mut ledger = Ledger::create(storage, origin(), key()).unwrap();
        ledger.append_batch(&expected[..10]).unwrap();
        proxy.lose(lose);
        let appended = ledger.append_batch(&expected[10..30]);
        if matches!(lose, Lose::Answer) {
            // The server is asked again, and has it.
            assert_eq!(appended, Ok(10..30));
        } else {
            let gave_up = appended.unwrap_err();
            assert!(
                matches!(gave_up, LedgerError::Storage(StorageError::Unavailable { attempts: 1, .. })),
                "{gave_up}"
            );
            assert_eq!(ledger.append_batch(&expected[10..30]), Ok(10..30));
        }
        assert_eq!(ledger.append_batch(&expected[30..]), Ok(30..40));
        assert_whole(&ledger, &server.url(name), &expected);
    }
}

fn a_server_that_stays_away_is_an_error_that_ends(server: &mut impl Server) {
    let location: Location = server.url("log").parse().unwrap();
    let options = StorageOptions { server: impatient(), ..StorageOptions::default() };
    let mut ledger = filled(location.create(&options).unwrap(), 10, 10);
    server.stop();
    let in_doubt = ledger.append_batch(&entries(5)).unwrap_err();
    let LedgerError::InDoubt { source: StorageError::Unavailable { attempts: 3, .. } } = in_doubt else {
        panic!("{in_doubt}");
    };
    let gave_up = location.open(&options).unwrap_err();
    assert!(matches!(gave_up, StorageError::Unavailable { attempts: 3, .. }), "{gave_up}");
    server.start();
    assert_eq!(ledger.append_batch(&entries(5)), Ok(10..15));
    assert_eq!(ledger.verify(&key().verifier()).unwrap().entries, 15);
}

fn of_two_writers_one_is_refused(server: &mut impl Server) {
    let url = server.url("log");
    let mut first = filled(created(&url), 10, 10);
    let mut second = Ledger::resume(opened(&url), key()).unwrap();
    // Even the same entries: they are in the log once, and only one of the two put them there.
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| first.append_batch(&entries(50)));
        (second.append_batch(&entries(50)), one.join().unwrap())
    });
    let conflict = Err(LedgerError::Storage(StorageError::Conflict { expected: 10, found: 60 }));
    let mut outcomes = [one, other];
    outcomes.sort_by_key(Result::is_err);
    assert_eq!(outcomes, [Ok(10..60), conflict]);
    let expected: Vec<_> = entries(10).into_iter().chain(entries(50)).collect();
    assert_whole(&Ledger::open(opened(&url)).unwrap(), &url, &expected);
}

fn long_logs_are_read_in_pieces(server: &mut impl Server) {
    let url = server.url("log");
    let expected = entries(20_000);
    let ledger = filled(created(&url), 20_000, 10_000);
    assert_eq!(*ledger.head(), *filled(MemoryStorage::new(), 20_000, 5_000).head());
    assert_whole(&ledger, &url, &expected);
    let mut rows = 0;
    let count = &mut |_: dais_ledger::RowRef<'_>| {
        rows += 1;
        std::ops::ControlFlow::Continue(())
    };
    ledger.storage().scan(0..u64::MAX, count).unwrap();
    assert_eq!(rows, 20_000);
}

fn connections_are_replaced_at_their_age(server: &mut impl Server) {
    let settings = ServerSettings { recycle: Duration::from_nanos(1), ..ServerSettings::default() };
    let options = StorageOptions { server: settings, ..StorageOptions::default() };
    let url = server.url("log");
    let ledger = filled(url.parse::<Location>().unwrap().create(&options).unwrap(), 50, 5);
    assert_whole(&ledger, &url, &entries(50));
    assert_eq!(server.end_connections(), 1, "the former connections were closed");
}

fn readers_follow_eight_threads_that_append(server: &mut impl Server) {
    let location = server.url("log").parse().unwrap();
    pool::readers_follow_eight_threads_that_append(&location, patient(), 40);
}

fn readers_come_back_with_a_server_that_was_restarted(server: &mut impl Server) {
    let location: Location = server.url("log").parse().unwrap();
    let mut writer = filled(location.create(&patient()).unwrap(), 100, 50);
    let settings = PoolSettings { size: 2, overflow: 0, timeout: Duration::ZERO, ..PoolSettings::default() };
    let server_settings = ServerSettings { retry_attempts: 0, ..impatient() };
    let options = StorageOptions { server: server_settings, pool: settings, ..StorageOptions::default() };
    let readers = ReaderPool::open(location, options).unwrap();
    let lent = readers.reader().unwrap();
    drop(readers.reader().unwrap());
    assert_eq!(readers.stats(), PoolStats { busy: 1, idle: 1, readers_max: 2 });
    server.stop();
    for _ in 0..3 {
        let refused = readers.reader().unwrap_err();
        let gone = matches!(refused, PoolError::Ledger(LedgerError::Storage(StorageError::Unavailable { .. })));
        assert!(gone, "{refused}");
    }
    let refused = lent.entry(70).unwrap_err();
    assert!(matches!(refused, LedgerError::Storage(StorageError::Unavailable { .. })), "{refused}");
    assert_eq!(readers.stats(), PoolStats { busy: 1, idle: 0, readers_max: 2 });
    server.start();
    assert_eq!(lent.entry(70).unwrap(), entries(100)[70]);
    writer.append_batch(&entries(5)).unwrap();
    drop(lent);
    let (one, other) = (readers.reader().unwrap(), readers.reader().unwrap());
    assert_eq!((one.head(), other.head()), (writer.head(), writer.head()));
    assert_eq!(readers.reader().unwrap_err(), PoolError::Busy { readers: 2, waited: Duration::ZERO });
    assert_eq!(readers.damage(), None);
}

/// The tests that every kind of server must pass, each on a server of its own.
macro_rules! checks {
    ($server:ident) => {
        super::checks!($server:
            does_what_a_storage_must,
            what_is_there_decides_what_can_be_made_and_opened,
            appends_wait_for_a_server_that_is_restarted,
            appends_and_reads_go_on_when_connections_are_ended,
            a_commit_whose_answer_is_lost_is_made_once,
            after_giving_up_the_same_batch_finds_out_whether_it_is_stored,
            a_server_that_stays_away_is_an_error_that_ends,
            of_two_writers_one_is_refused,
            long_logs_are_read_in_pieces,
            connections_are_replaced_at_their_age,
            readers_follow_eight_threads_that_append,
            readers_come_back_with_a_server_that_was_restarted
        );
    };
    ($server:ident: $($name:ident),*) => {
        $(#[test]
        fn $name() {
            super::$name(&mut $server::begin());
        })*
    };
}
use checks;
