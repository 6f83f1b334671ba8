//! Speaks HTTP: the native API, the Loki API, the page, access control. Listens for syslog where that is configured.
//!
//! Handlers decode, call one function of another room, encode. This is the only crate that knows statuses and JSON
//! shapes, and the only asynchronous one: what other rooms do runs on blocking threads behind
//! bounded gates. It stores nothing, and it reads no clock but the store's.

mod access;
mod answer;
mod ask;
mod audit;
mod body;
mod cloudwatch;
mod docs;
mod elastic;
mod foreign;
mod grpc;
mod intake_gates;
mod journal;
mod listen;
mod loki;
mod markdown;
mod otlp;
mod page;
mod parameters;
mod places;
mod problem;
mod queries;
mod reading;
mod reference;
mod router;
mod routes;
mod server;
mod socket;
mod splunk;
mod syslog;
mod tables;
mod tls;
mod traffic;
mod turns;
mod unknown_fields;
mod unknown_groups;
mod users;
mod views;
mod work;

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use access::{Access, Caller, KeyError, KeyOrder, KeyView, Keys, Life, NewKey, Role};
pub use server::{App, Reload};
pub use syslog::SyslogListeners;
pub use tls::{Tls, TlsError};
pub use users::UserOrder;

/// How long syslog messages that were read may take to be stored, once everything else has ended.
const SYSLOG_GRACE: Duration = Duration::from_secs(5);

/// Serves `app` on `listener` until `shutdown` is done, then lets requests under way finish for some seconds.
///
/// The store is left open: whoever opened it closes it, after this returns.
///
/// # Errors
/// Where a socket cannot be listened on.
pub async fn serve(
    mut app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let (closing, told) = watch::channel(false);
    let listeners = std::mem::take(&mut app.syslog);
    let tls = app.tls.clone();
    // Who is signed in is read from the store, which blocks.
    let server = tokio::task::spawn_blocking(move || server::Server::new(app, told)).await?;
    let (of_http, of_syslog) = places::Places::of_process();
    let syslog = syslog::start(server.clone(), listeners, of_syslog, syslog::Seats::default())?;
    listen::run(listener, of_http, tls, router::build(server), closing, shutdown).await;
    if tokio::time::timeout(SYSLOG_GRACE, syslog).await.is_err() {
        tracing::warn!("syslog messages are lost that the store would not take before the end");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
