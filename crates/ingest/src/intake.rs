//! The one way in: every door makes a delivery here, and every delivery goes to the store from here.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use parse::{EventParser, Extras, Received, VpcColumns, Zone};
use storage::{BatchKey, Delivery, Part, Receipt, Store};
use types::{Batch, BatchBuilder, GroupName, GroupScope, Limits, TimeRange, Timestamp};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::ids::{self, Claims};
use crate::pipeline::{self, Pipelines};
use crate::zones::Zones;
use crate::{
    Beside, Clocks, Collector, Encoding, IngestAnswer, IngestError, Sources, decode, elastic, lines, ndjson, text,
};

/// Files whose last lines are remembered, for lines without a time or behind a header. Beyond it all are forgotten: such
/// lines then have the time of arrival, or no fields.
const FILES_REMEMBERED_MAX: usize = 10_000;

/// What the bytes of a body are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON records, one a line.
    #[default]
    Ndjson,
    /// Text lines; continuation lines belong to the line before.
    Text,
    /// The shipper's form: a header line of JSON, then bytes as read from a file.
    Lines,
}

/// One request to store events.
#[derive(Clone, Debug)]
pub struct IngestRequest<'a> {
    /// The body as sent.
    pub body: &'a [u8],
    /// How it is compressed.
    pub encoding: Encoding,
    /// What it is.
    pub format: Format,
    /// The group of its events.
    pub group: GroupName,
    /// The stream of its events, or nothing.
    pub stream: String,
    /// Fields that every event gets; its own ones of the same name win. The shipper's form has its own way to say them.
    pub fields: &'a [(String, String)],
    /// Who sends it.
    pub sender: Sender<'a>,
}

/// Who sends a request, and when.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The sender's name: ids of batches of different senders are different.
    pub name: &'a str,
    /// The groups that the sender may write to.
    pub within: &'a GroupScope,
    /// The sender's id of the batch, so that it is stored once.
    pub batch_id: Option<&'a str>,
    /// When it arrived.
    pub now: Timestamp,
}

/// What the last lines of a file say of those that follow.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastLines {
    /// The time of the last one that had one.
    pub(crate) time: Option<Timestamp>,
    /// What a header line of flow logs named.
    pub(crate) columns: Option<VpcColumns>,
}

/// Takes request bodies and makes durable events of them.
pub struct Intake {
    pub(crate) store: Arc<Store>,
    pub(crate) limits: Limits,
    /// The same without splitting texts, for events that go through pipelines.
    pub(crate) whole_texts: Limits,
    pipelines: RwLock<Arc<Pipelines>>,
    zone: Zone,
    /// Per source and file what its last lines say of those that follow.
    last_lines: Mutex<HashMap<(String, String), LastLines>>,
    overflowed: Arc<AtomicU64>,
    pub(crate) elastic: elastic::Door,
    /// Ids of events that requests are about to store.
    pub(crate) claims: Claims,
    pub(crate) sources: Sources,
    pub(crate) zones: Zones,
    pub(crate) clocks: Arc<Clocks>,
}

/// What became of a request once it was read.
enum Taken {
    /// It is stored.
    Stored(IngestAnswer),
    /// It is to be stored.
    Read(Collected),
}

/// Events that were read, and what their sender is answered once they are stored.
struct Collected {
    delivery: Delivery,
    answer: IngestAnswer,
    n_overflowed: u64,
}

impl Collected {
    fn new(collector: Collector<'_>, key: Option<BatchKey>, raw_bytes: u64, mut answer: IngestAnswer) -> Self {
        answer.accepted = collector.n_records();
        let n_overflowed = collector.n_overflowed();
        let delivery = Delivery { key, position: None, raw_bytes, parts: collector.into_parts() };
        Self { delivery, answer, n_overflowed }
    }
}

impl Intake {
    /// An intake for `store`; times without a zone are in `zone`.
    pub fn new(store: Arc<Store>, limits: Limits, zone: impl Into<Zone>) -> Self {
        Self {
            sources: Sources::resume(&store),
            zones: Zones::load(&store),
            clocks: Arc::default(),
            store,
            whole_texts: pipeline::whole_texts(&limits),
            limits,
            pipelines: RwLock::default(),
            zone: zone.into(),
            last_lines: Mutex::default(),
            overflowed: Arc::default(),
            elastic: elastic::Door::default(),
            claims: Claims::default(),
        }
    }

    /// The same intake, which notes in `clocks` which streams are off.
    pub fn with_clocks(self, clocks: Arc<Clocks>) -> Self {
        Self { clocks, ..self }
    }

