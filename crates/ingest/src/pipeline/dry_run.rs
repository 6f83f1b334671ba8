//! What pipelines would make of lines, step by step, with nothing stored or counted.

use std::collections::BTreeMap;

use parse::{ArrivalContext, EventParser, Extras, JsonError, OwnTime, Zone};
use serde_json::{Map, Value as Json, json};
use types::{BatchBuilder, GroupName, GroupScope, Limits, Timestamp, Value};

use super::recognised_fields::RecognisedFields;
use super::step::Step;
use super::{Draft, Pipelines, Witness};
use crate::pipeline::outcome::{Done, Fate, Surroundings};

/// Everything that decides what becomes of lines.
#[derive(Clone, Copy, Debug)]
pub struct DryRun<'a> {
    /// The pipelines to try.
    pub pipelines: &'a Pipelines,
    /// Limits of events.
    pub limits: &'a Limits,
    /// The zone of times that have none.
    pub zone: Zone,
    /// When the lines arrive.
    pub now: Timestamp,
    /// When their file was last written, if they are of one.
    pub modified: Option<Timestamp>,
    /// What their way adds to each of them.
    pub extras: Extras<'a>,
    /// The format that all lines have, where somebody said so.
    pub format: Option<parse::FormatId>,
}

/// One line or record to try.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Whether it was announced as a JSON record.
    pub is_record: bool,
}

impl DryRun<'_> {
    /// Returns the outcome of each sample as JSON: `event`, `fate`, `recognised`, `steps`; or `error` for an invalid record.
    pub fn run<'s>(&self, group: &GroupName, stream: &str, samples: impl Iterator<Item = Sample<'s>>) -> Vec<Json> {
        let limits = super::whole_texts(self.limits);
        let received =
            ArrivalContext { at: self.now, modified: self.modified, previous: None, zone: self.zone, limits: &limits };
        let mut parser = EventParser::new(received);
        parser.set_format(self.format);
        samples
            .enumerate()
            .map(|(index, sample)| {
                let (mut answer, _) = self.one(&mut parser, &received, group, stream, sample);
                answer.insert("line".into(), (index + 1).into());
                Json::Object(answer)
            })
            .collect()
    }

    /// Returns what becomes of one text, and the event itself where pipelines keep it.
    pub(crate) fn trace(&self, group: &GroupName, stream: &str, text: &[u8]) -> (Map<String, Json>, Option<Draft>) {
        let limits = super::whole_texts(self.limits);
        let received =
            ArrivalContext { at: self.now, modified: self.modified, previous: None, zone: self.zone, limits: &limits };
        let sample = Sample { bytes: text, is_record: false };
        self.one(&mut EventParser::new(received), &received, group, stream, sample)
    }

    fn one(
        &self,
        parser: &mut EventParser<'_>,
        received: &ArrivalContext<'_>,
        group: &GroupName,
        stream: &str,
        sample: Sample<'_>,
    ) -> (Map<String, Json>, Option<Draft>) {
        let (mut draft, reading) = match self.read(parser, received, group, stream, sample) {
            Ok(read) => read,
            Err(error) => return (Map::from_iter([("error".to_owned(), error.to_string().into())]), None),
        };
        let recognised = reading.shown(&draft, received);
        let mut account = Account::default();
        let around = Surroundings { received, within: &GroupScope::All };
        let fate = self.pipelines.run(&mut draft, around, &mut account, false);
        let fate_name = match fate {
            Fate::Kept => "kept",
            Fate::Dropped => "dropped",
            Fate::SampledOut => "sampled out",
        };
        let mut answer = Map::new();
        answer.insert("fate".into(), fate_name.into());
        answer.insert("event".into(), if fate == Fate::Kept { Json::Object(shown(&draft)) } else { Json::Null });
        answer.insert("recognised".into(), recognised);
        answer.insert("steps".into(), account.entries.into());
        (answer, (fate == Fate::Kept).then_some(draft))
    }

    /// Parses a sample and explains how it was recognised.
    fn read(
        &self,
        parser: &mut EventParser<'_>,
        received: &ArrivalContext<'_>,
        group: &GroupName,
        stream: &str,
        sample: Sample<'_>,
    ) -> Result<(Draft, RecognisedFields), JsonError> {
        let has_time_before = parser.previous().is_some() && !sample.is_record;
        let mut builder = BatchBuilder::new();
        let event = if sample.is_record { parser.read_record(sample.bytes)? } else { parser.read_text(sample.bytes) };
        let (shape, level_of_shape) = (event.shape(), event.level_of_shape());
        let (is_object, runtime) = (event.is_object(), event.runtime());
        let format = event.format().map(str::to_owned);
        event.add_to(&self.extras, &mut builder);
        let draft = Draft::of(&builder.finish(), group.clone(), stream);
        let has_time = if sample.is_record { draft.time != received.at } else { parser.own_time != OwnTime::None };
        let has_time = has_time || draft.time_key.is_some();
        let is_record = sample.is_record;
        Ok((
            draft,
            RecognisedFields {
                is_record,
                is_object,
                shape,
                format,
                runtime,
                level_of_shape,
                has_time,
                has_time_before,
            },
        ))
    }
}

