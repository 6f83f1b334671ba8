//! Frames of senders, and their events on the way into one delivery.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use ingest::{
    Collector, EventFields, EventMetadata, FieldWriter, IngestAnswer, IngestError, Intake, RawEvent, RecordRefusal,
    Sender,
};
use parse::Frames;

/// Limit on the groups below that of a door before a new name's events go to it. Machines of one kind run dozens of
/// programs, so that more come from names with a number or an id in them.
pub(crate) const GROUPS_MAX: usize = 256;

/// Frames from one sender.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The sender's address, which is the stream of frames without a host.
    pub from: Arc<str>,
    /// The number of the connection; 0 for datagrams.
    pub connection: u64,
    /// The frames in order.
    pub frames: Frames,
    /// Whether its messages continue one that may not become longer.
    pub is_continued: bool,
    /// How many messages were joined to others of it.
    pub n_joined: u64,
}

impl Chunk {
    /// Returns frames as they came.
    pub fn new(from: Arc<str>, frames: Frames) -> Self {
        Self { from, connection: 0, frames, is_continued: false, n_joined: 0 }
    }

    /// Returns the number of messages.
    pub fn n_messages(&self) -> u64 {
        self.frames.len() as u64 + self.n_joined
    }
}

/// The field with the number of bytes beyond the limit of a frame.
pub(crate) struct CutBytes<F>(F);

/// Returns the field `cutBytes` of a frame that was cut off.
pub(crate) fn write_cut(n_cut: u64) -> CutBytes<impl Fn(&mut FieldWriter<'_>)> {
    CutBytes(move |fields: &mut FieldWriter<'_>| {
        if n_cut > 0 {
            fields.integer("cutBytes", i64::try_from(n_cut).unwrap_or(i64::MAX));
        }
    })
}

impl<F: Fn(&mut FieldWriter<'_>)> CutBytes<F> {
    pub(crate) fn fields(&self) -> EventFields<'_> {
        EventFields::Writer { n_max: 1, write: &self.0 }
    }
}

/// What became of the frames of a delivery.
#[derive(Debug, Default)]
pub struct Stored {
    /// The answer of the store.
    pub answer: IngestAnswer,
    /// Events and frames that could not be read, and the first problem.
    pub n_malformed: u64,
    /// The problem of the first of them.
    pub problem: Option<String>,
    /// Events older than the retention of their groups.
    pub n_too_old: u64,
    /// Events that a Lumberjack sender counts.
    pub n_counted: u32,
    /// The sequence number of the last of them.
    pub sequence: u32,
    /// The number of events of a Lumberjack window that began in a compressed frame.
    pub window: Option<u32>,
}

/// Passes the events of frames to a collector.
pub(crate) struct EventSink<'s> {
    pub(crate) intake: &'s Intake,
    pub(crate) sender: Sender<'s>,
    pub(crate) collector: Collector<'s>,
    /// Places of groups by parent and name.
    places: HashMap<String, usize>,
    pub(crate) stored: Stored,
}

impl<'s> EventSink<'s> {
    pub(crate) fn new(intake: &'s Intake, sender: Sender<'s>) -> Self {
        let (collector, places) = (intake.collect(&sender), HashMap::new());
        Self { intake, sender, collector, places, stored: Stored::default() }
    }

    /// Returns the place of the group `name` below `parent`, that of `parent` if there is no name. One sink has one parent.
    pub(crate) fn place(&mut self, parent: &str, name: &str) -> Result<usize, IngestError> {
        if let Some(place) = self.places.get(name) {
            return Ok(*place);
        }
        let place = self.collector.group_below(parent, name, GROUPS_MAX)?;
        self.places.insert(name.to_owned(), place);
        Ok(place)
    }

    /// Adds an event, or counts why it is refused.
    pub(crate) fn add(
        &mut self,
        place: usize,
        raw: RawEvent<'_>,
        metadata: &EventMetadata<'_>,
    ) -> Result<(), IngestError> {
        match self.collector.add(place, raw, metadata)? {
            Ok(()) => {}
            Err(RecordRefusal::TooOld(_)) => self.stored.n_too_old += 1,
            Err(refusal) => self.malformed(refusal),
        }
        Ok(())
    }

    /// Counts an event or frame that cannot be read.
    pub(crate) fn malformed(&mut self, problem: impl Display) {
        self.stored.n_malformed += 1;
        self.stored.problem.get_or_insert_with(|| problem.to_string());
    }

    /// Stores the events and returns when they are durable. Blocks. `n_bytes` is the size of the frames; `body` identifies a
    /// repeated batch.
    pub(crate) fn deliver(self, n_bytes: u64, body: &[u8]) -> Result<Stored, IngestError> {
        let key = self.sender.batch_key(body);
        let answer = self.intake.deliver(self.collector, key, n_bytes, IngestAnswer::default())?;
        Ok(Stored { answer, ..self.stored })
    }
}
