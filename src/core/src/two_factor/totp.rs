//! Codes of an authenticator app: RFC 6238 with SHA-1, six digits, 30 seconds, which is what every app understands.
//! HMAC-SHA-1 is a documented exception from ASVS appendix C.

use super::Enrolment;
use crate::AppError;
use time::OffsetDateTime;
use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

const STEP_SECONDS: i64 = 30;
const DIGITS: usize = 6;
/// 160 bits, as RFC 4226 recommends.
const SEED_BYTES: usize = 20;

/// A seed from the operating system.
pub fn seed() -> Zeroizing<[u8; SEED_BYTES]> {
    crate::secrets::random::<SEED_BYTES>()
}

fn totp(seed: &[u8], account: &str) -> Result<Totp, AppError> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS as u8)
        .with_step_duration(STEP_SECONDS.unsigned_abs())
        .with_skew(0)
        .with_secret(seed.to_vec())
        // Both stand on either side of a colon in the link.
        .with_account_name(account.replace(':', ""))
        .with_issuer(Some("send0"))
        .build()
        .map_err(|error| {
            tracing::error!(%error, "a seed cannot be used");
            AppError::Internal
        })
}

/// The step whose code this is: the present one, or the one before, which may be on its way (RFC 6238 §5.2). Never one to
/// come. Spaces do not count.
pub fn step_of(seed: &[u8], code: &str, now: OffsetDateTime) -> Result<Option<i64>, AppError> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let totp = totp(seed, "account")?;
    let matching = |seconds: i64| u64::try_from(seconds).ok().and_then(|seconds| totp.check(&code, seconds));
    let now = now.unix_timestamp();
    let step = matching(now).or_else(|| matching(now - STEP_SECONDS));
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// What the app is told.
pub fn enrolment(seed: &[u8], account: &str) -> Result<Enrolment, AppError> {
    let link = totp(seed, account)?.to_url().map_err(|_| AppError::Internal)?;
    let base32 = Secret::new(seed.into()).to_base32();
    let typed: Vec<&str> = base32.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    Ok(Enrolment { link, typed: typed.join(" ") })
}

#[cfg(test)]
mod totp_tests {
    use super::*;
    use time::Duration;

    const SEED: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    /// RFC 6238, appendix B, its last six digits.
    #[test]
    fn the_vectors_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step_of(SEED, code, at(seconds)), Ok(Some(seconds / 30)), "{seconds}");
        }
    }

    #[test]
    fn a_code_opens_in_its_step_and_in_the_next_only() {
        let code = "050471";
        let step = 1_111_111_111 / 30;
        for (after, opens) in
            [(-31, false), (-30, false), (0, true), (30, true), (60, false), (86_400, false), (-86_400, false)]
        {
            let found = step_of(SEED, code, at(step * 30 + after)).expect("a step");
            assert_eq!(found, opens.then_some(step), "{after} s after");
        }
    }

    #[test]
    fn what_is_no_code_opens_nothing() {
        for code in ["", "05047", "0504711", "05O471", "-50471", "٠٥٠٤٧١", "050 471 1", "\0\0\0\0\0\0"] {
            assert_eq!(step_of(SEED, code, at(1_111_111_111)), Ok(None), "{code:?}");
        }
        assert!(step_of(SEED, " 050 471 ", at(1_111_111_111)).expect("a step").is_some());
    }

    #[test]
    fn the_link_names_account_and_seed() {
        let told = enrolment(SEED, "ana:x@example.com").expect("enrolment");
        assert!(
            told.link.starts_with("otpauth://totp/send0:anax%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
            "{}",
            told.link
        );
        assert_eq!(told.typed, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
