//! The configuration of a run, and what of it stands behind flags and scenario.

use std::time::Duration;

use dais_config::{Config, DatabaseType, Loaded, SslMode};
use dais_runs::Safety;
use dais_sim::Execution;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::args::group::conduct::SafetyArgs;

/// Time between two checkpoints at least, where nobody chose an interval: writing one every second would slow down small
/// runs that are over in a minute.
const SPACING: Duration = Duration::from_secs(10);

/// How a run is kept safe: as flags say, and behind them the configuration.
pub(crate) fn safety(args: &SafetyArgs, loaded: &Loaded) -> Safety {
    let (simulation, performance) = (&loaded.config.simulation, &loaded.config.performance);
    let is_chosen = args.checkpoint_interval.is_some() || loaded.is_set("simulation.checkpoint_interval");
    let configured = if simulation.enable_checkpointing { simulation.checkpoint_interval } else { 0 };
    let limit = Duration::try_from_secs_f64(simulation.step_time_limit_s).unwrap_or_default();
    let memory = args.memory_limit.map(std::num::NonZero::get);
    Safety {
        checkpoint_spacing: if is_chosen { Duration::ZERO } else { SPACING },
        checkpoint_interval: Some(args.checkpoint_interval.unwrap_or(configured)).filter(|steps| *steps > 0),
        stop_on_error: args.stop_on_error || simulation.stop_on_error,
        step_time_limit: args.step_time_limit.or(Some(limit).filter(|limit| !limit.is_zero())),
        memory_limit_mb: memory.or(Some(performance.memory_limit_mb).filter(|limit| *limit > 0)),
    }
}

/// How a run is carried out, as far as flags do not say.
pub(crate) fn execution(threads: Option<usize>, use_parallel_threshold: Option<usize>, config: &Config) -> Execution {
    let default = Execution::default();
    let workers = config.performance.max_workers.map(|workers| workers as usize);
    Execution {
        threads: threads.or(workers).unwrap_or(default.threads),
        use_parallel_threshold: use_parallel_threshold.unwrap_or(config.simulation.use_parallel_threshold as usize),
    }
}

/// What stands for itself in no part of a connection string (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the configuration says that ledgers are kept, as `--ledger` takes it; `run` names a schema of its own.
pub(crate) fn ledger(config: &Config, run: &str) -> Option<String> {
    let database = &config.database;
    let scheme = match database.r#type {
        DatabaseType::Sqlite => return database.path.as_ref().map(|path| format!("sqlite:{}", path.display())),
        DatabaseType::Postgresql => "postgres",
        DatabaseType::Mysql => "mysql",
    };
    let quoted = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let host = database.host.as_deref()?;
    let mut login = database.username.as_deref().map(quoted).unwrap_or_default();
    if let Some(password) = &database.password {
        login = format!("{login}:{}", quoted(password.expose()));
    }
    let at = if login.is_empty() { "" } else { "@" };
    let port = database.port.map(|port| format!(":{port}")).unwrap_or_default();
    let name = quoted(database.database.as_deref()?);
    let mode = database.ssl_mode.map(|mode| format!("sslmode={}", ssl_mode(mode)));
    let schema = (database.r#type == DatabaseType::Postgresql).then(|| format!("schema={}", schema_of(run)));
    let query: Vec<String> = mode.into_iter().chain(schema).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    Some(format!("{scheme}://{login}{at}{host}{port}/{name}{mark}{}", query.join("&")))
}

fn ssl_mode(mode: SslMode) -> &'static str {
    match mode {
        SslMode::Disable => "disable",
        SslMode::Require => "require",
        SslMode::VerifyFull => "verify-full",
    }
}

/// A name for the schema of a run: letters, digits and underscores.
fn schema_of(run: &str) -> String {
    let fitting = run.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    format!("run_{}", fitting.take(50).collect::<String>())
}

/// A value of the configuration, where one of its layers says it.
pub(crate) fn said<T>(loaded: &Loaded, key: &str, value: T) -> Option<T> {
    loaded.is_set(key).then_some(value)
}

#[cfg(test)]
mod tests {
    use dais_config::Loader;

    use super::*;

    fn loaded(overrides: &[(&str, &str)]) -> Loaded {
        Loader::new().overrides(overrides.iter().copied()).load().unwrap()
    }

    fn config(overrides: &[(&str, &str)]) -> Config {
        loaded(overrides).config
    }

    fn flags() -> SafetyArgs {
        SafetyArgs { checkpoint_interval: None, stop_on_error: false, step_time_limit: None, memory_limit: None }
    }

    #[test]
    fn flags_stand_above_the_configuration() {
        let written = loaded(&[
            ("simulation.checkpoint_interval", "7"),
            ("simulation.step_time_limit_s", "1.5"),
            ("performance.memory_limit_mb", "100"),
        ]);
        let kept = safety(&flags(), &written);
        assert_eq!((kept.checkpoint_interval, kept.memory_limit_mb), (Some(7), Some(100)));
        assert_eq!(kept.checkpoint_spacing, Duration::ZERO);
        assert_eq!(kept.step_time_limit, Some(Duration::from_millis(1500)));
        let mut given = flags();
        given.checkpoint_interval = Some(0);
        given.memory_limit = std::num::NonZeroU32::new(5);
        let kept = safety(&given, &written);
        assert_eq!((kept.checkpoint_interval, kept.memory_limit_mb), (None, Some(5)));
        let off = loaded(&[("simulation.enable_checkpointing", "false")]);
        let kept = safety(&flags(), &off);
        assert_eq!((kept.checkpoint_interval, kept.memory_limit_mb, kept.step_time_limit), (None, None, None));
        let usual = safety(&flags(), &loaded(&[]));
        assert_eq!((usual.checkpoint_interval, usual.checkpoint_spacing), (Some(50), SPACING));
    }

    #[test]
    fn a_server_of_the_configuration_becomes_a_connection_string() {
        let server = config(&[
            ("database.type", "postgresql"),
            ("database.host", "db.example"),
            ("database.port", "5433"),
            ("database.database", "runs"),
            ("database.username", "dais"),
            ("database.password", "p@ss:w/rd"),
            ("database.ssl_mode", "verify_full"),
        ]);
        let location = ledger(&server, "nsl-kdd-7").unwrap();
        assert_eq!(
            location,
            "postgres://dais:p%40ss%3Aw%2Frd@db.example:5433/runs?sslmode=verify-full&schema=run_nsl_kdd_7"
        );
        assert!(location.parse::<dais_ledger::Location>().is_ok());
        assert_eq!(ledger(&config(&[]), "x"), None);
        assert_eq!(ledger(&config(&[("database.path", "a/b.db")]), "x").as_deref(), Some("sqlite:a/b.db"));
    }
}
