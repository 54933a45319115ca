//! Which configuration is used.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use clap::Args;
use dais_config::{Errors, Live, Loaded, Loader};
use dais_lab::Scenario;

use crate::args::value;
use crate::screen::output;

/// Which configuration is used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct SettingArgs {
    /// Environment: development, staging, production, edge, docker or test [default: ENVIRONMENT, else the file's]
    #[arg(long, global = true, value_name = "NAME")]
    env: Option<String>,
    /// Local file that stands above those of the folder [default: local.yaml in the folder]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of default.yaml and the files of the environments [default: config]
    #[arg(long, global = true, value_name = "DIR")]
    config_dir: Option<PathBuf>,
    /// Sets a key of the configuration, as a dotted path and a value; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = value::setting)]
    configure: Vec<(String, String)>,
}

impl SettingArgs {
    /// Loads the configuration; what is odd about it is said on standard error, unless `quiet`.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub(crate) fn load(&self, quiet: bool) -> anyhow::Result<Arc<Live>> {
        let loader = self.loader();
        let loaded = loader.load().map_err(|error| self.explained(error))?;
        for warning in loaded.warnings.iter().filter(|_| !quiet) {
            output::say(&format!("warning: {warning}"));
        }
        Ok(Arc::new(Live::new(loader, loaded)))
    }

    /// What is wrong with the configuration; a key of the scenario is told from one that nothing has.
    fn explained(&self, error: Errors) -> anyhow::Error {
        let stray =
            self.configure.iter().find(|(key, _)| Loaded::default().value(key).is_none() && Scenario::has_key(key));
        match stray {
            Some((key, value)) => anyhow!(
                "--configure {key}={value}: it is a key of the scenario, not of the configuration: give it as --set {key}={value}"
            ),
            None => error.into(),
        }
    }

    /// The layers.
    pub(crate) fn loader(&self) -> Loader {
        let loader = loader(self.env.as_deref(), self.config_dir.clone(), self.config.clone());
        loader.overrides(self.configure.iter().cloned()).options("--config-dir", "--configure")
    }
}

/// The layers that flags and the process' environment name.
pub(crate) fn loader(env: Option<&str>, folder: Option<PathBuf>, file: Option<PathBuf>) -> Loader {
    let variables = std::env::vars_os();
    let readable = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut loader = Loader::new().variables(readable);
    if let Some(env) = env {
        loader = loader.env(env);
    }
    if let Some(folder) = folder {
        loader = loader.folder(folder);
    }
    if let Some(file) = file {
        loader = loader.file(file);
    }
    loader
}
