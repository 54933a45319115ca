use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that carries the signature of a webhook.
pub const SIGNATURE_HEADER: &str = "X-Dais-Signature";

/// The value of [`SIGNATURE_HEADER`]: `t=<unix seconds>,v1=<hex>`, where `v1` is HMAC-SHA256 under `secret` over the
/// seconds in decimal digits, a full stop and the body.
///
/// A receiver computes it again, compares in constant time and refuses what is older than five minutes, so that nobody
/// can send a message again that he has seen.
pub fn sign(secret: &str, unix_seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{unix_seconds}.").as_bytes());
    mac.update(body);
    format!("t={unix_seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_another_implementation() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        let signed = "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03";
        assert_eq!(sign("key", 1_700_000_000, br#"{"a":1}"#), signed);
    }
}
