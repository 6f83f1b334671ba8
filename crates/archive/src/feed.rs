//! Streams the events of files through a query. Whichever thread is idle reads and unpacks the next piece, several threads
//! parse, and no event is kept once the query has looked at it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use execute::{Feed, FeedRequest};
use parse::{ArrivalContext, Projection, TEXT_KEYS, batches_of_piece};
use types::{Batch, BatchRun, Column, Hold, Numbers, Run, ScanError, Strings, TimeRange, Value};

use crate::columnar::{RowGroup, RowRequest};
use crate::inputs::Input;
use crate::reader::{Opened, Piece, Reader};

/// Bytes of a piece all of whose events are parsed: some blocks of a run.
const PIECE_BYTES: usize = 4 << 20;

/// Size of a piece when few events are wanted, so that it is searched while it is in the processor's cache.
const SCREENED_PIECE_BYTES: usize = 1 << 20;

/// Buffers of pieces that are kept for the next ones.
const BUFFERS_MAX: usize = 8;

/// Bytes of a buffer that is kept.
const BUFFER_BYTES_KEPT: usize = 8 << 20;

/// Files and standard input, passing by.
pub struct FileFeed<'a> {
    received: ArrivalContext<'a>,
    range: TimeRange,
    asked: FeedRequest,
    /// What is asked of the records of tables, whose message may be a column of any name.
    of_records: Projection,
    /// How many bytes were read of all inputs, as they lie there.
    n_read: Arc<AtomicU64>,
    readers: Mutex<Readers>,
    /// A reader came back, or there will be none.
    has_changed: Condvar,
    /// Runs of pieces that gave more than one.
    ready: Mutex<Vec<Arc<BatchRun>>>,
    buffers: Mutex<Vec<Vec<u8>>>,
}

struct Readers {
    /// Inputs that nobody has opened, the next one last, with their numbers.
    waiting: Vec<(u32, Arc<Input>)>,
    /// Opened, and not being read at the moment.
    idle: Vec<Source>,
    n_busy: usize,
}

/// Something of an input that gives events one after the other.
enum Source {
    Text(Box<Reader>),
    Rows(Box<RowGroup>),
}

impl Source {
    fn is_done(&self) -> bool {
        match self {
            Self::Text(reader) => reader.is_done(),
            Self::Rows(group) => group.is_done(),
        }
    }
}

impl<'a> FileFeed<'a> {
    /// Lets `inputs` pass by, of their events only what is asked for; those outside of `range` may be left out.
    pub fn new(
        inputs: Vec<(u32, Arc<Input>)>,
        received: ArrivalContext<'a>,
        range: TimeRange,
        asked: FeedRequest,
        n_read: Arc<AtomicU64>,
    ) -> Self {
        let waiting = inputs.into_iter().rev().collect();
        Self {
            received,
            range,
            of_records: asked.wanted.with_text_keys(),
            asked,
            n_read,
            readers: Mutex::new(Readers { waiting, idle: Vec::new(), n_busy: 0 }),
            has_changed: Condvar::new(),
            ready: Mutex::new(Vec::new()),
            buffers: Mutex::new(Vec::new()),
        }
    }

