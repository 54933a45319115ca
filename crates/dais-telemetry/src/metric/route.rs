use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use super::{Exposition, RunMetrics};

/// Where scrapers look for metrics.
pub const METRICS_PATH: &str = "/metrics";

/// A path that metrics cannot be shown at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path for metrics: one such as /metrics is meant, of letters, digits and -._~/")]
pub struct BadPath(pub String);

/// Shows the metrics at `/metrics`: Prometheus text, or `OpenMetrics` to those that prefer it.
pub fn routes(metrics: RunMetrics) -> Router {
    mounted(METRICS_PATH, metrics)
}

/// [`routes`] at another path.
///
/// # Errors
/// A path that does not begin with `/`, or that has other characters than letters, digits and `-._~/`.
pub fn routes_at(path: &str, metrics: RunMetrics) -> Result<Router, BadPath> {
    let sound = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    if path.len() > 1 && path.starts_with('/') && path.chars().all(sound) {
        Ok(mounted(path, metrics))
    } else {
        Err(BadPath(path.to_owned()))
    }
}

fn mounted(path: &str, metrics: RunMetrics) -> Router {
    Router::new().route(path, get(show)).with_state(metrics)
}

async fn show(State(metrics): State<RunMetrics>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let exposition = Exposition::accepted(accept);
    ([(CONTENT_TYPE, exposition.content_type())], exposition.write(metrics.registry()))
}
