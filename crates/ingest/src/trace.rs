//! Traces one text through the intake: what it is recognised as, what pipelines do to it, and which limits it meets.
//!
//! Nothing is stored or counted. Pipelines, limits and the retention of groups are those of now, which may differ from
//! those at the time at which the text was sent.

use std::sync::Arc;

use parse::{Extras, Zone};
use serde_json::Value as Json;
use types::{Batch, BatchBuilder, GroupName, Timestamp, Value};

use crate::Intake;
use crate::pipeline::{Draft, DryRun};

/// A text whose way is traced, with what its sender states about it.
#[derive(Clone, Copy, Debug)]
pub struct TracedText<'a> {
    /// Its bytes: all lines of one event.
    pub text: &'a [u8],
    /// The group that it is sent to.
    pub group: &'a GroupName,
    /// Its stream.
    pub stream: &'a str,
    /// Fields that its sender adds.
    pub fields: &'a [(Arc<str>, Value)],
    /// The offset of its first byte in its file.
    pub offset: Option<u64>,
    /// The zone of the sender.
    pub zone: Option<Zone>,
}

/// What becomes of a traced text.
#[derive(Clone, Debug)]
pub struct TracedEvent {
    /// The account of a dry run: `recognised`, `steps`, `fate`.
    pub account: Json,
    /// The event, where pipelines keep it.
    pub kept: Option<KeptEvent>,
}

/// An event that pipelines keep.
#[derive(Clone, Debug)]
pub struct KeptEvent {
    /// The group that it goes to.
    pub group: GroupName,
    /// Whether that group would be one too many, so that the event goes to the group `overflow`.
    pub overflows: bool,
    /// When it happened.
    pub time: Timestamp,
    /// Its text, or the first part of it.
    pub message: String,
    /// Parts that its text is split into.
    pub n_parts: usize,
    /// Fields that did not fit and are kept as text.
    pub fields_dropped: Option<String>,
    /// The time that it states, where that cannot be right.
    pub time_rejected: Option<String>,
    /// Events of its group before this time are refused.
    pub oldest: Option<Timestamp>,
}

impl Intake {
    /// Returns what becomes of a text that is sent now: mostly one event; several where it is a list of records.
    pub fn trace(&self, traced: &TracedText<'_>, now: Timestamp) -> Vec<TracedEvent> {
        let zone = self.zones.of(traced.group).or(traced.zone).unwrap_or(self.zone);
        let extras = Extras { fields: traced.fields, offset: traced.offset, ..Extras::default() };
        let pipelines = self.pipelines();
        let run =
            DryRun { pipelines: &pipelines, limits: &self.limits, zone, now, modified: None, extras, format: None };
        let traced = parse::texts(traced.text).map(|text| {
            let (account, draft) = run.trace(traced.group, traced.stream, &text);
            TracedEvent { account: Json::Object(account), kept: draft.map(|draft| self.kept(&draft)) }
        });
        traced.collect()
    }

    fn kept(&self, draft: &Draft) -> KeptEvent {
        let mut builder = BatchBuilder::new();
        draft.write(&self.limits, &mut builder);
        let batch = builder.finish();
        let text = |name: &str| first_value(&batch, name).map(|value| value.to_string());
        KeptEvent {
            group: draft.group.clone(),
            overflows: !self.store.admits_group(&draft.group),
            time: draft.time,
            message: if batch.is_empty() { String::new() } else { batch.messages.get(0).to_owned() },
            n_parts: batch.len(),
            fields_dropped: text("@fieldsDropped"),
            time_rejected: text("@timestampRejected"),
            oldest: self.store.oldest_kept(&draft.group),
        }
    }
}

/// Returns the value of a field of the first event.
fn first_value(batch: &Batch, name: &str) -> Option<Value> {
    batch.fields.iter().find(|(known, _)| **known == *name).and_then(|(_, column)| column.value(0))
}
