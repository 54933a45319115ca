//! For those who work on dais.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What helps while developing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct DevelopmentParams {
    /// Whether errors are told with all of their causes.
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub debug_mode: bool,
    /// Whether a run reports the time of each of its phases.
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub enable_profiling: bool,
    /// Whether an error of the program shows where in the code it came about.
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub show_tracebacks: bool,
    /// Whether changes of the configuration files are taken over while a run goes on, as far as it is safe.
    pub hot_reload: bool,
    /// Whether the HTTP interface serves a page to try it out.
    #[schemars(extend("x-planned" = "the HTTP server"))]
    pub enable_swagger_ui: bool,
}

impl Default for DevelopmentParams {
    fn default() -> Self {
        Self {
            debug_mode: false,
            enable_profiling: false,
            show_tracebacks: false,
            hot_reload: true,
            enable_swagger_ui: false,
        }
    }
}