/// Returns an event as a query would show it.
pub(super) fn shown(draft: &Draft) -> Map<String, Json> {
    let mut event = Map::new();
    event.insert("@timestamp".into(), draft.time.to_string().into());
    event.insert("@log".into(), draft.group.as_str().into());
    if !draft.stream.is_empty() {
        event.insert("@logStream".into(), draft.stream.as_str().into());
    }
    if let Some(level) = draft.level {
        event.insert("@level".into(), level.name().into());
    }
    event.insert("@message".into(), draft.message.as_str().into());
    let mut names = draft.names();
    names.sort();
    for name in names {
        let value = draft.value(&name).map(|value| as_json(&value));
        event.insert(name.to_string(), value.unwrap_or_default());
    }
    event
}

fn as_json(value: &Value) -> Json {
    let mut text = String::new();
    value.write_json(&mut text);
    serde_json::from_str(&text).unwrap_or(Json::String(text))
}

/// Writes down what pipelines do.
#[derive(Default)]
struct Account {
    entries: Vec<Json>,
    pipeline: String,
    before: BTreeMap<String, Json>,
}

fn as_map(draft: &Draft) -> BTreeMap<String, Json> {
    shown(draft).into_iter().collect()
}

impl Witness for Account {
    fn passed_by(&mut self, pipeline: &str, reason: &str) {
        self.entries.push(json!({"pipeline": pipeline, "matched": false, "because": reason}));
    }

    fn matched(&mut self, pipeline: &str) {
        self.pipeline = pipeline.to_owned();
        self.entries.push(json!({"pipeline": pipeline, "matched": true}));
    }

    fn before(&mut self, draft: &Draft) {
        self.before = as_map(draft);
    }

    fn step(&mut self, number: usize, step: &Step, done: Done, draft: &Draft) {
        let after = as_map(draft);
        let (done, because) = match done {
            Done::Changed => ("changed", None),
            Done::Masked => ("masked", None),
            Done::Routed => ("routed", None),
            Done::Nothing => ("nothing", None),
            Done::Failed(reason) => ("not done", Some(reason)),
            Done::Dropped => ("dropped", None),
            Done::SampledOut => ("sampled out", None),
        };
        let mut changes = Vec::new();
        let names = self.before.keys().chain(after.keys().filter(|name| !self.before.contains_key(*name)));
        for name in names {
            let (old, new) = (self.before.get(name), after.get(name));
            if old != new {
                changes.push(json!({"field": name, "before": old, "after": new}));
            }
        }
        let mut entry = json!({
            "pipeline": self.pipeline, "step": number, "kind": step.kind, "done": done, "changes": changes,
        });
        if let Some(reason) = because {
            entry["because"] = reason.into();
        }
        self.entries.push(entry);
    }
}
