use std::path::PathBuf;

use dais_resilience::{BreakerParams, RetryParams};
use serde::{Deserialize, Serialize};

/// How messages are delivered. All of it holds for each channel by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryParams {
    /// Messages that may wait; more become dead letters. 1 to 10,000.
    #[schemars(range(min = 1, max = 10_000))]
    pub queue: u32,
    /// How long one attempt may take, in milliseconds. 10 to 300,000.
    #[schemars(range(min = 10, max = 300_000))]
    pub timeout_ms: u64,
    /// How often and how fast a message is tried again.
    pub retry: RetryParams,
    /// The longest wait that a channel may ask for (`Retry-After`), in seconds. 0 to 3,600.
    #[schemars(range(min = 0, max = 3_600))]
    pub retry_after_max_s: u64,
    /// When a channel that keeps failing is left alone. Messages wait meanwhile.
    pub breaker: BreakerParams,
    /// Messages a channel gets in a minute at most, all at once if need be; more wait. 1 to 6,000.
    #[schemars(range(min = 1, max = 6_000))]
    pub messages_per_minute: u32,
    /// File of messages that could not be delivered (JSON lines).
    pub dead_letter_file: PathBuf,
    /// Messages kept there; the oldest are forgotten first. 0 to 100,000.
    #[schemars(range(min = 0, max = 100_000))]
    pub dead_letters_max: u32,
    /// How long delivery goes on when the program ends, in milliseconds; what is left then becomes dead letters.
    /// 0 to 60,000.
    #[schemars(range(min = 0, max = 60_000))]
    pub drain_ms: u64,
}

impl Default for DeliveryParams {
    fn default() -> Self {
        Self {
            queue: 256,
            timeout_ms: 10_000,
            retry: RetryParams { attempts: 8, first_delay_ms: 500, max_delay_ms: 60_000, ..RetryParams::default() },
            retry_after_max_s: 300,
            breaker: BreakerParams::default(),
            messages_per_minute: 30,
            dead_letter_file: PathBuf::from("alerts/dead-letters.jsonl"),
            dead_letters_max: 1_000,
            drain_ms: 2_000,
        }
    }
}

impl DeliveryParams {
    /// What is wrong across fields, as paths and messages; empty when all is fine.
    pub fn check(&self) -> Vec<(String, String)> {
        self.retry.check().into_iter().map(|(path, message)| (format!("retry.{path}"), message)).collect()
    }
}
