//! Accepts connections and serves HTTP/1.1 or HTTP/2 on them, plain or under TLS, until told to stop.
//!
//! HTTP/2 is spoken with who begins with it (prior knowledge) or chooses it by ALPN; nobody is upgraded to it.
//!
//! Bounded: so many connections at once (beyond them it is 503 and `Retry-After`), so long for a handshake and for the
//! head of a request, so many bytes and headers in it. A connection that has not said anything yet costs little more
//! than its descriptor. On shutdown idle connections close, requests under way get a grace to finish, and what is left
//! then is cut off. All this holds of websockets too.

/// The writing half of [`AsyncWrite`] but its end, for a stream that changes only how its field `stream` is read or shut.
macro_rules! forward_writes {
    () => {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            Pin::new(&mut self.stream).poll_write(context, bytes)
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            pieces: &[std::io::IoSlice<'_>],
        ) -> Poll<std::io::Result<usize>> {
            Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
        }

        fn is_write_vectored(&self) -> bool {
            self.stream.is_write_vectored()
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.stream).poll_flush(context)
        }
    };
}

mod head;
mod http2;
mod lingering_stream;
mod unread_body;
mod upgraded;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tracing::{debug, warn};

use self::head::{Exchanges, HEAD_BYTES_MAX, HeadTimeout};
use self::http2::{Accompanied, Presence};
use self::lingering_stream::LingeringStream;
use self::unread_body::Unread;
pub use self::upgraded::UpgradedConnection;
use crate::connection_slots::ConnectionSlots;
use crate::fleet::NodeListener;
use crate::format::{FormatOf, formatted};
use crate::problem::Problem;
use crate::tls::{self, ClientNames, Tls};

/// Connections beyond the last place that are told so at once, and how long each may take to hear it. Further ones are
/// closed without a word.
const REFUSALS_MAX: usize = 64;
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(2);

/// How long a handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// Most headers in the head of a request; more is answered with 431.
const HEADERS_MAX: usize = 100;

/// How long a client may take to send the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// How long a connection may stay idle: before its first request, and between two. Longer than the 60 s for which most
/// clients and proxies keep one, so that they close it first and lose no request by it.
const IDLE_TIME_MAX: Duration = Duration::from_secs(75);

/// How long requests under way may go on after the signal to stop; with the store's own closing it must stay
/// below the 15 s that a stop may take.
const GRACE: Duration = Duration::from_secs(6);

/// How long a connection on which nothing goes on may take to say goodbye.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(5);

/// A pause after an error of accept (out of files, say), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Said of requests that came over TLS, with the names in the client's certificate if it has shown one.
#[derive(Clone, Debug)]
pub struct OverTls(Option<ClientNames>);

/// What all connections share.
#[derive(Clone)]
struct Door {
    service: Service,
    /// ConnectionSlots of requests over HTTP/2.
    streams: Arc<Semaphore>,
}

/// What is served on connections.
#[derive(Clone)]
pub struct Service {
    /// Answers requests.
    pub router: Router,
    /// Chooses the format of refusals that the router never sees.
    pub format_of: FormatOf,
}

/// The sockets of a server.
#[derive(Debug)]
pub struct Listeners {
    /// For senders and readers.
    pub users: TcpListener,
    /// For the other nodes of the fleet alone.
    pub nodes: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(users: TcpListener) -> Self {
        Self { users, nodes: None }
    }
}

/// Serves `service` on `listeners`, as many connections as there are places, until `shutdown` is done; tells `closing` first.
pub async fn run(
    listeners: Listeners,
    mut places: ConnectionSlots,
    tls: Option<Arc<Tls>>,
    service: Service,
    closing: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let acceptor = tls.as_ref().map(|tls| TlsAcceptor::from(tls.config()));
    let acceptor_of_nodes = tls.as_ref().map(|tls| TlsAcceptor::from(tls.config_for_nodes()));
    let watching = tls.map(|tls| tokio::spawn(tls::watch(tls)));
    let door = Door { service, streams: Arc::new(Semaphore::new(places.n_max)) };
    let of_nodes = {
        let router = door.service.router.clone().layer(axum::Extension(NodeListener));
        Door { service: Service { router, ..door.service.clone() }, ..door.clone() }
    };
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listeners.users) => accepted.map(|stream| (stream, &door, &acceptor)),
            accepted = accept_node(listeners.nodes.as_ref()) => {
                accepted.map(|stream| (stream, &of_nodes, &acceptor_of_nodes))
            }
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, door, acceptor)) = accepted else { continue };
        if let Some(place) = places.take() {
            let (door, acceptor, closing) = (door.clone(), acceptor.clone(), closing.subscribe());
            connections.spawn(async move {
                begin(stream, acceptor, door, closing).await;
                drop(place);
            });
            continue;
        }
        places.tell_refused();
        if acceptor.is_none()
            && let Ok(permit) = refusals.clone().try_acquire_owned()
        {
            connections.spawn(async move {
                let _ = timeout(REFUSAL_TIME_MAX, turn_away(stream)).await;
                drop(permit);
            });
        }
    }
    drop(listeners);
    if let Some(watching) = watching {
        watching.abort();
    }
    closing.send_replace(true);
    if timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await.is_err() {
        warn!(n_connections = connections.len(), "connections cut off at shutdown");
    }
    connections.shutdown().await;
}

