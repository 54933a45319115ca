//! From a scenario's description of traffic to the traffic itself.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dais_traffic::{
    FlowLog, Input, Pool, PoolError, PoolParams, ReadError, ReadOptions, ReadStats, Recorded, RecordedError,
    RecordedParams, Source, SyntheticError, Table, TableSchema, TableSchemaError, TableSet, TableSetError,
    leave_out_leaks, read, suspects,
};
use sha2::{Digest, Sha256};

use crate::folder;
use crate::name::STANDARD_INPUT;
use crate::scenario::{Files, Play, Traffic};

/// Traffic ready to run, with remarks on its input.
#[derive(Clone)]
pub struct Loaded {
    /// The traffic.
    pub source: Arc<dyn Source>,
    /// Steps that it is made for.
    pub steps: u32,
    /// When the first step begins on the clock of the recording, in seconds; none for traffic that is not recorded.
    pub begin_s: Option<f64>,
    /// SHA-256 of the content of each file, in hex.
    pub files: Vec<String>,
    /// Broken rows and the like, in words.
    pub notes: Vec<String>,
    /// The description with every choice made.
    pub traffic: Traffic,
}

/// Traffic that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be opened.
    #[error("{path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder without a flow log.
    #[error("{folder}: no flow log among its {files} files{what}: name the files to read")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// How many files are in it.
        files: usize,
        /// What they are, as far as that is known.
        what: String,
    },
    /// No file is named.
    #[error("no files: name at least one after --data")]
    NoFiles,
    /// A file that cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A schema file that cannot be used.
    #[error("{path}: {source}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TableSchemaError,
    },
    /// Flow logs and tables together.
    #[error("{log} is a flow log and {table} a labelled table: run them apart")]
    Mixed {
        /// A flow log.
        log: String,
        /// A table.
        table: String,
    },
    /// Flow logs are played back; there is nothing to draw from.
    #[error("flow logs are played back by their times: choose `recorded` in place of `pool`")]
    LogsInPool,
    /// Tables that do not go together.
    #[error(transparent)]
    Tables(#[from] TableSetError),
    /// Parameters of generated traffic out of range.
    #[error("traffic.synthetic: {0}")]
    Synthetic(#[from] SyntheticError),
    /// A pool that cannot be drawn from.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// Records that cannot be played back.
    #[error(transparent)]
    Recorded(#[from] RecordedError),
}

/// Loads the traffic of a scenario.
///
/// # Errors
/// Those of [`Material::read`] and [`Material::load`].
pub fn load(traffic: &Traffic, seed: u64) -> Result<Loaded, LoadError> {
    let material = Material::read(traffic)?;
    let mut traffic = traffic.clone();
    material.settle(&mut traffic);
    material.load(&traffic, seed)
}

/// What traffic is made of: its files, read and understood. The same material can be played for many seeds.
#[derive(Clone)]
pub struct Material {
    content: Content,
    /// SHA-256 of the content of each file, in hex.
    files: Vec<String>,
    notes: Vec<String>,
}

#[derive(Clone)]
enum Content {
    /// No files: traffic is generated.
    Generated,
    Logs(Vec<FlowLog>),
    Tables {
        set: TableSet,
        timed: bool,
    },
}

impl Material {
    /// Reads the files of the traffic, if it has any.
    ///
    /// # Errors
    /// Files that cannot be opened, read or understood, each with its name, line and way out.
    pub fn read(traffic: &Traffic) -> Result<Self, LoadError> {
        match traffic {
            Traffic::Synthetic(_) => Ok(Self { content: Content::Generated, files: Vec::new(), notes: Vec::new() }),
            Traffic::Files(files) => Self::read_files(files),
        }
    }

    fn read_files(files: &Files) -> Result<Self, LoadError> {
        let mut options = ReadOptions { bad_rows_max: files.max_bad_rows, ..ReadOptions::default() };
        if let Some(path) = &files.schema {
            options.schema = Some(schema_of(path)?);
        }
        let mut logs: Vec<FlowLog> = Vec::new();
        let mut tables: Vec<Table> = Vec::new();
        let mut digests = Vec::new();
        for path in &files.paths {
            let (input, digest) = open(path, &options)?;
            match input {
                Input::Flows(log) => logs.push(log),
                Input::Table(table) => {
                    // A schema guessed from one file is used for all of them; a built-in layout is recognised in each file.
                    if table.schema.header {
                        options.schema.get_or_insert_with(|| (*table.schema).clone());
                    }
                    tables.push(table);
                }
            }
            digests.push(digest);
        }
        if let (Some(log), Some(table)) = (logs.first(), tables.first()) {
            return Err(LoadError::Mixed { log: log.name.clone(), table: table.name.clone() });
        }
        let stats = logs.iter().map(|log| (&log.name, &log.stats));
        let stats = stats.chain(tables.iter().map(|table| (&table.name, &table.stats)));
        let mut notes: Vec<String> = stats.flat_map(|(name, stats)| notes(name, stats)).collect();
        notes.extend(leaks(&mut tables, files.schema.is_some()));
        let content = if !logs.is_empty() {
            Content::Logs(logs)
        } else if !tables.is_empty() {
            let timed = tables.iter().all(|table| table.time_s.is_some());
            Content::Tables { set: TableSet::new(tables)?, timed }
        } else {
            return Err(LoadError::NoFiles);
        };
        Ok(Self { content, files: digests, notes })
    }

    /// Chooses how the files are played, where the traffic leaves it open: rows with times are played back, others are
    /// drawn from a pool.
    pub fn settle(&self, traffic: &mut Traffic) {
        if let Traffic::Files(files) = traffic {
            files.play.get_or_insert_with(|| match self.content {
                Content::Tables { timed: false, .. } | Content::Generated => Play::Pool(PoolParams::default()),
                Content::Tables { timed: true, .. } | Content::Logs(_) => Play::Recorded(RecordedParams::default()),
            });
        }
    }

    /// Traffic of this material, played as `traffic` says; material and `traffic` must be of one kind.
    ///
    /// # Errors
    /// Parameters out of range, rows that cannot be played this way.
    pub fn load(self, traffic: &Traffic, seed: u64) -> Result<Loaded, LoadError> {
        let mut traffic = traffic.clone();
        self.settle(&mut traffic);
        let mut begin_s = None;
        let (source, steps): (Arc<dyn Source>, u32) = match (self.content, &traffic) {
            (_, Traffic::Synthetic(params)) => (Arc::new(params.build(seed)?), params.steps),
            (Content::Generated, Traffic::Files(_)) => return Err(LoadError::NoFiles),
            (Content::Logs(logs), Traffic::Files(Files { play: Some(Play::Recorded(params)), .. })) => {
                let recorded = Recorded::from_logs(logs, params, seed)?;
                let steps = recorded.steps();
                begin_s = Some(recorded.origin_s());
                (Arc::new(recorded), steps)
            }
            (Content::Logs(_), Traffic::Files(_)) => return Err(LoadError::LogsInPool),
            (Content::Tables { set, .. }, Traffic::Files(Files { play: Some(Play::Recorded(params)), .. })) => {
                let recorded = Recorded::from_tables(&set, params, seed)?;
                let steps = recorded.steps();
                begin_s = Some(recorded.origin_s());
                (Arc::new(recorded), steps)
            }
            (Content::Tables { set, .. }, Traffic::Files(Files { play, .. })) => {
                let params = match play {
                    Some(Play::Pool(params)) => params.clone(),
                    Some(Play::Recorded(_)) | None => PoolParams::default(),
                };
                let steps = params.steps;
                (Arc::new(Pool::new(set, params, seed)?), steps)
            }
        };
        Ok(Loaded { source, steps, begin_s, files: self.files, notes: self.notes, traffic })
    }
}

/// Reads a schema file.
pub(crate) fn schema_of(path: &Path) -> Result<TableSchema, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Open { path: path.to_owned(), source })?;
    TableSchema::from_yaml(&text).map_err(|source| LoadError::Schema { path: path.to_owned(), source })
}

