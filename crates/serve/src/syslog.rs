//! Syslog over UDP, TCP and TLS: from sockets to deliveries.
//!
//! Each connection cuts its bytes into frames; what all of them have waiting becomes one delivery, after a moment at most.
//! A connection waits while the queue is full, and so does its sender; datagrams that find it full are dropped and counted.
//! What was read is delivered again until the store takes it. On shutdown what has arrived is read and stored.
//!
//! The protocol knows no keys. Who may send is loopback and the networks that the operator has listed.

mod connection;
mod delivery;
mod seats;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ingest::{SyslogChunk, SyslogFrames};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::warn;

pub(crate) use self::seats::Seats;
use door::places::Places;
use door::server::Server;
use door::tls::{self, Tls};

/// Bytes of frames that wait to be stored, and what each frame counts beside its bytes.
const QUEUE_BYTES_MAX: usize = 32 << 20;
const FRAME_COST: usize = 32;

/// Chunks that wait to be stored.
const QUEUE_CHUNKS_MAX: usize = 4096;

/// Largest datagram.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;

/// Datagrams that are read before the queue hears of them.
const DATAGRAMS_AT_ONCE: usize = 256;

/// A frame may make so many events; what is longer is cut off.
const FRAME_EVENTS_MAX: usize = 4;

/// A pause after an error of accept, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long is waited for a connection to be closed that gives its place up.
const PLACE_TIME_MAX: Duration = Duration::from_millis(200);

/// After the word that the server closes: how long is waited for bytes on their way, and how long they are read.
const LAST_WAIT: Duration = Duration::from_millis(50);
const LAST_TIME_MAX: Duration = Duration::from_secs(2);

/// The sockets on which syslog is listened for. None are open by default.
#[derive(Default)]
pub struct SyslogListeners {
    /// Datagrams.
    pub udp: Option<std::net::UdpSocket>,
    /// Plain connections.
    pub tcp: Option<std::net::TcpListener>,
    /// Connections by TLS, and the certificate, which is read again when its files change.
    pub tls: Option<(std::net::TcpListener, Arc<Tls>)>,
    /// Who may send beside loopback.
    pub allow: Vec<IpNet>,
}

/// What the listeners have counted since the start.
#[derive(Debug, Default)]
pub(crate) struct SyslogCounts {
    pub(crate) n_stored: AtomicU64,
    pub(crate) n_dropped: AtomicU64,
    pub(crate) n_lost: AtomicU64,
    pub(crate) n_refused: AtomicU64,
    pub(crate) n_connections: AtomicU64,
    pub(crate) n_closed: AtomicU64,
}

/// One number of the listeners: its name, whether it only grows, what it means, its value.
type SyslogNumber = (&'static str, bool, &'static str, u64);

impl SyslogCounts {
    /// All numbers.
    pub(crate) fn numbers(&self) -> [SyslogNumber; 6] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("messages_stored", true, "Messages stored.", of(&self.n_stored)),
            ("datagrams_dropped", true, "Datagrams dropped because the store was busy.", of(&self.n_dropped)),
            ("messages_lost", true, "Messages read that the store would not take.", of(&self.n_lost)),
            ("senders_refused", true, "Connections and datagrams of senders not allowed.", of(&self.n_refused)),
            ("connections_closed", true, "Silent connections closed for others to have a place.", of(&self.n_closed)),
            ("connections", false, "Connections that are open.", of(&self.n_connections)),
        ]
    }
}

/// Frames on their way to the store, and the room that they take.
struct Waiting {
    chunk: SyslogChunk,
    _room: OwnedSemaphorePermit,
}

