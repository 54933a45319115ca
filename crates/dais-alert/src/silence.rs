//! Silences: alerts that are not sent for a time.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::matcher::all_match;
use crate::params::SilenceParams;
use crate::{Labels, Matcher, MatcherError, file};

/// Silences kept at once.
const SILENCES_MAX: usize = 10_000;

/// A silence: alerts for which all matchers hold are not sent from one time to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// What tells it from others, to remove it.
    pub id: String,
    /// Which alerts.
    pub matchers: Vec<Matcher>,
    /// From when.
    pub from: Timestamp,
    /// Until when; at that moment it is over.
    pub until: Timestamp,
    /// Why, and who says so.
    pub comment: String,
}

/// A silence that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    /// A text is no matcher.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    /// It would silence everything.
    #[error("a silence needs at least one matcher, such as alertname=CheckDegraded")]
    Everything,
    /// It would be over before it begins.
    #[error("the silence ends before it begins")]
    Over,
    /// There are too many.
    #[error("there are {SILENCES_MAX} silences already")]
    Full,
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
}

impl Silence {
    /// A silence with an id drawn at random.
    ///
    /// # Errors
    /// When it would silence everything or nothing.
    pub fn new(
        matchers: Vec<Matcher>,
        from: Timestamp,
        until: Timestamp,
        comment: impl Into<String>,
    ) -> Result<Self, SilenceError> {
        if matchers.is_empty() {
            return Err(SilenceError::Everything);
        }
        if until <= from {
            return Err(SilenceError::Over);
        }
        let id = format!("{:08x}", fastrand::u32(..));
        Ok(Self { id, matchers, from, until, comment: comment.into() })
    }

    /// The silence of a configuration; its place there is its id.
    pub(crate) fn configured(at: usize, params: &SilenceParams) -> Self {
        Self {
            id: format!("config-{at}"),
            matchers: params.matchers.clone(),
            from: params.from.unwrap_or(Timestamp::MIN),
            until: params.until,
            comment: params.comment.clone(),
        }
    }

    /// Whether it silences an alert with `labels` at `now`.
    pub fn silences(&self, now: Timestamp, labels: &Labels) -> bool {
        self.from <= now && now < self.until && !self.matchers.is_empty() && all_match(&self.matchers, labels)
    }
}

/// The silences in a file (JSON); none where there is no file.
///
/// # Errors
/// When it cannot be read or holds something else.
pub fn read_silences(path: &Path) -> Result<Vec<Silence>, SilenceError> {
    let wrong = |cause| SilenceError::File { path: path.display().to_string(), cause };
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| wrong(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(wrong(error)),
    }
}

/// Changes the silences in a file and forgets those that are over at `now`. Others who change them at the same time
/// wait; who reads sees the old or the new ones, nothing between.
///
/// # Errors
/// When the file cannot be read or written, or holds something else; then nothing is changed.
pub fn change_silences(
    path: &Path,
    now: Timestamp,
    change: impl FnOnce(&mut Vec<Silence>),
) -> Result<Vec<Silence>, SilenceError> {
    let wrong = |cause| SilenceError::File { path: path.display().to_string(), cause };
    let _lock = file::lock(path).map_err(wrong)?;
    let mut silences = read_silences(path)?;
    silences.retain(|silence| silence.until > now);
    change(&mut silences);
    if silences.len() > SILENCES_MAX {
        return Err(SilenceError::Full);
    }
    let text = serde_json::to_vec_pretty(&silences).map_err(|error| wrong(error.into()))?;
    file::replace(path, &text).map_err(wrong)?;
    Ok(silences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).expect("a time of this century")
    }

    #[test]
    fn a_silence_holds_from_its_beginning_until_before_its_end() {
        let matchers: Vec<Matcher> = vec!["check=disk".parse().unwrap()];
        let silence = Silence::new(matchers, at(10), at(20), "moving disks").unwrap();
        let disk: Labels = [("check".to_owned(), "disk".to_owned())].into();
        let silenced: Vec<_> = (0..30).filter(|&second| silence.silences(at(second), &disk)).collect();
        assert_eq!(silenced, (10..20).collect::<Vec<_>>());
        assert!(!silence.silences(at(15), &Labels::new()));
        assert!(matches!(Silence::new(Vec::new(), at(0), at(1), ""), Err(SilenceError::Everything)));
    }

    #[test]
    fn silences_are_kept_in_their_file_until_they_are_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts/silences.json");
        assert_eq!(read_silences(&path).unwrap(), []);
        let make = |until| Silence::new(vec!["check=disk".parse().unwrap()], at(0), at(until), "").unwrap();
        change_silences(&path, at(0), |all| all.push(make(10))).unwrap();
        let kept = change_silences(&path, at(5), |all| all.push(make(20))).unwrap();
        assert_eq!((kept.len(), read_silences(&path).unwrap()), (2, kept));
        assert_eq!(change_silences(&path, at(10), |_| {}).unwrap().len(), 1);
        fs::write(&path, "rubbish").unwrap();
        assert!(change_silences(&path, at(0), Vec::clear).unwrap_err().to_string().contains("silences.json"));
        assert_eq!(fs::read(&path).unwrap(), b"rubbish", "what is not understood is not overwritten");
    }
}