/// Never ends without a listener.
async fn accept_node(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => accept(listener).await,
        None => std::future::pending().await,
    }
}

async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            warn!(%error, "connection not accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Answers a connection for which there is no place. What it says is read first: an answer before any question is none.
async fn turn_away(mut stream: TcpStream) -> std::io::Result<()> {
    let problem = Problem::unavailable("too-many-connections", "too many connections are open");
    let body =
        serde_json::json!({ "error": problem.hint("try again, or close some that are idle").to_json() }).to_string();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    if stream.read(&mut [0; 1024]).await? == 0 {
        return Ok(());
    }
    stream.write_all(answer.as_bytes()).await?;
    LingeringStream::new(stream).shutdown().await
}

/// Waits for the first byte before anything is made for a connection, then serves it.
async fn begin(stream: TcpStream, acceptor: Option<TlsAcceptor>, door: Door, mut closing: watch::Receiver<bool>) {
    let Ok(peer) = stream.peer_addr() else { return };
    // Answers are written whole; waiting to fill packets would only delay live events.
    let _ = stream.set_nodelay(true);
    let has_begun = tokio::select! {
        readable = timeout(IDLE_TIME_MAX, stream.readable()) => matches!(readable, Ok(Ok(()))),
        () = told(&mut closing) => false,
    };
    if !has_begun {
        return;
    }
    // Boxed: what a connection under way needs is not to be kept for each that only waits.
    match acceptor {
        None => Box::pin(serve_connection(stream, peer, None, door, closing)).await,
        Some(acceptor) => match timeout(HANDSHAKE_TIME_MAX, Box::pin(acceptor.accept(stream))).await {
            Ok(Ok(stream)) => {
                let encrypted = OverTls(ClientNames::of(stream.get_ref().1.peer_certificates()));
                Box::pin(serve_connection(stream, peer, Some(encrypted), door, closing)).await;
            }
            Ok(Err(error)) => debug!(%error, "TLS handshake failed"),
            Err(_) => debug!("TLS handshake took too long"),
        },
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    encrypted: Option<OverTls>,
    door: Door,
    closing: watch::Receiver<bool>,
) {
    let (upgraded, sockets) = UpgradedConnection::new();
    Box::pin(converse(stream, peer, encrypted, door, closing, upgraded)).await;
    sockets.over().await;
}

/// Answers requests until the connection is over, or something else than HTTP is spoken on it.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    encrypted: Option<OverTls>,
    door: Door,
    mut closing: watch::Receiver<bool>,
    upgraded: UpgradedConnection,
) {
    let (presence, news) = Presence::new();
    let exchanges = Exchanges::default();
    let stream = HeadTimeout::new(LingeringStream::new(stream), exchanges.clone(), HEAD_TIME_MAX);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(upgraded.clone());
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(encrypted) = encrypted.clone() {
            encrypted.0.iter().for_each(|names| drop(request.extensions_mut().insert(names.clone())));
            request.extensions_mut().insert(encrypted);
        }
        answer(door.clone(), presence.clone(), exchanges.clone(), request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(IDLE_TIME_MAX);
    http1.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    http2::bound(&mut builder);
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = http2::forsaken(news, IDLE_TIME_MAX) => {
            connection.as_mut().graceful_shutdown();
            timeout(GOODBYE_TIME_MAX, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended");
    }
}

/// Answers a request of a connection; those of HTTP/2 need a place, since a connection has many of them.
async fn answer(
    door: Door,
    presence: Arc<Presence>,
    exchanges: Exchanges,
    mut request: Request<Body>,
) -> Result<Response, Infallible> {
    if request.version() != Version::HTTP_2 {
        presence.is_watched_elsewhere();
        let exchange = exchanges.begin();
        let (request, unread) = Unread::watch(request);
        let response = unread.mark(door.service.router.oneshot(request).await?);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            exchanges.free();
        }
        return Ok(response.map(|body| Accompanied::body(body, exchange)));
    }
    let under_way = presence.enter();
    let Ok(place) = door.streams.try_acquire_owned() else {
        let problem = Problem::busy("too many requests at once over HTTP/2");
        return Ok(formatted((door.service.format_of)(&request).as_deref(), problem.into_response()));
    };
    http2::name_host(&mut request);
    let response = door.service.router.oneshot(request).await?;
    Ok(response.map(|body| Accompanied::body(body, (under_way, place))))
}

/// Waits for the word that the server closes.
pub async fn told(closing: &mut watch::Receiver<bool>) {
    // An error means that the sender has gone, which it does only at the end.
    let _ = closing.wait_for(|closing| *closing).await;
}

#[cfg(test)]
mod tests;
