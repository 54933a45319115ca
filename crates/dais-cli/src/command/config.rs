//! `dais config`: write, show, check and compare the configuration.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_config::{Environment, Loaded, Loader, files, flow, schema};
use serde_json::{Value, json};

use crate::args::config::{CheckArgs, ConfigArgs, ConfigCommand, DiffArgs, GetArgs, InitArgs, LayerArgs, ShowArgs};
use crate::args::group::setting::loader;
use crate::screen::output;
use crate::screen::table::Table;

/// Folder of the files where none is named.
const FOLDER: &str = "config";

pub(crate) fn config(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        ConfigCommand::Init(init) => write_files(&args.layers, init),
        ConfigCommand::Show(show_args) => show(&args.layers, show_args),
        ConfigCommand::Get(get_args) => get(&args.layers, get_args),
        ConfigCommand::Check(check_args) => check(&args.layers, check_args),
        ConfigCommand::Schema => {
            output::print(&format!("{}\n", serde_json::to_string_pretty(&schema())?))?;
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Diff(diff_args) => diff(&args.layers, diff_args),
    }
}

impl LayerArgs {
    /// The layers that the command line and the process' environment name.
    pub(crate) fn loader(&self) -> Loader {
        loader(self.env.as_deref(), self.config_dir.clone(), self.config.clone()).options("--config-dir", "--configure")
    }
}

/// What is loaded, its warnings on standard error.
fn loaded(loader: &Loader) -> anyhow::Result<Loaded> {
    let loaded = loader.load()?;
    for warning in &loaded.warnings {
        output::say(&format!("warning: {warning}"));
    }
    Ok(loaded)
}

fn write_files(layers: &LayerArgs, args: &InitArgs) -> anyhow::Result<ExitCode> {
    let folder = layers.config_dir.as_deref().unwrap_or(Path::new(FOLDER));
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let there: Vec<String> = files()
        .iter()
        .map(|(name, _)| folder.join(name))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !args.force && !there.is_empty() {
        bail!(
            "{} there already; --force replaces what is there, --dir writes elsewhere",
            there.join(", ") + if there.len() == 1 { " is" } else { " are" }
        );
    }
    for (name, text) in files() {
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(!args.force).create(true).truncate(args.force);
        let written = options.open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        output::print(&format!("{}\n", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(layers: &LayerArgs, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let loaded = loaded(&layers.loader().overrides(args.configure.iter().cloned()))?;
    let text = match (args.json, args.origin) {
        (false, with_origin) => loaded.to_yaml(with_origin),
        (true, false) => format!("{}\n", serde_json::to_string_pretty(&loaded.to_json())?),
        (true, true) => {
            let each = |setting: dais_config::Setting| {
                (setting.key.to_owned(), json!({ "value": setting.value, "origin": setting.origin.to_string() }))
            };
            let settings: serde_json::Map<String, Value> = loaded.settings().into_iter().map(each).collect();
            format!("{}\n", serde_json::to_string_pretty(&settings)?)
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn get(layers: &LayerArgs, args: &GetArgs) -> anyhow::Result<ExitCode> {
    let loaded = loaded(&layers.loader())?;
    let Some(value) = loaded.value(&args.key) else {
        let near = dais_config::nearest_key(&args.key).map(|key| format!("; did you mean {key}?"));
        bail!("there is no key {}{}", args.key, near.unwrap_or_default());
    };
    // What a script reads is the text itself, without quotes.
    let text = value.as_str().map_or_else(|| flow(&value), str::to_owned);
    output::print(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn check(layers: &LayerArgs, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let loader = layers.loader();
    let loader = args.file.iter().fold(loader, Loader::file);
    match loader.load() {
        Err(errors) => {
            output::say(&format!("error: {errors}"));
            Ok(ExitCode::FAILURE)
        }
        Ok(loaded) => {
            for warning in &loaded.warnings {
                output::say(&format!("warning: {warning}"));
            }
            let set = loaded.settings().iter().filter(|setting| !setting.origin.is_default()).count();
            let files: Vec<String> = loaded.files.iter().map(|file| file.display().to_string()).collect();
            let from = if files.is_empty() { "no file".to_owned() } else { files.join(", ") };
            output::print(&format!("sound: {from}; {set} keys set, environment {}\n", loaded.config.environment))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn diff(layers: &LayerArgs, args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let side = |name: &String| {
        let loader = layers.loader();
        let is_environment = Environment::named(name).is_some();
        let loaded = loaded(&if is_environment { loader.env(name) } else { loader.file(name) });
        loaded.map(|loaded| (name.clone(), loaded))
    };
    let (left, right) = match args.sides.as_slice() {
        [one, other, ..] => (side(one)?, side(other)?),
        [one] => (("in effect".to_owned(), loaded(&layers.loader())?), side(one)?),
        [] => (("default".to_owned(), Loaded::default()), ("in effect".to_owned(), loaded(&layers.loader())?)),
    };
    let differences = left.1.differences(&right.1);
    let text = if args.json {
        let each = |difference: &dais_config::Difference| {
            let origin = right.1.origin(difference.key).to_string();
            let pair = json!({ "left": difference.left, "right": difference.right, "origin": origin });
            (difference.key.to_owned(), pair)
        };
        let differences: serde_json::Map<String, Value> = differences.iter().map(each).collect();
        format!("{}\n", serde_json::to_string_pretty(&differences)?)
    } else if differences.is_empty() {
        format!("no difference: {}, {}\n", left.0, right.0)
    } else {
        let mut table = Table::new(4);
        table.row(["key", left.0.as_str(), right.0.as_str(), "set by"]);
        for difference in &differences {
            let origin = right.1.origin(difference.key).to_string();
            table.row([difference.key.to_owned(), flow(&difference.left), flow(&difference.right), origin]);
        }
        table.lines().join("\n") + "\n"
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
