//! What guards the HTTP interface.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Secret;

/// What guards the HTTP interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct SecurityParams {
    /// Whether requests of one client are limited in number.
    #[schemars(extend("x-reload" = true))]
    pub enable_rate_limiting: bool,
    /// Requests of one client that are answered in a minute, 1 to 1000000.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[schemars(extend("x-reload" = true))]
    pub rate_limit_requests_per_minute: u32,
    /// Requests of one client that may come at once, 1 to 1000000. Without a value as many as in a minute.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[schemars(extend("x-reload" = true))]
    pub rate_limit_burst: Option<u32>,
    /// Whether requests that change something must come from our own pages.
    pub enable_csrf_protection: bool,
    /// Whether requests over plain HTTP are sent to HTTPS.
    pub enable_https_redirect: bool,
    /// Whether answers carry the headers that tell browsers to be strict.
    pub enable_security_headers: bool,
    /// Names under which the interface may be asked. An empty list is any.
    #[schemars(extend("x-reload" = true))]
    pub allowed_hosts: Vec<String>,
    /// Networks of proxies whose word about the client is taken, such as `10.0.0.0/8`.
    #[schemars(extend("x-reload" = true))]
    pub trusted_proxies: Vec<String>,
    /// Largest request, in megabytes, 1 to 1024.
    #[schemars(range(min = 1, max = 1024))]
    #[schemars(extend("x-reload" = true))]
    pub max_request_size_mb: u32,
    /// Keys that programs show.
    pub api_keys: ApiKeyParams,
    /// Tokens that people and programs show.
    pub authentication: AuthenticationParams,
}

impl Default for SecurityParams {
    fn default() -> Self {
        Self {
            enable_rate_limiting: true,
            rate_limit_requests_per_minute: 100,
            rate_limit_burst: None,
            enable_csrf_protection: true,
            enable_https_redirect: false,
            enable_security_headers: true,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            max_request_size_mb: 10,
            api_keys: ApiKeyParams::default(),
            authentication: AuthenticationParams::default(),
        }
    }
}

/// Keys that programs show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiKeyParams {
    /// Whether a key is asked for.
    pub enable: bool,
    /// Header that carries the key.
    pub header_name: String,
    /// Paths that need a key; `*` stands for any rest.
    pub required_for_endpoints: Vec<String>,
}

impl Default for ApiKeyParams {
    fn default() -> Self {
        Self { enable: false, header_name: "X-API-Key".to_owned(), required_for_endpoints: Vec::new() }
    }
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
}

/// Tokens that people and programs show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuthenticationParams {
    /// Whether a JSON Web Token is asked for.
    pub enable_jwt: bool,
    /// Key that signs tokens.
    pub jwt_secret_key: Option<Secret>,
    /// How tokens are signed.
    pub jwt_algorithm: JwtAlgorithm,
    /// How long a token holds, in hours, 1 to 8760.
    #[schemars(range(min = 1, max = 8760))]
    pub jwt_expiry_hours: u32,
}

impl Default for AuthenticationParams {
    fn default() -> Self {
        Self { enable_jwt: false, jwt_secret_key: None, jwt_algorithm: JwtAlgorithm::Hs256, jwt_expiry_hours: 24 }
    }
}

impl SecurityParams {
    /// Rules that concern several keys, each as the key and what is wrong with it.
    pub fn check(&self) -> Vec<(String, String)> {
        let unsigned = self.authentication.enable_jwt && self.authentication.jwt_secret_key.is_none();
        let rule = unsigned.then(|| {
            let message = "is needed with `security.authentication.enable_jwt: true`";
            ("authentication.jwt_secret_key".to_owned(), message.to_owned())
        });
        rule.into_iter().collect()
    }
}
