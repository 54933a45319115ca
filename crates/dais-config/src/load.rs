//! Loading: the layers are read, joined, expanded, checked, and given their types.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::config::Config;
use crate::environment::Environment;
use crate::error::{Errors, Problem};
use crate::node::Node;
use crate::old::{self, RetiredKey};
use crate::place::{Place, Source};
use crate::shape::{Shape, alternatives};
use crate::variable::{self, Variables};
use crate::{check, expand, near, yaml};

/// Folder of the configuration files where none is named.
const FOLDER: &str = "config";

/// What a configuration is loaded from. All inputs are given: it looks neither at the process' environment nor at its
/// arguments.
#[derive(Clone, Default)]
pub struct Loader {
    env: Option<String>,
    folder: Option<PathBuf>,
    file: Option<PathBuf>,
    variables: Variables,
    overrides: Vec<(String, String)>,
    /// What the command line calls them.
    options: Options,
}

/// Names of the options of a command line, for messages.
#[derive(Clone, Copy)]
struct Options {
    folder: &'static str,
    overrides: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self { folder: "--dir", overrides: "--set" }
    }
}

/// A configuration with what is worth knowing about how it came about. The default is that of an empty folder.
#[derive(Clone)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// What was read but may not mean what its author thought.
    pub warnings: Vec<Warning>,
    /// The files that were read, lowest layer first.
    pub files: Vec<PathBuf>,
    /// What the layers above the defaults say.
    pub(crate) layers: Node,
}

/// Without the values of variables and overrides, which may be secrets.
impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { env, folder, file, .. } = self;
        let mut shown = f.debug_struct("Loader");
        shown.field("env", env).field("folder", folder).field("file", file).finish_non_exhaustive()
    }
}

