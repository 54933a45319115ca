//! What the operator of a watch sees: log lines, metrics, health, alerts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use dais_config::Live;
use dais_runs::folder_of;
use dais_sim::{Judged, Watched};
use dais_telemetry::health::{Heartbeat, Stage};
use dais_telemetry::log::Console;
use dais_telemetry::metric::{FlowFigures, catalogue};
use dais_traffic::Flow;

use super::line::Summary;
use crate::operations::{self, Checks, Service};

/// Tells of everything that is watched; nothing here changes what is judged.
pub(super) struct Telling {
    service: Service,
    heart: Arc<Heartbeat>,
    batches: u64,
}

impl Telling {
    /// Begins to log, and to serve what the configuration asks for.
    ///
    /// # Errors
    /// A log file that cannot be opened, a port that is taken, settings that cannot be used.
    pub(super) fn begin(live: &Arc<Live>, input: &Path) -> anyhow::Result<Self> {
        let heart = Arc::new(Heartbeat::new());
        // A watch writes nothing but its log.
        let log = live.current().config.logging.file.clone().unwrap_or_default();
        let folder = Some(folder_of(&log)).filter(|folder| folder.is_dir()).unwrap_or(Path::new("."));
        let log = operations::log(live, Console::stderr())?;
        let service = Service::begin(live, log, Checks::new(PathBuf::from(folder), Arc::clone(&heart)))?;
        tracing::info!(input = %input.display(), "the watch begins");
        service.enter(Stage::Serving);
        Ok(Self { service, heart, batches: 0 })
    }

    /// From this flow on a model judges.
    pub(super) fn judging(&self, flow: u64) {
        tracing::info!(flow, "the watch judges from now on");
        let active = self.service.metrics().registry().gauge(&catalogue::AGENTS_ACTIVE, "");
        active.set(1.0);
    }

    /// Flows are about to be judged. While none come, nothing is expected to be done.
    pub(super) fn begin_batch(&self) {
        self.heart.begin();
    }

    /// Flows were judged.
    pub(super) fn end_batch(&mut self, flows: &[Flow], watched: &Watched, began: Instant) {
        self.batches += 1;
        self.heart.beat(self.batches);
        self.heart.rest();
        let alerted = || flows.iter().zip(&watched.judged).filter(|(_, judged)| judged.alerted);
        for (Flow { source, destination, destination_port, .. }, Judged { p, .. }) in alerted() {
            tracing::debug!(%source, %destination, port = destination_port, p = p.unwrap_or(1.0), "alert");
        }
        for signature in &watched.signatures {
            tracing::info!(
                signature = %signature.id(),
                class = signature.class.name(),
                flows = signature.support,
                "signature"
            );
        }
        if watched.failures > 0 {
            tracing::warn!(steps = watched.failures, "the agent failed and went back to an older model");
        }
        let duration_ms = began.elapsed().as_secs_f64() * 1e3;
        tracing::debug!(duration_ms, phase = "judge", flows = flows.len(), "flows judged");
        let (seen, found) = (watched.judged.len() as u64, alerted().count() as u64);
        let metrics = self.service.metrics();
        metrics.flows(&FlowFigures { seen, alerted: found, ..FlowFigures::default() });
        metrics.counter(&catalogue::SIGNATURES, "published").add(watched.signatures.len() as u64);
    }

    /// The watch ended; the message says how where it was not as it should.
    pub(super) fn ended(self, summary: &Summary, failed: Option<&anyhow::Error>) {
        self.service.enter(Stage::Stopping);
        let why = failed.map(|error| crate::screen::mask::masked(&format!("{error:#}")));
        if let Some(why) = &why {
            self.service.failed(why);
        } else {
            tracing::info!(summary = summary.text(), "the watch ended");
        }
        self.service.end();
    }
}
