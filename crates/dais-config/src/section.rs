//! The sections, each with its keys, their meaning, defaults and ranges.

mod agent;
mod api;
mod backup;
mod dashboard;
mod database;
mod development;
mod monitoring;
mod performance;
mod ray;
mod security;
mod simulation;

pub use agent::AgentParams;
pub use api::ApiParams;
pub use backup::{BackupDestination, BackupParams, DestinationType, StoreEncryption};
pub use dashboard::DashboardParams;
pub use database::{DatabaseParams, DatabaseType, SslMode};
pub use development::DevelopmentParams;
pub use monitoring::MonitoringParams;
pub use performance::PerformanceParams;
pub use ray::RayParams;
pub use security::{ApiKeyParams, AuthenticationParams, JwtAlgorithm, SecurityParams};
pub use simulation::SimulationParams;
