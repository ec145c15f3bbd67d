//! `send0 serve`: starts, tells where it is, and stops without losing anything.

use crate::{
    config::Config,
    installation::Installation,
    jobs,
    web::{self, Site, TrustedProxies},
};
use axum::{Router, serve::ListenerExt};
use leptos::config::LeptosOptions;
use secrecy::ExposeSecret;
use send0_core::{Ctx, egress::Egress, workspaces::operations::offer_setup};
use std::{error::Error, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn Error + Send + Sync>;

/// How long answers under way may take after the signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or Ctrl-C.
pub async fn serve(config: Config) -> Result<(), Failure> {
    log_to_stderr();
    let address = config.address()?;
    // Before PostgreSQL is started: a port that is taken is found out at once.
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let mut installation = Installation::begin(&config).await?;
    let started = installation.migrate().await.and_then(|()| installation.open());
    let served = match started {
        Ok(ctx) => run(&config, ctx, listener, &mut installation).await,
        Err(error) => Err(error),
    };
    installation.leave().await?;
    served
}

async fn run(config: &Config, ctx: Ctx, listener: TcpListener, installation: &mut Installation) -> Result<(), Failure> {
    ctx.db.refuse_excess_rights().await?;
    let port = listener.local_addr()?.port();
    let stop = stop_on_signal()?;
    let site = Site {
        is_default: config.origin.is_none() && config.relay.is_none(),
        proxies: config.trusted_proxies.clone(),
        stop: stop.clone(),
        ..site(&config.origin_on(port))
    };
    let mut ctx = ctx.at(&site.origin);
    // Nobody else's machine is behind this one's loopback while somebody only tries the product out.
    if site.is_default {
        ctx = ctx.reaching(Egress::to_public().to_loopback_too());
    }
    let jobs = tokio::spawn(jobs::run(ctx.clone(), stop.clone()));
    announce(&ctx, &site.origin).await?;
    let served = tokio::select! {
        served = answer(listener, web::router(ctx.clone(), site), stop.clone()) => served,
        error = installation.broken() => Err(error),
    };
    stop.cancel();
    jobs.await?;
    ctx.db.close().await;
    served
}

async fn answer(listener: TcpListener, router: Router, stop: CancellationToken) -> Result<(), Failure> {
    // Without this, an answer in two parts waits 40 ms for an acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopping = stop.clone();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move { stopping.cancelled().await });
    tokio::select! {
        served = server.into_future() => Ok(served?),
        () = overdue(stop) => {
            tracing::warn!("some answers took too long and were cut off");
            Ok(())
        }
    }
}

async fn overdue(stop: CancellationToken) {
    stop.cancelled().await;
    let _ = timeout(GRACE, std::future::pending::<()>()).await;
}

/// On standard output, for people and for scripts.
async fn announce(ctx: &Ctx, origin: &str) -> Result<(), Failure> {
    println!("send0 console is at {origin}");
    if let Some(token) = offer_setup(ctx).await.map_err(|error| error.to_string())? {
        println!("Set it up, once, at {origin}/setup/{}", token.expose_secret());
    }
    Ok(())
}

fn stop_on_signal() -> Result<CancellationToken, Failure> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        told.cancel();
    });
    Ok(stop)
}

/// The site, found by people at this origin.
pub fn site(origin: &str) -> Site {
    let (options, origin) = (site_options(), origin.to_owned());
    Site { options, origin, is_default: false, proxies: TrustedProxies::default(), stop: CancellationToken::new() }
}

/// The site lies beside the binary (`site/`) or, as built in the repository, in `target/site`.
fn site_options() -> LeptosOptions {
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(|folder| folder.join("site")));
    let built =
        std::env::current_exe().ok().and_then(|program| program.parent()?.parent().map(|target| target.join("site")));
    let there = [beside, built].into_iter().flatten().find(|folder| folder.is_dir());
    let root = there.unwrap_or_else(|| PathBuf::from("target/site"));
    LeptosOptions::builder()
        .output_name("send0")
        .site_root(root.to_string_lossy().into_owned())
        .hash_files(true)
        .build()
}

/// A line that cannot be written is lost: to complain about it on the same full disk would end whoever wrote it.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "info,sqlx=warn,tower_sessions=warn".into());
    let lines =
        tracing_subscriber::fmt().json().with_span_list(false).with_env_filter(filter).with_writer(std::io::stderr);
    lines.log_internal_errors(false).init();
}
