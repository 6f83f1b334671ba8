//! One connection that brings syslog: bytes are read, cut into frames, and put into the queue.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ingest::{SyslogFramer, SyslogFrames};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::{LAST_TIME_MAX, LAST_WAIT, Listening};

/// Bytes that are read at once.
const READ_BYTES: usize = 32 << 10;

/// How long a connection may say nothing. Senders keep theirs open for the next message, so that it is long.
const IDLE_TIME_MAX: Duration = Duration::from_secs(3600);

/// How long the beginning of TLS may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// A connection that holds more of a frame than this needs one of a few places, so that many long frames at once take a
/// bounded memory.
const LARGE_BYTES: usize = 256 << 10;
pub(super) const LARGE_MAX: usize = 32;

/// Reads a connection to its end, or until the server closes.
pub(super) async fn run(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, listening: &Listening) {
    let from: Arc<str> = peer.ip().to_canonical().to_string().into();
    let Some(tls) = tls else { return read(stream, &from, listening).await };
    match timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => read(stream, &from, listening).await,
        Ok(Err(error)) => debug!(%error, "syslog connection ended before TLS began"),
        Err(_) => debug!("syslog connection was too slow to begin TLS"),
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, from: &Arc<str>, listening: &Listening) {
    let mut framer = SyslogFramer::new(listening.frame_bytes_max());
    let mut buffer = vec![0; READ_BYTES];
    let mut large_place = None;
    let mut last: Option<Instant> = None;
    while last.is_none_or(|end| Instant::now() < end) {
        let patience = if last.is_some() { LAST_WAIT } else { IDLE_TIME_MAX };
        let read = tokio::select! {
            () = listening.closed(), if last.is_none() => {
                last = Some(Instant::now() + LAST_TIME_MAX);
                continue;
            }
            read = timeout(patience, stream.read(&mut buffer)) => read,
        };
        let n_bytes = match read {
            Ok(Ok(0)) | Err(_) => break,
            Ok(Ok(n_bytes)) => n_bytes,
            Ok(Err(error)) => {
                debug!(%error, "syslog connection ended");
                break;
            }
        };
        let mut frames = SyslogFrames::default();
        framer.feed(&buffer[..n_bytes], &mut frames);
        if !frames.is_empty() {
            listening.queue.put(from, frames).await;
        }
        if framer.n_held_bytes() <= LARGE_BYTES {
            large_place = None;
        } else if large_place.is_none() {
            large_place = listening.large.clone().acquire_owned().await.ok();
        }
    }
    let mut frames = SyslogFrames::default();
    framer.finish(&mut frames);
    if !frames.is_empty() {
        listening.queue.put(from, frames).await;
    }
}