/// Leaves out of tables of one layout what gives the label away, and says so; where their schema was `given`, only says so.
pub(crate) fn leaks(tables: &mut [Table], given: bool) -> Vec<String> {
    let Some(name) = tables.first().map(|table| file_name(&table.name)) else { return Vec::new() };
    if given {
        let found = suspects(tables).into_iter();
        let stays = |leak: dais_traffic::LeftOut| {
            let (column, why) = (leak.column, leak.why);
            format!("{name}: column `{column}` stays, for the schema names it, but look at it: {why}")
        };
        return found.map(stays).collect();
    }
    let mut found: Vec<_> = tables.iter().flat_map(|table| table.left_out.clone()).collect();
    if tables.iter().any(|table| table.drafted) {
        found.extend(leave_out_leaks(tables));
    }
    found.iter().map(|leak| format!("{name}: {leak}")).collect()
}

/// Reads a file of traffic, or standard input where the path is `-`, or the flow logs of a folder as one; with the SHA-256
/// of the content in hex.
///
/// # Errors
/// What cannot be opened or read.
pub fn open(path: &Path, options: &ReadOptions) -> Result<(Input, String), LoadError> {
    if path != Path::new(STANDARD_INPUT) && path.is_dir() {
        return folder::read(path, options);
    }
    open_file(path, options)
}

