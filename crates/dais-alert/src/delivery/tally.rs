use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dais_resilience::BreakerState;

/// What was delivered so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFigures {
    /// Messages that were lost: the queue was full, or a channel or the file of dead letters was not there.
    pub lost: u64,
    /// For each channel.
    pub channels: BTreeMap<String, ChannelFigures>,
}

/// What was delivered to one channel so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelFigures {
    /// Messages that were taken.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Messages that became dead letters.
    pub dead: u64,
    /// Messages that waited for the limit of messages in a minute.
    pub limited: u64,
    /// What its breaker lets through.
    pub breaker: BreakerState,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    lost: AtomicU64,
    channels: Mutex<BTreeMap<String, Arc<ChannelTally>>>,
}

#[derive(Debug, Default)]
pub(super) struct ChannelTally {
    pub(super) delivered: AtomicU64,
    pub(super) failed_attempts: AtomicU64,
    pub(super) dead: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) limited: AtomicU64,
    breaker: AtomicU8,
}

impl Tally {
    pub(super) fn channel(&self, name: &str) -> Arc<ChannelTally> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(channels.entry(name.to_owned()).or_default())
    }

    pub(super) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn figures(&self) -> DeliveryFigures {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = channels.values().map(|tally| tally.lost.load(Ordering::Relaxed)).sum::<u64>();
        DeliveryFigures {
            lost: lost + self.lost.load(Ordering::Relaxed),
            channels: channels.iter().map(|(name, tally)| (name.clone(), tally.figures())).collect(),
        }
    }
}

impl ChannelTally {
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn show(&self, breaker: BreakerState) {
        let number = match breaker {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        self.breaker.store(number, Ordering::Relaxed);
    }

    fn figures(&self) -> ChannelFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ChannelFigures {
            delivered: read(&self.delivered),
            failed_attempts: read(&self.failed_attempts),
            dead: read(&self.dead),
            limited: read(&self.limited),
            breaker: match self.breaker.load(Ordering::Relaxed) {
                0 => BreakerState::Closed,
                1 => BreakerState::HalfOpen,
                _ => BreakerState::Open,
            },
        }
    }
}
