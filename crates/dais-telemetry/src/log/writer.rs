use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use jiff::Timestamp;

use super::file::{LogFile, Lost};
use super::layer::Lines;
use super::sink::Message;

/// Time between two looks at what was left out.
const SWEEP: Duration = Duration::from_secs(1);

/// The thread that writes the file, and tells what was left out of floods.
pub(crate) struct Writer {
    pub(crate) lines: Arc<Lines>,
    pub(crate) file: Option<LogFile>,
    pub(crate) queue: Receiver<Message>,
    /// Whether the operator was told that lines are being lost.
    pub(crate) is_told: bool,
}

impl Writer {
    /// Runs until it is told to stop, or nobody is left to tell it.
    pub(crate) fn run(mut self) {
        loop {
            match self.queue.recv_timeout(SWEEP) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let ended = self.drain();
            self.flush();
            if ended {
                break;
            }
            self.lines.sweep(false);
        }
        self.drain();
        self.flush();
    }

    /// Takes what is waiting; whether the end was among it.
    fn drain(&mut self) -> bool {
        loop {
            match self.queue.try_recv() {
                Ok(Message::Stop) | Err(TryRecvError::Disconnected) => return true,
                Ok(message) => self.take(message),
                Err(TryRecvError::Empty) => return false,
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Line(line) => {
                if let Some(file) = &mut self.file {
                    let pushed = file.push(&line, Timestamp::now());
                    self.count(pushed);
                }
            }
            Message::Flush(answer) => {
                self.flush();
                // Who asked may have stopped waiting.
                let _ = answer.send(());
            }
            Message::Stop => {}
        }
    }

    fn flush(&mut self) {
        if let Some(file) = &mut self.file {
            let flushed = file.flush();
            self.count(flushed);
        }
    }

    fn count(&mut self, outcome: Result<u64, Lost>) {
        let counts = &self.lines.sinks.counts;
        match outcome {
            Ok(lines) => {
                counts.written.fetch_add(lines, Relaxed);
            }
            Err(Lost { lines, error }) => {
                counts.failed.fetch_add(lines, Relaxed);
                if !self.is_told {
                    self.is_told = true;
                    let what = if lines > 0 { "lines are lost" } else { "the log file is not kept in order" };
                    self.lines.sinks.say(&format!("{what}, this is said once and counted: {error}"));
                }
            }
        }
    }
}
