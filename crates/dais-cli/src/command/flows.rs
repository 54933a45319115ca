//! `dais flows`: what was read, to look at, to convert and to compare.

mod counts;
mod filter;
mod input;
mod rows;
mod screen;
mod summary;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_traffic::{FlowFormat, FlowWriter};

use crate::args::flows::{FlowsArgs, Format};
use crate::screen::output;
use counts::Counts;
use filter::Filter;
use input::Came;
use screen::Screen;
use summary::Summary;

/// Flows that a table shows where nothing is said.
const SHOWN: u64 = 100;

/// Runs `dais flows`.
///
/// # Errors
/// Files that cannot be read, filters that nothing can match, output that cannot be written.
pub(crate) fn flows(args: &FlowsArgs) -> anyhow::Result<ExitCode> {
    let filter = Filter::new(&args.filter)?;
    if args.columns {
        return columns(args);
    }
    let mut summary = Summary::new(filter.is_none());
    if args.summary {
        for file in &args.files {
            let ended = input::each(file, args, |came| {
                if filter.takes(&came) {
                    summary.count(&came);
                }
                Ok(true)
            })?;
            summary.end(file, ended);
        }
        output::print(&if args.json { summary.json()? } else { summary.text() })?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.count.is_empty() {
        let mut counts = Counts::new(&args.count);
        for file in &args.files {
            let ended = input::each(file, args, |came| {
                if filter.takes(&came) {
                    counts.count(&came);
                }
                Ok(true)
            })?;
            summary.end(file, ended);
        }
        let limit = args.limit.unwrap_or(SHOWN) as usize;
        output::print(&if args.json { counts.json(limit)? } else { counts.text(limit) })?;
    } else {
        show(args, &filter, &mut summary)?;
    }
    summary.say();
    Ok(ExitCode::SUCCESS)
}

/// Where flows go.
enum Sink {
    Screen(Screen),
    Writer(FlowWriter<Box<dyn Write + Send>>),
    /// Rows of tables, which have columns of their own.
    Rows(rows::Rows),
}

fn show(args: &FlowsArgs, filter: &Filter, summary: &mut Summary) -> anyhow::Result<()> {
    let format = args.format.unwrap_or(if args.json { Format::Json } else { Format::Table });
    let limit = args.limit.unwrap_or(if format == Format::Table { SHOWN } else { u64::MAX });
    let (mut shown, mut sink) = (0, None);
    for file in &args.files {
        let ended = input::each(file, args, |came| {
            if !filter.takes(&came) {
                return Ok(true);
            }
            summary.count(&came);
            if shown == limit {
                // Who asked for so many has enough; who did not is told how many there are.
                return Ok(args.limit.is_none());
            }
            shown += 1;
            if sink.is_none() {
                sink = Some(Sink::open(args, format, &came)?);
            }
            let Some(sink) = &mut sink else { return Ok(true) };
            gone(sink.write(&came))
        })?;
        summary.end(file, ended);
    }
    if let Some(sink) = sink {
        gone(sink.finish())?;
    } else if let (Some(_), Some(format)) = (&args.out, flow_format(format)) {
        FlowWriter::new(destination(args)?, format)?.finish()?;
    }
    summary.shown(shown);
    Ok(())
}

/// A reader of the output that has gone is no error: it has read enough.
fn gone(written: io::Result<()>) -> anyhow::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write"),
    }
}

fn destination(args: &FlowsArgs) -> anyhow::Result<Box<dyn Write + Send>> {
    let Some(path) = &args.out else { return Ok(Box::new(BufWriter::new(io::stdout()))) };
    if args.files.contains(path) {
        bail!("{}: is read and cannot be written to at once", path.display());
    }
    let file = File::create(path).with_context(|| path.display().to_string())?;
    Ok(Box::new(BufWriter::new(file)))
}

/// The format of a file of flows; none for a table to look at.
fn flow_format(format: Format) -> Option<FlowFormat> {
    match format {
        Format::Table => None,
        Format::Csv => Some(FlowFormat::Csv),
        Format::Json => Some(FlowFormat::Json),
        Format::Zeek => Some(FlowFormat::Zeek),
        #[cfg(feature = "parquet")]
        Format::Parquet => Some(FlowFormat::Parquet),
    }
}

impl Sink {
    /// A place for flows, or for rows of tables, by the first that comes.
    fn open(args: &FlowsArgs, format: Format, first: &Came<'_>) -> anyhow::Result<Self> {
        match first {
            Came::Row(row) => Ok(Self::Rows(rows::Rows::new(destination(args)?, format, row)?)),
            Came::Flow { .. } => Ok(match flow_format(format) {
                None => Self::Screen(Screen::new(destination(args)?)),
                Some(format) => Self::Writer(FlowWriter::new(destination(args)?, format)?),
            }),
        }
    }

    fn write(&mut self, came: &Came<'_>) -> io::Result<()> {
        match (self, came) {
            (Self::Screen(screen), Came::Flow { flow, label, families }) => {
                screen.flow(flow, *label, families);
                Ok(())
            }
            (Self::Writer(writer), Came::Flow { flow, label, families }) => writer.write(flow, *label, families),
            (Self::Rows(rows), Came::Row(row)) => rows.row(row),
            (Self::Screen(_) | Self::Writer(_), Came::Row(_)) | (Self::Rows(_), Came::Flow { .. }) => {
                Err(io::Error::other("flow logs and labelled tables have no columns in common: show them apart"))
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.finish(),
            Self::Writer(writer) => writer.finish(),
            Self::Rows(rows) => rows.finish(),
        }
    }
}

/// Prints the columns of each file.
fn columns(args: &FlowsArgs) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    for file in &args.files {
        files.push(input::columns(file, args)?);
    }
    output::print(&if args.json { screen::columns_json(&files)? } else { screen::columns_text(&files) })?;
    Ok(ExitCode::SUCCESS)
}
