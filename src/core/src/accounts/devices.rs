//! Sign-ins from where the person never signed in before: they are told (ASVS 6.3.5).

use super::{SignedIn, queries, settings::told};
use crate::{AppError, Ctx, actor::Request, ids::WorkspaceId, secrets};
use sqlx::PgConnection;

/// Has at hand what a notice is sealed with, before the transaction begins.
pub(super) async fn warm(ctx: &Ctx) -> Result<(), AppError> {
    ctx.vault.warm(WorkspaceId::PLATFORM).await
}

/// Remembers browser and network, and writes to the person when both are new to them. Not at their very first sign-in.
pub(super) async fn notice(
    ctx: &Ctx,
    conn: &mut PgConnection,
    signed_in: &SignedIn,
    request: &Request,
) -> Result<(), AppError> {
    if queries::device_seen(conn, signed_in.user, &device(request), ctx.clock.now()).await? != "new" {
        return Ok(());
    }
    let text = format!(
        "Somebody signed in to your account from {}, with the browser that calls itself {}. You did not do so from there before.",
        request.address.as_deref().unwrap_or("an unknown address"),
        request.agent.as_deref().unwrap_or("nothing"),
    );
    told(ctx, &signed_in.email, "A sign-in from somewhere new", &text).await?.put(conn).await
}

/// A browser is the same after an update, and at home after its router was given another address.
fn device(request: &Request) -> [u8; 32] {
    let agent: String = request.agent.as_deref().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect();
    secrets::hash(&format!("device\0{agent}\0{}", neighbourhood(request.address.as_deref().unwrap_or_default())))
}

fn neighbourhood(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V4(v4)) => format!("{:?}", &v4.octets()[..3]),
        Ok(std::net::IpAddr::V6(v6)) => format!("{:x?}", &v6.segments()[..3]),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod device_tests {
    use super::*;
    use crate::ids::RequestId;

    #[test]
    fn an_update_is_no_new_device_and_another_network_is() {
        let of = |address: &str, agent: &str| {
            device(&Request::new(RequestId::new(), "POST", "/", Some(address.into()), Some(agent)))
        };
        assert_eq!(of("203.0.113.7", "Firefox/145.0"), of("203.0.113.9", "Firefox/146.1"));
        assert_eq!(of("2001:db8:1::1", "Firefox/1"), of("2001:db8:1:7::9", "Firefox/1"));
        assert_ne!(of("203.0.113.7", "Firefox/145.0"), of("198.51.100.7", "Firefox/145.0"));
        assert_ne!(of("203.0.113.7", "Firefox/145.0"), of("203.0.113.7", "Chrome/145.0"));
    }
}
