//! `/api/v1/marks`: deploys, migrations and flags as people and scripts say that they happened, stored as events.

use axum::http::StatusCode;
use cause::{MARK_DAYS_MAX, MARK_GROUP, Mark, is_mark_group, mark_groups, mark_reach, marks};
use ingest::{Encoding, EventMetadata, IngestError, RawEvent};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::{GroupName, Timestamp, group_name_of_outside};

use crate::ask;
use crate::json_body::JsonBody;
use crate::state::Call;
use door::query_run::damages;
use door::{Outcome, Problem, Reply, RequestBody, Result, Scope, Shared, reason_json};

/// Longest body of a mark, and longest text.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;
const TEXT_BYTES_MAX: usize = 2_000;

const BODY: JsonBody = JsonBody { noun: "mark", example: r#"{"text":"deploy 1.4.2","fields":{"service":"pay"}}"# };

/// Most fields of a mark, and longest name of one.
const FIELDS_MAX: usize = 50;
const NAME_BYTES_MAX: usize = 200;

/// Marks of an answer.
const MARKS_MAX: usize = 1_000;

/// Names of fields that are parts of the mark itself.
const OWN_NAMES: [&str; 5] = ["message", "msg", "text", "until", "at"];

/// A mark as a client sends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMark {
    text: String,
    at: Option<Value>,
    until: Option<Value>,
    #[serde(default)]
    fields: Map<String, Value>,
    group: Option<String>,
}

/// A mark that can be stored.
struct CheckedMark {
    text: String,
    at: Timestamp,
    until: Option<Timestamp>,
    fields: Map<String, Value>,
    group: GroupName,
}

pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let mark = BODY.read::<NewMark>(body.bytes())?.check(&server)?;
    let record = mark.record();
    let n_bytes = record.len();
    let store = move || {
        store(&server, &mark.group, record.as_bytes())?;
        Ok(Reply::json(&mark.json()).with_status(StatusCode::CREATED))
    };
    Ok(Reply::Intake(Encoding::Identity.into(), n_bytes, Box::new(store)))
}

/// Stores a mark; it is durable when this returns. Blocks.
fn store(server: &Shared, group: &GroupName, record: &[u8]) -> Result<()> {
    let sender = server.sender(None);
    let intake = &server.app.intake;
    let mut collector = intake.collect(&sender);
    let place = collector.group(group).map_err(|error| {
        let hint = format!("a key for some groups marks in one of them: send \"group\":\"GROUP/{MARK_GROUP}\"");
        Problem::from(IngestError::OutOfScope(error)).hint(hint)
    })?;
    let added = collector.add(place, RawEvent::Record(record), &EventMetadata::default())?;
    added.map_err(|refusal| Problem::bad_request("mark-refused", format!("mark not stored: {refusal}")))?;
    intake.accept(collector, record, &sender)?;
    Ok(())
}

impl NewMark {
    fn check(self, server: &Shared) -> Result<CheckedMark> {
        let text = self.text.trim();
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            let message = format!("text has {} bytes; a mark needs 1 to {TEXT_BYTES_MAX}", text.len());
            return Err(Problem::bad_request("bad-mark", message));
        }
        let now = server.now();
        let instant = |name: &str, value: &Value| ask::instant(name, value, now, chrono_tz::Tz::UTC);
        let given = |value: &Option<Value>| value.clone().filter(|value| !value.is_null());
        let at = given(&self.at).map_or(Ok(now), |at| instant("at", &at))?;
        let until = given(&self.until).map(|until| instant("until", &until)).transpose()?;
        check_times(at, until, now, server.app.limits.future_ns_max)?;
        check_fields(&self.fields)?;
        let group = self.group.as_deref().unwrap_or(MARK_GROUP);
        let name = group_name_of_outside(group);
        if !is_mark_group(name.as_str()) || name.as_str() != group {
            let message = format!("group {group:?} is no group of marks");
            return Err(Problem::bad_request("bad-group", message).hint("use marks, or a name that ends with /marks"));
        }
        Ok(CheckedMark { text: text.to_owned(), at, until, fields: self.fields, group: name })
    }
}

