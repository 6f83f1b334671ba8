//! Receives datagrams. They are dropped and counted while the queue is full.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parse::Frames;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, timeout};

use super::door::Door;
use super::sink::Chunk;
use super::state::{ACCEPT_PAUSE, LAST_TIME_MAX, LAST_WAIT, ListenerState};
use crate::gelf::GelfChunks;

/// Largest datagram.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;

/// Limit on the datagrams that are read before they are queued.
const DATAGRAMS_AT_ONCE: usize = 256;

/// Receives datagrams until the server closes, and then those that have arrived.
pub(super) async fn receive(socket: UdpSocket, state: ListenerState) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut parts = GelfChunks::default();
    let mut last: Option<Instant> = None;
    while last.is_none_or(|end| Instant::now() < end) {
        let patience = if last.is_some() { LAST_WAIT } else { Duration::MAX };
        tokio::select! {
            () = state.closed(), if last.is_none() => last = Some(Instant::now() + LAST_TIME_MAX),
            ready = timeout(patience, socket.readable()) => match ready {
                Ok(Ok(())) => {}
                Ok(Err(_)) => sleep(ACCEPT_PAUSE).await,
                Err(_) => break,
            },
        }
        while receive_some(&socket, &mut buffer, &mut parts, &state) {}
    }
}

/// Reads datagrams that have arrived. Returns `true` if there may be more.
fn receive_some(socket: &UdpSocket, buffer: &mut [u8], parts: &mut GelfChunks, state: &ListenerState) -> bool {
    let mut from: Option<(IpAddr, Arc<str>)> = None;
    let mut frames = Frames::default();
    let mut may_be_more = true;
    for _ in 0..DATAGRAMS_AT_ONCE {
        let Ok((n_bytes, peer)) = socket.try_recv_from(buffer) else {
            may_be_more = false;
            break;
        };
        let address = peer.ip().to_canonical();
        if !state.admits(address) {
            continue;
        }
        if let Some((last, name)) = &from
            && *last != address
        {
            hand_over(name, std::mem::take(&mut frames), state);
            from = None;
        }
        from.get_or_insert_with(|| (address, address.to_string().into()));
        match state.door() {
            Door::Gelf => {
                let whole = parts.add(address, &buffer[..n_bytes], Instant::now());
                whole.into_iter().for_each(|message| frames.push_whole(&message));
                let n_incomplete = parts.take_incomplete();
                state.counts().n_malformed.fetch_add(n_incomplete, Ordering::Relaxed);
            }
            _ => frames.push(&buffer[..n_bytes], 0),
        }
    }
    if let Some((_, name)) = &from {
        hand_over(name, frames, state);
    }
    may_be_more
}

fn hand_over(from: &Arc<str>, frames: Frames, state: &ListenerState) {
    let n_frames = frames.len() as u64;
    if n_frames > 0 && !state.queue.try_put(Chunk::new(from.clone(), frames)) {
        state.counts().n_dropped.fetch_add(n_frames, Ordering::Relaxed);
    }
}
