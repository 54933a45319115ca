use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, reload};

use super::LogParams;
use super::file::LogFile;
use super::flood::Flood;
use super::layer::{Lines, Shared};
use super::levels::Levels;
use super::sink::{Console, Counts, LogCounts, Message, Sinks};
use super::writer::Writer;

/// Lines that may wait for the file; what is logged while so many wait is dropped and counted.
const QUEUE_LINES: usize = 65_536;
/// Longest that [`LogGuard::flush`] waits.
const FLUSH_MAX: Duration = Duration::from_secs(5);
/// Longest that the end of the log waits for a file that takes no lines, such as one on a server that is gone.
const END_MAX: Duration = Duration::from_secs(3);
/// Time between two looks at whether it is over.
const LOOK: Duration = Duration::from_millis(1);

/// Why no log was started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened.
    #[error("the log file {} cannot be opened: choose another one, or see to its permissions", .path.display())]
    File {
        /// Where it was to be.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A setting that cannot be.
    #[error("log setting `{path}`: {why}")]
    Setting {
        /// Path of the field within [`LogParams`].
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The process has a log already.
    #[error("logging was started before")]
    Started,
    /// The system gives no thread.
    #[error("no thread for the log")]
    Thread(#[source] io::Error),
}

/// Starts the log of this process: lines go to standard error and to the file until the guard is dropped.
///
/// # Errors
/// Settings out of their ranges, a file that cannot be opened, or a log that was started before.
pub fn start(params: &LogParams) -> Result<LogGuard, LogError> {
    start_with(params, Console::stderr())
}

/// [`start`] with a console of one's own.
///
/// # Errors
/// As [`start`].
pub fn start_with(params: &LogParams, console: Console) -> Result<LogGuard, LogError> {
    let (dispatch, guard) = prepare(params, console)?;
    tracing::dispatcher::set_global_default(dispatch).map_err(|_| LogError::Started)?;
    Ok(guard)
}

/// A log that is not the process's own: for tests, and for programs that add layers.
///
/// # Errors
/// As [`start`], but for a log that was started before.
pub fn prepare(params: &LogParams, console: Console) -> Result<(Dispatch, LogGuard), LogError> {
    if let Some((path, why)) = params.check().into_iter().next() {
        return Err(LogError::Setting { path, why });
    }
    let file = match &params.file {
        Some(path) => Some(
            LogFile::open(path.clone(), params, Timestamp::now())
                .map_err(|source| LogError::File { path: path.clone(), source })?,
        ),
        None => None,
    };
    let (sender, queue) = sync_channel(QUEUE_LINES);
    let counts = Arc::new(Counts::default());
    let sinks = Sinks {
        console: params.enable_console.then_some(console),
        file: file.is_some().then(|| sender.clone()),
        format: params.format,
        counts: Arc::clone(&counts),
    };
    let lines = Arc::new(Lines { flood: Flood::new(params.flood_per_second), sinks, started: Instant::now() });
    let writer = Writer { lines: Arc::clone(&lines), file, queue, is_told: false };
    let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.run());
    let thread = thread.map_err(LogError::Thread)?;

    let (filter, levels) = reload::Layer::new(Levels::of(params));
    let subscriber = Registry::default().with(Shared(Arc::clone(&lines)).with_filter(filter));
    let guard = LogGuard { levels, lines, sender, thread };
    Ok((Dispatch::new(subscriber), guard))
}

/// Keeps the log going. When it is dropped, all lines logged so far are written, where the file takes
/// them within 3 s; later ones only reach the console.
///
/// A program that ends without dropping it (`std::process::exit`) may lose the lines of the last moment.
#[derive(Debug)]
pub struct LogGuard {
    levels: reload::Handle<Levels, Registry>,
    lines: Arc<Lines>,
    sender: SyncSender<Message>,
    thread: JoinHandle<()>,
}

impl LogGuard {
    /// Takes level and modules from `params` while the program runs; everything else there is left as it was at the start.
    ///
    /// # Errors
    /// Settings out of their ranges; the levels stay as they were.
    pub fn set_levels(&self, params: &LogParams) -> Result<(), LogError> {
        if let Some((path, why)) = params.check().into_iter().next() {
            return Err(LogError::Setting { path, why });
        }
        // It only fails when the subscriber is gone, and then there are no levels.
        drop(self.levels.reload(Levels::of(params)));
        Ok(())
    }

    /// What became of lines so far.
    pub fn counts(&self) -> LogCounts {
        self.lines.sinks.counts.read()
    }

    /// Waits until the lines logged so far are in the file, at most 5 s; whether they are.
    pub fn flush(&self) -> bool {
        let (answer, answered) = sync_channel(1);
        let deadline = Instant::now() + FLUSH_MAX;
        while let Err(refused) = self.sender.try_send(Message::Flush(answer.clone())) {
            if matches!(refused, TrySendError::Disconnected(_)) || Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        answered.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.lines.sweep(true);
        let deadline = Instant::now() + END_MAX;
        let is_waiting = || Instant::now() < deadline;
        // The queue is full where lines came in faster than they are written.
        while let Err(TrySendError::Full(_)) = self.sender.try_send(Message::Stop) {
            if !is_waiting() {
                break;
            }
            std::thread::sleep(LOOK);
        }
        while is_waiting() && !self.thread.is_finished() {
            std::thread::sleep(LOOK);
        }
        let LogCounts { dropped, failed, .. } = self.counts();
        if dropped + failed > 0 {
            self.lines.sinks.say(&format!("{dropped} log lines dropped in a flood, {failed} not written"));
        }
    }
}
