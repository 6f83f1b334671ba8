//! Passes the events of a push request to the collector, stream by stream.

use parse::FieldWriter;
use types::{GroupName, Timestamp};
use xxhash_rust::xxh3::xxh3_128;

use super::in_flight::Spans;
use super::labels::{LABEL_SET_BYTES_MAX, Labels, Metadata, check_bytes, check_names, group_of, present, stream_name};
use super::level;
use super::line_fields::LineFields;
use super::metadata::{PUSHED, stored, write_pushed};
use ingest::{Collector, DecodeBudget, EventFields, EventMetadata, RawEvent, Result};

/// What a label costs each entry in addition to its bytes.
const LABEL_BYTES: usize = 32;

/// The streams of a request, and the collector that takes their events.
pub(super) struct Streams<'c, 's> {
    collector: &'c mut Collector<'s>,
    group: GroupName,
    stream: String,
    labels: Vec<(String, String)>,
    /// The level that the labels contain.
    level: Option<String>,
    /// The group's place in the collector, once the stream has an entry.
    place: Option<usize>,
    /// The times of the lines of each stream.
    pub(super) spans: Spans,
    line_fields: LineFields,
    /// The value of [`PUSHED`], written over and over.
    pushed: String,
    /// What is left for writing labels once per entry.
    budget: DecodeBudget,
}

impl<'c, 's> Streams<'c, 's> {
    pub(super) fn new(collector: &'c mut Collector<'s>, budget: DecodeBudget) -> Self {
        let (group, stream) = (group_of(&Labels::new()), String::new());
        Self {
            collector,
            group,
            stream,
            labels: Vec::new(),
            level: None,
            place: None,
            spans: Spans::new(),
            line_fields: LineFields::default(),
            pushed: String::new(),
            budget,
        }
    }

    /// Begins a stream: the entries that follow have these labels.
    pub(super) fn begin(&mut self, labels: &Labels<'_>) -> Result<()> {
        check_names(labels)?;
        self.group = group_of(labels);
        self.stream = stream_name(labels);
        check_bytes("a label set", self.stream.len(), LABEL_SET_BYTES_MAX)?;
        self.labels = present(labels).map(|(name, value)| (name.0.to_string(), value.0.to_string())).collect();
        self.level = level::of_labels(labels);
        self.place = None;
        Ok(())
    }

    pub(super) fn add(&mut self, time: Option<Timestamp>, line: &[u8], metadata: &Metadata<'_>) -> Result<()> {
        // Each name of the metadata is looked up among the labels.
        self.budget.spend(self.stream.len() + self.labels.len() * (LABEL_BYTES + metadata.len()))?;
        let place = match self.place {
            Some(place) => place,
            None => self.collector.group(&self.group)?,
        };
        if self.place.is_none() {
            self.collector.set_stream(place, &self.stream);
            self.place = Some(place);
        }
        if let Some(Timestamp(time)) = time {
            let span = self.spans.entry(xxh3_128(self.stream.as_bytes())).or_insert((time, time));
            *span = (span.0.min(time), span.1.max(time));
        }
        let labels = &self.labels;
        let text = String::from_utf8_lossy(line);
        let metadata = &stored(metadata)?;
        let level = level::of_entry(self.level.as_deref(), metadata, &text);
        // What pipelines do to fields is theirs.
        let is_piped = self.collector.is_piped(place);
        let mut of_line = self.line_fields.of(&text);
        let is_label = |name: &str| labels.iter().any(|(label, _)| label == name);
        write_pushed(level, metadata, |name| is_piped || is_label(name) || of_line(name), &mut self.pushed);
        drop(of_line);
        let pushed = &*self.pushed;
        let write = |fields: &mut FieldWriter<'_>| {
            labels.iter().for_each(|(name, value)| fields.text(name, value));
            metadata.iter().for_each(|(name, value)| fields.text(&name.0, &value.0));
            fields.system(PUSHED, pushed);
        };
        let fields = EventFields::Writer { n_max: labels.len() + metadata.len() + 3, write: &write };
        let metadata = EventMetadata { time, fields, ..EventMetadata::default() };
        // A line that is too old is left out: the protocol cannot report it.
        self.collector.add(place, RawEvent::Text(line), &metadata).map(|_| ())
    }
}
