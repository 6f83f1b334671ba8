//! The history of alarms: events of the group `catat/alarms`, to which only the server writes.
//!
//! An item that a transition makes is saved with the state first, and stored then; if the server ends in between, it is stored by the
//! next evaluation, at worst twice under one id, which readers see once.

use std::collections::BTreeMap;

use alert::{AlarmQuestion, TopicMessage};
use door::{QueryRun, Result, Scope, Server};
use ingest::{ALARMS_GROUP, IngestError};
use plan::{Comparison, Expr, Name, Operator, Plan, SortKey};
use serde_json::{Value, json};
use types::{GroupName, GroupPattern, TimeRange, Timestamp};

use super::state::AlarmMemory;
use super::threshold::time_text;
use crate::answer::request_id;

/// Most items that one request looks at; those of Amazon's 30 days of an alarm that changes every ten minutes.
const ITEMS_MAX: usize = 5_000;

/// An item of a history.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HistoryItem {
    pub(super) id: String,
    pub(super) alarm: String,
    pub(super) is_composite: bool,
    pub(super) at_ms: i64,
    /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
    pub(super) kind: String,
    pub(super) summary: String,
    pub(super) data: String,
}

/// Which items are wanted.
pub(super) struct HistoryFilter {
    pub(super) alarm: Option<String>,
    pub(super) kind: Option<String>,
    /// From its start to before its end, in ms.
    pub(super) range: (i64, i64),
}

impl HistoryItem {
    pub(super) fn new(alarm: &str, definition: &Value, at_ms: i64, kind: &str, summary: String, data: &Value) -> Self {
        Self {
            id: request_id(),
            alarm: alarm.to_owned(),
            is_composite: definition.get("AlarmRule").is_some(),
            at_ms,
            kind: kind.to_owned(),
            summary,
            data: data.to_string(),
        }
    }

    /// Returns the items of a transition and its actions.
    pub(super) fn of_transition(
        question: &AlarmQuestion<'_>,
        before: &AlarmMemory,
        after: &AlarmMemory,
        messages: &[TopicMessage],
    ) -> Vec<Self> {
        let state = |memory: &AlarmMemory| {
            let mut state = json!({"stateValue": memory.state, "stateReason": memory.reason});
            let data = memory.reason_data.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
            if let Some(data) = data {
                state["stateReasonData"] = data;
            }
            state
        };
        let item = |kind: &str, summary: String, data: &Value| {
            Self::new(question.name, question.definition, after.transitioned_ms, kind, summary, data)
        };
        let summary = format!("Alarm updated from {} to {}", before.state, after.state);
        let data = json!({"version": "1.0", "oldState": state(before), "newState": state(after)});
        let update = item("StateUpdate", summary, &data);
        let action = |message: &TopicMessage| {
            let data = json!({
                "actionState": "Succeeded",
                "stateUpdateTimestamp": after.transitioned_ms,
                "notificationResource": message.topic_arn,
                "publishedMessage": message.text,
            });
            item("Action", format!("Successfully executed action {}", message.topic_arn), &data)
        };
        std::iter::once(update).chain(messages.iter().map(action)).collect()
    }

    /// Returns the item as an event.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "@timestamp": time_text(self.at_ms).replace("+0000", "Z"),
            "message": format!("{}: {}", self.alarm, self.summary),
            "level": "info",
            "id": self.id,
            "alarm": self.alarm,
            "alarm_type": self.alarm_type(),
            "item": self.kind,
            "summary": self.summary,
            "data": self.data,
        })
    }

    fn alarm_type(&self) -> &'static str {
        if self.is_composite { "CompositeAlarm" } else { "MetricAlarm" }
    }

    /// Returns the item as `DescribeAlarmHistory` has it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "AlarmName": self.alarm,
            "AlarmType": self.alarm_type(),
            "Timestamp": self.at_ms as f64 / 1e3,
            "HistoryItemType": self.kind,
            "HistorySummary": self.summary,
            "HistoryData": self.data,
        })
    }
}

/// Stores an item, as its event. Blocks.
pub(super) fn write(server: &Server, event: &Value) -> Result<(), IngestError> {
    let group = GroupName::new(ALARMS_GROUP).expect("the name is made of letters and a slash");
    server.app.intake.record_own(&group, event.to_string().as_bytes(), server.now())
}

/// Returns the latest items that a filter selects, the newest first.
pub(super) fn read(run: &QueryRun<'_>, filter: &HistoryFilter) -> Result<Vec<HistoryItem>> {
    let is = |name: &str, text: &String| {
        let literal = Expr::Literal(Some(types::Value::text(text.as_str())));
        Operator::Filter(Expr::Compare(Comparison::Equal, Box::new(Expr::Field(name.into())), Box::new(literal)))
    };
    let wanted = [("alarm", &filter.alarm), ("item", &filter.kind)];
    let mut operators: Vec<Operator> =
        wanted.into_iter().filter_map(|(name, text)| Some(is(name, text.as_ref()?))).collect();
    let key = SortKey { expr: Expr::Field("@timestamp".into()), descending: true };
    operators.push(Operator::Sort(vec![key]));
    operators.push(Operator::Limit(ITEMS_MAX as u64));
    const COLUMNS: [&str; 7] = ["@timestamp", "id", "alarm", "alarm_type", "item", "summary", "data"];
    let columns = COLUMNS.iter().map(|name| (Name::from(*name), Expr::Field((*name).into()))).collect();
    operators.push(Operator::Project { columns, is_events: true });
    let instant = |ms: i64| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
    let range = TimeRange { from: instant(filter.range.0), to: instant(filter.range.1) };
    let groups = vec![GroupPattern::new(ALARMS_GROUP)];
    let (limit, now) = (Some(ITEMS_MAX), run.server.now());
    let scope = Scope { groups: groups.clone(), limit, time_zone: chrono_tz::UTC, now };
    // Which alarms exist for the caller is checked by name: the group is the server's own.
    let snapshot = run.server.whole_store().snapshot(&groups, range);
    let answer = run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?;
    let mut items: BTreeMap<String, ()> = BTreeMap::new();
    let rows = answer.rows.iter().filter_map(|row| item_of(row));
    Ok(rows.filter(|item| items.insert(item.id.clone(), ()).is_none()).collect())
}

fn item_of(row: &[Option<types::Value>]) -> Option<HistoryItem> {
    let text = |at: usize| row.get(at)?.as_ref().map(ToString::to_string);
    let Some(types::Value::Timestamp(at)) = row.first()? else { return None };
    Some(HistoryItem {
        id: text(1)?,
        alarm: text(2)?,
        is_composite: text(3)? == "CompositeAlarm",
        at_ms: at.0.div_euclid(Timestamp::MILLISECOND),
        kind: text(4)?,
        summary: text(5)?,
        data: text(6)?,
    })
}
