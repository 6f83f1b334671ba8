//! Receives what senders of protocols with sockets of their own write: syslog, GELF, Fluentd's forward protocol, Lumberjack, lines.
//!
//! Each connection splits its bytes into frames; the waiting frames of all connections of a door become one delivery after a
//! moment at most. While the queue is full, connections and their senders wait, and datagrams are dropped and counted. A
//! delivery is repeated until the store accepts it. On shutdown, bytes that have arrived are read and stored. What a protocol
//! has acknowledged is a delivery of its own, and acknowledged when it is durable.
//!
//! The protocols have no keys. Loopback and the networks in the configuration may send.

mod connection;
mod connection_limiter;
mod counts;
mod datagrams;
mod delivery;
mod door;
#[cfg(test)]
mod house;
mod joined;
mod queue;
mod session;
pub(crate) mod sink;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::warn;

pub use self::connection_limiter::ConnectionLimiter;
pub use self::counts::{DoorCounts, SocketCounts, SocketNumber};
use self::datagrams::receive;
use self::delivery::Storing;
pub use self::delivery::ingest_chunks;
pub use self::door::Door;
use self::queue::Queue;
pub use self::sink::{Chunk, Stored};
use self::state::{ACCEPT_PAUSE, ListenerState};
use ::door::connection_slots::ConnectionSlots;
use ::door::server::Server;
use ::door::tls::{self, Tls};

/// How long to wait until a connection that must give up its place is closed.
const PLACE_TIME_MAX: Duration = Duration::from_millis(200);

/// The sockets of a door. None is open by default.
#[derive(Default)]
pub struct SocketListeners {
    /// UDP.
    pub udp: Option<std::net::UdpSocket>,
    /// TCP without TLS.
    pub tcp: Option<std::net::TcpListener>,
    /// TCP with TLS, and the certificate, which is read again when its files change.
    pub tls: Option<(std::net::TcpListener, Arc<Tls>)>,
    /// Networks that may send, in addition to loopback.
    pub allow: Vec<IpNet>,
}

/// Listens until the server closes. The task ends when everything that was read is stored.
pub fn start(
    door: Door,
    server: Arc<Server>,
    counts: &DoorCounts,
    listeners: SocketListeners,
    places: ConnectionSlots,
    limiter: &Arc<ConnectionLimiter>,
) -> std::io::Result<JoinHandle<()>> {
    let SocketListeners { udp, tcp, tls, allow } = listeners;
    let storing = Storing { door, server, counts: counts.of(door).clone() };
    storing.counts.is_open.store(true, Ordering::Relaxed);
    let (queue, waiting) = Queue::new();
    let state = ListenerState {
        closing: storing.server.closing.clone(),
        storing: storing.clone(),
        queue,
        allow: allow.into(),
        limiter: limiter.clone(),
        large: Arc::new(Semaphore::new(connection::LARGE_MAX)),
    };
    let mut tasks = JoinSet::new();
    if let Some(socket) = udp {
        socket.set_nonblocking(true)?;
        tasks.spawn(receive(UdpSocket::from_std(socket)?, state.clone()));
    }
    if let Some(listener) = tcp {
        listener.set_nonblocking(true)?;
        tasks.spawn(accept(TcpListener::from_std(listener)?, None, places.shared(), state.clone()));
    }
    if let Some((listener, tls)) = tls {
        listener.set_nonblocking(true)?;
        let acceptor = TlsAcceptor::from(tls.config_for_bytes());
        tasks.spawn(accept(TcpListener::from_std(listener)?, Some(acceptor), places, state.clone()));
        let of_watch = state.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = tls::watch(tls) => {}
                () = of_watch.closed() => {}
            }
        });
    }
    drop(state);
    Ok(tokio::spawn(async move {
        let stored = tokio::spawn(delivery::run(storing, waiting));
        while tasks.join_next().await.is_some() {}
        let _ = stored.await;
    }))
}

/// Accepts connections until the server closes, then waits for them. A connection that finds no place, and for which no
/// other can be closed, is closed, so that its sender keeps its messages.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, mut places: ConnectionSlots, state: ListenerState) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = state.closed() => break,
            accepted = accept_one(&listener) => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, peer)) = accepted else { continue };
        if !state.admits(peer.ip()) {
            continue;
        }
        let Some(place) = place_for_one(&places, &state).await else {
            places.tell_refused();
            continue;
        };
        let (state, tls) = (state.clone(), tls.clone());
        connections.spawn(async move {
            state.counts().n_connections.fetch_add(1, Ordering::Relaxed);
            connection::run(stream, peer, tls, &state).await;
            state.counts().n_connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Returns a place for a new connection, if necessary that of a silent one.
async fn place_for_one(places: &ConnectionSlots, state: &ListenerState) -> Option<OwnedSemaphorePermit> {
    if let Some(place) = places.take() {
        return Some(place);
    }
    if !state.limiter.ask_one_to_close() {
        return None;
    }
    timeout(PLACE_TIME_MAX, places.next()).await.ok().flatten()
}

async fn accept_one(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            warn!(%error, "connection not accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
