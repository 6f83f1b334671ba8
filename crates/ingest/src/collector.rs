//! Events on their way into one delivery, by group, in batches whose memory is bounded.

use std::collections::HashMap;
use std::sync::Arc;

use parse::{ArrivalContext, EventParser, JsonError, Zone};
use storage::{Part, Store};
use types::{
    BatchBuilder, GroupName, GroupScope, Limits, SampleBuilder, SeriesLists, Timestamp, Value, group_name_of_outside,
};

use crate::decode_budget::EmbeddedBudget;
use crate::error::OutOfScope;
use crate::event::{EventMetadata, RawEvent};
use crate::line_context::LineContext;
use crate::own_groups::{ALARMS_GROUP, AUDIT_GROUP, OWN_GROUPS};
use crate::pipeline::{Draft, Fate, Pipelines, Surroundings};
use crate::sample::number::{SampleValue, text_of_number};
use crate::sample::{RequestSeries, SampleSeries, SeriesLabels, SharedSeries};
use crate::sender::GroupNotes;
use crate::zones::GroupZones;
use crate::{Clocks, IngestError, Result};

/// Rows times columns of one batch. A batch is dense: many events of many different fields each would cost
/// memory without bound if they stood in one.
const CELLS_MAX: usize = 1 << 20;

/// The same where nearly all places are empty: each costs its writing.
const SPARSE_CELLS_MAX: usize = 1 << 16;

/// Samples of one batch, and the memory that one takes besides its series.
const SAMPLES_MAX: usize = 1 << 16;
const SAMPLE_BYTES: usize = 56;

/// Memory that a request's events may hold, as a multiple of the largest body.
const MEMORY_BODIES_MAX: usize = 4;

/// Where events go whose own group would be one too many.
const OVERFLOW: &str = "overflow";

/// The parts of the intake that a collector needs.
pub(crate) struct CollectorContext<'a> {
    pub(crate) store: &'a Store,
    pub(crate) zones: &'a GroupZones,
    pub(crate) clocks: &'a Clocks,
    pub(crate) pipelines: Arc<Pipelines>,
    /// The limits of events that go through pipelines.
    pub(crate) whole_texts: &'a Limits,
    pub(crate) series: &'a SharedSeries,
    pub(crate) series_lists: &'a Arc<SeriesLists>,
    /// Adds what an event has within it.
    pub(crate) embedded: EmbeddedHook,
}

/// Adds to a collector what an event has within it besides itself.
pub(crate) type EmbeddedHook = fn(&mut Collector<'_>, RawEvent<'_>) -> Result<()>;

/// Collects the events of one request.
///
/// A door asks for the place of a group and adds the events of that group to it, as texts, as records, or as a text
/// with fields of their own.
pub struct Collector<'a> {
    /// Whether the server writes down something of its own.
    pub(crate) is_own: bool,
    store: &'a Store,
    zones: &'a GroupZones,
    clocks: &'a Clocks,
    series: RequestSeries<'a>,
    /// Lists of series that requests share.
    series_lists: &'a Arc<SeriesLists>,
    /// The zone of times that name none, in groups without a zone of their own.
    zone: Zone,
    within: &'a GroupScope,
    /// Where the groups are noted, if they are.
    notes: Option<&'a GroupNotes>,
    parser: EventParser<'a>,
    /// The same for events that go through pipelines: it leaves their texts whole.
    whole: EventParser<'a>,
    pipelines: Arc<Pipelines>,
    add_embedded: EmbeddedHook,
    /// What the metric data within the request's lines may still take.
    pub(crate) embedded: EmbeddedBudget,
    groups: Vec<GroupEvents>,
    by_name: HashMap<GroupName, usize>,
    /// The place of the group that had the last sample.
    last_place: usize,
    done: Vec<Part>,
    /// Bytes that the events of all groups hold, roughly.
    memory_bytes: usize,
    n_records: u64,
    n_overflowed: u64,
}

