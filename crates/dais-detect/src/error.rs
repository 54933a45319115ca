//! Why a model could not be fitted.

use thiserror::Error;

/// Why a detector could not be fitted.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum FitError {
    /// The view has no row.
    #[error("a detector needs at least one row")]
    NoRows,
    /// The view has no feature.
    #[error("a detector needs at least one feature")]
    NoFeatures,
    /// The view has more features than a model can number.
    #[error("{features} features are more than the {max} a model can hold")]
    TooManyFeatures {
        /// The features of the view.
        features: usize,
        /// The largest number that is accepted.
        max: usize,
    },
    /// The view has another number of features than the model that is to learn from it.
    #[error("the model has {expected} features, the rows have {features}")]
    OtherFeatures {
        /// The features of the view.
        features: usize,
        /// The features of the model.
        expected: usize,
    },
    /// The view has more rows than can be drawn from.
    #[error("{rows} rows are more than the {max} that can be drawn from")]
    TooManyRows {
        /// The rows of the view.
        rows: usize,
        /// The largest number that is accepted.
        max: usize,
    },
    /// A value to learn from is NaN or infinite.
    #[error("row {row}, feature {feature} is not a finite number")]
    NonFinite {
        /// The row, from 0.
        row: usize,
        /// The feature, from 0.
        feature: usize,
    },
    /// A parameter lies outside its range.
    #[error("parameter {name} is {value}, expected {expected}")]
    Parameter {
        /// The name of the field.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The range that is accepted.
        expected: &'static str,
    },
    /// The parameters of an ensemble name no detector.
    #[error("an ensemble needs at least one detector")]
    NoDetector,
}