/// Reads one file.
pub(crate) fn open_file(path: &Path, options: &ReadOptions) -> Result<(Input, String), LoadError> {
    let mut input = Hashing::open(path)?;
    let content = read(&path.display().to_string(), &mut input, options)?;
    Ok((content, input.finish(path)?))
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or(path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The remarks on reading one file.
pub(crate) fn notes(path: &str, stats: &ReadStats) -> Vec<String> {
    let name = file_name(path);
    let mut notes: Vec<String> = stats.hints.iter().map(|hint| format!("{name}: {hint}")).collect();
    if stats.bad_rows > 0 {
        let first = stats.first_errors.first().map_or("", String::as_str);
        notes.push(format!(
            "{name}: {} of {} rows are broken and left out, the first: {first}",
            stats.bad_rows, stats.rows
        ));
    }
    if stats.out_of_order > 0 {
        notes.push(format!("{name}: {} flows were out of order and sorted by time", stats.out_of_order));
    }
    if stats.crowded_out > 0 {
        notes.push(format!("{name}: {} flows were ended early because too many were open at once", stats.crowded_out));
    }
    if stats.alerts > 0 {
        notes.push(format!(
            "{name}: {} alert records mark {} flows; they are what rules said, not the truth, and no figure uses them",
            stats.alerts, stats.alerted_flows
        ));
    }
    notes
}

/// A file that is hashed while it is read.
struct Hashing {
    input: Box<dyn Read>,
    hasher: Sha256,
}

impl Hashing {
    fn open(path: &Path) -> Result<Self, LoadError> {
        let hashing = |input: Box<dyn Read>| Self { input, hasher: Sha256::new() };
        if path == Path::new(STANDARD_INPUT) {
            return Ok(hashing(Box::new(io::stdin())));
        }
        let error = |source| LoadError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(error)?;
        Ok(hashing(Box::new(BufReader::with_capacity(1 << 16, file))))
    }

    /// The digest of the whole file, with the part that the reader did not need.
    fn finish(mut self, path: &Path) -> Result<String, LoadError> {
        let rest = io::copy(&mut self, &mut io::sink());
        rest.map_err(|source| LoadError::Open { path: path.to_owned(), source })?;
        Ok(hex::encode(self.hasher.finalize()))
    }
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.hasher.update(&buffer[..bytes]);
        Ok(bytes)
    }
}