/// Events of one group that are not in a finished part yet.
struct GroupEvents {
    /// Where they go.
    group: GroupName,
    /// Where they should go.
    name: GroupName,
    /// Whether pipelines may want them.
    is_piped: bool,
    /// The zone of their times that name none.
    zone: Zone,
    /// The stream of those that follow, where there are pipelines.
    stream: String,
    /// Field `@group`, where that is not where they should go.
    wanted: Vec<(Arc<str>, Value)>,
    builder: BatchBuilder,
    /// Samples that are kept by series.
    samples: SampleBuilder,
    /// Events before this time are too old for the group.
    oldest: Option<Timestamp>,
    /// Whether the builder holds some that are too old.
    has_old: bool,
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RecordRefusal {
    /// It is no record.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Its group would drop it at once.
    #[error("event is older than the retention of its group: it happened before {0}")]
    TooOld(Timestamp),
}

impl GroupEvents {
    /// Cuts the batch off where an event of so many fields might make it too large.
    fn make_room(&mut self, n_fields: usize, done: &mut Vec<Part>) {
        let cells_max = if self.builder.is_sparse() { SPARSE_CELLS_MAX } else { CELLS_MAX };
        if self.builder.n_cells_with(n_fields) > cells_max {
            self.cut(done);
        }
    }

    /// Writes the field `@group` of events whose own group would be one too many.
    fn write_wanted(&mut self) {
        for (name, value) in &self.wanted {
            self.builder.field_value(name, value.clone());
        }
    }

    fn cut_samples(&mut self, done: &mut Vec<Part>) {
        if !self.samples.is_empty() {
            let next = self.samples.successor();
            let full = std::mem::replace(&mut self.samples, next);
            done.push(Part { group: self.group.clone(), batch: full.finish() });
        }
    }

    fn cut(&mut self, done: &mut Vec<Part>) {
        let next = self.builder.successor();
        let full = std::mem::replace(&mut self.builder, next);
        let oldest = self.oldest.filter(|_| std::mem::take(&mut self.has_old));
        let batch = full.finish();
        let batch = if let Some(oldest) = oldest { batch.since(oldest) } else { batch };
        if !batch.is_empty() {
            done.push(Part { group: self.group.clone(), batch });
        }
    }
}

impl<'a> Collector<'a> {
    pub(crate) fn new(context: CollectorContext<'a>, received: ArrivalContext<'a>, within: &'a GroupScope) -> Self {
        Self {
            is_own: false,
            store: context.store,
            zones: context.zones,
            clocks: context.clocks,
            series: RequestSeries::new(context.series, received.at),
            series_lists: context.series_lists,
            zone: received.zone,
            within,
            notes: None,
            parser: EventParser::new(received),
            whole: EventParser::new(ArrivalContext { limits: context.whole_texts, ..received }),
            pipelines: context.pipelines,
            add_embedded: context.embedded,
            embedded: EmbeddedBudget::default(),
            groups: Vec::new(),
            by_name: HashMap::new(),
            last_place: 0,
            done: Vec::new(),
            memory_bytes: 0,
            n_records: 0,
            n_overflowed: 0,
        }
    }

    /// Returns the place of a group; beyond the most groups it is that of the group `overflow`.
    ///
    /// # Errors
    /// If the sender may not write to it.
    pub fn group(&mut self, name: &GroupName) -> Result<usize, OutOfScope> {
        if let Some(place) = self.by_name.get(name) {
            return Ok(*place);
        }
        if !self.within.admits(name.as_str()) || [ALARMS_GROUP, AUDIT_GROUP].contains(&name.as_str()) && !self.is_own {
            return Err(OutOfScope(name.clone()));
        }
        self.notes.inspect(|notes| notes.note(name));
        Ok(self.place_of(name))
    }

    /// Notes the groups of the collection for its sender.
    pub(crate) fn noting(self, notes: Option<&'a GroupNotes>) -> Self {
        Self { notes, ..self }
    }

