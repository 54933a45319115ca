//! Delivery: messages are handed to channels by a thread of its own.

mod bucket;
mod dead_letter;
mod params;
mod tally;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dais_resilience::{Failure, FailureClass, within};
use tokio::runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::channel::Channel;
use crate::params::ChannelParams;
use crate::{AlertParams, Notification, Status};

pub use dead_letter::{DeadLetter, DeadLetters};
pub use params::DeliveryParams;
pub use tally::{ChannelFigures, DeliveryFigures};

use tally::Tally;
use worker::{Item, Worker};

/// The thread that delivers. Whoever sends never waits; each channel has a queue of its own, so that one that is away
/// delays no other.
#[derive(Debug)]
pub struct Delivery {
    queue: mpsc::Sender<Notification>,
    /// When everything has to be over, once somebody wants that.
    stop: watch::Sender<Option<Instant>>,
    thread: Option<JoinHandle<()>>,
    drain: Duration,
    tally: Arc<Tally>,
}

impl Delivery {
    /// Opens all channels and starts the thread.
    ///
    /// # Errors
    /// When a channel cannot be opened (an address or a file of certificates is wrong), or the system gives no thread.
    pub fn start(params: &AlertParams) -> Result<Self, Failure> {
        let delivery = &params.delivery;
        let (queue, queued) = mpsc::channel(delivery.queue.max(1) as usize);
        let (stop, stopped) = watch::channel(None);
        let tally = Arc::new(Tally::default());
        let letters = Arc::new(DeadLetters::new(&delivery.dead_letter_file, delivery.dead_letters_max));
        let mut desks = BTreeMap::new();
        let mut workers = Vec::new();
        for (name, channel) in params.all_channels() {
            let timeout = Duration::from_millis(delivery.timeout_ms);
            let open = Channel::open(&channel, timeout).map_err(|failure| failure.with("channel", &name))?;
            let (sender, items) = mpsc::channel(delivery.queue.max(1) as usize);
            let figures = tally.channel(&name);
            let letters = Arc::clone(&letters);
            workers.push(Worker::new(&name, open, delivery, items, stopped.clone(), letters, Arc::clone(&figures)));
            desks.insert(name, Desk { items: sender, send_resolved: channel.send_resolved(), figures });
        }
        let dispatcher = Dispatcher { desks, letters, tally: Arc::clone(&tally) };
        let failed = |error: std::io::Error| Failure::classify_io(&error);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let thread = thread::Builder::new().name("alerts".to_owned());
        let thread = thread.spawn(move || runtime.block_on(dispatcher.run(queued, stopped, workers)));
        let drain = Duration::from_millis(delivery.drain_ms);
        Ok(Self { queue, stop, thread: Some(thread.map_err(failed)?), drain, tally })
    }

    /// Hands a message over; never waits. `false` when the queue is full: then the message is lost and counted.
    pub fn send(&self, notification: Notification) -> bool {
        let taken = self.queue.try_send(notification).is_ok();
        if !taken {
            self.tally.lose();
        }
        taken
    }

    /// What was delivered so far.
    pub fn figures(&self) -> DeliveryFigures {
        self.tally.figures()
    }

    /// Delivers what is left, for `drain_ms` at most, keeps the rest as dead letters and ends the thread.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.stop.send_replace(Some(Instant::now() + self.drain));
        if thread.join().is_err() {
            tracing::error!("the thread that delivers alerts panicked");
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.end();
    }
}

/// Hands one message to one channel, once, on this thread. Says what the other side answered.
///
/// # Errors
/// When the channel cannot be opened or does not take the message.
pub fn deliver_now(params: &AlertParams, channel: &str, notification: &Notification) -> Result<String, Failure> {
    let channels = params.all_channels();
    let unknown = || Failure::new(FailureClass::Invalid, format!("there is no channel `{channel}`"));
    let of: &ChannelParams = channels.get(channel).ok_or_else(unknown)?;
    let timeout = Duration::from_millis(params.delivery.timeout_ms);
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::classify_io(&error))?;
    runtime.block_on(async {
        let open = Channel::open(of, timeout)?;
        within(timeout, open.send(notification)).await?
    })
}

/// Where messages for one channel are put.
#[derive(Debug)]
struct Desk {
    items: mpsc::Sender<Item>,
    send_resolved: bool,
    figures: Arc<tally::ChannelTally>,
}

/// Puts each message on the desks of its channels.
#[derive(Debug)]
struct Dispatcher {
    desks: BTreeMap<String, Desk>,
    letters: Arc<DeadLetters>,
    tally: Arc<Tally>,
}

impl Dispatcher {
    async fn run(
        self,
        mut queued: mpsc::Receiver<Notification>,
        mut stopped: watch::Receiver<Option<Instant>>,
        workers: Vec<Worker>,
    ) {
        let working: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(worker.run())).collect();
        loop {
            tokio::select! {
                biased;
                next = queued.recv() => match next {
                    Some(notification) => self.put(&notification),
                    None => break,
                },
                // An error means that the handle is gone, which is an end as well.
                _ = stopped.changed() => break,
            }
        }
        while let Ok(notification) = queued.try_recv() {
            self.put(&notification);
        }
        // Workers end when their queue is empty and nobody can put more into it.
        drop(self);
        for worker in working {
            if worker.await.is_err() {
                tracing::error!("a channel of alerts panicked");
            }
        }
    }

    fn put(&self, notification: &Notification) {
        for name in &notification.channels {
            let Some(desk) = self.desks.get(name) else {
                self.tally.lose();
                tracing::error!(channel = name, "there is no such channel for an alert");
                continue;
            };
            if notification.status == Status::Resolved && !desk.send_resolved {
                continue;
            }
            let item = Item { channel: name.clone(), notification: notification.clone() };
            if let Err(refused) = desk.items.try_send(item) {
                let (mpsc::error::TrySendError::Full(item) | mpsc::error::TrySendError::Closed(item)) = refused;
                worker::bury(&self.letters, &desk.figures, item, "the queue of the channel is full", 0);
            }
        }
    }
}
