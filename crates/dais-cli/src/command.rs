//! The commands, one module each.
//!
//! A command returns its exit code: 0 fine, 1 a check failed. An error is wrong usage or input, exit code 2.

mod alert;
mod blocklist;
mod clean;
mod config;
mod doctor;
mod eval;
mod explain;
mod flows;
mod health;
mod ledger;
mod list;
mod logs;
mod manual;
mod resume;
mod run;
mod schema;
mod sweep;
mod verify;
mod watch;

pub(crate) use alert::alert;
pub(crate) use blocklist::blocklist;
pub(crate) use clean::clean;
pub(crate) use config::config;
pub(crate) use doctor::doctor;
pub(crate) use eval::eval;
pub(crate) use explain::explain;
pub(crate) use flows::flows;
pub(crate) use health::health;
pub(crate) use ledger::ledger;
pub(crate) use list::list;
pub(crate) use logs::logs;
pub(crate) use manual::{completions, man};
pub(crate) use resume::resume;
pub(crate) use run::run;
pub(crate) use schema::schema;
pub(crate) use sweep::sweep;
pub(crate) use verify::verify;
pub(crate) use watch::watch;
