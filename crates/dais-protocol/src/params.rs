//! What a wrong parameter is answered with.

/// A parameter outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}, allowed is {allowed}")]
pub struct ParamsError {
    /// The name of the parameter, as it is written in a scenario.
    pub key: &'static str,
    /// The value that was found.
    pub value: String,
    /// What would be allowed, in words.
    pub allowed: &'static str,
}

impl ParamsError {
    /// Passes when `fits`, else names the parameter, its value and what is allowed.
    ///
    /// # Errors
    /// [`ParamsError`] with the given words.
    pub(crate) fn unless(
        fits: bool,
        key: &'static str,
        value: &dyn ToString,
        allowed: &'static str,
    ) -> Result<(), Self> {
        if fits { Ok(()) } else { Err(Self { key, value: value.to_string(), allowed }) }
    }
}
