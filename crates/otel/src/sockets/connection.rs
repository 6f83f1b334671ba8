//! Reads one connection: splits its bytes into frames and puts them into the queue.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, ready};
use std::time::Duration;

use parse::Frames;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::connection_limiter::ConnectionSlot;
use super::session::Session;
use super::state::{LAST_TIME_MAX, LAST_WAIT, ListenerState};

/// Bytes read at once.
const READ_BYTES: usize = 32 << 10;

thread_local! {
    /// The buffer of whichever connection has bytes, so that thousands of waiting ones need no memory for it.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// How long a connection may be silent. It is long, since senders keep connections open for the next message.
const IDLE_TIME_MAX: Duration = Duration::from_secs(3600);

/// Limit on the time of an incomplete frame: a fixed time, and a second for each `BYTES_PER_SECOND_MIN` bytes. After it the
/// bytes become a frame, and the connection is closed.
const FRAME_TIME_MAX: Duration = Duration::from_secs(60);
const BYTES_PER_SECOND_MIN: usize = 1 << 10;

/// Limit on the time of a TLS handshake.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// A connection with more bytes of a frame than this needs one of a few places, which bounds the memory of long frames.
const LARGE_BYTES: usize = 256 << 10;
pub(super) const LARGE_MAX: usize = 32;

/// Reads a connection to its end, or until the server closes.
pub(super) async fn run(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, state: &ListenerState) {
    let from: Arc<str> = peer.ip().to_canonical().to_string().into();
    let slot = state.limiter.register(peer.ip());
    let Some(tls) = tls else { return read(stream, &from, &slot, state).await };
    // Boxed, so that connections without TLS do not need its memory.
    match timeout(HANDSHAKE_TIME_MAX, Box::pin(tls.accept(stream))).await {
        Ok(Ok(stream)) => Box::pin(read(stream, &from, &slot, state)).await,
        Ok(Err(error)) => debug!(%error, "connection ended before TLS began"),
        Err(_) => debug!("connection was too slow to begin TLS"),
    }
}

async fn read(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    from: &Arc<str>,
    slot: &ConnectionSlot,
    state: &ListenerState,
) {
    let mut session = Session::new(from, slot.number, state);
    let mut large_place = None;
    // The start of an incomplete frame.
    let mut begun: Option<Instant> = None;
    let mut last: Option<Instant> = None;
    while last.is_none_or(|end| Instant::now() < end) {
        let patience = match (last, begun) {
            (Some(_), _) => LAST_WAIT,
            (None, Some(begun)) => patience(session.n_held_bytes(), begun.elapsed()),
            (None, None) => IDLE_TIME_MAX,
        };
        let is_between_frames = session.n_held_bytes() == 0;
        let mut frames = Frames::default();
        let read = tokio::select! {
            biased;
            () = state.closed(), if last.is_none() => {
                last = Some(Instant::now() + LAST_TIME_MAX);
                continue;
            }
            read = timeout(patience, read_some(&mut stream, &mut session, &mut frames)) => read,
            // After reading, so that bytes that have arrived are kept.
            () = slot.asked_to_close(), if last.is_none() && is_between_frames => {
                state.counts().n_closed.fetch_add(1, Ordering::Relaxed);
                // Bytes on their way until the sender sees the end are read.
                let _ = stream.shutdown().await;
                last = Some(Instant::now() + LAST_TIME_MAX);
                continue;
            }
        };
        match read {
            Ok(Ok(0)) | Err(_) => break,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                debug!(%error, "connection ended");
                break;
            }
        }
        slot.spoke(session.n_held_bytes() > 0);
        if session.n_held_bytes() == 0 {
            begun = None;
        } else if begun.is_none() || !frames.is_empty() {
            begun = Some(Instant::now());
        }
        if session.take(frames, &mut stream, state).await.is_err() {
            return;
        }
        if session.n_held_bytes() <= LARGE_BYTES {
            large_place = None;
        } else if large_place.is_none() {
            large_place = state.large.clone().acquire_owned().await.ok();
        }
    }
    let mut frames = Frames::default();
    session.finish(&mut frames);
    // Whether the sender still reads its acknowledgements does not matter any more.
    let _ = session.take(frames, &mut stream, state).await;
}

/// Returns how long to wait for more of a frame, given its bytes and its age.
fn patience(n_held: usize, elapsed: Duration) -> Duration {
    (FRAME_TIME_MAX + Duration::from_secs((n_held / BYTES_PER_SECOND_MIN) as u64)).saturating_sub(elapsed)
}

/// Reads available bytes into the session. Returns their number, 0 at the end.
async fn read_some(
    stream: &mut (impl AsyncRead + Unpin),
    session: &mut Session,
    frames: &mut Frames,
) -> std::io::Result<usize> {
    poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut room = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut room))?;
            session.feed(room.filled(), frames)?;
            Poll::Ready(Ok(room.filled().len()))
        })
    })
    .await
}

#[cfg(test)]
mod tests;