    /// Returns the place of the group `name` below `parent`, or that of `parent` itself if there are `groups_max` below it.
    ///
    /// # Errors
    /// If the sender may not write to it.
    pub fn group_below(&mut self, parent: &str, name: &str, groups_max: usize) -> Result<usize, OutOfScope> {
        let prefix = format!("{parent}/");
        let group = group_name_of_outside(&format!("{prefix}{name}"));
        if !name.is_empty() && !self.by_name.contains_key(&group) && !self.store.has_group(&group) {
            let is_new = |group: &&GroupName| group.as_str().starts_with(&prefix) && !self.store.has_group(group);
            let n_new = self.by_name.keys().filter(is_new).count();
            if self.store.n_groups_below(&prefix) + n_new >= groups_max {
                return self.group(&group_name_of_outside(parent));
            }
        }
        self.group(&group)
    }

    /// Returns the same as [`group`](Self::group); most series are of the group of the one before.
    pub(crate) fn group_of_next(&mut self, name: &GroupName) -> Result<usize, OutOfScope> {
        match self.groups.get(self.last_place) {
            Some(last) if last.name == *name => Ok(self.last_place),
            _ => {
                self.last_place = self.group(name)?;
                Ok(self.last_place)
            }
        }
    }

    /// Reports whether samples of the group at `place` are kept by series: nothing may change them.
    pub(crate) fn takes_samples(&self, place: usize) -> bool {
        let events = &self.groups[place];
        !events.is_piped && events.wanted.is_empty()
    }

    /// Returns the series that labels name, which it shares with samples of other requests.
    pub fn series(&mut self, labels: &SeriesLabels) -> SampleSeries {
        self.series.of_labels(labels)
    }

    /// Returns the known series that a line begins with, and what follows it; `None` if it is not the expected one.
    pub(crate) fn series_of_line<'l>(&mut self, line: &'l [u8]) -> Option<(SampleSeries, &'l [u8])> {
        self.series.of_line(line)
    }

    /// Adds a sample to the group at `place`, which [takes samples](Self::takes_samples).
    ///
    /// # Errors
    /// If the events collected need more memory than a request may hold.
    pub(crate) fn add_sample(
        &mut self,
        place: usize,
        SampleSeries { series, memory_bytes, .. }: &SampleSeries,
        time: Timestamp,
        value: SampleValue<'_>,
    ) -> Result<Result<(), RecordRefusal>> {
        let events = &mut self.groups[place];
        if let Some(oldest) = events.oldest.filter(|oldest| time < *oldest) {
            return Ok(Err(RecordRefusal::TooOld(oldest)));
        }
        if events.samples.len() >= SAMPLES_MAX {
            events.cut_samples(&mut self.done);
        }
        let (is_new, n_bytes) = match value {
            SampleValue::Float(number) if number.is_finite() => (events.samples.push(series, time, number), 0),
            SampleValue::Float(number) => (events.samples.push_text(series, time, text_of_number(number)), 0),
            SampleValue::Histogram(text) => (events.samples.push_histogram(series, time, text), text.len()),
        };
        self.memory_bytes += SAMPLE_BYTES + n_bytes + if is_new { *memory_bytes } else { 0 };
        self.check_memory()?;
        self.n_records += 1;
        Ok(Ok(()))
    }

    /// Stops where the events hold too much.
    fn check_memory(&self) -> Result<()> {
        let bytes_max = self.parser.received.limits.body_bytes_max.saturating_mul(MEMORY_BODIES_MAX);
        if self.memory_bytes > bytes_max { Err(IngestError::TooManyFields { bytes_max }) } else { Ok(()) }
    }

