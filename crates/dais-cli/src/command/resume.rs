//! `dais resume`.

use std::process::ExitCode;

use dais_runs::{Conduct, DURABILITY};

use crate::args::resume::ResumeArgs;
use crate::place;
use crate::run::carry::Carry;
use crate::run::{setting, told};

pub(crate) fn resume(args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let live = args.conduct.settings.load(args.conduct.quiet)?;
    let loaded = live.current();
    let conduct = Conduct::resume(&args.run, args.ledger.as_deref(), &place::login()).map_err(told::told)?;
    let conduct = conduct
        .with_execution(setting::execution(args.threads, None, &loaded.config))
        .with_options(args.conduct.server.options_over(DURABILITY, &loaded.config.database));
    let carry =
        Carry { conduct, complete: &|_, _| Ok(()), place: args.run.clone(), args: &args.conduct, live: live.clone() };
    carry.out()
}
