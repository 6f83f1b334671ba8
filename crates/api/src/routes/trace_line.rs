//! `POST /api/v1/sources/trace`: follows one line from its file to an answer, and says at which stage it ended.
//!
//! What is stored decides: a line that is found was accepted, whatever pipelines and limits of today would do to it. What a
//! caller may not see is not named, and a guess about a masked value is answered to administrators alone.

mod answer;
mod delivery;
mod intake;
mod stage;
mod stored;

use std::sync::Arc;

use door::{Outcome as Answer, Problem, QueryRun, Reply, RequestBody, Result, Role, Shared, reason_json};
use ingest::{FilePlace, FileRangeView, TracedEvent, TracedText};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::{GroupName, GroupPattern, TimeRange, Timestamp, ensure, group_name_of_outside};

use self::intake::PipelineView;
use self::stage::{Outcome, Stage};
use self::stored::{FoundEvents, Mark};
use crate::ask::{Ask, Groups};
use crate::json_body::JsonBody;
use crate::state::Call;

/// Longest body: the longest line that is kept whole, and its fields.
pub(super) const BODY_BYTES_MAX: usize = 20 << 20;

const BODY: JsonBody =
    JsonBody { noun: "trace", example: r#"{"text":"…","group":"…"} or {"path":"/…","offset":0,"length":80}"# };

/// Events of one text that are traced.
const EVENTS_MAX: usize = 10;

/// What is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(default)]
struct TraceRequest {
    /// The text: all lines of one event.
    text: Option<String>,
    group: Option<String>,
    stream: Option<String>,
    /// Fields that the sender adds.
    fields: Map<String, Value>,
    /// The zone of the sender.
    zone: Option<String>,
    host: Option<String>,
    path: Option<String>,
    offset: Option<u64>,
    length: Option<u64>,
    /// The file and generation, as its shipper calls them.
    file: Option<String>,
    generation: Option<u64>,
    /// A query in whose answer the line is expected.
    query: Option<String>,
    from: Option<Value>,
    to: Option<Value>,
    groups: Option<Groups>,
    language: Option<String>,
    time_zone: Option<String>,
    limit: Option<usize>,
}

/// What became of a line.
#[derive(Default)]
struct Trace {
    stages: Vec<Stage>,
    found: FoundEvents,
}

pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Answer {
    let request = TraceRequest::of_json(body.bytes())?;
    drop(body);
    // The text of a line is not shown among the running queries.
    Ok(Reply::query(&server, "trace of a line", move |reading| Ok(Reply::json(&trace(reading, request)?.json()))))
}

impl TraceRequest {
    fn of_json(body: &[u8]) -> Result<Self> {
        let request: Self = BODY.read(body)?;
        if request.text.is_none() && (request.path.is_none() || request.offset.is_none()) {
            return Err(BODY.bad("it has neither text nor path and offset"));
        }
        if request.path.is_none() && (request.offset.is_some() || request.file.is_some()) {
            return Err(BODY.bad("offset and file are places in a file: path is missing"));
        }
        ensure!(request.file.is_some() == request.generation.is_some(), BODY.bad("file and generation come together"));
        if request.query.is_none() && (request.from.is_some() || request.to.is_some() || request.groups.is_some()) {
            return Err(BODY.bad("from, to and groups belong to query, which is missing"));
        }
        Ok(request)
    }

    /// Returns the place of the line in its file.
    fn place(&self) -> Option<FilePlace<'_>> {
        let (path, start) = (self.path.as_deref()?, self.offset?);
        let n_bytes = self.length.unwrap_or_else(|| self.text.as_ref().map_or(1, |text| text.len() as u64));
        Some(FilePlace {
            path,
            host: self.host.as_deref(),
            identity: self.file.as_deref().zip(self.generation),
            range: start..start.saturating_add(n_bytes.max(1)),
        })
    }

    /// Returns the fields that a shipper adds to its events.
    fn shipped_fields(&self) -> Vec<(Arc<str>, types::Value)> {
        let own = self.fields.iter().filter_map(|(name, value)| {
            let value = match value {
                Value::Null => return None,
                Value::String(text) => types::Value::text(text.as_str()),
                Value::Bool(truth) => types::Value::Boolean(*truth),
                other => other.as_i64().map_or_else(|| types::Value::text(other.to_string()), types::Value::Integer),
            };
            Some((Arc::from(name.as_str()), value))
        });
        let of_place = [("host", &self.host), ("file", &self.path)].into_iter();
        let of_place = of_place.filter_map(|(name, text)| {
            Some((Arc::from(name), types::Value::text(text.as_deref().filter(|_| self.path.is_some())?)))
        });
        own.chain(of_place).collect()
    }

    /// Returns the question whose answer is looked at.
    fn ask(&mut self) -> Option<Ask> {
        let query = self.query.take()?;
        Some(Ask {
            query,
            from: self.from.take(),
            to: self.to.take(),
            groups: self.groups.take(),
            limit: self.limit,
            language: self.language.take(),
            time_zone: self.time_zone.take(),
            ..Ask::default()
        })
    }
}

