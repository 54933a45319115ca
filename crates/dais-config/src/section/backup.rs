//! When ledgers are saved, and where to.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Secret;

/// When ledgers are saved, and where to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackupParams {
    /// Whether ledgers are saved by themselves.
    pub enable: bool,
    /// When, in the five fields of cron (minute, hour, day, month, weekday), in UTC.
    pub schedule: String,
    /// Days for which backups are kept where the destination says nothing, 1 to 36500.
    #[schemars(range(min = 1, max = 36500))]
    pub retention_days: u32,
    /// File with the passphrase that encrypts backups in its first line. Without it they are not encrypted.
    pub encryption_key_file: Option<PathBuf>,
    /// Where backups go.
    pub destinations: Vec<BackupDestination>,
}

impl Default for BackupParams {
    fn default() -> Self {
        Self {
            enable: false,
            schedule: "0 2 * * *".to_owned(),
            retention_days: 30,
            encryption_key_file: None,
            destinations: Vec::new(),
        }
    }
}

/// What kind of place a destination is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DestinationType {
    /// A folder.
    #[default]
    Local,
    /// A bucket of S3 or a store that speaks its protocol.
    S3,
    /// A container of Azure. Such destinations are read, but may not be enabled.
    Azure,
}

/// A place for backups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackupDestination {
    /// What it is called in messages.
    pub name: String,
    /// What kind of place it is.
    pub r#type: DestinationType,
    /// Whether backups go there.
    pub enabled: bool,
    /// Destinations with lower numbers come first, 0 to 1000.
    #[schemars(range(min = 0, max = 1000))]
    pub priority: u32,
    /// Days for which backups are kept there, 1 to 36500.
    #[schemars(range(min = 1, max = 36500))]
    pub retention_days: Option<u32>,
    /// Folder, with `type: local`.
    pub path: Option<PathBuf>,
    /// Bucket, with `type: s3`.
    pub bucket: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Storage class of what is put into the bucket.
    pub storage_class: Option<String>,
    /// How the store encrypts.
    pub encryption: StoreEncryption,
    /// Container, with `type: azure`.
    pub container: Option<String>,
    /// Account, with `type: azure`.
    pub account_name: Option<String>,
    /// Key of the account, with `type: azure`.
    pub account_key: Option<Secret>,
}

impl Default for BackupDestination {
    fn default() -> Self {
        Self {
            name: String::new(),
            r#type: DestinationType::Local,
            enabled: true,
            priority: 1,
            retention_days: None,
            path: None,
            bucket: None,
            region: None,
            storage_class: None,
            encryption: StoreEncryption::default(),
            container: None,
            account_name: None,
            account_key: None,
        }
    }
}

/// How a store encrypts what is put into it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreEncryption {
    /// Whether the store is asked to encrypt.
    pub server_side: bool,
    /// Id of the key that the store encrypts with.
    pub kms_key_id: Option<String>,
}

impl BackupParams {
    /// Rules that concern several keys, each as the key and what is wrong with it.
    pub fn check(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if self.schedule.split_whitespace().count() != 5 {
            wrong.push(("schedule".to_owned(), "must have five fields: minute, hour, day, month, weekday".to_owned()));
        }
        for (at, place) in self.destinations.iter().enumerate().filter(|(_, place)| place.enabled) {
            let (key, message) = match place.r#type {
                DestinationType::Local if place.path.is_none() => ("path", "is needed with `type: local`"),
                DestinationType::S3 if place.bucket.is_none() => ("bucket", "is needed with `type: s3`"),
                DestinationType::Azure => ("type", "cannot be azure where `enabled` is true; use s3 or local"),
                DestinationType::Local | DestinationType::S3 => continue,
            };
            wrong.push((format!("destinations.{at}.{key}"), message.to_owned()));
        }
        wrong
    }
}
