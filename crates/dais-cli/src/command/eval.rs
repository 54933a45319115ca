//! `dais eval`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_lab::{DataSet, EvalFiles, EvalParams, Next, eval_html, evaluate};
use dais_runs::{Asked, folder_name, peak_rss_mb};

use crate::args::eval::{Detectors, EvalArgs};
use crate::run::interrupt::{self, Unfinished};
use crate::screen::eval as eval_screen;
use crate::screen::line::Line;
use crate::screen::output::{self, Ink};

/// The file with all figures, and the page.
const FILES: [&str; 2] = ["eval.json", "eval.html"];

/// Data sets that the name of a new folder tells.
const NAMES_MAX: usize = 3;

pub(crate) fn eval(args: &EvalArgs) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &args.out {
        begin(folder, args.force)?;
    }
    let stopper = interrupt::listen(Unfinished::default())?;
    let mut line = Line::new(args.quiet, 1);
    line.reading((args.data.len() + args.test.len()) as u64);
    let sets = DataSet::read(&EvalFiles {
        data: args.data.clone(),
        test: args.test.clone(),
        schema: args.schema.clone(),
        max_bad_rows: args.max_bad_rows,
        protocol: args.protocol,
    })?;
    let params = EvalParams {
        detectors: Detectors::named(&args.detector),
        seeds: if args.seed_list.is_empty() { (0..args.seeds).collect() } else { args.seed_list.clone() },
        fpr: args.fpr.clone(),
    };
    let folder = args.out.clone().map_or_else(|| new_place(&sets), Ok)?;
    let mut eval = evaluate(&sets, &params, &mut |progress| {
        line.trial(progress);
        if stopper.asked() == Asked::Nothing { Next::Continue } else { Next::Stop }
    })?;
    line.clear();
    eval.peak_rss_mb = peak_rss_mb();
    let files = [serde_json::to_string_pretty(&eval)? + "\n", eval_html(&eval)?];
    for (name, content) in FILES.iter().zip(&files) {
        output::write_file(&folder.join(name), content)?;
    }
    if args.json {
        output::print(&(serde_json::to_string(&eval.without_curves())? + "\n"))?;
    } else if !args.quiet {
        output::print(&eval_screen::eval(&eval, Ink::of_stdout()))?;
    }
    if !args.quiet {
        let [figures, page] = FILES.map(|name| folder.join(name).display().to_string());
        output::say(&format!("curves and tables in {page}, all figures in {figures}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder; an earlier comparison in it is only replaced when that is asked for.
fn begin(folder: &Path, force: bool) -> anyhow::Result<()> {
    if let Some(taken) = FILES.iter().find(|name| folder.join(name).exists()).filter(|_| !force) {
        let shown = folder.display();
        bail!("{shown} holds {taken} already: choose another folder with --out, or replace it with --force");
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot write to {}", folder.display()))
}

/// Makes `evals/<data sets>-<n>`, with the first number that is free.
fn new_place(sets: &[DataSet]) -> anyhow::Result<PathBuf> {
    let names: Vec<&str> = sets.iter().take(NAMES_MAX).map(DataSet::name).collect();
    let name = folder_name(&names.join("-"));
    let parent = Path::new("evals");
    let unwritable = || "cannot write to evals: choose another folder with --out".to_owned();
    fs::create_dir_all(parent).with_context(unwritable)?;
    for number in 1_u32.. {
        let folder = parent.join(format!("{name}-{number}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(unwritable),
        }
    }
    bail!("evals is full: choose another folder with --out")
}