    /// Takes a source that nobody is reading from, opening the next input where there is none; `None` at the end of all.
    fn take_source(&self) -> Result<Option<Source>, ScanError> {
        let mut readers = self.readers.hold();
        loop {
            if let Some(source) = readers.idle.pop() {
                readers.n_busy += 1;
                return Ok(Some(source));
            }
            if let Some((number, input)) = readers.waiting.pop() {
                readers.n_busy += 1;
                drop(readers);
                let mut opened = match Reader::open(input.clone(), number, self.n_read.clone()) {
                    Ok(Opened::Text(reader)) => return Ok(Some(Source::Text(reader))),
                    Ok(Opened::Columnar(file)) => {
                        self.n_read.fetch_add(input.n_bytes, Relaxed);
                        file.row_groups(&self.asked_of(&input))
                    }
                    Ok(Opened::PassedOver) => Vec::new(),
                    Err(error) => {
                        self.give_back(None);
                        return Err(scan_error(&input, 0, &error));
                    }
                };
                readers = self.readers.hold();
                readers.n_busy -= 1;
                opened.reverse();
                readers.idle.extend(opened.into_iter().map(|group| Source::Rows(Box::new(group))));
                self.has_changed.notify_all();
                continue;
            }
            if readers.n_busy == 0 {
                return Ok(None);
            }
            readers = self.has_changed.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns the next events, as [`next`](Feed::next) does.
    pub(crate) fn next_batch(&self) -> Result<Option<Arc<BatchRun>>, ScanError> {
        loop {
            if let Some(run) = self.ready.hold().pop() {
                return Ok(Some(run));
            }
            let Some(mut runs) = self.runs()? else { return Ok(None) };
            if let Some(run) = runs.pop() {
                self.ready.hold().append(&mut runs);
                return Ok(Some(run));
            }
        }
    }

    fn give_back(&self, source: Option<Source>) {
        let mut readers = self.readers.hold();
        readers.n_busy -= 1;
        readers.idle.extend(source.filter(|source| !source.is_done()));
        drop(readers);
        self.has_changed.notify_all();
    }

    fn asked_of(&self, input: &Input) -> RowRequest<'_> {
        let received = ArrivalContext { modified: input.modified, ..self.received };
        RowRequest { received, range: self.range, wanted: &self.asked.wanted, untimed: self.asked.untimed }
    }

    /// Returns the next runs of any input, which may be none; `None` at the end of all.
    fn runs(&self) -> Result<Option<Vec<Arc<BatchRun>>>, ScanError> {
        let n_wanted = if self.asked.screen.is_some() { SCREENED_PIECE_BYTES } else { PIECE_BYTES };
        let Some(mut source) = self.take_source()? else { return Ok(None) };
        match &mut source {
            Source::Text(reader) => {
                let buffer = self.buffers.hold().pop().unwrap_or_default();
                let piece = reader.piece(buffer, n_wanted, &self.received);
                let result = piece.map_err(|error| scan_error(reader.input(), reader.offset(), &error));
                self.give_back(Some(source));
                Ok(Some(result?.map(|piece| self.runs_of_piece(piece)).unwrap_or_default()))
            }
            Source::Rows(group) => {
                let (mut runs, file) = (Vec::new(), group.file.clone());
                let result = group.next(&self.asked_of(&file.input), &mut |batch| {
                    runs.push(self.run(batch, &file.input, file.number, true));
                });
                self.give_back(Some(source));
                result.map(|()| Some(runs))
            }
        }
    }

    /// Makes a run of a batch; `are_records` says that what a column calls the message is it.
    fn run(&self, mut batch: Batch, input: &Input, number: u32, are_records: bool) -> Arc<BatchRun> {
        batch.ingestion_times = Numbers::same(self.received.at.0, batch.len());
        if are_records && self.asked.wanted.has_message() {
            take_messages(&mut batch);
        }
        for (name, value) in input.fields.iter().filter(|(name, _)| self.asked.wanted.has_field(name)) {
            add_field(&mut batch, name, value);
        }
        Arc::new(BatchRun::new(input.group.clone(), number, Arc::new(batch)))
    }

    /// Returns the runs of a piece.
    fn runs_of_piece(&self, piece: Piece) -> Vec<Arc<BatchRun>> {
        let Piece { input, number, buffer, n_bytes, offset, previous, columns, profile, is_table } = piece;
        let received = ArrivalContext { modified: input.modified, ..self.received };
        let text = &buffer[..n_bytes];
        let mut runs: Vec<Arc<BatchRun>> = Vec::new();
        let mut take = |batch: Batch| runs.push(self.run(batch, &input, number, is_table));
        let piece = parse::Piece { text, offset, previous, columns: columns.as_deref(), profile };
        // What a path says is in no line, and what a cell says may be written otherwise in one.
        match self.asked.screen.as_ref().filter(|_| input.fields.is_empty() && !is_table) {
            Some(screen) => {
                let find = |text: &[u8], from: usize| screen.find(text, from);
                batches_of_piece(&piece, &received, Some(&find), &self.asked.wanted, &mut take);
            }
            None => {
                let wanted = if is_table { &self.of_records } else { &self.asked.wanted };
                batches_of_piece(&piece, &received, None, wanted, &mut take);
            }
        }
        let mut buffers = self.buffers.hold();
        if buffers.len() < BUFFERS_MAX && buffer.len() <= BUFFER_BYTES_KEPT {
            buffers.push(buffer);
        }
        runs
    }
}

/// Makes the text of each record its message, where it has one.
fn take_messages(batch: &mut Batch) {
    let texts = |name: &str| batch.stored(name).cloned();
    let columns: Vec<Column> = ["_message"].into_iter().chain(TEXT_KEYS).filter_map(texts).collect();
    if columns.is_empty() {
        return;
    }
    let mut messages = Strings::with_capacity(batch.len(), batch.messages.text().len());
    for row in 0..batch.len() {
        match columns.iter().find_map(|column| column.value(row)) {
            Some(Value::String(text)) if messages.has_room(text.len()) => messages.push(&text),
            _ => messages.push(batch.messages.get(row)),
        }
    }
    batch.messages = messages;
    batch.fields.retain(|(name, _)| **name != *"_message");
}

/// Gives all events a field; those that have one of that name keep it.
fn add_field(batch: &mut Batch, name: &Arc<str>, value: &Value) {
    let n = batch.len();
    match batch.fields.binary_search_by(|(known, _)| known.cmp(name)) {
        Ok(place) => {
            let known = &batch.fields[place].1;
            let own = (0..n).map(|row| known.value(row).or_else(|| Some(value.clone()))).collect();
            batch.fields[place].1 = Column::of_values(own);
        }
        Err(place) => batch.fields.insert(place, (name.clone(), Column::constant(value.clone(), n))),
    }
}

fn scan_error(input: &Input, offset: u64, error: &io::Error) -> ScanError {
    ScanError { file: input.name(), offset, problem: error.to_string() }
}

impl Feed for FileFeed<'_> {
    fn next(&self) -> Result<Option<Arc<dyn Run>>, ScanError> {
        Ok(self.next_batch()?.map(|run| run as Arc<dyn Run>))
    }
}
