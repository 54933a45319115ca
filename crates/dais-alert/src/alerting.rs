use std::path::PathBuf;
use std::thread;
use std::time::SystemTime;

use dais_resilience::Failure;
use jiff::Timestamp;

use crate::delivery::{Delivery, DeliveryFigures};
use crate::silence::read_silences;
use crate::{AlertParams, Alerts, Readings};

/// Alerts from readings to people: [`Alerts`] with [`Delivery`] and the file of silences.
///
/// It belongs to whoever has the readings, and is asked every `evaluation_interval_s`, on no thread that has something
/// better to do.
#[derive(Debug)]
pub struct Alerting {
    params: AlertParams,
    alerts: Alerts,
    delivery: Delivery,
    silences: SilenceFile,
}

#[derive(Debug)]
struct SilenceFile {
    path: PathBuf,
    /// When it was changed and how long it was when it was read.
    seen: Option<(SystemTime, u64)>,
}

impl Alerting {
    /// Starts; `None` where alerts are not enabled or there is no channel.
    ///
    /// # Errors
    /// When a channel cannot be opened.
    pub fn start(params: AlertParams) -> Result<Option<Self>, Failure> {
        if !params.is_active() {
            return Ok(None);
        }
        let delivery = Delivery::start(&params)?;
        let silences = SilenceFile { path: params.silence_file.clone(), seen: None };
        Ok(Some(Self { alerts: Alerts::new(params.clone()), delivery, silences, params }))
    }

    /// Goes on to `now` and hands over what is due. Says how many messages that were.
    pub fn observe(&mut self, now: Timestamp, readings: &Readings) -> usize {
        self.silences.follow(&mut self.alerts);
        let due = self.alerts.evaluate(now, readings);
        due.into_iter().filter(|notification| self.delivery.send(notification.clone())).count()
    }

    /// Takes other parameters; alerts go on, and nobody is told again what he was told. Where it fails all stays as it
    /// was. Messages under way over old channels are delivered as if the program ended.
    ///
    /// # Errors
    /// When a channel cannot be opened.
    pub fn reload(&mut self, params: AlertParams) -> Result<(), Failure> {
        if params == self.params {
            return Ok(());
        }
        if params.all_channels() != self.params.all_channels() || params.delivery != self.params.delivery {
            let old = std::mem::replace(&mut self.delivery, Delivery::start(&params)?);
            // Draining takes time that who reloads has not; what cannot be moved to a thread is drained here.
            drop(thread::Builder::new().name("alerts-end".to_owned()).spawn(move || old.stop()));
        }
        self.silences = SilenceFile { path: params.silence_file.clone(), seen: None };
        self.alerts.reload(params.clone());
        self.params = params;
        Ok(())
    }

    /// The alerts themselves, for who wants to list or acknowledge them.
    pub fn alerts(&mut self) -> &mut Alerts {
        &mut self.alerts
    }

    /// What was delivered so far.
    pub fn figures(&self) -> DeliveryFigures {
        self.delivery.figures()
    }

    /// Delivers what is left, for a bounded time, and keeps the rest as dead letters.
    pub fn stop(self) {
        self.delivery.stop();
    }
}

impl SilenceFile {
    /// Reads the file if it has changed. One that cannot be read changes nothing and is reported once.
    fn follow(&mut self, alerts: &mut Alerts) {
        let metadata = std::fs::metadata(&self.path);
        let seen = metadata.ok().and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        match read_silences(&self.path) {
            Ok(silences) => alerts.silence(silences),
            Err(error) => tracing::warn!(%error, "the silences stay as they were"),
        }
    }
}
