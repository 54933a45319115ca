//! Standard output and standard error.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use crate::screen::mask::masked;

/// Writes `text` to standard output. A reader that closed its end (`dais … | head`) has read enough: that is no error.
///
/// # Errors
/// Any other failure to write, such as a full disk behind a redirection.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Standard output for many lines; it is told when nobody reads them any more.
#[derive(Debug)]
pub(crate) struct Lines(BufWriter<StdoutLock<'static>>);

impl Lines {
    /// Takes standard output.
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Writes a line; breaks when its reader is gone, which is no error.
    ///
    /// # Errors
    /// Any other failure to write.
    pub(crate) fn line(&mut self, line: &str) -> anyhow::Result<ControlFlow<()>> {
        told(writeln!(self.0, "{line}"))
    }

    /// Hands on what was written so far; breaks when its reader is gone.
    ///
    /// # Errors
    /// Any other failure to write.
    pub(crate) fn flush(&mut self) -> anyhow::Result<ControlFlow<()>> {
        told(self.0.flush())
    }
}

fn told(written: io::Result<()>) -> anyhow::Result<ControlFlow<()>> {
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Waits, at most until the reader of standard output is gone; breaks then.
#[cfg(unix)]
pub(crate) fn wait_for_reader(wait: Duration) -> ControlFlow<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: i64::from(wait.subsec_nanos()) };
    match poll(&mut watched, Some(&timeout)) {
        // Nothing was asked for, so that only an end or an error can be reported.
        Ok(reported) if reported > 0 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    }
}

/// Waits; where the reader has gone is seen when the next line is written.
#[cfg(not(unix))]
pub(crate) fn wait_for_reader(wait: Duration) -> ControlFlow<()> {
    std::thread::sleep(wait);
    ControlFlow::Continue(())
}

/// Writes a file, complete or not at all.
///
/// # Errors
/// No space, or no right to write.
pub(crate) fn write_file(place: &Path, content: &str) -> anyhow::Result<()> {
    dais_runs::write_whole(place, content).with_context(|| format!("cannot write {}", place.display()))
}

/// Writes a line to standard error; where that is closed there is nobody to tell.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Says what went wrong: the message, then each cause that adds something to it.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    say(&format!("error: {}", masked(text.trim_end())));
}

/// Answers a command line that is none to run: help, version, or what is wrong with it, and perhaps a hint.
pub(crate) fn refuse(refused: &clap::Error, hint: Option<&str>) -> ExitCode {
    let mut text = refused.render().to_string();
    if let Some(hint) = hint {
        text = format!("{}\n\n{hint}\n", text.trim_end());
    }
    let shown = masked(&text);
    // Help and version show nothing that was typed.
    if (shown == text && hint.is_none()) || !refused.use_stderr() {
        refused.exit();
    }
    say(shown.trim_end());
    ExitCode::from(crate::exit::INPUT)
}

/// How text is set off from other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// With the escape sequences of terminals.
    Terminal,
    /// Not at all.
    Plain,
}

impl Ink {
    /// For standard output: plain where it is no terminal, or where `NO_COLOR` is set.
    pub(crate) fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if wanted && io::stdout().is_terminal() { Self::Terminal } else { Self::Plain }
    }

    /// A heading.
    pub(crate) fn heading(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1;36", text)
    }

    /// What may be passed over.
    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Terminal => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}
