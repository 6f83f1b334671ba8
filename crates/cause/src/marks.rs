//! Marks: deploys, migrations, flags, as people and their scripts say that they happened.
//!
//! A mark is an event of the group `marks`, or of a group whose name ends with `/marks`. So marks have the retention, the
//! scope and the durability of events, are in every backup and on every node of a fleet, and any query finds them.

use std::collections::BTreeSet;
use std::sync::Arc;

use execute::{Answer, PartialReason, Request, Result, execute};
use plan::{Expr, Name, Operator, Plan};
use types::{GroupPattern, Run, TimeRange, Timestamp, Value};

/// The group of marks.
pub const MARK_GROUP: &str = "marks";

/// Longest time between the beginning and the end of a mark, in days.
pub const MARK_DAYS_MAX: i64 = 7;

/// The field with the end of a mark.
const UNTIL: &str = "until";

/// Columns that are no fields of a mark.
const OWN_COLUMNS: [&str; 4] = ["@id", "@timestamp", "@log", "@message"];

/// Fields that say the same as those columns.
const OWN_FIELDS: [&str; 3] = ["message", "text", UNTIL];

/// Something that happened, or was done, at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The id of its event.
    pub id: String,
    /// When it began.
    pub at: Timestamp,
    /// When it ended, where it took time.
    pub until: Option<Timestamp>,
    /// What it is.
    pub text: String,
    /// Its group.
    pub group: String,
    /// What else is known of it.
    pub fields: Vec<(Arc<str>, Value)>,
}

/// Marks of a range of time.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The newest, oldest first.
    pub marks: Vec<Mark>,
    /// Whether there are older ones.
    pub more: bool,
    /// Why marks may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// Returns the patterns of the groups that contain marks.
pub fn mark_groups() -> Vec<GroupPattern> {
    [MARK_GROUP, "*/marks"].map(GroupPattern::new).to_vec()
}

/// Reports whether the events of a group are marks.
pub fn is_mark_group(group: &str) -> bool {
    group == MARK_GROUP || group.strip_suffix(MARK_GROUP).is_some_and(|rest| rest.len() > 1 && rest.ends_with('/'))
}

/// Returns the range in which marks that overlap `range` may begin.
pub fn mark_reach(range: TimeRange) -> TimeRange {
    TimeRange { from: Timestamp(range.from.0.saturating_sub(MARK_DAYS_MAX * Timestamp::DAY)), to: range.to }
}

/// Returns the newest marks, at most `limit`, that overlap the range of `request`. Runs of other groups are ignored; the
/// runs must cover [`mark_reach`] of the range.
pub fn marks(runs: &[Arc<dyn Run>], request: &Request<'_>, limit: usize) -> Result<Marks> {
    let runs: Vec<Arc<dyn Run>> = runs.iter().filter(|run| is_mark_group(run.info().group.as_str())).cloned().collect();
    if runs.is_empty() {
        return Ok(Marks::default());
    }
    let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
    for run in &runs {
        // A run that cannot be read is reported by the query.
        names.extend(run.field_names().unwrap_or_default());
    }
    names.retain(|name| !name.starts_with('@'));
    let columns: Vec<Name> = OWN_COLUMNS.iter().map(|name| Name::from(*name)).chain(names).collect();
    let projected = columns.iter().map(|name| (name.clone(), Expr::Field(name.clone()))).collect();
    let plan = Plan::new(vec![Operator::Project { columns: projected, is_events: true }]);
    let wide = Request { range: mark_reach(request.range), limit: None, ..*request };
    let answer = execute(&plan, &runs, &wide)?;
    let mut marks: Vec<Mark> = (answer.rows.iter()).filter_map(|row| mark(&answer, row)).collect();
    marks.retain(|mark| mark.until.unwrap_or(mark.at) >= request.range.from && mark.at < request.range.to);
    marks.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    let more = marks.len() > limit;
    marks.truncate(limit);
    marks.reverse();
    Ok(Marks { marks, more, partial_reasons: answer.partial_reasons })
}

fn mark(answer: &Answer, row: &[Option<Value>]) -> Option<Mark> {
    let columns =
        || answer.columns.iter().zip(row).filter_map(|(column, value)| Some((&*column.name, value.as_ref()?)));
    let column = |wanted: &str| columns().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let text = |wanted: &str| column(wanted).map(ToString::to_string);
    let Some(Value::Timestamp(at)) = column("@timestamp") else { return None };
    let until = match column(UNTIL) {
        Some(Value::Timestamp(until)) => Some(*until),
        Some(Value::String(until)) => Timestamp::parse_rfc3339(until),
        _ => None,
    };
    let is_field = |name: &str| !OWN_COLUMNS.contains(&name) && !OWN_FIELDS.contains(&name);
    Some(Mark {
        id: text("@id")?,
        at: *at,
        until,
        // Events of a sender that has a field of its own for it have no message.
        text: text("message").or_else(|| text("text")).or_else(|| text("@message")).unwrap_or_default(),
        group: text("@log").unwrap_or_default(),
        fields: columns()
            .filter(|(name, _)| is_field(name))
            .map(|(name, value)| (Arc::from(name), value.clone()))
            .collect(),
    })
}
