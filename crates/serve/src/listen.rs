//! Accepts connections and serves HTTP/1.1 on them, plain or under TLS, until told to stop.
//!
//! Bounded: so many connections at once, so long for a handshake and for the head of a request, so many bytes and
//! headers in it. A connection that has not said anything yet costs little more than its descriptor. On shutdown idle
//! connections close, requests under way get a grace to finish, and what is left then is cut off.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::tls::{self, Tls};

/// Most connections at once: half of the files that the process may open, and no more than these.
const CONNECTIONS_MAX: usize = 16_384;

/// How long a handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// Largest head of a request, looked at after each read of up to as much again, and most headers in it; more is answered
/// with 431.
const HEAD_BYTES_MAX: usize = 64 << 10;
const HEADERS_MAX: usize = 100;

/// How long a client may take to send the head of a request, and how long a connection may stay idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(75);

/// How long requests under way may go on after the signal to stop; with the store's own closing it must stay
/// below the 15 s that DESIGN.md §15 gives.
const GRACE: Duration = Duration::from_secs(6);

/// A pause after an error of accept (out of files, say), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Said of requests that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted;

/// Serves `router` on `listener` until `shutdown` is done; tells `closing` first.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    closing: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(connections_max()));
    let acceptor = tls.as_ref().map(|tls| TlsAcceptor::from(tls.config()));
    let watching = tls.map(|tls| tokio::spawn(tls::watch(tls)));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        let (router, acceptor, closing) = (router.clone(), acceptor.clone(), closing.subscribe());
        connections.spawn(async move {
            begin(stream, acceptor, router, closing).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if let Some(watching) = watching {
        watching.abort();
    }
    closing.send_replace(true);
    if timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await.is_err() {
        warn!(n_connections = connections.len(), "connections cut off at shutdown");
    }
    connections.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, impl Sized + Send + use<>)> {
    let permit = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            warn!(%error, "connection not accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Files are limited together: the other half is for what is stored.
fn connections_max() -> usize {
    let files = getrlimit(Resource::Nofile).current.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    (files / 2).clamp(64, CONNECTIONS_MAX)
}

/// Waits for the first byte before anything is made for a connection, then serves it.
async fn begin(stream: TcpStream, acceptor: Option<TlsAcceptor>, router: Router, mut closing: watch::Receiver<bool>) {
    let Ok(peer) = stream.peer_addr() else { return };
    // Answers are written whole; waiting to fill packets would only delay live events.
    let _ = stream.set_nodelay(true);
    let has_begun = tokio::select! {
        readable = timeout(HEAD_TIME_MAX, stream.readable()) => matches!(readable, Ok(Ok(()))),
        () = told(&mut closing) => false,
    };
    if !has_begun {
        return;
    }
    // Boxed: what a connection under way needs is not to be kept for each that only waits.
    match acceptor {
        None => Box::pin(serve_connection(stream, peer, None, router, closing)).await,
        Some(acceptor) => match timeout(HANDSHAKE_TIME_MAX, Box::pin(acceptor.accept(stream))).await {
            Ok(Ok(stream)) => Box::pin(serve_connection(stream, peer, Some(Encrypted), router, closing)).await,
            Ok(Err(error)) => debug!(%error, "TLS handshake failed"),
            Err(_) => debug!("TLS handshake took too long"),
        },
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: SocketAddr,
    encrypted: Option<Encrypted>,
    router: Router,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(encrypted) = encrypted {
            request.extensions_mut().insert(encrypted);
        }
        router.clone().oneshot(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended");
    }
}

/// Waits for the word that the server closes.
async fn told(closing: &mut watch::Receiver<bool>) {
    // An error means that the sender has gone, which it does only at the end.
    let _ = closing.wait_for(|closing| *closing).await;
}
