//! Taking over changed configuration files while a run goes on.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer};
use tracing::{info, warn};

use crate::error::Errors;
use crate::load::{Loaded, Loader, finish};
use crate::view::{Difference, flow};

/// How long files must be quiet before they are read.
const QUIET: Duration = Duration::from_millis(200);
/// How long files must stay as they are to count as completely written.
const SETTLED: Duration = Duration::from_millis(50);
/// How often a file that keeps changing is read again at one time.
const READS_MAX: usize = 10;

/// A configuration that can change. Readers take it whole and never wait; there is no moment at which they could see a
/// part of the old and a part of the new one.
#[derive(Debug)]
pub struct Live {
    loader: Loader,
    current: ArcSwap<Loaded>,
    /// Held while a reload goes on, so that two of them do not cross.
    turn: Mutex<()>,
}

/// What came of a reload.
#[derive(Debug)]
pub enum Reload {
    /// The files say what they said before.
    Unchanged,
    /// The new values are in effect.
    Changed {
        /// The configuration from now on.
        config: Arc<Loaded>,
        /// What was taken over.
        changed: Vec<Difference>,
        /// What takes effect on the next start only.
        later: Vec<Difference>,
    },
    /// Something is wrong, and the old values stay.
    Refused(Errors),
}

/// Watches until it is dropped.
#[must_use = "nothing is watched any more when it is dropped"]
pub struct Watch {
    _debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
}

impl Live {
    /// A configuration that was loaded with `loader`.
    pub fn new(loader: Loader, loaded: Loaded) -> Self {
        Self { loader, current: ArcSwap::from_pointee(loaded), turn: Mutex::new(()) }
    }

    /// The configuration in effect; it stays as it is for as long as the caller holds it.
    pub fn current(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// Loads all layers again, checks them as a whole, and puts what is safe to change into effect at once. Says in the
    /// log what came of it.
    pub fn reload_now(&self) -> Reload {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match self.loader.load() {
            Ok(new) => self.take_over(new),
            Err(errors) => Reload::Refused(errors),
        };
        tell(&outcome);
        outcome
    }

    fn take_over(&self, mut new: Loaded) -> Reload {
        let old = self.current();
        let differences = old.differences(&new);
        let (changed, later): (Vec<_>, Vec<_>) = differences.into_iter().partition(|difference| difference.reload);
        if changed.is_empty() && later.is_empty() {
            return Reload::Unchanged;
        }
        if !later.is_empty() {
            for Difference { key, .. } in &later {
                new.layers.take(key);
                if let Some(node) = old.layers.at(key) {
                    let place = node.place.clone();
                    // The key was just taken away, and what was a mapping before is one still.
                    new.layers.put(key, &place, node.clone()).ok();
                }
            }
            // Old and new values together must fit as well.
            match finish(&new.layers, Vec::new()) {
                Ok(config) => new.config = config,
                Err(errors) => return Reload::Refused(errors),
            }
        }
        let config = Arc::new(new);
        self.current.store(Arc::clone(&config));
        Reload::Changed { config, changed, later }
    }

    /// Watches the folders of the files and reloads when one of them changes. `on_change` is called after each reload
    /// that changed or refused something, on the thread of the watcher.
    ///
    /// # Errors
    /// A folder that cannot be watched.
    pub fn watch(self: &Arc<Self>, on_change: impl Fn(&Reload) + Send + 'static) -> Result<Watch, WatchError> {
        let live = Arc::clone(self);
        let mut seen = live.fingerprint();
        let handler = move |events: DebounceEventResult| {
            // Reading a file is an event too, and would have it read for ever.
            let touched =
                |events: Vec<DebouncedEvent>| events.iter().any(|event| !matches!(event.kind, EventKind::Access(_)));
            if !events.map_or(true, touched) {
                return;
            }
            let now = live.settled();
            if now == seen {
                return;
            }
            seen = now;
            match live.reload_now() {
                Reload::Unchanged => {}
                outcome @ (Reload::Changed { .. } | Reload::Refused(_)) => on_change(&outcome),
            }
        };
        let mut debouncer = new_debouncer(QUIET, None, handler).map_err(WatchError::from)?;
        for folder in self.folders() {
            debouncer.watch(&folder, RecursiveMode::NonRecursive).map_err(WatchError::from)?;
        }
        Ok(Watch { _debouncer: debouncer })
    }

    /// The folders that the files are in, not the files: an editor that replaces a file would leave the old one watched.
    fn folders(&self) -> Vec<PathBuf> {
        let local = self.loader.local_file().map(|file| match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        });
        let folder = Some(self.loader.directory()).filter(|folder| folder.is_dir());
        let mut folders: Vec<PathBuf> = folder.into_iter().chain(local).map(Path::to_owned).collect();
        folders.dedup();
        folders
    }

    /// The state of the files once nobody writes into them any more.
    fn settled(&self) -> u64 {
        let mut before = self.fingerprint();
        for _ in 0..READS_MAX {
            std::thread::sleep(SETTLED);
            let after = self.fingerprint();
            if after == before {
                break;
            }
            before = after;
        }
        before
    }

    /// Tells one state of the files from another.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let listed =
            std::fs::read_dir(self.loader.directory()).into_iter().flatten().flatten().map(|entry| entry.path());
        let yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml");
        let mut files: Vec<PathBuf> = listed.filter(yaml).collect();
        files.extend(self.loader.local_file().map(Path::to_owned));
        files.sort();
        for file in files {
            let content = std::fs::metadata(&file)
                .ok()
                .filter(|about| about.len() <= crate::yaml::TEXT_BYTES_MAX as u64)
                .and_then(|_| std::fs::read(&file).ok());
            (file, content).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// A folder could not be watched.
#[derive(Debug, thiserror::Error)]
#[error("the configuration files cannot be watched")]
pub struct WatchError(#[from] notify::Error);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

fn tell(outcome: &Reload) {
    let listed = |differences: &[Difference]| {
        let each = differences.iter().map(|d| format!("{}: {} -> {}", d.key, flow(&d.left), flow(&d.right)));
        each.collect::<Vec<_>>().join(", ")
    };
    match outcome {
        Reload::Unchanged => {}
        Reload::Changed { changed, later, .. } => {
            if !changed.is_empty() {
                info!(changed = %listed(changed), "the configuration has changed");
            }
            if !later.is_empty() {
                warn!(keys = %listed(later), "changes of the configuration that take effect on the next start");
            }
        }
        Reload::Refused(errors) => {
            warn!(
                errors = errors.problems().len(),
                "the changed configuration is wrong, the old values stay: {errors}"
            );
        }
    }
}
