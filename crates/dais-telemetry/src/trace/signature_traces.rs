use super::courier::{Courier, TraceCounts};
use super::facts::StepFacts;
use super::lives::Lives;
use super::params::TraceParams;
use super::span;

/// Why traces cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A parameter that cannot be used.
    #[error("{0}")]
    Params(String),
    /// The exporter could not be built.
    #[error("cannot send traces: {0}")]
    Exporter(String),
    /// The thread could not be started.
    #[error("cannot start the thread that sends traces: {0}")]
    Thread(#[source] std::io::Error),
}

/// The id of a signature's trace, as 32 hexadecimal digits: what to look for in the collector.
#[must_use]
pub fn trace_id(signature: &[u8; 32]) -> String {
    span::trace_id(signature).to_string()
}

/// Follows signatures through the steps of a run and sends a trace of each.
#[derive(Debug)]
pub struct SignatureTraces {
    lives: Lives,
    courier: Courier,
}

impl SignatureTraces {
    /// Begins to trace; `None` where traces are switched off.
    ///
    /// # Errors
    /// Parameters that cannot be used, and no thread. A collector that does not answer is no error.
    pub fn start(params: &TraceParams) -> Result<Option<Self>, TraceError> {
        if !params.enable {
            return Ok(None);
        }
        let lives = Lives::new(params.open_traces_max, params.sample_ratio);
        Ok(Some(Self { lives, courier: Courier::start(params)? }))
    }

    /// Takes the facts of a step, steps in order. It never waits: spans that find no room are dropped and counted.
    pub fn observe(&mut self, facts: &StepFacts) {
        self.courier.hand_over(self.lives.observe(facts));
    }

    /// What became of spans and traces so far.
    #[must_use]
    pub fn counts(&self) -> TraceCounts {
        TraceCounts { untraced: self.lives.untraced, ..self.courier.counts() }
    }

    /// Ends the lives that are open, with the outcome `open`, and sends what waits; it takes three seconds at most.
    #[must_use]
    pub fn finish(mut self) -> TraceCounts {
        self.courier.hand_over(self.lives.finish());
        let untraced = self.lives.untraced;
        TraceCounts { untraced, ..self.courier.end() }
    }
}
