//! Puts the protocol families together: their states, all routes and their description, and what answers where there is
//! no route. Listens for HTTP, and on the sockets of other protocols that are configured.
//!
//! Knows no protocol itself and stores nothing.

mod foreign_boards;
mod formats;
mod openapi;
mod router;

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cloudwatch::xray::udp as xray;
use door::listen::{self, Listeners, Service};
use door::{ConnectionSlots, Server};
use otel::sockets;
use storage::Store;
use tables::Tables;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::formats::format_of;
use crate::router::Families;

pub use api::LICENSES;
pub use cloudwatch::xray::udp::XRayListener;
pub use door::access::{Access, Caller, KeyError, KeyOrder, KeyView, Keys, NewKey, Role, Validity, grace_ns_of};
pub use door::finding::{Examine, Finding, Severity};
pub use door::fleet::FleetLink;
pub use door::own_samples::OwnSamples;
pub use door::server::{App, Reload, SignIn};
pub use door::tls::{ClientAuthority, Tls, TlsError};
pub use door::users::{ProxyUsers, RoleRule, RoleRules, UserOrder};
pub use oidc::{Options as OidcOptions, Provider as OidcProvider, check_issuer};
pub use otel::sockets::{Door, SocketListeners};

/// When slices of the service map are first read ahead, after a start: the first questions do not wait for that.
const MAP_AFTER_START: Duration = Duration::from_secs(10);

/// How often a node of a fleet looks who has signed in or out elsewhere.
const FOLLOW_PAUSE: Duration = Duration::from_millis(500);

/// How long queries may run after the signal to stop. Requests that are being stored may take longer.
const QUERY_GRACE: Duration = Duration::from_secs(1);

/// How long datagrams and messages that were read may take to be stored, once everything else has ended.
const LISTENER_GRACE: Duration = Duration::from_secs(5);

/// Sockets in addition to the one for HTTP. None is open by default.
#[derive(Default)]
pub struct OtherListeners {
    /// Protocols with sockets of their own, each once.
    pub doors: Vec<(Door, SocketListeners)>,
    /// Documents of X-Ray.
    pub xray: Option<XRayListener>,
    /// HTTP for the other nodes of the fleet alone.
    pub nodes: Option<std::net::TcpListener>,
}

/// Serves `app` on `store`, `listener` and the sockets in `others` until `shutdown` is done, then lets requests under
/// way finish for some seconds.
///
/// The store is left open: whoever opened it closes it, after this returns.
///
/// # Errors
/// If a socket cannot be listened on.
pub async fn serve(
    store: Arc<Store>,
    app: App,
    others: OtherListeners,
    tables: Option<Arc<Tables>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let (closing, told) = watch::channel(false);
    let tls = app.tls.clone();
    // Who is signed in is read from the store, which blocks.
    let mut stopping = told.clone();
    let families = tokio::task::spawn_blocking(move || Families::start(&Server::new(store, app, told), tables)).await?;
    let (of_http, of_doors) = ConnectionSlots::of_process();
    if families.server.whole_store().nodes().is_some() {
        tokio::spawn(follow_sessions(Arc::downgrade(&families.server)));
    }
    let server = Arc::downgrade(&families.server);
    tokio::spawn(async move {
        listen::told(&mut stopping).await;
        tokio::time::sleep(QUERY_GRACE).await;
        if let Some(server) = server.upgrade() {
            server.queries.cancel_all();
        }
    });
    tokio::spawn(api::send_reports(Arc::downgrade(&families.server), Arc::downgrade(&families.api)));
    let server = Arc::downgrade(&families.server);
    tokio::spawn(traces::follow_spans(server, families.traces.clone(), MAP_AFTER_START));
    tokio::spawn(metrics::keep_metadata(Arc::downgrade(&families.server), families.metrics.clone()));
    if let Some(interval) = families.server.app.own_samples.service_graph {
        let count = traces::count_calls(&families.server, interval);
        std::thread::Builder::new().name("service-graph".into()).spawn(count)?;
    }
    tokio::spawn(metrics::store_own(Arc::downgrade(&families.server), families.metrics.clone()));
    tokio::spawn(metrics::repeat_pushes(Arc::downgrade(&families.server), families.metrics.clone()));
    let server = || families.server.clone();
    let limiter = Arc::new(sockets::ConnectionLimiter::default());
    let doors = others.doors.into_iter().map(|(door, listeners)| {
        sockets::start(door, server(), &families.doors, listeners, of_doors.shared(), &limiter)
    });
    let doors = doors.collect::<std::io::Result<Vec<_>>>()?;
    let xray = others.xray.map(|listener| xray::start(server(), families.xray.clone(), listener)).transpose()?;
    let service = Service { router: router::build(&families), format_of };
    let nodes = others.nodes.map(TcpListener::from_std).transpose()?;
    drop(families);
    let listeners = Listeners { users: listener, nodes };
    listen::run(listeners, of_http, tls, service, closing, shutdown).await;
    let all_stored = async {
        for task in doors.into_iter().chain(xray) {
            // A panic was reported where it happened.
            let _ = task.await;
        }
    };
    if tokio::time::timeout(LISTENER_GRACE, all_stored).await.is_err() {
        tracing::warn!("messages or X-Ray documents lost: the store did not accept them before the shutdown");
    }
    Ok(())
}

/// Keeps sessions as the other nodes of the fleet have them: who is signed in at one is signed in at all.
async fn follow_sessions(server: Weak<Server>) {
    loop {
        tokio::time::sleep(FOLLOW_PAUSE).await;
        let Some(server) = server.upgrade() else { return };
        let follow = move || server.users.follow_sessions(server.settings(), &server.sessions, server.now());
        // While the database is away, what is known holds.
        if let Ok(Err(error)) = tokio::task::spawn_blocking(follow).await {
            tracing::debug!(%error, "sessions of other nodes are not known");
        }
    }
}

#[cfg(test)]
mod tests;
