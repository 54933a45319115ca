use std::io::{self, IsTerminal, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError};

use tracing_subscriber::fmt::MakeWriter as _;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::Format;
use super::line::{Ink, Line};

/// Where lines for people go.
pub struct Console {
    /// Makes the writer of each line. A program that draws on standard error, such as a progress bar, gives one that takes
    /// its drawing away first.
    pub writer: BoxMakeWriter,
    /// Whether levels are set off by colours.
    pub colours: bool,
}

impl Console {
    /// Standard error; colours where it is a terminal and `NO_COLOR` is not set.
    pub fn stderr() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { writer: BoxMakeWriter::new(io::stderr), colours: wanted && io::stderr().is_terminal() }
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Console").field("colours", &self.colours).finish_non_exhaustive()
    }
}

/// What became of lines so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Lines written to the file.
    pub written: u64,
    /// Lines that never came to the file, because more were logged than could be written.
    pub dropped: u64,
    /// Lines that could not be written to the file, such as on a full disk.
    pub failed: u64,
}

/// [`LogCounts`] while they are counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) written: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) failed: AtomicU64,
}

impl Counts {
    pub(crate) fn read(&self) -> LogCounts {
        LogCounts {
            written: self.written.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            failed: self.failed.load(Relaxed),
        }
    }
}

/// What the writer of the file is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Write this line, which ends in a line end.
    Line(String),
    /// Write all there is to the file, then answer.
    Flush(SyncSender<()>),
    /// Write all there is to the file, then end.
    Stop,
}

/// Console and file.
pub(crate) struct Sinks {
    pub(crate) console: Option<Console>,
    pub(crate) file: Option<SyncSender<Message>>,
    pub(crate) format: Format,
    pub(crate) counts: Arc<Counts>,
}

/// Bytes that a line is expected to have.
const LINE_BYTES: usize = 192;

impl Sinks {
    pub(crate) fn write(&self, line: &Line<'_>) {
        if let Some(file) = &self.file {
            let mut text = String::with_capacity(LINE_BYTES);
            line.write(self.format, &mut text);
            match file.try_send(Message::Line(text)) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.counts.dropped.fetch_add(1, Relaxed);
                }
            }
        }
        if let Some(console) = &self.console {
            let mut text = String::with_capacity(LINE_BYTES);
            line.write_text(&mut text, Ink { colours: console.colours });
            // Where standard error is closed there is nobody to tell.
            drop(console.writer.make_writer().write_all(text.as_bytes()));
        }
    }

    /// Says something about the log itself, on the console only.
    pub(crate) fn say(&self, text: &str) {
        if let Some(console) = &self.console {
            drop(console.writer.make_writer().write_all(format!("dais: {text}\n").as_bytes()));
        } else {
            // A full disk must not pass unseen only because the console was not wanted for lines.
            drop(writeln!(io::stderr(), "dais: {text}"));
        }
    }
}
