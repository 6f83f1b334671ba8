//! Accepts connections and serves HTTP/1.1 on them until told to stop.
//!
//! Bounded: so many connections at once, so long for the head of a request. On shutdown idle connections close,
//! requests under way get a grace to finish, and what is left then is cut off.

use std::future::Future;
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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;
use tracing::{debug, warn};

/// Most connections at once. Each costs a file and some 20 kB; the usual limit of files is 1,024 to 4,096.
const CONNECTIONS_MAX: usize = 768;

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
    router: Router,
    closing: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        let (router, closing) = (router.clone(), closing.subscribe());
        connections.spawn(async move {
            serve_connection(stream, router, closing).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
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

async fn serve_connection(stream: TcpStream, router: Router, mut closing: watch::Receiver<bool>) {
    let Ok(peer) = stream.peer_addr() else { return };
    // Answers are written whole; waiting to fill packets would only delay live events.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
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
