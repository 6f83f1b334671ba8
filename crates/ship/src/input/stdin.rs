//! Lines of standard input.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::input::{Input, InputError, Sink};

/// Longest line taken whole; a longer one continues as the next.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// How often who waits for bytes looks whether the shipper stops, and how long is waited for bytes on their way then.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_millis(50);
const LAST_TIME_MAX: Duration = Duration::from_secs(2);

/// Standard input, until it ends.
#[derive(Debug, Default)]
pub struct Stdin;

impl Input for Stdin {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        copy_until_stopped(io::stdin(), "standard input", sink)
    }
}

/// Hands every line of `reader` to `sink` until it ends or the shipper stops, also where nothing comes for long.
pub(super) fn copy_until_stopped(
    reader: impl Read + Send + 'static,
    what: &str,
    sink: &Sink,
) -> Result<(), InputError> {
    // Without a place in the channel: what was read is taken, or is one piece that is waited for at the end.
    let (pieces, incoming) = sync_channel(0);
    let read = move || read_pieces(reader, &pieces);
    // No one waits for this thread: it may stand in a call that does not return.
    let thread = std::thread::Builder::new().name("ship-read".into()).spawn(read);
    thread.map_err(|error| InputError::Read { what: what.to_owned(), error })?;
    let pieces = Pieces { incoming, sink, rest: Vec::new(), began: None };
    copy_lines(&mut BufReader::new(pieces), what, sink)
}

fn read_pieces(mut reader: impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; READ_BYTES];
        let read = reader.read(&mut piece).map(|n_bytes| {
            piece.truncate(n_bytes);
            piece
        });
        let is_last = !matches!(&read, Ok(piece) if !piece.is_empty());
        if pieces.send(read).is_err() || is_last {
            return;
        }
    }
}

/// What another thread reads; it ends when that does, or soon after the shipper stops.
struct Pieces<'s> {
    incoming: Receiver<io::Result<Vec<u8>>>,
    sink: &'s Sink,
    rest: Vec<u8>,
    /// When the stop was seen.
    began: Option<Instant>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            if self.sink.is_stopping() && self.began.get_or_insert_with(Instant::now).elapsed() > LAST_TIME_MAX {
                return Ok(0);
            }
            let is_ending = self.began.is_some();
            match self.incoming.recv_timeout(if is_ending { LAST_WAIT } else { LOOK_PAUSE }) {
                Ok(piece) => self.rest = piece?,
                Err(RecvTimeoutError::Timeout) if !is_ending => continue,
                Err(_) => return Ok(0),
            }
            if self.rest.is_empty() {
                return Ok(0);
            }
        }
        let n_bytes = self.rest.len().min(buffer.len());
        let rest = self.rest.split_off(n_bytes);
        for (to, from) in buffer.iter_mut().zip(std::mem::replace(&mut self.rest, rest)) {
            *to = from;
        }
        Ok(n_bytes)
    }
}

/// Hands every line of `reader` to `sink` until it ends.
pub(super) fn copy_lines(reader: &mut dyn BufRead, what: &str, sink: &Sink) -> Result<(), InputError> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let n = read.map_err(|error| InputError::Read { what: what.to_owned(), error })?;
        if n == 0 {
            return sink.flush();
        }
        sink.line(line.strip_suffix(b"\n").unwrap_or(&line))?;
    }
}
