//! What a connection has sent, between its bytes and the store: frames that wait for others, what is to be acknowledged.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::door::body::Share;
use ingest::Encoding;
use parse::{Framer, Frames};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::delivery::{Delivered, Storing};
use super::door::Door;
use super::sink::{Chunk, Stored};
use super::state::ListenerState;
use crate::forward;
use crate::forward::msgpack::{MsgpackError, ValueEnd};
use crate::lumberjack::{self, Frame, FrameError};

/// Bytes of a window that are stored before its end has come.
const WINDOW_BYTES: usize = 4 << 20;

/// How often a Lumberjack sender hears that its window is being stored: senders give up after 30 seconds or so.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How long a sender may take to read an acknowledgement.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Memory that is kept between frames.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// The state of a connection.
pub(super) struct Session {
    from: Arc<str>,
    connection: u64,
    splitter: Splitter,
    window: Window,
    bytes_max: usize,
    frame_bytes_max: usize,
    /// Share of the memory of all bodies.
    share: Share,
    storing: Storing,
}

/// How the bytes become frames.
enum Splitter {
    Framer(Framer),
    Forward(Vec<u8>, ValueEnd),
    Lumberjack(Vec<u8>),
}

/// A window of a Lumberjack sender.
#[derive(Default)]
struct Window {
    version: u8,
    n_events: u32,
    /// Events of it that are stored, and the sequence number of the last one.
    n_stored: u32,
    sequence: u32,
    /// Events that wait, and their frames.
    n_waiting: u32,
    waiting: Frames,
}

fn invalid(problem: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.to_string())
}

impl Session {
    pub(super) fn new(from: &Arc<str>, connection: u64, state: &ListenerState) -> Self {
        let frame_bytes_max = state.frame_bytes_max();
        let splitter = match state.door() {
            Door::Syslog => Splitter::Framer(Framer::new(frame_bytes_max)),
            Door::Lines => Splitter::Framer(Framer::of_lines(frame_bytes_max)),
            Door::Gelf => Splitter::Framer(Framer::of_objects(frame_bytes_max)),
            Door::Forward => Splitter::Forward(Vec::new(), ValueEnd::default()),
            Door::Lumberjack => Splitter::Lumberjack(Vec::new()),
        };
        let server = &state.storing.server;
        let (bytes_max, share, window) = (server.app.limits.body_bytes_max, server.bodies.share(), Window::default());
        let storing = state.storing.clone();
        Self { from: from.clone(), connection, splitter, window, bytes_max, frame_bytes_max, share, storing }
    }

    /// Returns the bytes that wait for others.
    pub(super) fn n_held_bytes(&self) -> usize {
        match &self.splitter {
            Splitter::Framer(framer) => framer.n_held_bytes(),
            Splitter::Forward(held, _) => held.len(),
            Splitter::Lumberjack(held) => held.len() + self.window.waiting.n_bytes(),
        }
    }

    /// Takes the next bytes; frames that are complete now go to `frames`.
    ///
    /// # Errors
    /// If the bytes are no frames, or all connections hold too many. Then the connection must be closed.
    pub(super) fn feed(&mut self, bytes: &[u8], frames: &mut Frames) -> io::Result<()> {
        let (bytes_max, frame_bytes_max) = (self.bytes_max, self.frame_bytes_max);
        let fed = match &mut self.splitter {
            Splitter::Framer(framer) => {
                framer.feed(bytes, frames);
                return Ok(());
            }
            Splitter::Forward(held, end) => split(held, bytes, frames, |bytes| match end.find(bytes, bytes_max) {
                Ok(n_bytes) => {
                    *end = ValueEnd::default();
                    Ok(Some(n_bytes))
                }
                Err(MsgpackError::Cut) => Ok(None),
                Err(error) => Err(invalid(error)),
            }),
            Splitter::Lumberjack(held) => split(held, bytes, frames, |bytes| {
                let mut rest = bytes;
                match Frame::take(&mut rest, bytes_max, frame_bytes_max) {
                    Ok(_) => Ok(Some(bytes.len() - rest.len())),
                    Err(FrameError::Cut) => Ok(None),
                    Err(error) => Err(invalid(error)),
                }
            }),
        };
        if let Err(error) = fed {
            self.storing.refuse(1, Some(&error.to_string()));
            return Err(error);
        }
        self.share.resize(self.n_held_bytes() + frames.n_bytes()).map_err(|problem| io::Error::other(problem.message))
    }

    /// Takes the end of the connection. What was to be acknowledged and is incomplete is sent again.
    pub(super) fn finish(&mut self, frames: &mut Frames) {
        if let Splitter::Framer(framer) = &mut self.splitter {
            framer.finish(frames);
        }
    }