/// Where connections put what they have read.
#[derive(Clone)]
struct Queue {
    chunks: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

impl Queue {
    fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (chunks, receiver) = mpsc::channel(QUEUE_CHUNKS_MAX);
        (Self { chunks, room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)) }, receiver)
    }

    fn cost(frames: &SyslogFrames) -> u32 {
        // One that is larger than the whole queue goes through alone; below 4 GiB by the constant.
        (frames.n_bytes() + frames.len() * FRAME_COST).min(QUEUE_BYTES_MAX) as u32
    }

    /// Puts frames into the queue as soon as there is room.
    async fn put(&self, from: &Arc<str>, frames: SyslogFrames) {
        let Ok(room) = self.room.clone().acquire_many_owned(Self::cost(&frames)).await else { return };
        // An error means that the storing end has gone, which it does after all connections.
        let _ = self.chunks.send(Waiting { chunk: SyslogChunk { from: from.clone(), frames }, _room: room }).await;
    }

    /// Puts frames into the queue if there is room now.
    fn try_put(&self, from: &Arc<str>, frames: SyslogFrames) -> bool {
        let Ok(room) = self.room.clone().try_acquire_many_owned(Self::cost(&frames)) else { return false };
        let chunk = SyslogChunk { from: from.clone(), frames };
        self.chunks.try_send(Waiting { chunk, _room: room }).is_ok()
    }
}

/// What every listener needs.
#[derive(Clone)]
struct Listening {
    server: Arc<Server>,
    counts: Arc<SyslogCounts>,
    queue: Queue,
    allow: Arc<[IpNet]>,
    closing: watch::Receiver<bool>,
    /// Who has a place.
    seats: Arc<Seats>,
    /// Places for connections that hold a large part of a frame.
    large: Arc<Semaphore>,
}

impl Listening {
    fn counts(&self) -> &SyslogCounts {
        &self.counts
    }

    /// Whether an address may send; counts it where not.
    fn admits(&self, address: IpAddr) -> bool {
        let admitted = is_allowed(address, &self.allow);
        if !admitted {
            self.counts().n_refused.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    fn frame_bytes_max(&self) -> usize {
        self.server.app.limits.event_bytes_max.saturating_mul(FRAME_EVENTS_MAX)
    }

    /// Waits for the word that the server closes.
    async fn closed(&self) {
        // An error means that the sender has gone, which it does only at the end.
        let _ = self.closing.clone().wait_for(|closing| *closing).await;
    }
}

fn is_allowed(address: IpAddr, allow: &[IpNet]) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || allow.iter().any(|network| network.contains(&address))
}

/// Listens until the server closes, to as many connections as there are places; the task ends when everything that was read is stored.
pub(crate) fn start(
    server: Arc<Server>,
    counts: Arc<SyslogCounts>,
    listeners: SyslogListeners,
    places: Places,
    seats: Seats,
) -> std::io::Result<JoinHandle<()>> {
    let SyslogListeners { udp, tcp, tls, allow } = listeners;
    let (queue, waiting) = Queue::new();
    let listening = Listening {
        closing: server.closing.clone(),
        server: server.clone(),
        counts: counts.clone(),
        queue,
        allow: allow.into(),
        seats: Arc::new(seats),
        large: Arc::new(Semaphore::new(connection::LARGE_MAX)),
    };
    let mut tasks = JoinSet::new();
    if let Some(socket) = udp {
        socket.set_nonblocking(true)?;
        tasks.spawn(receive(UdpSocket::from_std(socket)?, listening.clone()));
    }
    if let Some(listener) = tcp {
        listener.set_nonblocking(true)?;
        tasks.spawn(accept(TcpListener::from_std(listener)?, None, places.shared(), listening.clone()));
    }
    if let Some((listener, tls)) = tls {
        listener.set_nonblocking(true)?;
        let acceptor = TlsAcceptor::from(tls.config_for_bytes());
        tasks.spawn(accept(TcpListener::from_std(listener)?, Some(acceptor), places, listening.clone()));
        let of_watch = listening.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = tls::watch(tls) => {}
                () = of_watch.closed() => {}
            }
        });
    }
    drop(listening);
    Ok(tokio::spawn(async move {
        let stored = tokio::spawn(delivery::run(server, counts, waiting));
        while tasks.join_next().await.is_some() {}
        let _ = stored.await;
    }))
}