fn check_times(at: Timestamp, until: Option<Timestamp>, now: Timestamp, future_ns_max: i64) -> Result<()> {
    if at.0.saturating_sub(now.0) > future_ns_max {
        let message = format!("at {at} is further in the future than limits.max_future permits");
        return Err(Problem::bad_request("bad-time", message));
    }
    let Some(until) = until else { return Ok(()) };
    types::ensure!(until >= at, Problem::bad_request("bad-time", format!("until {until} is before at {at}")));
    if until.0.saturating_sub(at.0) > MARK_DAYS_MAX * Timestamp::DAY {
        let message = format!("from at {at} until {until} are more than {MARK_DAYS_MAX} days");
        return Err(Problem::bad_request("bad-time", message).hint("mark the beginning and the end by themselves"));
    }
    Ok(())
}

fn check_fields(fields: &Map<String, Value>) -> Result<()> {
    let bad = |message: String| Err(Problem::bad_request("bad-mark", message));
    if fields.len() > FIELDS_MAX {
        return bad(format!("fields has {} members; a mark has at most {FIELDS_MAX}", fields.len()));
    }
    for (name, value) in fields {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.starts_with('@') || OWN_NAMES.contains(&&**name) {
            return bad(format!("fields: {name:?} cannot be the name of a field of a mark"));
        }
        if !(value.is_string() || value.is_number() || value.is_boolean()) {
            return bad(format!("fields: {name:?} is neither a text, a number nor a boolean"));
        }
    }
    Ok(())
}

impl CheckedMark {
    /// Returns the event.
    fn record(&self) -> String {
        let mut record = Map::new();
        record.insert("@timestamp".into(), self.at.to_string().into());
        record.insert("message".into(), self.text.clone().into());
        if let Some(until) = self.until {
            record.insert("until".into(), until.to_string().into());
        }
        record.extend(self.fields.clone());
        Value::Object(record).to_string()
    }

    fn json(&self) -> Value {
        json!({
            "at": self.at.to_string(), "until": self.until.map(|until| until.to_string()), "text": self.text,
            "group": self.group.as_str(), "fields": self.fields,
        })
    }
}

pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&["from", "to", "time_zone", "limit"])?;
    let limit = parameters.number("limit")?.unwrap_or(MARKS_MAX).clamp(1, MARKS_MAX);
    let (now, time_zone) = (server.now(), ask::time_zone(parameters.get("time_zone"))?);
    let text = |name: &str| parameters.get(name).map(|text| Value::String(text.to_owned()));
    let range = ask::range(text("from").as_ref(), text("to").as_ref(), now, time_zone)?;
    Ok(Reply::query(&server, "", move |reading| {
        let snapshot = reading.snapshot(&mark_groups(), mark_reach(range));
        let progress = |stats: &execute::Stats| reading.note(stats);
        let scope = Scope { groups: Vec::new(), limit: None, time_zone, now };
        let request = reading.request(range, &scope, &progress);
        let mut found = marks(&snapshot.runs, &request, limit)?;
        reading.server.note_damage(&found.partial_reasons);
        found.partial_reasons.extend(damages(&snapshot));
        Ok(Reply::json(&json!({
            "marks": found.marks.iter().map(mark_json).collect::<Vec<_>>(),
            "more": found.more,
            "partial": !found.partial_reasons.is_empty(),
            "partial_reasons": found.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
        })))
    }))
}

fn mark_json(mark: &Mark) -> Value {
    let fields: Map<String, Value> =
        mark.fields.iter().map(|(name, value)| (name.to_string(), crate::json::value_json(value))).collect();
    json!({
        "id": mark.id, "at": mark.at.to_string(), "until": mark.until.map(|until| until.to_string()),
        "text": mark.text, "group": mark.group, "fields": fields,
    })
}