fn trace(reading: &QueryRun<'_>, mut request: TraceRequest) -> Result<Trace> {
    let server = reading.server;
    let question = request.ask().map(|ask| ask.check(server.now())).transpose()?;
    let views = ledger(server, &request);
    let of_ledger = delivery::chosen(&views).map(|view| view.group.clone());
    let group = request.group.clone().or(of_ledger).unwrap_or_else(|| "default".to_owned());
    let group = group_name_of_outside(&group);
    let mut trace = Trace::default();
    if !server.reaches(group.as_str()) {
        let text = format!("your key does not cover the group {}: nothing of it is shown", group.as_str());
        trace.stages.push(Stage::new("scope", Outcome::Stopped, text));
        return Ok(trace);
    }
    if let Some(path) = &request.path {
        trace.stages.push(delivery::delivery(path, request.host.as_deref(), &views));
    }
    let traced = traced(server, &request, &group, delivery::chosen(&views))?;
    let target = trace.follow_intake(server, &traced, group);
    let Some(target) = target else { return Ok(trace) };
    trace.look_up(reading, &request, &traced, &target)?;
    if let (Some(question), Some(event)) = (&question, trace.found.events.first()) {
        trace.stages.extend(answer::stages(reading, question, event)?);
    }
    Ok(trace)
}

/// Returns what the ledger of shippers knows about the line's place.
fn ledger(server: &Shared, request: &TraceRequest) -> Vec<FileRangeView> {
    let Some(place) = request.place() else { return Vec::new() };
    let (store, scope) = (server.whole_store(), &server.caller.scope);
    server.app.intake.sources.file_range(store, &place, scope, server.now())
}

/// Runs the text through the intake; nothing without a text.
fn traced(
    server: &Shared,
    request: &TraceRequest,
    group: &GroupName,
    view: Option<&FileRangeView>,
) -> Result<Vec<TracedEvent>> {
    let Some(text) = &request.text else { return Ok(Vec::new()) };
    let bad_zone = |error| Problem::bad_request("unknown-time-zone", format!("zone: {error}"));
    let zone = request.zone.as_deref().map(str::parse).transpose().map_err(bad_zone)?;
    let stream = request.stream.as_deref().or(view.map(|view| &*view.stream)).unwrap_or_default();
    let (fields, offset) = (request.shipped_fields(), request.offset);
    let text = text.trim_matches(['\r', '\n']).as_bytes();
    let traced = TracedText { text, group, stream, fields: &fields, offset, zone };
    let mut events = server.app.intake.trace(&traced, server.now());
    events.truncate(EVENTS_MAX);
    Ok(events)
}

