//! The one way in: every door makes a delivery here, and every delivery goes to the store from here.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use parse::{ArrivalContext, EventParser, Extras, Zone, ZoneError};
use storage::{BatchKey, Delivery, Part, Store, StoreError};
use types::{Batch, BatchBuilder, EventId, GroupName, GroupScope, Hold, Limits, SeriesLists, TimeRange, Timestamp};

use crate::collector::{Collector, CollectorContext};
use crate::event::{EventMetadata, RawEvent};
use crate::ids::{self, Claims, KnownIds};
use crate::line_context::LineContexts;
use crate::pipeline::{self, MadePipeline, MadePipelines, MakePipelineError, Pipelines, Trial};
use crate::sample::{MetricDescriptions, SharedSeries};
use crate::sender::Sender;
use crate::zones::GroupZones;
use crate::{Clocks, IngestAnswer, Result, Sources, datum};

/// Takes request bodies and makes durable events of them.
pub struct Intake {
    pub(crate) store: Arc<Store>,
    /// The limits of bodies and events.
    pub limits: Limits,
    /// The same without splitting texts, for events that go through pipelines.
    pub(crate) whole_texts: Limits,
    pipelines: RwLock<Arc<Pipelines>>,
    /// Where the current pipelines come from; held while they are changed.
    // Nothing panics between its changes.
    pipeline_sources: Mutex<PipelineSources>,
    /// The zone of times that name none, where neither group nor sender has one.
    pub(crate) zone: Zone,
    pub(crate) line_contexts: LineContexts,
    pub(crate) overflowed: Arc<AtomicU64>,
    /// The ids of events that requests are about to store.
    pub claims: Claims,
    known_ids: KnownIds,
    /// Spans that were dropped because they had been sent before.
    pub(crate) spans_repeated: AtomicU64,
    /// The shippers that bring their files here.
    pub sources: Sources,
    pub(crate) zones: GroupZones,
    /// The streams whose events are off by hours.
    pub clocks: Arc<Clocks>,
    /// The series that requests have had.
    pub series: SharedSeries,
    /// Lists of series that batches of samples share.
    series_lists: Arc<SeriesLists>,
    /// What shippers say of the metrics that they scrape.
    pub descriptions: MetricDescriptions,
}

/// The definitions of pipelines.
#[derive(Default)]
struct PipelineSources {
    /// Those of the configuration, an array of objects.
    configured: serde_json::Value,
    made: MadePipelines,
}

/// Events that were read but not stored yet, with the answer to their sender.
pub(crate) struct PendingDelivery {
    pub(crate) delivery: Delivery,
    pub(crate) answer: IngestAnswer,
    pub(crate) n_overflowed: u64,
}

impl PendingDelivery {
    pub(crate) fn new(
        collector: Collector<'_>,
        key: Option<BatchKey>,
        raw_bytes: u64,
        mut answer: IngestAnswer,
    ) -> Self {
        answer.accepted = collector.n_records();
        let n_overflowed = collector.n_overflowed();
        let delivery = Delivery { key, position: None, raw_bytes, parts: collector.into_parts() };
        Self { delivery, answer, n_overflowed }
    }
}

/// Compiles the pipelines of the configuration, and puts those behind them that were made through the API.
fn compiled(configured: &serde_json::Value, made: &MadePipelines) -> Result<Pipelines, String> {
    let none = serde_json::Value::Array(Vec::new());
    let configured = if configured.is_null() { &none } else { configured };
    let of_configuration = Pipelines::compile(configured).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    of_configuration.append(made.compile()?).map_err(|problem| {
        format!("{problem}: one is in the configuration, the other was made through the API; rename that of the configuration")
    })
}

