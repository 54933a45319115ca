//! Standard output and standard error.

use std::io::{self, Write};

use anyhow::Context;

/// Writes `text` to standard output. A reader that closed its end (`dais … | head`) has read enough: that is no error.
///
/// # Errors
/// Any other failure to write, such as a full disk behind a redirection.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output"),
    }
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
    say(&format!("error: {}", text.trim_end()));
}
