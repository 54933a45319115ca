//! `dais resume`.

use std::process::ExitCode;

use crate::args::ResumeArgs;
use crate::conduct::{Conduct, unfinished_scenario};
use crate::run_folder::RunFolder;
use crate::run_ledger::RunLedger;
use crate::settings;

pub(crate) fn resume(args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let live = args.conduct.settings.load(args.conduct.quiet)?;
    let config = live.current();
    let (folder, note) = RunFolder::take_over(&args.run)?;
    let (scenario, seed) = unfinished_scenario(&folder)?;
    let conduct = Conduct {
        scenario,
        seed,
        complete: &|_, _| Ok(()),
        execution: settings::execution(args.threads, None, &config.config),
        place: args.run.clone(),
        ledger: RunLedger::again(&note.ledger, args.ledger.as_deref())?,
        folder,
        begun: true,
        args: &args.conduct,
        live,
    };
    conduct.carry_out()
}
