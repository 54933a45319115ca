use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::check::State;
use super::monitor::Monitor;

/// What `/health` answers with: `draft-inadarei-api-health-check-06`.
pub const CONTENT_TYPE: &str = "application/health+json";

/// `/health` answers with the whole report, 200 or, where all is unhealthy, 503; `/live` with 200 while the checks are
/// made and none of liveness is unhealthy; `/ready` with 200 while the process serves and is not unhealthy.
pub fn routes(monitor: Arc<Monitor>) -> Router {
    let (live, ready) = (Arc::clone(&monitor), Arc::clone(&monitor));
    Router::new()
        .route("/health", get(move || async move { health(&monitor) }))
        .route("/live", get(move || async move { plain(live.goes_on() && live.report().is_live(), "live") }))
        .route("/ready", get(move || async move { plain(ready.report().is_ready(), "ready") }))
}

fn health(monitor: &Monitor) -> Response {
    let report = monitor.report();
    let code = if report.state == State::Unhealthy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    match serde_json::to_string(&report) {
        Ok(body) => {
            (code, [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn plain(holds: bool, what: &str) -> Response {
    let (code, text) = if holds {
        (StatusCode::OK, format!("{what}\n"))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not {what}\n"))
    };
    (code, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
