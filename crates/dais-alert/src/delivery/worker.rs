use std::sync::Arc;
use std::time::Duration;

use dais_resilience::{Breaker, Failure, within};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::bucket::Bucket;
use super::tally::ChannelTally;
use super::{DeadLetter, DeadLetters, DeliveryParams};
use crate::Notification;
use crate::channel::Channel;

/// A message for one channel.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) channel: String,
    pub(super) notification: Notification,
}

/// Delivers the messages of one channel, one after the other.
#[derive(Debug)]
pub(super) struct Worker {
    name: String,
    channel: Channel,
    params: DeliveryParams,
    items: mpsc::Receiver<Item>,
    stopped: watch::Receiver<Option<Instant>>,
    letters: Arc<DeadLetters>,
    figures: Arc<ChannelTally>,
    breaker: Breaker,
    bucket: Bucket,
}

impl Worker {
    pub(super) fn new(
        name: &str,
        channel: Channel,
        params: &DeliveryParams,
        items: mpsc::Receiver<Item>,
        stopped: watch::Receiver<Option<Instant>>,
        letters: Arc<DeadLetters>,
        figures: Arc<ChannelTally>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            channel,
            params: params.clone(),
            items,
            stopped,
            letters,
            figures,
            breaker: Breaker::new(params.breaker.clone()),
            bucket: Bucket::new(params.messages_per_minute),
        }
    }

    /// Delivers until nobody can send any more.
    pub(super) async fn run(mut self) {
        let begin = Instant::now();
        while let Some(item) = self.items.recv().await {
            let stopped = self.stopped.clone();
            let mut attempts = 0;
            let outcome = tokio::select! {
                biased;
                () = is_over(stopped) => Err("the program ended before it was delivered".to_owned()),
                outcome = self.deliver(begin, &item.notification, &mut attempts) => {
                    outcome.map_err(|failure| failure.to_string())
                }
            };
            match outcome {
                Ok(()) => ChannelTally::count(&self.figures.delivered),
                Err(reason) => bury(&self.letters, &self.figures, item, &reason, attempts),
            }
        }
    }

    /// Tries until it is delivered, refused for good or tried often enough. An attempt that the breaker does not let
    /// through is not counted: the message waits.
    async fn deliver(
        &mut self,
        begin: Instant,
        notification: &Notification,
        attempts: &mut u32,
    ) -> Result<(), Failure> {
        let mut limited = false;
        while let Err(wait) = self.bucket.take(begin.elapsed()) {
            limited = true;
            sleep(wait).await;
        }
        if limited {
            ChannelTally::count(&self.figures.limited);
        }
        let asked_max = Duration::from_secs(self.params.retry_after_max_s);
        let mut waits = self.params.retry.schedule().into_iter();
        loop {
            while let Err(wait) = self.breaker.ask(begin.elapsed()) {
                self.figures.show(self.breaker.state());
                sleep(wait).await;
            }
            *attempts += 1;
            let limit = Duration::from_millis(self.params.timeout_ms);
            let outcome = within(limit, self.channel.send(notification)).await.and_then(|answer| answer);
            let failure = match outcome {
                Ok(answer) => {
                    self.breaker.success(begin.elapsed());
                    self.figures.show(self.breaker.state());
                    tracing::debug!(channel = self.name, answer, "an alert was delivered");
                    return Ok(());
                }
                Err(failure) => failure,
            };
            ChannelTally::count(&self.figures.failed_attempts);
            // Who refuses a message is there: only what may pass by itself speaks against the channel.
            if failure.is_retryable() {
                self.breaker.failure(begin.elapsed());
            } else {
                self.breaker.success(begin.elapsed());
            }
            self.figures.show(self.breaker.state());
            tracing::warn!(channel = self.name, attempt = *attempts, %failure, "an alert was not delivered");
            match waits.next() {
                Some(wait) if failure.is_retryable() => {
                    sleep(wait.max(failure.retry_after.unwrap_or_default().min(asked_max))).await;
                }
                _ => return Err(failure),
            }
        }
    }
}

/// Waits until it is too late to deliver anything.
async fn is_over(mut stopped: watch::Receiver<Option<Instant>>) {
    let deadline = match stopped.wait_for(Option::is_some).await {
        Ok(deadline) => *deadline,
        // Nobody is left who could say when: now.
        Err(_) => None,
    };
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}

/// Keeps a message as a dead letter.
pub(super) fn bury(letters: &DeadLetters, figures: &ChannelTally, item: Item, reason: &str, attempts: u32) {
    let letter = DeadLetter {
        id: format!("{:08x}", fastrand::u32(..)),
        at: Timestamp::now(),
        channel: item.channel,
        reason: reason.to_owned(),
        attempts,
        notification: item.notification,
    };
    let title = letter.notification.title();
    match letters.add(&letter) {
        Ok(()) => {
            ChannelTally::count(&figures.dead);
            tracing::error!(channel = letter.channel, reason, title, "an alert became a dead letter");
        }
        Err(error) => {
            ChannelTally::count(&figures.lost);
            tracing::error!(channel = letter.channel, reason, title, %error, "an alert is lost");
        }
    }
}