/// What was read but may not mean what its author thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Keys that have no effect any more, with what to do in their place.
    Retired(Vec<RetiredKey>),
    /// Anything else, as a sentence.
    Other(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retired(keys) => {
                let (noun, verb) = if keys.len() == 1 { ("key", "has") } else { ("keys", "have") };
                write!(f, "{} {noun} {verb} no effect any more", keys.len())?;
                keys.iter().try_for_each(|key| write!(f, "\n  {key}"))
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Loader {
    /// Defaults only, until inputs are given; files are looked for in `config`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The environment, before anything else that names one.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>) -> Self {
        self.env = Some(name.into());
        self
    }

    /// The folder of `default.yaml`, the files of the environments and `local.yaml`; it must exist.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The local file, in place of `local.yaml`; it must exist.
    #[must_use]
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Environment variables, such as `std::env::vars()`.
    #[must_use]
    pub fn variables<N: Into<String>, V: Into<String>>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Values of the command line, by dotted path.
    #[must_use]
    pub fn overrides<K: Into<String>, V: Into<String>>(mut self, overrides: impl IntoIterator<Item = (K, V)>) -> Self {
        self.overrides.extend(overrides.into_iter().map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// What the command line calls the folder and the overrides, for messages; `--dir` and `--set` otherwise.
    #[must_use]
    pub fn options(mut self, folder: &'static str, overrides: &'static str) -> Self {
        self.options = Options { folder, overrides };
        self
    }

    /// The folder that is looked into.
    pub(crate) fn directory(&self) -> &Path {
        self.folder.as_deref().unwrap_or(Path::new(FOLDER))
    }

    /// The local file, if one is named.
    pub(crate) fn local_file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Reads all layers and joins them.
    ///
    /// # Errors
    /// Everything that is wrong, with places; nothing is half loaded.
    pub fn load(&self) -> Result<Loaded, Errors> {
        let mut pass =
            Pass { variables: &self.variables, problems: Vec::new(), retired: Vec::new(), files: Vec::new() };
        if let Some(folder) = self.folder.as_deref().filter(|folder| !folder.is_dir()) {
            pass.problems.push(Problem::new(
                &Place::option(self.options.folder),
                format!("there is no folder {}", folder.display()),
            ));
        }
        let folder = self.directory();
        let default = pass.file(&folder.join("default.yaml"), false);
        let first = pass.files.len();
        let named = self.file.as_deref();
        let local = pass.file(named.unwrap_or(&folder.join("local.yaml")), named.is_some());
        let (environment, place) = pass.environment(self.env.as_deref(), [&local, &default]);
        let above = pass.files.split_off(first);
        let mut overlay = pass.file(&folder.join(format!("{environment}.yaml")), false);
        pass.files.extend(above);

        let mut warnings = Vec::new();
        warnings.extend(overlay.take("environment").and_then(|entry| {
            let written = entry.node.text()?;
            (Environment::named(written) != Some(environment)).then(|| {
                let says = format!("{} says {written}, but {environment} is in force by {place}", entry.place);
                Warning::Other(format!("{says}; the line has no effect"))
            })
        }));
        let (variables, misspelt) = variable::layer(&self.variables, &mut pass.problems);
        let settings = pass.settings(self.options.overrides, &self.overrides);
        let mut layers = Node::empty(Place::DEFAULT);
        for mut layer in [default, overlay, local, variables, settings] {
            old::modernise(&mut layer, &mut pass.retired, &mut pass.problems);
            layers.overlay(layer);
        }
        layers.overlay(environment_layer(environment, &place));
        expand::expand(&mut layers, &self.variables, &mut pass.problems);
        if !pass.retired.is_empty() {
            warnings.push(Warning::Retired(std::mem::take(&mut pass.retired)));
        }
        warnings.extend(misspelt.into_iter().map(Warning::Other));
        let Pass { problems, files, .. } = pass;
        let config = finish(&layers, problems)?;
        Ok(Loaded { config, warnings, files, layers })
    }
}

fn environment_layer(environment: Environment, place: &Place) -> Node {
    let mut layer = Node::empty(Place::DEFAULT);
    if !place.is_default() {
        // The mapping is new, so that nothing can be in the way.
        layer.put("environment", place, Node::scalar(environment.name(), true, place.clone())).ok();
    }
    layer
}

/// Types and cross-field rules.
pub(crate) fn finish(layers: &Node, mut problems: Vec<Problem>) -> Result<Config, Errors> {
    let typed = check::typed(Shape::root(), layers, "", &mut problems).unwrap_or(Json::Object(serde_json::Map::new()));
    if let Some(errors) = Errors::of(problems) {
        return Err(errors);
    }
    let mut problems = Vec::new();
    let config = serde_json::from_value::<Config>(complete(Shape::root(), defaults(), typed)).unwrap_or_else(|error| {
        problems.push(Problem::new(&layers.place, format!("the values do not fit together: {error}")));
        Config::default()
    });
    for (path, message) in config.check() {
        let secret = Shape::root().at(&path).is_some_and(|shape| shape.secret);
        let place = &layers.nearest(&path).place;
        problems.push(Problem::new(place, format!("`{path}` {message}")).secret(secret));
    }
    Errors::of(problems).map_or(Ok(config), Err)
}

/// The defaults of the whole. They hold no secret, so that nothing in them is masked.
fn defaults() -> Json {
    serde_json::to_value(Config::default()).unwrap_or(Json::Null)
}

/// `set` with the defaults of what it leaves out. A section may have other defaults in its place than by itself, so that
/// they cannot be left to the section's own type.
fn complete(shape: &Shape, default: Json, set: Json) -> Json {
    match (default, set) {
        (Json::Object(mut all), Json::Object(set)) if !shape.keys().is_empty() => {
            for (key, value) in set {
                let below = shape.keys().iter().find(|(known, _)| *known == key);
                let default = all.remove(&key).unwrap_or(Json::Null);
                let value = below.map_or(Json::Null, |(_, shape)| complete(shape, default, value));
                all.insert(key, value);
            }
            Json::Object(all)
        }
        (_, set) => set,
    }
}

impl Default for Loaded {
    fn default() -> Self {
        Self { config: Config::default(), warnings: Vec::new(), files: Vec::new(), layers: Node::empty(Place::DEFAULT) }
    }
}

/// Without the layers, which hold secrets as they were read.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, warnings, files, layers: _ } = self;
        let mut shown = f.debug_struct("Loaded");
        shown.field("config", config).field("warnings", warnings).field("files", files).finish_non_exhaustive()
    }
}

impl Loaded {
    /// Where the value of a key came from.
    pub fn origin(&self, path: &str) -> Place {
        self.layers.at(path).map_or(Place::DEFAULT, |node| node.place.clone())
    }

    /// Whether any layer above the defaults sets the key.
    pub fn is_set(&self, path: &str) -> bool {
        self.layers.at(path).is_some()
    }
}

/// One load: what was found wrong so far, and what was read.
struct Pass<'a> {
    variables: &'a Variables,
    problems: Vec<Problem>,
    retired: Vec<RetiredKey>,
    files: Vec<PathBuf>,
}