impl Intake {
    /// Returns an intake for `store`; times without a zone are in `zone`.
    pub fn new(store: Arc<Store>, limits: Limits, zone: impl Into<Zone>) -> Self {
        Self {
            sources: Sources::resume(&store),
            zones: GroupZones::load(store.settings()),
            clocks: Arc::default(),
            series: SharedSeries::default(),
            series_lists: Arc::default(),
            descriptions: MetricDescriptions::default(),
            store,
            whole_texts: pipeline::whole_texts(&limits),
            limits,
            pipelines: RwLock::default(),
            pipeline_sources: Mutex::default(),
            zone: zone.into(),
            line_contexts: LineContexts::default(),
            overflowed: Arc::default(),
            claims: Claims::default(),
            known_ids: KnownIds::default(),
            spans_repeated: AtomicU64::default(),
        }
    }

    /// Returns the intake with `clocks` as its record of streams whose clock is off.
    pub fn with_clocks(self, clocks: Arc<Clocks>) -> Self {
        Self { clocks, ..self }
    }

    /// Returns those of some ids that events of a group have in a field, within a range of time.
    pub fn known_ids<'i>(
        &self,
        group: &GroupName,
        field: ids::IdField<'_>,
        range: TimeRange,
        wanted: impl Iterator<Item = &'i str>,
    ) -> HashSet<&'i str> {
        self.known_ids.among(&self.store, group, (field, range), wanted)
    }

    /// Returns the stored ranges of the file that the shipper `asking` asks about; `json` is its question.
    ///
    /// # Errors
    /// If the question cannot be read.
    pub fn held(
        &self,
        asking: &str,
        json: &[u8],
        within: &GroupScope,
        now: Timestamp,
    ) -> Result<Vec<crate::HeldRange>, crate::ReportError> {
        self.sources.held(&self.store, asking, json, within, now)
    }

    /// Returns the current pipelines.
    pub fn pipelines(&self) -> Arc<Pipelines> {
        // Nothing panics while it is held: it is only copied and replaced.
        self.pipelines.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests that begin from now on go through these pipelines, and no others.
    pub fn set_pipelines(&self, mut pipelines: Pipelines) {
        let mut current = self.pipelines.write().unwrap_or_else(PoisonError::into_inner);
        pipelines.continue_counting(&current);
        *current = Arc::new(pipelines);
    }

    /// Requests that begin from now on go through the pipelines of the configuration, an array of objects, and then through
    /// those that were made through the API.
    ///
    /// # Errors
    /// What is wrong, a mistake a line; then nothing is changed.
    pub fn configure_pipelines(&self, definitions: &serde_json::Value) -> Result<(), String> {
        let mut sources = self.pipeline_sources.hold();
        let made = sources.made.read(self.store.settings())?;
        let pipelines = compiled(definitions, made.as_ref().unwrap_or(&sources.made))?;
        sources.configured = definitions.clone();
        sources.made = made.unwrap_or_else(|| std::mem::take(&mut sources.made));
        self.set_pipelines(pipelines);
        Ok(())
    }

    /// Reads the pipelines that were made through the API again, if other ones were made since.
    ///
    /// # Errors
    /// What is wrong; then those that hold stay.
    pub fn follow_pipelines(&self) -> Result<(), String> {
        self.follow(&mut self.pipeline_sources.hold())
    }

    fn follow(&self, sources: &mut PipelineSources) -> Result<(), String> {
        let Some(made) = sources.made.read(self.store.settings())? else { return Ok(()) };
        let pipelines = compiled(&sources.configured, &made)?;
        sources.made = made;
        self.set_pipelines(pipelines);
        Ok(())
    }

    /// Returns the pipelines that were made through the API, in the order in which they run.
    pub fn made_pipelines(&self) -> Vec<MadePipeline> {
        self.pipeline_sources.hold().made.list.clone()
    }

    /// Makes a pipeline that is the last one from now on, also after a restart, and on all nodes of a fleet. Blocks.
    ///
    /// # Errors
    /// If the definition is wrong, its name is taken, or the control store does not take it; then nothing is changed.
    pub fn make_pipeline(
        &self,
        definition: &serde_json::Value,
        maker: &str,
        now: Timestamp,
    ) -> Result<(), MakePipelineError> {
        let mut sources = self.pipeline_sources.hold();
        self.follow(&mut sources).map_err(MakePipelineError::Definition)?;
        let alone = Pipelines::compile_one(definition).map_err(MakePipelineError::Definition)?;
        let name = definition["name"].as_str().unwrap_or_default();
        types::ensure!(!self.pipelines().has(name), MakePipelineError::Taken(name.to_owned()));
        compiled(&sources.configured, &sources.made)
            .and_then(|pipelines| pipelines.append(alone))
            .map_err(MakePipelineError::Definition)?;
        pipeline::put_made(self.store.settings(), definition, maker, now)?;
        self.follow(&mut sources).map_err(MakePipelineError::Definition)
    }

    /// Removes a pipeline that was made through the API. Blocks.
    ///
    /// # Errors
    /// If there is none of the name, or the control store does not take it.
    pub fn remove_pipeline(&self, name: &str) -> Result<(), MakePipelineError> {
        let mut sources = self.pipeline_sources.hold();
        self.follow(&mut sources).map_err(MakePipelineError::Definition)?;
        if !sources.made.list.iter().any(|made| made.name() == name) {
            return Err(MakePipelineError::Unknown(name.to_owned()));
        }
        pipeline::remove_made(self.store.settings(), name)?;
        self.follow(&mut sources).map_err(MakePipelineError::Definition)
    }

    /// Returns a trial of `candidates` on stored events of a group, after the pipelines `current`.
    pub fn trial<'a>(
        &'a self,
        current: &'a Pipelines,
        candidates: &'a [Pipelines],
        group: &'a GroupName,
        now: Timestamp,
    ) -> Trial<'a> {
        let zone = self.zones.of(group).unwrap_or(self.zone);
        Trial { current, candidates, group, limits: &self.limits, zone, now }
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
        let (limits, zone, extras) = (&self.limits, self.zone, Extras::default());
        pipeline::DryRun { pipelines, limits, zone, now, modified: None, extras, format: None }
            .run(group, stream, samples)
    }

    /// Reads a text as an event that happens now, and stores nothing; pipelines do not see it.
    pub fn sample(&self, text: &[u8], now: Timestamp) -> Batch {
        let received =
            ArrivalContext { at: now, modified: None, previous: None, zone: self.zone, limits: &self.limits };
        let (mut parser, mut builder) = (EventParser::new(received), BatchBuilder::new());
        parser.read_text(text).add_to(&Extras { time: Some(now), ..Extras::default() }, &mut builder);
        builder.finish()
    }

    /// Returns the number of records that went to the group `overflow` since the start, because their own group would exceed the limit.
    pub fn n_overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// Starts collecting events that a foreign protocol brings.
    pub fn collect<'a>(&'a self, sender: &Sender<'a>) -> Collector<'a> {
        self.collect_as(self.received(sender.now), sender.within).noting(sender.groups)
    }

    /// Starts collecting events that are read as `received` says.
    pub(crate) fn collect_as<'a>(&'a self, received: ArrivalContext<'a>, scope: &'a GroupScope) -> Collector<'a> {
        let Self { store, zones, clocks, whole_texts, series, series_lists, .. } = self;
        let embedded = datum::embedded::collect;
        let pipelines = self.pipelines();
        let context = CollectorContext { store, zones, clocks, pipelines, whole_texts, series, series_lists, embedded };
        Collector::new(context, received, scope)
    }

    /// Stores a record of the server's own in a group that no sender may write to. Blocks.
    ///
    /// # Errors
    /// If the store does not take it.
    pub fn record_own(&self, group: &GroupName, record: &[u8], now: Timestamp) -> Result<()> {
        let mut collector = self.collect_as(self.received(now), &GroupScope::All);
        collector.is_own = true;
        let place = collector.group(group)?;
        // A record that is no JSON object is none; the server writes objects.
        let _ = collector.add(place, RawEvent::Record(record), &EventMetadata::default())?;
        let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now, groups: None };
        self.accept(collector, record, &sender).map(|_| ())
    }

    /// Stores what was collected of a body and returns when it is durable. Blocks.
    pub fn accept(&self, collector: Collector<'_>, body: &[u8], sender: &Sender<'_>) -> Result<IngestAnswer> {
        self.deliver(collector, sender.batch_key(body), body.len() as u64, IngestAnswer::default())
    }

    /// Stores the parts that `check` leaves; `check` also returns the number of records it removed.
    ///
    /// # Errors
    /// If the store does not take them.
    pub fn accept_checked(
        &self,
        collector: Collector<'_>,
        body: &[u8],
        sender: &Sender<'_>,
        check: impl FnOnce(Vec<Part>) -> (Vec<Part>, u64),
    ) -> Result<IngestAnswer> {
        let key = sender.batch_key(body);
        let mut pending = PendingDelivery::new(collector, key, body.len() as u64, IngestAnswer::default());
        let (parts, n_taken) = check(pending.delivery.parts);
        if parts.is_empty() && n_taken > 0 {
            return Ok(IngestAnswer { duplicate: true, ..pending.answer });
        }
        pending.delivery.parts = parts;
        pending.answer.accepted = pending.answer.accepted.saturating_sub(n_taken);
        self.store_pending(pending)
    }

    /// Stores what was collected under a key, and completes `answer`. Blocks.
    ///
    /// # Errors
    /// If the store does not take it.
    pub fn deliver(
        &self,
        collector: Collector<'_>,
        key: Option<BatchKey>,
        raw_bytes: u64,
        answer: IngestAnswer,
    ) -> Result<IngestAnswer> {
        self.store_pending(PendingDelivery::new(collector, key, raw_bytes, answer))
    }

    pub(crate) fn store_pending(&self, pending: PendingDelivery) -> Result<IngestAnswer> {
        let PendingDelivery { mut delivery, mut answer, n_overflowed } = pending;
        if !delivery.parts.is_empty() {
            let _claim = self.drop_repeated_spans(&mut delivery.parts)?;
            let first =
                delivery.parts.first().and_then(|part| Some((part.group.clone(), part.batch.timestamps.first()?)));
            let receipt = self.store.append(delivery)?;
            answer.duplicate = receipt.duplicate;
            answer.first_event = first.filter(|_| !receipt.duplicate).and_then(|(group, timestamp)| {
                let (group_id, sequence) = (self.store.group_id(&group)?, receipt.first_sequence);
                Some(EventId { group_id, timestamp: Timestamp(timestamp), sequence })
            });
            self.note_overflow(if receipt.duplicate { 0 } else { n_overflowed });
        }
        Ok(answer)
    }

    /// Returns the number of spans dropped since the start because they had been sent before.
    pub fn n_spans_repeated(&self) -> u64 {
        self.spans_repeated.load(Ordering::Relaxed)
    }

    pub(crate) fn note_overflow(&self, n_records: u64) {
        self.overflowed.fetch_add(n_records, Ordering::Relaxed);
    }

    /// Returns how texts are read that arrive `now`.
    pub fn received(&self, now: Timestamp) -> ArrivalContext<'_> {
        ArrivalContext { at: now, modified: None, previous: None, zone: self.zone, limits: &self.limits }
    }

    /// Returns the time zone of a group as it was set.
    pub fn time_zone(&self, group: &GroupName) -> Option<String> {
        self.zones.text_of(group)
    }

    /// Sets the time zone of a group, which was checked, for times that name none; `None` restores that of the sender or
    /// server. It holds for events that arrive from now on.
    ///
    /// # Errors
    /// If the control store does not take the setting; then nothing is changed.
    pub fn set_time_zone(&self, group: &GroupName, zone: Option<&str>) -> Result<(), StoreError> {
        self.zones.set(self.store.settings(), group, zone)?;
        self.clocks.forget(group);
        Ok(())
    }

    /// Checks the name of a zone.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn check_time_zone(text: &str) -> Result<(), ZoneError> {
        text.parse().map(|_: Zone| ())
    }
}
