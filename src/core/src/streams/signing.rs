//! Signatures: of what we post (Standard Webhooks 1.0.0), and of requests to S3 (AWS Signature Version 4).

use crate::{AppError, secrets};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, macros::format_description};
use zeroize::Zeroizing;

/// What a webhook's secret begins with.
const PREFIX: &str = "whsec_";

/// A new secret of 256 random bits, as Standard Webhooks writes it.
pub(super) fn new_secret() -> SecretString {
    format!("{PREFIX}{}", STANDARD.encode(secrets::random::<32>().as_slice())).into()
}

/// The value of `webhook-signature`: over id, time of the attempt and the exact body.
///
/// # Errors
/// [`AppError::Internal`] for a secret that is none of ours.
pub(super) fn webhook(secret: &str, id: &str, at: OffsetDateTime, body: &[u8]) -> Result<String, AppError> {
    let key = secret.strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok()).map(Zeroizing::new);
    let key = key.ok_or(AppError::Internal)?;
    let signed = [id.as_bytes(), b".", at.unix_timestamp().to_string().as_bytes(), b".", body].concat();
    Ok(format!("v1,{}", STANDARD.encode(mac(&key, &signed).as_slice())))
}

fn mac(key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
    // HMAC takes keys of any length.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

/// A request to S3 that is to be signed. Path and headers need no escaping: they are made of unreserved characters.
pub(super) struct ToS3<'a> {
    pub host: &'a str,
    pub path: &'a str,
    pub region: &'a str,
    pub access_key: &'a str,
    pub secret: &'a str,
    pub body: &'a [u8],
    pub at: OffsetDateTime,
}

/// The headers that make a `PUT` one of whoever has the secret.
pub(super) fn put_to_s3(request: &ToS3<'_>) -> Vec<(&'static str, String)> {
    let at = request.at.to_offset(time::UtcOffset::UTC);
    let day = at.format(format_description!("[year][month][day]")).unwrap_or_default();
    let time = at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
    let digest = Sha256::digest(request.body);
    // The checksum is what buckets with a lock on their objects demand.
    let (hash, checksum) = (secrets::hex(&digest), STANDARD.encode(digest));
    let names = "host;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "PUT\n{}\n\nhost:{}\nx-amz-checksum-sha256:{checksum}\nx-amz-content-sha256:{hash}\nx-amz-date:{time}\n\n{names}\n{hash}",
        request.path, request.host
    );
    let scope = format!("{day}/{}/s3/aws4_request", request.region);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", secrets::hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = Zeroizing::new(format!("AWS4{}", request.secret).into_bytes());
    for part in [day.as_str(), request.region, "s3", "aws4_request"] {
        key = mac(&key, part.as_bytes());
    }
    let signature = secrets::hex(&mac(&key, to_sign.as_bytes()));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        request.access_key
    );
    vec![
        ("x-amz-checksum-sha256", checksum),
        ("x-amz-content-sha256", hash),
        ("x-amz-date", time),
        ("authorization", authorization),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // https://github.com/standard-webhooks/standard-webhooks: the example of the reference libraries.
        let at = OffsetDateTime::from_unix_timestamp(1_614_265_330).expect("a time");
        let signed = webhook(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.as_deref(), Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert!(webhook("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "id", at, b"").is_err());
    }
}