    /// Returns the limits of bodies and events.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the ids of events that requests are about to store.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Returns those of some ids that events of a group have in a field, within a range of time.
    pub fn known_ids<'i>(
        &self,
        group: &GroupName,
        field: &str,
        range: TimeRange,
        wanted: &HashSet<&'i str>,
    ) -> HashSet<&'i str> {
        ids::known(&self.store, group, (field, range), wanted)
    }

    /// The shippers that bring their files here.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What is held of a file that the shipper `asking` asks about, as JSON.
    ///
    /// # Errors
    /// Where the question cannot be read.
    pub fn held(
        &self,
        asking: &str,
        json: &[u8],
        within: &GroupScope,
        now: Timestamp,
    ) -> Result<Vec<crate::HeldRange>, crate::ReportError> {
        self.sources.held(&self.store, asking, json, within, now)
    }

    /// The pipelines that hold now.
    pub fn pipelines(&self) -> Arc<Pipelines> {
        // Nothing panics while it is held: it is only copied and replaced.
        self.pipelines.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests that begin from now on go through these pipelines.
    pub fn set_pipelines(&self, mut pipelines: Pipelines) {
        let mut current = self.pipelines.write().unwrap_or_else(PoisonError::into_inner);
        pipelines.continue_counting(&current);
        *current = Arc::new(pipelines);
    }

    /// Shows what pipelines make of lines, and stores nothing: those given, else those that hold now.
    pub fn dry_run<'s>(
        &self,
        pipelines: Option<&Pipelines>,
        (group, stream): (&GroupName, &str),
        samples: impl Iterator<Item = pipeline::Sample<'s>>,
        now: Timestamp,
    ) -> Vec<serde_json::Value> {
        let current = self.pipelines();
        let pipelines = pipelines.unwrap_or(&current);
        pipeline::DryRun { pipelines, limits: &self.limits, zone: self.zone, now }.run(group, stream, samples)
    }

    /// Reads a text as an event that happens now, and stores nothing; pipelines do not see it.
    pub fn sample(&self, text: &[u8], now: Timestamp) -> Batch {
        let received = Received { at: now, modified: None, zone: self.zone, limits: &self.limits };
        let (mut parser, mut builder) = (EventParser::new(received), BatchBuilder::new());
        parser.read_text(text).add_to(&Extras { time: Some(now), ..Extras::default() }, &mut builder);
        builder.finish()
    }

    /// How many records went to the group `overflow` since the start, because theirs would have been one too many.
    pub fn n_overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// Stores the events of a request and returns when they are durable. Blocks.
    pub fn ingest(&self, request: IngestRequest<'_>) -> Result<IngestAnswer, IngestError> {
        match self.read(request)? {
            Taken::Stored(answer) => Ok(answer),
            Taken::Read(collected) => self.store_collected(collected),
        }
    }

    /// The same for callers that do not wait: `done` is called when the events are durable, by a thread of the store's, so
    /// that it must not block. It is dropped where that thread ends.
    ///
    /// Blocks while it reads, where the store has too much to do, and for [`Format::Lines`].
    ///
    /// # Errors
    /// Where nothing of the request is stored; `done` is not called then.
    pub fn ingest_then(
        &self,
        request: IngestRequest<'_>,
        done: impl FnOnce(Result<IngestAnswer, IngestError>) + Send + 'static,
    ) -> Result<(), IngestError> {
        match self.read(request)? {
            Taken::Stored(answer) => done(Ok(answer)),
            Taken::Read(Collected { delivery, answer, .. }) if delivery.parts.is_empty() => done(Ok(answer)),
            Taken::Read(Collected { delivery, mut answer, n_overflowed }) => {
                let overflowed = self.overflowed.clone();
                let stored = move |receipt: Receipt| {
                    answer.duplicate = receipt.duplicate;
                    overflowed.fetch_add(if receipt.duplicate { 0 } else { n_overflowed }, Ordering::Relaxed);
                    answer
                };
                self.store.append_then(delivery, move |result| done(result.map(stored).map_err(IngestError::from)))?;
            }
        }
        Ok(())
    }

    /// Reads the events of a request; those in the shipper's form are stored already.
    fn read(&self, request: IngestRequest<'_>) -> Result<Taken, IngestError> {
        let IngestRequest { body, encoding, format, group, stream, fields, sender } = request;
        let body = decode(body, encoding, self.limits.body_bytes_max)?;
        if format == Format::Lines {
            return lines::ingest(self, &body, &group, &stream, &sender).map(Taken::Stored);
        }
        let mut answer = IngestAnswer::default();
        let mut collector = self.collect(&sender);
        let place = collector.group(&group)?;
        collector.set_stream(place, &stream);
        let write = |writer: &mut parse::FieldWriter<'_>| {
            fields.iter().for_each(|(name, value)| writer.text(name, value));
        };
        let beside = match fields.len() {
            0 => Beside::default(),
            // Two more say what was over a limit.
            n_fields => Beside { n_fields: n_fields + 2, fields: Some(&write), ..Beside::default() },
        };
        if format == Format::Ndjson {
            ndjson::read(&body, place, &beside, &mut collector, &mut answer)?;
        } else {
            text::read(&body, (place, self.limits.event_bytes_max), &beside, &mut collector, &mut answer)?;
        }
        Ok(Taken::Read(Collected::new(collector, batch_key(&sender, &body), body.len() as u64, answer)))
    }

    /// Starts collecting events that a foreign protocol brings.
    pub fn collect<'a>(&'a self, sender: &Sender<'a>) -> Collector<'a> {
        Collector::new(self, self.received(sender.now), sender.within)
    }

    /// Stores a record of the server's own in a group that no sender may write to. Blocks.
    ///
    /// # Errors
    /// Where the store does not take it.
    pub fn record_own(&self, group: &GroupName, record: &[u8], now: Timestamp) -> Result<(), IngestError> {
        let mut collector = Collector::new(self, self.received(now), &GroupScope::All);
        collector.is_own = true;
        let place = collector.group(group)?;
        // A record that is no JSON object is none; the server writes objects.
        let _ = collector.record(place, record)?;
        let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now };
        self.accept(collector, record, &sender).map(|_| ())
    }

    /// Stores what was collected of a body and returns when it is durable. Blocks.
    pub fn accept(
        &self,
        collector: Collector<'_>,
        body: &[u8],
        sender: &Sender<'_>,
    ) -> Result<IngestAnswer, IngestError> {
        self.deliver(collector, batch_key(sender, body), body.len() as u64, IngestAnswer::default())
    }

    /// The same of the parts that `check` leaves, which also says how many records it took away.
    ///
    /// # Errors
    /// Where the store does not take them.
    pub fn accept_checked(
        &self,
        collector: Collector<'_>,
        body: &[u8],
        sender: &Sender<'_>,
        check: impl FnOnce(Vec<Part>) -> (Vec<Part>, u64),
    ) -> Result<IngestAnswer, IngestError> {
        let key = batch_key(sender, body);
        let mut collected = Collected::new(collector, key, body.len() as u64, IngestAnswer::default());
        let (parts, n_taken) = check(collected.delivery.parts);
        if parts.is_empty() && n_taken > 0 {
            return Ok(IngestAnswer { duplicate: true, ..collected.answer });
        }
        collected.delivery.parts = parts;
        collected.answer.accepted = collected.answer.accepted.saturating_sub(n_taken);
        self.store_collected(collected)
    }

    /// Stores what was collected under a key, and completes `answer`. Blocks.
    ///
    /// # Errors
    /// Where the store does not take it.
    pub fn deliver(
        &self,
        collector: Collector<'_>,
        key: Option<BatchKey>,
        raw_bytes: u64,
        answer: IngestAnswer,
    ) -> Result<IngestAnswer, IngestError> {
        self.store_collected(Collected::new(collector, key, raw_bytes, answer))
    }

    fn store_collected(&self, collected: Collected) -> Result<IngestAnswer, IngestError> {
        let Collected { delivery, mut answer, n_overflowed } = collected;
        if !delivery.parts.is_empty() {
            let receipt = self.store.append(delivery)?;
            answer.duplicate = receipt.duplicate;
            self.note_overflow(if receipt.duplicate { 0 } else { n_overflowed });
        }
        Ok(answer)
    }

    pub(crate) fn note_overflow(&self, n_records: u64) {
        self.overflowed.fetch_add(n_records, Ordering::Relaxed);
    }

    /// Returns how texts are read that arrive `now`.
    pub fn received(&self, now: Timestamp) -> Received<'_> {
        Received { at: now, modified: None, zone: self.zone, limits: &self.limits }
    }

    /// What the last lines of a file say of those that follow.
    pub(crate) fn last_lines(&self, source: &str, file: &str) -> LastLines {
        let files = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(&(source.to_string(), file.to_string())).cloned().unwrap_or_default()
    }

    pub(crate) fn remember_lines(&self, source: &str, file: &str, last: LastLines) {
        let mut files = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.to_string(), file.to_string());
        if files.len() >= FILES_REMEMBERED_MAX && !files.contains_key(&key) {
            files.clear();
        }
        files.insert(key, last);
    }
}

/// The key of a batch that its sender has named.
fn batch_key(sender: &Sender<'_>, body: &[u8]) -> Option<BatchKey> {
    let id = sender.batch_id?;
    let mut hasher = Xxh3::new();
    hasher.update(&(sender.name.len() as u64).to_le_bytes());
    hasher.update(sender.name.as_bytes());
    hasher.update(id.as_bytes());
    Some(BatchKey { id: hasher.digest128().to_le_bytes(), digest: xxh3_128(body).to_le_bytes() })
}

#[cfg(test)]
mod tests;
