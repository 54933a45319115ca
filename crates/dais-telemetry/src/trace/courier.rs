//! The thread that sends spans, and the queue before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;

use super::exporter::Exporter;
use super::params::TraceParams;
use super::signature_traces::TraceError;

/// How long the end of a run waits for the last spans to be sent.
const FAREWELL: Duration = Duration::from_secs(3);

/// What became of spans and traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct TraceCounts {
    /// Spans that the collector took.
    pub sent_spans: u64,
    /// Spans that were dropped because the queue was full, or the run ended before they could be sent.
    pub dropped_spans: u64,
    /// Spans that the collector did not take.
    pub failed_spans: u64,
    /// Signatures that were not followed because too many were.
    pub untraced: u64,
}

#[derive(Debug, Default)]
struct Counters {
    queued: AtomicUsize,
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    /// The run ends: no more failed attempts.
    ending: AtomicBool,
}

enum Parcel {
    Spans(Vec<SpanData>),
    End(Sender<()>),
}

/// Takes spans and has them sent on a thread of its own.
#[derive(Debug)]
pub(super) struct Courier {
    parcels: Sender<Parcel>,
    counters: Arc<Counters>,
    queue_max: usize,
}

impl Courier {
    pub(super) fn start(params: &TraceParams) -> Result<Self, TraceError> {
        let exporter = Exporter::new(params)?;
        let counters = Arc::new(Counters::default());
        let (parcels, inbox) = channel();
        let round = Round {
            exporter,
            counters: Arc::clone(&counters),
            batch_max: params.batch_spans_max.max(1),
            delay: Duration::try_from_secs_f64(params.batch_delay_s).unwrap_or(Duration::from_secs(1)),
            warned: false,
        };
        thread::Builder::new().name("trace".to_owned()).spawn(move || round.run(&inbox)).map_err(TraceError::Thread)?;
        Ok(Self { parcels, counters, queue_max: params.queue_spans_max })
    }

    /// Hands spans over, or drops them where too many wait; never waits.
    pub(super) fn hand_over(&self, spans: Vec<SpanData>) {
        if spans.is_empty() {
            return;
        }
        let number = spans.len();
        let queued = self.counters.queued.fetch_add(number, Ordering::Relaxed);
        let room = queued + number <= self.queue_max;
        if !room || self.parcels.send(Parcel::Spans(spans)).is_err() {
            self.counters.queued.fetch_sub(number, Ordering::Relaxed);
            self.counters.dropped.fetch_add(number as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> TraceCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TraceCounts {
            sent_spans: of(&self.counters.sent),
            dropped_spans: of(&self.counters.dropped),
            failed_spans: of(&self.counters.failed),
            untraced: 0,
        }
    }

    /// Sends what waits, for three seconds at most; what is left then is dropped, and the thread ends with its request.
    pub(super) fn end(self) -> TraceCounts {
        self.counters.ending.store(true, Ordering::Relaxed);
        let (done, ended) = channel();
        if self.parcels.send(Parcel::End(done)).is_ok() {
            // A courier that is not back in time is not waited for.
            let _ = ended.recv_timeout(FAREWELL);
        }
        let mut counts = self.counts();
        counts.dropped_spans += self.counters.queued.load(Ordering::Relaxed) as u64;
        counts
    }
}

/// What the thread holds.
struct Round {
    exporter: Exporter,
    counters: Arc<Counters>,
    batch_max: usize,
    delay: Duration,
    warned: bool,
}

impl Round {
    fn run(mut self, inbox: &Receiver<Parcel>) {
        let mut waiting: Vec<SpanData> = Vec::new();
        let mut since = Instant::now();
        loop {
            let wait = self.delay.saturating_sub(since.elapsed());
            let done = match inbox.recv_timeout(wait) {
                Ok(Parcel::Spans(spans)) => {
                    waiting.extend(spans);
                    if waiting.len() < self.batch_max {
                        continue;
                    }
                    None
                }
                Ok(Parcel::End(done)) => Some(done),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while waiting.len() >= self.batch_max || (!waiting.is_empty() && (done.is_some() || self.is_late(since))) {
                let rest = waiting.split_off(waiting.len().min(self.batch_max));
                self.send(std::mem::replace(&mut waiting, rest));
            }
            if waiting.is_empty() {
                since = Instant::now();
            }
            if let Some(done) = done {
                // Nobody waits for it any more after the farewell.
                let _ = done.send(());
                return;
            }
        }
    }

    fn is_late(&self, since: Instant) -> bool {
        since.elapsed() >= self.delay
    }

    fn send(&mut self, spans: Vec<SpanData>) {
        let number = spans.len();
        let sent = if self.warned && self.counters.ending.load(Ordering::Relaxed) {
            // The collector has been away: the end of the run does not wait for it.
            self.counters.dropped.fetch_add(number as u64, Ordering::Relaxed);
            None
        } else {
            Some(self.exporter.send(spans))
        };
        match sent {
            None => {}
            Some(Ok(())) => {
                self.counters.sent.fetch_add(number as u64, Ordering::Relaxed);
                if std::mem::take(&mut self.warned) {
                    tracing::info!("the collector takes traces again");
                }
            }
            Some(Err(error)) => {
                self.counters.failed.fetch_add(number as u64, Ordering::Relaxed);
                if !std::mem::replace(&mut self.warned, true) {
                    tracing::warn!(%error, "traces cannot be sent: spans are lost until the collector takes them again");
                }
            }
        }
        self.counters.queued.fetch_sub(number, Ordering::Relaxed);
    }
}
