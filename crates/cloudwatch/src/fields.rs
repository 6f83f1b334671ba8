//! `GetLogGroupFields` and `GetLogRecord`: the fields of a group, and one event with all its fields.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use plan::{Expr, Name, Operator, Plan};
use serde_json::{Map, Value as Json, json};
use types::{EventId, GroupPattern, TimeRange, Timestamp};

use super::answer::{CloudWatchProblem, Result};
use super::input::Input;
use super::request::{OperationRequest, Step};
use super::results::text_of;
use door::{Problem, QueryRun, Scope};

/// The range without a time, and on either side of a given time.
const RECENT_NS: i64 = 15 * Timestamp::MINUTE;
const AROUND_NS: i64 = 8 * Timestamp::MINUTE;

/// Limit on the fields of an answer; the most frequent ones are returned.
const FIELDS_MAX: usize = 10_000;

/// Fields that every event has.
const OF_ALL: [&str; 5] = ["@timestamp", "@message", "@logStream", "@log", "@ingestionTime"];

/// Further fields of a record, if present.
const OF_SOME: [&str; 1] = ["@level"];

impl OperationRequest {
    /// Blocks.
    pub(super) fn group_fields(&self, input: &Input) -> Result<Step> {
        let group = self.known_group(input)?;
        let now = self.server.now();
        let around = |center: i64| {
            let center = center.saturating_mul(Timestamp::SECOND);
            (center.saturating_sub(AROUND_NS), center.saturating_add(AROUND_NS))
        };
        let recent = (now.0.saturating_sub(RECENT_NS), now.0.saturating_add(1));
        let (from, to) = input.optional_integer("time")?.map_or(recent, around);
        let range = TimeRange { from: Timestamp(from), to: Timestamp(to) };
        let groups = vec![GroupPattern::new(group.as_str())];
        Ok(Step::query("(fields of a group)", move |reading| {
            let found = execute::field_presence(&reading.snapshot(&groups, range).runs, range);
            if found.n_events == 0 {
                return Ok(json!({"logGroupFields": []}));
            }
            let entry = |name: &str, percent: i64| json!({"name": name, "percent": percent});
            let of_all = OF_ALL.iter().map(|name| entry(name, 100));
            let others = found.fields.iter().filter(|field| !OF_ALL.contains(&field.name.as_str()));
            // A field that few events have is not one that none has.
            let others = others.map(|field| entry(&field.name, ((field.share * 100.0).round() as i64).clamp(1, 100)));
            let fields: Vec<Json> = of_all.chain(others.take(FIELDS_MAX)).collect();
            Ok(json!({"logGroupFields": fields}))
        }))
    }

    pub(super) fn record(&self, input: &Input) -> Result<Step> {
        let pointer = input.needed("logRecordPointer")?;
        let Some(id) = EventId::decode(pointer) else {
            return Err(CloudWatchProblem::parameter("The specified logRecordPointer is invalid."));
        };
        Ok(Step::query("(a record)", move |reading| {
            let message = "The log record does not exist: its retention is over, or it was deleted.";
            let record = record_of(reading, id)?.ok_or_else(|| Problem::not_found(message))?;
            Ok(json!({"logRecord": record}))
        }))
    }
}

/// Returns all fields of an event as texts; `None` if it does not exist for the caller.
fn record_of(reading: &QueryRun<'_>, id: EventId) -> Result<Option<Map<String, Json>>, Problem> {
    let Some(group) = reading.server.store().group_of(id.group_id) else { return Ok(None) };
    let groups = vec![GroupPattern::new(group.as_str())];
    let instant = TimeRange { from: id.timestamp, to: Timestamp(id.timestamp.0.saturating_add(1)) };
    let scope = Scope { groups, limit: None, time_zone: Tz::UTC, now: reading.server.now() };
    let snapshot = reading.snapshot(&scope.groups, instant);
    let names = snapshot.runs.iter().filter_map(|run| run.field_names().ok()).flatten();
    let system = OF_ALL.iter().chain(&OF_SOME).map(|name| Name::from(*name));
    let names: BTreeSet<Name> = names.chain(system).collect();
    let columns = names.into_iter().map(|name| (name.clone(), Expr::Field(name))).collect();
    let plan = Plan::new(vec![Operator::Project { columns, is_events: true }]);
    let plan = execute::event_plan(&plan, id).map_err(|error| Problem::internal(error.to_string()))?;
    let answer = reading.execute_on(&snapshot, &plan, &scope, instant)?;
    let Some(row) = answer.rows.first() else { return Ok(None) };
    let cells = answer.columns.iter().zip(row);
    let mut record: Map<String, Json> =
        cells.filter_map(|(column, value)| Some((column.name.clone(), text_of(value.as_ref()?).into()))).collect();
    record.insert("@ptr".into(), id.encode().into());
    Ok(Some(record))
}
