//! Syslog of devices and programs that know nothing else: datagrams, or connections (RFC 6587).
//!
//! A message is kept as it came; one without a priority gets `<13>` (user, notice), as RFC 3164 has a relay do it, so that each
//! message begins with a priority and one of several lines stays one event. What the header says becomes fields at the server.
//! The address of a sender is not kept: messages name their hosts.
//!
//! Connections wait where the disk buffer is full, and so do their senders; of datagrams the oldest are given up, and those that
//! come quicker than they can be written; both are counted. A connection
//! that is too slow with a message is closed, and there is a bounded number of them. The protocol knows no keys: loopback and
//! the networks that are listed may send.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use parse::{Framer, Frames};
use types::Hold;

use crate::LossCount;
use crate::input::{Input, InputError, Sink, WhenFull};

/// Largest datagram.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;

/// Bytes of datagrams that wait to be written, and what each takes besides its own.
const QUEUE_BYTES_MAX: usize = 16 << 20;
const DATAGRAM_COST: usize = 64;

/// Longest message of a connection; the rest of a longer one is left out. With as many connections as there may be, messages
/// under way take 64 MiB.
const FRAME_BYTES_MAX: usize = 256 << 10;
const CONNECTIONS_MAX: usize = 256;

/// How long a message may take that has begun.
const FRAME_TIME_MAX: Duration = Duration::from_secs(60);

/// Bytes that are read at once.
const READ_BYTES: usize = 32 << 10;

/// How often who waits for bytes looks whether the shipper stops, and how long is waited for bytes on their way then.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_millis(50);
const LAST_TIME_MAX: Duration = Duration::from_secs(2);

/// A pause after an error of accept, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The priority of a message that names none.
const USUAL_PRIORITY: &[u8] = b"<13>";

/// Where messages come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// Datagrams.
    Udp(SocketAddr),
    /// Connections.
    Tcp(SocketAddr),
}

/// A listener and the networks that may send.
#[derive(Clone, Debug)]
pub(super) struct Syslog {
    pub(super) door: Listener,
    /// Beside loopback.
    pub(super) allow: Vec<IpNet>,
}

impl Input for Syslog {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        let (Listener::Udp(address) | Listener::Tcp(address)) = self.door;
        let failed = |error| InputError::Read { what: format!("syslog at {address}"), error };
        match self.door {
            Listener::Udp(address) => self.receive(&UdpSocket::bind(address).map_err(failed)?, sink),
            Listener::Tcp(address) => self.accept(TcpListener::bind(address).map_err(failed)?, sink),
        }
    }

    fn when_full(&self) -> WhenFull {
        match self.door {
            Listener::Udp(_) => WhenFull::GiveUpOldest,
            Listener::Tcp(_) => WhenFull::Wait,
        }
    }
}

impl Syslog {
    /// Takes datagrams until the shipper stops, and those that have arrived by then. They are written by another thread, since
    /// the system keeps few of them while a disk syncs.
    fn receive(&self, socket: &UdpSocket, sink: &Sink) -> Result<(), InputError> {
        sink.works();
        let (queue, waiting) = Queue::new();
        std::thread::scope(|scope| {
            let queue = &queue;
            let writer = scope.spawn(move || waiting.iter().try_for_each(|frame| queue.write(&frame, sink)));
            let received = self.receive_into(queue, socket, sink);
            queue.close();
            let written =
                writer.join().map_err(|_| InputError::Failed("syslog: the writing thread panicked".into()))?;
            received.and(written)
        })
    }

    fn receive_into(&self, queue: &Queue, socket: &UdpSocket, sink: &Sink) -> Result<(), InputError> {
        let failed = |error| InputError::Read { what: "syslog by datagram".into(), error };
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        let mut ending = DrainTimer::default();
        while let Some(wait) = ending.wait(sink) {
            socket.set_read_timeout(Some(wait)).map_err(failed)?;
            match socket.recv_from(&mut buffer) {
                // Where nothing is written any more there is an error to tell.
                Ok((n_bytes, peer)) if self.admits(peer.ip()) => {
                    if !queue.put(buffer.get(..n_bytes).unwrap_or_default()) {
                        return Ok(());
                    }
                }
                Ok(_) => {}
                Err(error) if is_timeout(&error) => ending.is_quiet(),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Takes connections until the shipper stops, and waits for them.
    fn accept(&self, listener: TcpListener, sink: &Sink) -> Result<(), InputError> {
        let failed = |error| InputError::Read { what: "syslog by connection".into(), error };
        // A time limit of the socket holds for accepting too; only a stream has the method.
        let listener = TcpStream::from(OwnedFd::from(listener));
        listener.set_read_timeout(Some(LOOK_PAUSE)).map_err(failed)?;
        let listener = TcpListener::from(OwnedFd::from(listener));
        sink.works();
        let n_connections = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            while !sink.is_stopping() {
                match listener.accept() {
                    Ok((stream, peer)) if self.admits(peer.ip()) => {
                        // A sender without a place notices the closed connection, and keeps its messages.
                        if n_connections.load(Ordering::Relaxed) < CONNECTIONS_MAX {
                            n_connections.fetch_add(1, Ordering::Relaxed);
                            let n_connections = &n_connections;
                            scope.spawn(move || {
                                if let Err(error) = read(stream, sink) {
                                    tracing::debug!(%error, "syslog connection ended");
                                }
                                n_connections.fetch_sub(1, Ordering::Relaxed);
                            });
                        }
                    }
                    Ok(_) => {}
                    Err(error) if is_timeout(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "syslog connection not accepted");
                        sink.wait(ACCEPT_PAUSE);
                    }
                }
            }
        });
        Ok(())
    }

    fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.allow.iter().any(|network| network.contains(&address))
    }
}

/// Datagrams that wait to be written, bounded in bytes.
struct Queue {
    datagrams: Mutex<Option<Sender<Vec<u8>>>>,
    n_bytes: AtomicUsize,
    /// Datagrams for which there was no room, and their bytes.
    dropped: Mutex<LossCount>,
}

impl Queue {
    fn new() -> (Self, Receiver<Vec<u8>>) {
        let (sender, receiver) = channel();
        let queue =
            Self { datagrams: Mutex::new(Some(sender)), n_bytes: AtomicUsize::new(0), dropped: Mutex::default() };
        (queue, receiver)
    }

    /// Adds a datagram if there is room; says whether someone writes.
    fn put(&self, datagram: &[u8]) -> bool {
        if self.n_bytes.load(Ordering::Relaxed) + cost(datagram) > QUEUE_BYTES_MAX {
            *self.dropped.hold() += LossCount { lines: 1, bytes: datagram.len() as u64 };
            return true;
        }
        self.n_bytes.fetch_add(cost(datagram), Ordering::Relaxed);
        self.datagrams.hold().as_ref().is_some_and(|datagrams| datagrams.send(datagram.to_vec()).is_ok())
    }

    fn write(&self, datagram: &[u8], sink: &Sink) -> Result<(), InputError> {
        self.n_bytes.fetch_sub(cost(datagram), Ordering::Relaxed);
        let dropped = std::mem::take(&mut *self.dropped.hold());
        if dropped != LossCount::default() {
            sink.give_up(dropped);
        }
        let mut frames = Frames::default();
        frames.push(datagram, 0);
        keep(&frames, sink)
    }

    /// Closes the queue.
    fn close(&self) {
        self.datagrams.hold().take();
    }
}

/// Returns what a datagram takes of the queue.
fn cost(datagram: &[u8]) -> usize {
    datagram.len() + DATAGRAM_COST
}

/// The end of reading: what is on its way when the shipper stops is waited for a moment.
#[derive(Default)]
struct DrainTimer {
    began: Option<Instant>,
    is_over: bool,
}

impl DrainTimer {
    /// Returns how long to wait for bytes; nothing if no more are read.
    fn wait(&mut self, sink: &Sink) -> Option<Duration> {
        if !sink.is_stopping() {
            return Some(LOOK_PAUSE);
        }
        let began = *self.began.get_or_insert_with(Instant::now);
        (!self.is_over && began.elapsed() < LAST_TIME_MAX).then_some(LAST_WAIT)
    }

    /// Notes that nothing came.
    fn is_quiet(&mut self) {
        self.is_over = self.began.is_some();
    }
}

/// Reads a connection to its end, or until the shipper stops.
fn read(mut stream: TcpStream, sink: &Sink) -> Result<(), InputError> {
    let failed = |error| InputError::Read { what: "syslog".into(), error };
    let mut framer = Framer::new(FRAME_BYTES_MAX);
    let mut buffer = vec![0; READ_BYTES];
    let mut ending = DrainTimer::default();
    // Since when a message is under way.
    let mut begun: Option<Instant> = None;
    while let Some(wait) = ending.wait(sink) {
        stream.set_read_timeout(Some(wait)).map_err(failed)?;
        let mut frames = Frames::default();
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n_bytes) => framer.feed(buffer.get(..n_bytes).unwrap_or_default(), &mut frames),
            Err(error) if is_timeout(&error) => ending.is_quiet(),
            Err(error) => {
                finish(framer, sink)?;
                return Err(failed(error));
            }
        }
        keep(&frames, sink)?;
        begun = match begun {
            _ if framer.n_held_bytes() == 0 => None,
            Some(begun) if frames.is_empty() => Some(begun),
            _ => Some(Instant::now()),
        };
        if begun.is_some_and(|begun| begun.elapsed() > FRAME_TIME_MAX) {
            break;
        }
    }
    finish(framer, sink)
}

/// Keeps what is there of a last message.
fn finish(mut framer: Framer, sink: &Sink) -> Result<(), InputError> {
    let mut frames = Frames::default();
    framer.finish(&mut frames);
    keep(&frames, sink)
}

fn keep(frames: &Frames, sink: &Sink) -> Result<(), InputError> {
    for (frame, _) in frames.iter() {
        if has_priority(frame) {
            sink.line(frame)?;
        } else {
            sink.line(&[USUAL_PRIORITY, frame].concat())?;
        }
    }
    Ok(())
}

/// Reports whether a message begins with `<`, one to three digits, and `>`.
fn has_priority(frame: &[u8]) -> bool {
    let digits = frame.strip_prefix(b"<").map(|rest| rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    digits.is_some_and(|n_digits| (1..=3).contains(&n_digits) && frame.get(n_digits + 1) == Some(&b'>'))
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests;
