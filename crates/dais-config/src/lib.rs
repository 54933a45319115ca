//! Configuration in layers: built-in defaults, files, environment variables, command line.
//!
//! Later layers win: defaults, `config/default.yaml`, `config/<environment>.yaml`, a local file, environment variables,
//! the command line. Everything the program knows about a key (type, range, choices, meaning, default) stands once, on
//! its field of a section struct; errors, environment names, the JSON Schema, the commented file and the reference page
//! are derived from there.
//!
//! ```
//! use dais_config::Loader;
//!
//! let loader = Loader::new().folder("no/such/folder").variables([("SIMULATION_DEFAULT_AGENTS", "20")]);
//! # let loader = Loader::new().variables([("SIMULATION_DEFAULT_AGENTS", "20")]);
//! let loaded = loader.load().unwrap();
//! assert_eq!(loaded.config.simulation.default_agents, 20);
//! assert_eq!(loaded.origin("simulation.default_agents").to_string(), "environment variable SIMULATION_DEFAULT_AGENTS");
//! ```
#![forbid(unsafe_code)]

mod check;
mod config;
mod environment;
mod error;
mod expand;
mod live;
mod load;
mod near;
mod node;
mod old;
mod place;
mod reference;
mod section;
mod shape;
mod template;
mod variable;
mod view;
mod yaml;

pub use config::Config;
pub use dais_alert::Secret;
pub use environment::Environment;
pub use error::{Errors, Problem};
pub use live::{Live, Reload, Watch, WatchError};
pub use load::{Loaded, Loader, Warning};
pub use near::elsewhere as nearest_key;
pub use old::RetiredKey;
pub use place::Place;
pub use reference::reference;
pub use section::{
    AgentParams, ApiKeyParams, ApiParams, AuthenticationParams, BackupDestination, BackupParams, DashboardParams,
    DatabaseParams, DatabaseType, DestinationType, DevelopmentParams, JwtAlgorithm, MonitoringParams,
    PerformanceParams, RayParams, SecurityParams, SimulationParams, SslMode, StoreEncryption,
};
pub use shape::schema;
pub use template::files;
pub use view::{Difference, Setting, flow};

/// What stands where a secret would be shown.
const MASK: &str = "***";