impl Pass<'_> {
    /// A file as a layer; empty where it is absent and may be.
    fn file(&mut self, path: &Path, required: bool) -> Node {
        let name = path.display().to_string();
        let whole = Place::whole(&name);
        let empty = Node::empty(whole.clone());
        let text = match read(path) {
            Ok(text) => text,
            Err(Unread::Absent) if !required => return empty,
            Err(unread) => {
                self.problems.push(Problem::new(&whole, unread.to_string()));
                return empty;
            }
        };
        self.files.push(path.to_owned());
        // Editors on Windows begin files with a mark that is no part of the text.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let source = Arc::new(Source { name, text });
        match yaml::parse(&source) {
            Ok(node) if node.is_null() => empty,
            Ok(node) if node.text().is_none() && !matches!(node.value, crate::node::Value::List(_)) => node,
            Ok(node) => {
                let problem = Problem::new(&node.place, "the file must be a mapping of sections to keys");
                self.problems.push(problem.help("for example `simulation:`, and below it `  default_agents: 50`"));
                empty
            }
            Err(problems) => {
                self.problems.extend(problems);
                empty
            }
        }
    }

    /// The environment that is in force, and who says so.
    fn environment(&mut self, option: Option<&str>, files: [&Node; 2]) -> (Environment, Place) {
        let variable = self.variables.get("ENVIRONMENT").filter(|name| !name.is_empty());
        let of_file = || {
            let mut node = files.iter().find_map(|file| file.entry("environment"))?.node.clone();
            // What is wrong in it is told when everything is expanded.
            expand::expand(&mut node, self.variables, &mut Vec::new());
            Some((node.text()?.to_owned(), node.place)).filter(|(name, _)| !name.is_empty())
        };
        let named = option
            .map(|name| (name.to_owned(), Place::option("--env")))
            .or_else(|| variable.map(|name| (name.clone(), Place::variable("ENVIRONMENT"))))
            .or_else(of_file);
        let Some((name, place)) = named else { return (Environment::default(), Place::DEFAULT) };
        let known = Environment::named(&name).unwrap_or_else(|| {
            let names = Environment::ALL.map(Environment::name);
            let message = format!("`environment` must be {}, found `{name}`", alternatives(&names));
            let mut problem = Problem::new(&place, message);
            problem.help = near::nearest(&name, names).map(|near| format!("did you mean {near}?"));
            self.problems.push(problem);
            Environment::default()
        });
        (known, place)
    }

    /// The pairs of the command line as a layer; the last one of a key holds.
    fn settings(&mut self, option: &'static str, pairs: &[(String, String)]) -> Node {
        let mut layer = Node::empty(Place::DEFAULT);
        for (key, value) in pairs {
            let place = Place::setting(option, key);
            let node = Node::scalar(value, matches!(value.as_str(), "" | "null"), place.clone());
            layer.take(key);
            if key.split('.').any(str::is_empty) {
                self.problems.push(Problem::new(&place, "a key is a dotted path, such as simulation.default_agents"));
            } else if let Err(other) = layer.put(key, &place, node) {
                self.problems.push(Problem::new(&place, format!("contradicts {other}")));
            }
        }
        layer
    }
}

/// Why a file was not read.
enum Unread {
    Absent,
    TooLarge(u64),
    NotText(usize),
    Other(std::io::Error),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such file"),
            Self::TooLarge(bytes) => {
                write!(f, "has {bytes} bytes, more than the {} a configuration may have", yaml::TEXT_BYTES_MAX)
            }
            Self::NotText(line) => write!(f, "is not UTF-8 text; line {line} has a byte that no character begins with"),
            Self::Other(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

fn read(path: &Path) -> Result<String, Unread> {
    let unread = |error: std::io::Error| {
        if error.kind() == ErrorKind::NotFound { Unread::Absent } else { Unread::Other(error) }
    };
    let size = std::fs::metadata(path).map_err(unread)?.len();
    if size > yaml::TEXT_BYTES_MAX as u64 {
        return Err(Unread::TooLarge(size));
    }
    let bytes = std::fs::read(path).map_err(unread)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        Unread::NotText(1 + valid.filter(|&&byte| byte == b'\n').count())
    })
}
