//! `dais resume`.

use std::process::ExitCode;

use dais_sim::Execution;

use crate::args::ResumeArgs;
use crate::conduct::{Conduct, unfinished_scenario};
use crate::run_folder::RunFolder;
use crate::run_ledger::RunLedger;

pub(crate) fn resume(args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let (folder, note) = RunFolder::take_over(&args.run)?;
    let (scenario, seed) = unfinished_scenario(&folder)?;
    let default = Execution::default();
    let conduct = Conduct {
        scenario,
        seed,
        complete: &|_, _| Ok(()),
        execution: Execution { threads: args.threads.unwrap_or(default.threads), ..default },
        place: args.run.clone(),
        ledger: RunLedger::again(&note.ledger, args.ledger.as_deref())?,
        folder,
        begun: true,
        args: &args.conduct,
    };
    conduct.carry_out()
}