impl Trace {
    /// Adds the stages of the intake. Returns the group that the event goes to, unless the caller may not see it.
    fn follow_intake(&mut self, server: &Shared, traced: &[TracedEvent], group: GroupName) -> Option<GroupName> {
        let is_admin = server.caller.role == Role::Admin;
        let view = if is_admin { PipelineView::Values } else { PipelineView::Names };
        let mut target = group;
        for event in traced {
            if event.kept.as_ref().is_some_and(|kept| !server.reaches(kept.group.as_str())) {
                let text = "a pipeline routes it to a group that your key does not cover";
                self.stages.push(Stage::new("scope", Outcome::Stopped, text));
                return None;
            }
            self.stages.extend(intake::stages(event, &server.app.limits, view));
            if let Some(kept) = &event.kept {
                let overflow = kept.overflows.then(|| group_name_of_outside("overflow"));
                target = overflow.unwrap_or_else(|| kept.group.clone());
            }
        }
        Some(target)
    }

    /// Looks for the event in its group, then in all groups, and for what may have removed it.
    fn look_up(
        &mut self,
        reading: &QueryRun<'_>,
        request: &TraceRequest,
        traced: &[TracedEvent],
        target: &GroupName,
    ) -> Result<()> {
        let time = time_of(traced);
        let range = time.map_or(TimeRange::ALL, stored::around);
        for mark in marks(reading.server, request, traced) {
            for groups in [vec![GroupPattern::new(target.as_str())], Vec::new()] {
                if self.found.events.is_empty() && self.found.partial_reasons.is_empty() {
                    self.found = stored::find(reading, &mark, &groups, range)?;
                }
            }
        }
        if !self.found.events.is_empty() {
            self.note_that_it_is_stored();
            self.stages.push(stored::store(&self.found));
            return Ok(());
        }
        // What ended before the store needs no further reason.
        if self.stages.iter().any(Stage::is_end) {
            return Ok(());
        }
        self.stages.push(stored::store(&self.found));
        self.stages.extend(stored::removals(reading.server, target, time));
        Ok(())
    }

    /// Stages that would end the line today did not when it came.
    fn note_that_it_is_stored(&mut self) {
        for stage in self.stages.iter_mut().filter(|stage| stage.is_end()) {
            stage.outcome = Outcome::Passed;
            stage.text = format!("it is stored, although today it would end here: {}", stage.text);
        }
    }

    fn json(&self) -> Value {
        let ended = self.stages.iter().find(|stage| stage.is_end());
        let reasons = &self.found.partial_reasons;
        json!({
            "stages": self.stages.iter().map(Stage::json).collect::<Vec<_>>(),
            "ended": ended.map(|stage| stage.name),
            "verdict": ended.map_or_else(|| self.verdict(), |stage| stage.text.clone()),
            "events": self.found.events.iter().map(|event| event.json.clone()).collect::<Vec<_>>(),
            "partial": !reasons.is_empty(),
            "partial_reasons": reasons.iter().map(reason_json).collect::<Vec<_>>(),
        })
    }

    /// Returns a sentence about a line that no stage ended.
    fn verdict(&self) -> String {
        self.stages.last().map_or_else(|| "nothing is known".to_owned(), |stage| stage.text.clone())
    }
}

/// Returns when the event happened, where its text says so.
fn time_of(traced: &[TracedEvent]) -> Option<Timestamp> {
    let has_time = |event: &&TracedEvent| event.account["recognised"]["has_time"] == true;
    traced.iter().find(has_time).and_then(|event| event.kept.as_ref()).map(|kept| kept.time)
}

/// Returns what tells the event from others: its place in its file, then its text.
fn marks(server: &Shared, request: &TraceRequest, traced: &[TracedEvent]) -> Vec<Mark> {
    let place = request.path.clone().zip(request.offset);
    let place = place.map(|(path, offset)| Mark::Place(request.host.clone(), path, offset));
    let is_admin = server.caller.role == Role::Admin;
    let mut texts: Vec<String> = Vec::new();
    for event in traced.iter().filter(|event| is_admin || !intake::is_masked(&event.account)) {
        texts.extend(event.kept.as_ref().map(|kept| kept.message.clone()));
    }
    texts.extend(request.text.iter().map(|text| text.trim_matches(['\r', '\n']).to_owned()));
    texts.sort_unstable();
    texts.dedup();
    let texts = Some(Mark::Texts(texts)).filter(|_| request.text.is_some());
    place.into_iter().chain(texts).collect()
}
