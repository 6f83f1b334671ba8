//! Speaks HTTP: the native API, the Loki API, the page, access control. Listens for syslog where that is configured.
//!
//! Handlers decode, call one function of another room, encode. This is the only crate that knows statuses and JSON
//! shapes, and the only asynchronous one: what other rooms do runs on blocking threads behind
//! bounded gates. It stores nothing, and it reads no clock but the store's.

mod answer;
mod api;
mod ask;
mod cloudwatch;
mod docs;
mod elastic;
mod formats;
mod grpc;
mod journal;
mod loki;
mod markdown;
mod otlp;
mod page;
mod reference;
mod router;
mod routes;
mod splunk;
mod syslog;
mod unknown_fields;
mod unknown_groups;
mod views;

use std::future::Future;
use std::time::Duration;

use door::listen::{self, Service};
use door::places::Places;
use door::server::Server;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::formats::format_of;
use crate::router::Families;

pub use door::access::{Access, Caller, KeyError, KeyOrder, KeyView, Keys, Life, NewKey, Role};
pub use door::server::{App, Reload};
pub use door::tls::{Tls, TlsError};
pub use door::users::UserOrder;
pub use syslog::SyslogListeners;

/// How long syslog messages that were read may take to be stored, once everything else has ended.
const SYSLOG_GRACE: Duration = Duration::from_secs(5);

/// Serves `app` on `listener`, and syslog on its own sockets, until `shutdown` is done, then lets requests under way finish for some seconds.
///
/// The store is left open: whoever opened it closes it, after this returns.
///
/// # Errors
/// Where a socket cannot be listened on.
pub async fn serve(
    app: App,
    syslog: SyslogListeners,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let (closing, told) = watch::channel(false);
    let tls = app.tls.clone();
    // Who is signed in is read from the store, which blocks.
    let families = tokio::task::spawn_blocking(move || Families::start(&Server::new(app, told))).await?;
    let (of_http, of_syslog) = Places::of_process();
    let counts = families.syslog.clone();
    let syslog = syslog::start(families.server.clone(), counts, syslog, of_syslog, syslog::Seats::default())?;
    let service = Service { router: router::build(&families), format_of };
    drop(families);
    listen::run(listener, of_http, tls, service, closing, shutdown).await;
    if tokio::time::timeout(SYSLOG_GRACE, syslog).await.is_err() {
        tracing::warn!("syslog messages are lost that the store would not take before the end");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
