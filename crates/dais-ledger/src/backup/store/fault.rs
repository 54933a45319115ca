//! What goes wrong with an object store, by what can be done about it.

/// Why an object store did not do what was asked. No text holds a secret key or a session token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// The address or the settings cannot be used; nothing was sent.
    #[error("{detail}")]
    Settings {
        /// What is wrong, and what is expected.
        detail: String,
    },
    /// There are no credentials.
    #[error("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoCredentials,
    /// There is no such bucket.
    #[error("there is no such bucket: make it first, or correct its name, AWS_REGION or AWS_ENDPOINT_URL")]
    NoBucket,
    /// There is no such object.
    #[error("there is no such object")]
    NoObject,
    /// The credentials are wrong, or do not suffice.
    #[error(
        "access is denied ({code}): look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and at what they may do: list, \
         read, write and delete"
    )]
    Denied {
        /// What the store calls it.
        code: String,
    },
    /// The store did not answer, or only that it cannot serve now, until it was given up.
    #[error(
        "the store cannot be reached: {detail}; look at AWS_ENDPOINT_URL, AWS_REGION and the network, then try again"
    )]
    Unreachable {
        /// What happened last.
        detail: String,
    },
    /// Anything else.
    #[error("the store refuses: {detail}")]
    Refused {
        /// What the store says.
        detail: String,
    },
}
