//! The stages `store`, `deletion` and `retention`: whether the event is there, and what may have removed it.

use door::{QueryRun, Result, Scope, Shared, duration_text};
use execute::PartialReason;
use plan::{Comparison, Expr, Operator, Plan};
use serde_json::{Value as Json, json};
use types::{EventId, GroupName, GroupPattern, TimeRange, Timestamp, Value};

use super::stage::{Outcome, Stage};

/// Events that are looked for: a line that is there more often is counted as so many.
const FOUND_MAX: u64 = 20;

/// Time around an event's own time in which it is looked for: a zone that was set since moves it by less.
const AROUND_NS: i64 = Timestamp::DAY;

/// Deletions that are named.
const DELETIONS_MAX: usize = 5;

/// Columns of a found event.
const COLUMNS: [&str; 5] = ["@timestamp", "@ingestionTime", "@log", "@logStream", "@message"];

/// What tells the event from others.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// Its place in its file: host, path, offset.
    Place(Option<String>, String, u64),
    /// Its text, one of these.
    Texts(Vec<String>),
}

/// Events that are the line.
#[derive(Debug, Default)]
pub(super) struct FoundEvents {
    /// Each with its id, time and group.
    pub(super) events: Vec<FoundEvent>,
    /// Why some may be missing.
    pub(super) partial_reasons: Vec<PartialReason>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct FoundEvent {
    pub(super) id: EventId,
    pub(super) group: String,
    /// As the answer shows it.
    pub(super) json: Json,
}

impl Mark {
    fn condition(&self) -> Expr {
        let equal = |name: &str, value: Value| {
            let literal = Box::new(Expr::Literal(Some(value)));
            Expr::Compare(Comparison::Equal, Box::new(Expr::Field(name.into())), literal)
        };
        let and = |a: Expr, b: Expr| Expr::And(Box::new(a), Box::new(b));
        match self {
            Self::Place(host, path, offset) => {
                let offset = i64::try_from(*offset).unwrap_or(i64::MAX);
                let place = and(equal("file", Value::text(path.as_str())), equal("offset", Value::Integer(offset)));
                host.iter().fold(place, |place, host| and(place, equal("host", Value::text(host.as_str()))))
            }
            Self::Texts(texts) => {
                let equals = texts.iter().map(|text| equal("@message", Value::text(text.as_str()))).collect();
                plan::balanced(equals, Expr::Or)
            }
        }
    }
}

/// Finds the events that a mark tells from others; `time` is when they happened, as far as that is known.
pub(super) fn find(
    reading: &QueryRun<'_>,
    mark: &Mark,
    groups: &[GroupPattern],
    range: TimeRange,
) -> Result<FoundEvents> {
    let columns = COLUMNS.map(|name| (name.into(), Expr::Field(name.into()))).to_vec();
    let operators = vec![
        Operator::Filter(mark.condition()),
        Operator::Limit(FOUND_MAX),
        Operator::Project { columns, is_events: true },
    ];
    let now = reading.server.now();
    let scope = Scope { groups: groups.to_vec(), limit: None, time_zone: chrono_tz::Tz::UTC, now };
    let answer = reading.execute(&Plan::new(operators), &scope, range)?;
    let ids = answer.ids.unwrap_or_default();
    let events = ids.iter().zip(&answer.rows).filter_map(|(id, row)| {
        let cell = |place: usize| row.get(place).and_then(Option::as_ref).map(crate::json::value_json);
        let group = cell(2).and_then(|group| group.as_str().map(str::to_owned))?;
        let json = json!({
            "id": id, "time": cell(0), "ingested": cell(1), "group": group, "stream": cell(3), "text": cell(4),
        });
        Some(FoundEvent { id: EventId::decode(id)?, group, json })
    });
    Ok(FoundEvents { events: events.collect(), partial_reasons: answer.partial_reasons })
}

/// Returns the range around a time in which an event of that time is looked for.
pub(super) fn around(time: Timestamp) -> TimeRange {
    let at = |distance: i64| Timestamp(time.0.saturating_add(distance));
    TimeRange { from: at(-AROUND_NS), to: at(AROUND_NS) }
}

/// Returns the stage of a search.
pub(super) fn store(found: &FoundEvents) -> Stage {
    let stage = match found.events.len() {
        0 if !found.partial_reasons.is_empty() => {
            Stage::new("store", Outcome::Unknown, "not found, but parts of the store could not be read")
        }
        0 => Stage::new("store", Outcome::Stopped, "no event in the store is this line"),
        1 => {
            let event = &found.events[0].json;
            let (group, time, ingested) = (&found.events[0].group, &event["time"], &event["ingested"]);
            let text = format!("stored in the group {group}, time {}, accepted at {}", bare(time), bare(ingested));
            Stage::new("store", Outcome::Passed, text)
        }
        n => {
            let more = if n as u64 >= FOUND_MAX { "at least " } else { "" };
            let text = format!("{more}{n} events are this line: it was sent more than once, or written more than once");
            Stage::new("store", Outcome::Passed, text)
        }
    };
    stage.with("events", found.events.iter().map(|event| event.json.clone()).collect::<Vec<_>>())
}

fn bare(value: &Json) -> &str {
    value.as_str().unwrap_or("unknown")
}

/// Returns the stages at which an event of a group may have gone after it was accepted; nothing if none can have been.
pub(super) fn removals(server: &Shared, group: &GroupName, time: Option<Timestamp>) -> Vec<Stage> {
    deletion(server, group, time).into_iter().chain(retention(server, group, time)).collect()
}

/// Names deletions by query that looked at the time of the event. Which events they removed is not recorded.
fn deletion(server: &Shared, group: &GroupName, time: Option<Timestamp>) -> Option<Stage> {
    let is_possible = |receipt: &storage::DeletionReceipt| {
        let is_within = time.is_none_or(|time| receipt.range.from <= time && time < receipt.range.to);
        receipt.group == *group && receipt.n_deleted > 0 && is_within
    };
    let receipts: Vec<_> = server.whole_store().deletions().into_iter().filter(is_possible).collect();
    let last = receipts.last()?;
    let text = format!(
        "events of its time were deleted from {} by query, {} times, last at {} ({} events); whether it was among them is \
         not recorded",
        group.as_str(),
        receipts.len(),
        last.created,
        last.n_deleted
    );
    let shown = receipts.iter().rev().take(DELETIONS_MAX);
    let shown: Vec<Json> = shown
        .map(|receipt| {
            json!({"id": format!("{:016x}", receipt.id), "created": receipt.created.to_string(), "deleted": receipt.n_deleted})
        })
        .collect();
    Some(Stage::new("deletion", Outcome::Unknown, text).with("deletions", shown))
}

fn retention(server: &Shared, group: &GroupName, time: Option<Timestamp>) -> Option<Stage> {
    let store = server.whole_store();
    let name = group.as_str();
    let stage = |outcome: Outcome, text: String| Some(Stage::new("retention", outcome, text));
    if let (Some(oldest), Some(time)) = (store.oldest_kept(group), time)
        && time < oldest
    {
        let age_ns = store.retention(group).age_ns.unwrap_or_else(|| server.now().0.saturating_sub(oldest.0));
        let retired = Timestamp(time.0.saturating_add(age_ns));
        let text = format!("retired: {name} keeps events from {oldest} on, so this one went at {retired}");
        return stage(Outcome::Stopped, text);
    }
    let Some(status) = server.groups().into_iter().find(|status| status.name == *group) else {
        let text = format!("the group {name} does not exist: nothing was sent to it, or it was deleted or emptied");
        return stage(Outcome::Stopped, text);
    };
    let (first, time) = (status.first?, time?);
    if time < first {
        let limit = store.retention(group);
        let limits = match (limit.age_ns, limit.bytes) {
            (None, None) => "limits of the whole store".to_owned(),
            (age, bytes) => {
                let age = age.map(|age| format!("age {}", duration_text(age)));
                let bytes = bytes.map(|bytes| format!("size {bytes} bytes"));
                age.into_iter().chain(bytes).collect::<Vec<_>>().join(", ")
            }
        };
        let text =
            format!("the first event of {name} is of {first}: what was before it, if anything, was retired ({limits})");
        return stage(Outcome::Unknown, text);
    }
    None
}
