//! What a model says of a row; it may say that it cannot know.

use serde::{Deserialize, Serialize};

/// What a calibrated model says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Its p-value is above the level, and the model knows rows like it.
    Ordinary,
    /// Its p-value is at most the level.
    Suspicious,
    /// The model cannot know. Who votes on the row abstains.
    Unknown(Unknown),
}

/// Why a model cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Nothing has been learned.
    NotFitted,
    /// The stream has changed, and the model has not been fitted again since.
    Drifted,
    /// No row could be suspicious: of so few calibration rows not even the strangest has a p-value at the level.
    TooFewRows {
        /// The rows there are.
        rows: usize,
        /// The rows it takes.
        needed: usize,
    },
    /// A value lies outside of the range of the baseline, and the score does not find that strange: it extrapolates.
    OutsideRange {
        /// The feature, from 0.
        feature: usize,
    },
    /// The code of a category has never been seen, and the score does not find that strange.
    Unseen {
        /// The feature, from 0.
        feature: usize,
    },
}
