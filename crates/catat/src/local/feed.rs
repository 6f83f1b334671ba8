//! The events of files, on their way through a query: read and unpacked by whoever has nothing else to do, parsed by
//! several threads at once, never held longer than they are looked at.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use execute::{Feed, FeedRequest};
use parse::{ArrivalContext, batches_of_piece};
use types::{Batch, BatchRun, Hold, Numbers, Run, ScanError};

use super::inputs::Input;
use super::reader::{Piece, Reader};

/// Bytes of a piece all of whose events are parsed: some blocks of a run.
const PIECE_BYTES: usize = 4 << 20;

/// Bytes of a piece of which few events are wanted: they are looked through while they are in the processor's cache.
const SCREENED_PIECE_BYTES: usize = 1 << 20;

/// Buffers of pieces that are kept for the next ones.
const BUFFERS_MAX: usize = 8;

/// Bytes of a buffer that is kept.
const BUFFER_BYTES_KEPT: usize = 8 << 20;

/// Files and standard input, passing by.
pub(super) struct FileFeed<'a> {
    received: ArrivalContext<'a>,
    asked: FeedRequest,
    /// How many bytes were read of all inputs, as they lie there.
    n_read: Arc<AtomicU64>,
    readers: Mutex<Readers>,
    /// A reader came back, or there will be none.
    has_changed: Condvar,
    /// Runs of pieces that gave more than one.
    ready: Mutex<Vec<Arc<dyn Run>>>,
    buffers: Mutex<Vec<Vec<u8>>>,
}

struct Readers {
    /// Inputs that nobody has opened, the next one last, with their numbers.
    waiting: Vec<(u32, Arc<Input>)>,
    /// Opened, and not being read at the moment.
    idle: Vec<Reader>,
    n_busy: usize,
}

impl<'a> FileFeed<'a> {
    /// Lets `inputs` pass by, of their events only what is asked for.
    pub(super) fn new(
        inputs: Vec<(u32, Arc<Input>)>,
        received: ArrivalContext<'a>,
        asked: FeedRequest,
        n_read: Arc<AtomicU64>,
    ) -> Self {
        let waiting = inputs.into_iter().rev().collect();
        Self {
            received,
            asked,
            n_read,
            readers: Mutex::new(Readers { waiting, idle: Vec::new(), n_busy: 0 }),
            has_changed: Condvar::new(),
            ready: Mutex::new(Vec::new()),
            buffers: Mutex::new(Vec::new()),
        }
    }

    /// Takes a reader that nobody is reading from, opening the next input where there is none; `None` at the end of all.
    fn take_reader(&self) -> Result<Option<Reader>, ScanError> {
        let mut readers = self.readers.hold();
        loop {
            if let Some(reader) = readers.idle.pop() {
                readers.n_busy += 1;
                return Ok(Some(reader));
            }
            if let Some((number, input)) = readers.waiting.pop() {
                readers.n_busy += 1;
                drop(readers);
                match Reader::open(input.clone(), number, self.n_read.clone()) {
                    Ok(Some(reader)) => return Ok(Some(reader)),
                    Ok(None) => {}
                    Err(error) => {
                        self.give_back(None);
                        return Err(scan_error(&input, 0, &error));
                    }
                }
                readers = self.readers.hold();
                readers.n_busy -= 1;
                self.has_changed.notify_all();
                continue;
            }
            if readers.n_busy == 0 {
                return Ok(None);
            }
            readers = self.has_changed.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, reader: Option<Reader>) {
        let mut readers = self.readers.hold();
        readers.n_busy -= 1;
        readers.idle.extend(reader.filter(|reader| !reader.is_done()));
        drop(readers);
        self.has_changed.notify_all();
    }

    /// Returns the next piece of any input; `None` at the end of all.
    fn piece(&self) -> Result<Option<Piece>, ScanError> {
        let n_wanted = if self.asked.screen.is_some() { SCREENED_PIECE_BYTES } else { PIECE_BYTES };
        while let Some(mut reader) = self.take_reader()? {
            let buffer = self.buffers.hold().pop().unwrap_or_default();
            let piece = reader.piece(buffer, n_wanted, &self.received);
            let result = piece.map_err(|error| scan_error(reader.input(), reader.offset(), &error));
            self.give_back(Some(reader));
            if let Some(piece) = result? {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// Returns the runs of a piece.
    fn runs(&self, piece: Piece) -> Vec<Arc<dyn Run>> {
        let Piece { input, number, buffer, n_bytes, offset, previous, columns, profile } = piece;
        let received = ArrivalContext { modified: input.modified, ..self.received };
        let text = &buffer[..n_bytes];
        let mut runs: Vec<Arc<dyn Run>> = Vec::new();
        let mut take = |mut batch: Batch| {
            batch.ingestion_times = Numbers::same(received.at.0, batch.len());
            runs.push(Arc::new(BatchRun::new(input.group.clone(), number, Arc::new(batch))));
        };
        let piece = parse::Piece { text, offset, previous, columns: columns.as_deref(), profile };
        let FeedRequest { screen, wanted } = &self.asked;
        match screen {
            Some(screen) => {
                let find = |text: &[u8], from: usize| screen.find(text, from);
                batches_of_piece(&piece, &received, Some(&find), wanted, &mut take);
            }
            None => batches_of_piece(&piece, &received, None, wanted, &mut take),
        }
        let mut buffers = self.buffers.hold();
        if buffers.len() < BUFFERS_MAX && buffer.len() <= BUFFER_BYTES_KEPT {
            buffers.push(buffer);
        }
        runs
    }
}

fn scan_error(input: &Input, offset: u64, error: &io::Error) -> ScanError {
    ScanError { file: input.name(), offset, problem: error.to_string() }
}

impl Feed for FileFeed<'_> {
    fn next(&self) -> Result<Option<Arc<dyn Run>>, ScanError> {
        loop {
            if let Some(run) = self.ready.hold().pop() {
                return Ok(Some(run));
            }
            let Some(piece) = self.piece()? else { return Ok(None) };
            let mut runs = self.runs(piece);
            if let Some(run) = runs.pop() {
                self.ready.hold().append(&mut runs);
                return Ok(Some(run));
            }
        }
    }
}
