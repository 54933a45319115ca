//! `dais sweep`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_config::Config;
use dais_lab::{Material, Next, SweepParams, Traffic, sweep as run_sweep};
use dais_runs::Asked;

use crate::args::group::input::InputArgs;
use crate::args::sweep::SweepArgs;
use crate::run::interrupt::{self, Unfinished};
use crate::run::{choice, setting};
use crate::screen::line::Line;
use crate::screen::output::{self, Ink};
use crate::screen::sweep as sweep_screen;

/// The file with all figures.
const FIGURES: &str = "sweep.json";

pub(crate) fn sweep(args: &SweepArgs) -> anyhow::Result<ExitCode> {
    let mut scenario = choice::describe(&args.input)?;
    if let Some(folder) = &args.out {
        begin(folder)?;
    }
    let stopper = interrupt::listen(Unfinished::default())?;
    let mut line = Line::new(args.quiet, scenario.worlds.len());
    if let Traffic::Files(files) = &scenario.traffic {
        line.reading(files.paths.len() as u64);
    }
    let material = Material::read(&scenario.traffic)?;
    choice::complete(&mut scenario, &material, &args.input)?;
    let seeds = if args.seed_list.is_empty() { (0..args.seeds).collect() } else { args.seed_list.clone() };
    let params = SweepParams { seeds, alert_p: args.alert_p.clone(), liars: args.liars.clone() };
    let InputArgs { threads, use_parallel_threshold, .. } = args.input;
    let execution = setting::execution(threads, use_parallel_threshold, &Config::default());
    line.preparing();
    let mut each_step = |progress: dais_lab::SweepProgress<'_>| {
        line.sweep_step(&progress);
        if stopper.asked() == Asked::Nothing { Next::Continue } else { Next::Stop }
    };
    let sweep = run_sweep(&scenario, &material, &params, execution, &mut each_step);
    line.clear();
    let sweep = sweep?;
    if let Some(folder) = &args.out {
        output::write_file(&folder.join(FIGURES), &(serde_json::to_string_pretty(&sweep)? + "\n"))?;
    }
    if args.json {
        output::print(&(serde_json::to_string(&sweep)? + "\n"))?;
    } else {
        output::print(&sweep_screen::sweep(&sweep, Ink::of_stdout()))?;
    }
    if let (Some(folder), false) = (&args.out, args.quiet) {
        output::say(&format!("all figures in {}", folder.join(FIGURES).display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder; an earlier sweep is never overwritten.
fn begin(folder: &Path) -> anyhow::Result<()> {
    if folder.join(FIGURES).exists() {
        bail!("{} holds a sweep already: choose another folder with --out", folder.display());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot write to {}", folder.display()))
}