/// Accepts connections until the server closes, then waits for them. Those for which there is no place, and nobody who
/// gives one up, are closed, so that their senders keep what they have.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, mut places: Places, listening: Listening) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = listening.closed() => break,
            accepted = accept_one(&listener) => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, peer)) = accepted else { continue };
        if !listening.admits(peer.ip()) {
            continue;
        }
        let Some(place) = place_for_one(&places, &listening).await else {
            places.tell_refused();
            continue;
        };
        let (listening, tls) = (listening.clone(), tls.clone());
        connections.spawn(async move {
            listening.counts().n_connections.fetch_add(1, Ordering::Relaxed);
            connection::run(stream, peer, tls, &listening).await;
            listening.counts().n_connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A place for a new connection, if need be that of one that is silent.
async fn place_for_one(places: &Places, listening: &Listening) -> Option<OwnedSemaphorePermit> {
    if let Some(place) = places.take() {
        return Some(place);
    }
    if !listening.seats.ask_one_to_leave() {
        return None;
    }
    timeout(PLACE_TIME_MAX, places.next()).await.ok().flatten()
}

async fn accept_one(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            warn!(%error, "syslog connection not accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Receives datagrams until the server closes, and then those that have arrived.
async fn receive(socket: UdpSocket, listening: Listening) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut last: Option<Instant> = None;
    while last.is_none_or(|end| Instant::now() < end) {
        let patience = if last.is_some() { LAST_WAIT } else { Duration::MAX };
        tokio::select! {
            () = listening.closed(), if last.is_none() => last = Some(Instant::now() + LAST_TIME_MAX),
            ready = timeout(patience, socket.readable()) => match ready {
                Ok(Ok(())) => {}
                Ok(Err(_)) => sleep(ACCEPT_PAUSE).await,
                Err(_) => break,
            },
        }
        while receive_some(&socket, &mut buffer, &listening) {}
    }
}

/// Takes datagrams that have arrived; says whether there may be more.
fn receive_some(socket: &UdpSocket, buffer: &mut [u8], listening: &Listening) -> bool {
    let mut from: Option<(IpAddr, Arc<str>)> = None;
    let mut frames = SyslogFrames::default();
    let mut may_be_more = true;
    for _ in 0..DATAGRAMS_AT_ONCE {
        let Ok((n_bytes, peer)) = socket.try_recv_from(buffer) else {
            may_be_more = false;
            break;
        };
        let address = peer.ip().to_canonical();
        if !listening.admits(address) {
            continue;
        }
        if let Some((last, name)) = &from
            && *last != address
        {
            hand_over(name, std::mem::take(&mut frames), listening);
            from = None;
        }
        from.get_or_insert_with(|| (address, address.to_string().into()));
        frames.push(&buffer[..n_bytes], 0);
    }
    if let Some((_, name)) = &from {
        hand_over(name, frames, listening);
    }
    may_be_more
}

fn hand_over(from: &Arc<str>, frames: SyslogFrames, listening: &Listening) {
    let n_frames = frames.len() as u64;
    if n_frames > 0 && !listening.queue.try_put(from, frames) {
        listening.counts().n_dropped.fetch_add(n_frames, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_listed_networks_may_send_and_nobody_else() {
        let allow: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a network"), "fd00::/8".parse().expect("a network")];
        let check = |address: &str, expected| {
            assert_eq!(is_allowed(address.parse().expect("an address"), &allow), expected, "{address}");
        };
        check("127.0.0.1", true);
        check("::1", true);
        check("10.1.2.3", true);
        check("::ffff:10.1.2.3", true);
        check("fd00::7", true);
        check("11.1.2.3", false);
        check("2001:db8::1", false);
    }

    #[tokio::test]
    async fn a_full_queue_makes_connections_wait_and_takes_no_datagram() {
        let (queue, mut waiting) = Queue::new();
        let from: Arc<str> = "here".into();
        let frames = |n_bytes: usize| {
            let mut frames = SyslogFrames::default();
            frames.push(&vec![b'x'; n_bytes], 0);
            frames
        };
        queue.put(&from, frames(QUEUE_BYTES_MAX * 2)).await;
        assert!(!queue.try_put(&from, frames(1)));
        let again = queue.clone();
        let waits = tokio::spawn(async move { again.put(&"there".into(), frames(1)).await });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        drop(waiting.recv().await);
        waits.await.expect("no panic");
        assert_eq!(&*waiting.recv().await.expect("it was put").chunk.from, "there");
    }
}