    /// Returns the place of a group without a check of the scope.
    fn place_of(&mut self, name: &GroupName) -> usize {
        if let Some(place) = self.by_name.get(name) {
            return *place;
        }
        let (group, wanted) = if self.store.admits_group(name) {
            (name.clone(), Vec::new())
        } else {
            let overflow = GroupName::new(OVERFLOW).expect("the name is made of letters");
            (overflow, vec![("@group".into(), Value::String(name.shared()))])
        };
        let oldest = self.store.oldest_kept(&group);
        // What the server writes down itself is not for pipelines: nobody hides with one what was done.
        let is_piped = self.pipelines.concern(name) && !name.as_str().starts_with(OWN_GROUPS);
        let samples = SampleBuilder::sharing(self.series_lists.clone());
        let (name, stream, builder) = (name.clone(), String::new(), BatchBuilder::new());
        self.by_name.insert(name.clone(), self.groups.len());
        let zone = self.zones.of(&name).unwrap_or(self.zone);
        let has_old = false;
        self.groups.push(GroupEvents {
            group,
            name,
            is_piped,
            zone,
            stream,
            wanted,
            builder,
            samples,
            oldest,
            has_old,
        });
        self.groups.len() - 1
    }

    /// Reports whether pipelines may change the events of the group at `place`.
    pub fn is_piped(&self, place: usize) -> bool {
        self.groups[place].is_piped
    }

    /// Says which stream the group's following events belong to.
    pub fn set_stream(&mut self, place: usize, stream: &str) {
        let events = &mut self.groups[place];
        events.builder.set_stream(stream);
        if !self.pipelines.is_empty() && events.stream != stream {
            stream.clone_into(&mut events.stream);
        }
    }

    /// Adds one event to the group at `place`; an event that is refused adds nothing.
    ///
    /// # Errors
    /// If the events collected need more memory than a request may hold.
    pub fn add(
        &mut self,
        place: usize,
        raw: RawEvent<'_>,
        metadata: &EventMetadata<'_>,
    ) -> Result<Result<(), RecordRefusal>> {
        let added = self.add_event(place, raw, metadata)?;
        // What is in a group of metrics is none of the senders' lines.
        if added.is_ok() && !self.groups[place].name.has_samples() {
            (self.add_embedded)(self, raw)?;
        }
        Ok(added)
    }

    fn add_event(
        &mut self,
        place: usize,
        raw: RawEvent<'_>,
        metadata: &EventMetadata<'_>,
    ) -> Result<Result<(), RecordRefusal>> {
        self.parser.set_zone(self.groups[place].zone);
        if self.groups[place].is_piped {
            return self.add_piped(place, raw, metadata);
        }
        let limits = self.parser.received.limits;
        let event = match raw.parse(&mut self.parser) {
            Ok(event) => event,
            Err(error) => return Ok(Err(error.into())),
        };
        let events = &mut self.groups[place];
        events.make_room(event.n_fields() + metadata.n_fields_max(), &mut self.done);
        let memory_bytes_before = events.builder.memory_bytes();
        events.write_wanted();
        let level = metadata.write(limits, &mut events.builder);
        event.add_to(&metadata.extras(level), &mut events.builder);
        self.count_record(place, memory_bytes_before)
    }