    /// Passes frames on, and answers when what must be acknowledged is durable.
    ///
    /// # Errors
    /// If something that must be acknowledged is not stored, or the sender cannot be answered. Then the connection must be
    /// closed, so that the sender repeats it.
    pub(super) async fn take(
        &mut self,
        frames: Frames,
        stream: &mut (impl AsyncWrite + Unpin),
        state: &ListenerState,
    ) -> io::Result<()> {
        match self.splitter {
            Splitter::Framer(_) => self.put(frames, state).await,
            Splitter::Forward(..) => self.take_messages(&frames, stream, state).await?,
            Splitter::Lumberjack(_) => self.take_windows(&frames, stream, state).await?,
        }
        Ok(())
    }

    async fn put(&self, frames: Frames, state: &ListenerState) {
        if !frames.is_empty() {
            state.queue.put(self.chunk(frames)).await;
        }
    }

    fn chunk(&self, frames: Frames) -> Chunk {
        Chunk { connection: self.connection, ..Chunk::new(self.from.clone(), frames) }
    }

    async fn take_messages(
        &mut self,
        frames: &Frames,
        stream: &mut (impl AsyncWrite + Unpin),
        state: &ListenerState,
    ) -> io::Result<()> {
        let mut waiting = Frames::default();
        for (frame, _) in frames.iter() {
            let Some(asked) = forward::acknowledgement(frame) else {
                waiting.push_whole(frame);
                continue;
            };
            self.put(std::mem::take(&mut waiting), state).await;
            let mut message = Frames::default();
            message.push_whole(frame);
            self.store(message, asked.encoding, Some(&asked.batch_id), &mut *stream, state).await?;
            answer(stream, &asked.answer).await?;
        }
        self.put(waiting, state).await;
        Ok(())
    }

    async fn take_windows(
        &mut self,
        frames: &Frames,
        stream: &mut (impl AsyncWrite + Unpin),
        state: &ListenerState,
    ) -> io::Result<()> {
        for (frame, _) in frames.iter() {
            let window = &mut self.window;
            let mut encoding = Encoding::Identity;
            match Frame::take(&mut &*frame, usize::MAX, usize::MAX).map_err(invalid)? {
                Frame::Window(n_events) => {
                    (window.version, window.n_events) = (frame[0], n_events);
                    // Events of a window that was not ended are stored with those of this one.
                    (window.n_stored, window.n_waiting) = (0, 0);
                    continue;
                }
                Frame::Json(..) | Frame::Pairs(..) => window.n_waiting += 1,
                Frame::Compressed(_) => encoding = Encoding::Gzip,
            }
            window.waiting.push_whole(frame);
            let is_full = window.n_stored.saturating_add(window.n_waiting) >= window.n_events;
            if !is_full && encoding == Encoding::Identity && window.waiting.n_bytes() < WINDOW_BYTES {
                continue;
            }
            window.n_waiting = 0;
            let waiting = std::mem::take(&mut window.waiting);
            let stored = self.store(waiting, encoding, None, &mut *stream, state).await?;
            let window = &mut self.window;
            if let Some(n_events) = stored.window {
                (window.version, window.n_events, window.n_stored) = (frame[0], n_events, 0);
            }
            window.n_stored = window.n_stored.saturating_add(stored.n_counted);
            window.sequence = stored.sequence;
            if window.n_stored >= window.n_events {
                window.n_stored = 0;
                answer(stream, &lumberjack::acknowledgement(frame[0], stored.sequence)).await?;
            }
        }
        Ok(())
    }

    /// Stores frames as one delivery.
    async fn store(
        &self,
        frames: Frames,
        encoding: Encoding,
        batch_id: Option<&Arc<str>>,
        stream: &mut (impl AsyncWrite + Unpin),
        state: &ListenerState,
    ) -> io::Result<Stored> {
        let chunks = [self.chunk(frames)].into();
        let mut delivery = pin!(state.storing.deliver(&chunks, batch_id, Some(encoding)));
        loop {
            match timeout(KEEP_ALIVE, &mut delivery).await {
                Ok(Delivered::Stored(stored)) => return Ok(stored),
                Ok(Delivered::TooLarge | Delivered::Lost) => return Err(io::Error::other("not stored")),
                Err(_) if state.door() == Door::Lumberjack => {
                    // Nothing new is durable, which tells the sender to wait on.
                    answer(stream, &lumberjack::acknowledgement(self.window.version, 0)).await?;
                }
                Err(_) => {}
            }
        }
    }
}

/// Moves complete frames of a connection to `frames`; `end_of` finds the end of the first in some bytes.
fn split(
    held: &mut Vec<u8>,
    bytes: &[u8],
    frames: &mut Frames,
    mut end_of: impl FnMut(&[u8]) -> io::Result<Option<usize>>,
) -> io::Result<()> {
    held.extend_from_slice(bytes);
    let mut from = 0;
    while from < held.len() {
        let Some(n_bytes) = end_of(&held[from..])? else { break };
        frames.push_whole(&held[from..from + n_bytes]);
        from += n_bytes;
    }
    held.drain(..from);
    if held.is_empty() {
        held.shrink_to(KEPT_BYTES_MAX);
    }
    Ok(())
}

async fn answer(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let write = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    timeout(ANSWER_TIME_MAX, write).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}