    /// Sends one event through the pipelines and adds what they leave of it, where they want it.
    fn add_piped(
        &mut self,
        place: usize,
        raw: RawEvent<'_>,
        metadata: &EventMetadata<'_>,
    ) -> Result<Result<(), RecordRefusal>> {
        self.whole.set_zone(self.groups[place].zone);
        self.whole.set_previous(self.parser.previous());
        self.whole.set_columns(self.parser.columns().cloned());
        let mut alone = BatchBuilder::new();
        let event = match raw.parse(&mut self.whole) {
            Ok(event) => event,
            Err(error) => return Ok(Err(error.into())),
        };
        let level = metadata.write(self.parser.received.limits, &mut alone);
        event.add_to(&metadata.extras(level), &mut alone);
        self.parser.set_previous(self.whole.previous());
        self.parser.set_columns(self.whole.columns().cloned());
        let from = &self.groups[place];
        let mut draft = Draft::of(&alone.finish(), from.name.clone(), &from.stream);
        let around = Surroundings { received: &self.parser.received, within: self.within };
        if self.pipelines.clone().apply(&mut draft, around) != Fate::Kept {
            // Taken, and let go because that is wanted: to its sender it is as good as stored.
            self.n_records += 1;
            return Ok(Ok(()));
        }
        let target = if draft.group == self.groups[place].name { place } else { self.place_of(&draft.group) };
        let events = &mut self.groups[target];
        events.make_room(draft.fields.len() + 2 + events.wanted.len(), &mut self.done);
        let memory_bytes_before = events.builder.memory_bytes();
        events.write_wanted();
        draft.write(self.parser.received.limits, &mut events.builder);
        // Events that no pipeline wants go on with the stream that they were said to have.
        events.builder.set_stream(&events.stream);
        self.count_record(target, memory_bytes_before)
    }

    /// Returns the parsing context of the request.
    pub fn received(&self) -> &ArrivalContext<'a> {
        &self.parser.received
    }

    /// Returns what the texts so far state about those that follow.
    pub(crate) fn line_context(&self) -> LineContext {
        LineContext { time: self.parser.previous(), columns: self.parser.columns().cloned(), ..LineContext::default() }
    }

    /// Says that no text came before the next.
    pub fn forget_line_context(&mut self) {
        self.set_line_context(LineContext::default());
    }

    /// Sets when what follows was written, which is the time of events that say none.
    pub(crate) fn set_modified(&mut self, modified: Option<Timestamp>) {
        self.parser.received.modified = modified;
        self.whole.received.modified = modified;
    }

    /// Reads lines as those of one format only.
    pub(crate) fn set_format(&mut self, format: Option<parse::FormatId>) {
        self.parser.set_format(format);
        self.whole.set_format(format);
    }

    pub(crate) fn set_line_context(&mut self, last: LineContext) {
        self.parser.set_previous(last.time);
        self.parser.set_columns(last.columns);
    }

    /// Returns the number of records added.
    pub fn n_records(&self) -> u64 {
        self.n_records
    }

    /// Says how many records there are, for what comes besides them.
    pub(crate) fn set_n_records(&mut self, n_records: u64) {
        self.n_records = n_records;
    }

    /// Returns the number of records that go to the group `overflow`, because their own group would exceed the limit.
    pub(crate) fn n_overflowed(&self) -> u64 {
        self.n_overflowed
    }

    /// Counts a record, unless it is too old, and stops where the events hold too much.
    fn count_record(&mut self, place: usize, memory_bytes_before: usize) -> Result<Result<(), RecordRefusal>> {
        let events = &mut self.groups[place];
        self.memory_bytes += events.builder.memory_bytes().saturating_sub(memory_bytes_before);
        self.check_memory()?;
        let events = &mut self.groups[place];
        if let Some(oldest) = events.oldest.filter(|oldest| events.builder.last_timestamp() < Some(*oldest)) {
            // It goes when the batch is cut: taking single events out again would cost a batch each.
            events.has_old = true;
            return Ok(Err(RecordRefusal::TooOld(oldest)));
        }
        self.n_records += 1;
        self.n_overflowed += u64::from(!events.wanted.is_empty());
        Ok(Ok(()))
    }

    /// Returns the events collected, by group and in order within it.
    pub(crate) fn into_parts(mut self) -> Vec<Part> {
        for events in &mut self.groups {
            events.cut(&mut self.done);
            events.cut_samples(&mut self.done);
        }
        let received = &self.parser.received;
        // Samples have times of their own making, and a stream for each series.
        for part in self.done.iter().filter(|part| !part.group.has_samples()) {
            let zone = self.zones.of(&part.group).unwrap_or(self.zone);
            self.clocks.observe(part, zone, received.at, received.limits);
        }
        self.done
    }
}
