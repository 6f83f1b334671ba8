//! The operations on alarms: put, list, change, delete.

use std::collections::BTreeSet;

use alert::{ALARM, AlarmDocument, AlarmView};
use door::{Problem, Role, to_json};
use ingest::datum::MetricName;
use serde_json::{Value, json};
use types::{GroupName, GroupPattern, Timestamp, ensure, group_name_of_outside};

use super::super::error::{bad_value, missing};
use super::super::parameters::Parameters;
use super::composite::name_of as name_of_reference;
use super::definition::{MetricAlarm, PutAlarm, invalid, tags};
use super::history::{HistoryFilter, HistoryItem, read, write};
use super::listing::{
    AlarmFilter, AlarmTypes, children, definition, is_composite, page, page_asked, retain_of_metric, shown,
};
use super::state::{ORDER, StateOrder, state_named};
use crate::answer::{CloudWatchProblem, Result, random_id};
use crate::metric_filters::counters;
use crate::paging::{page_from, with_next_token};
use crate::request::Step;
use crate::state::Shared;

type Answer = Result<Value>;

/// Most alarms of a server, and names in a request; the latter as at Amazon.
const ALARMS_MAX: usize = 2_000;
const NAMES_MAX: usize = 100;
const CHARS_MAX: usize = 10_240;
const TAGS_MAX: usize = 50;

/// How long a caller waits until the state that it sets is there, and between looks.
const SET_LOOKS: usize = 100;
const SET_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// The time that a history reaches back, as at Amazon.
const HISTORY_MS: i64 = 30 * 86_400_000;

/// The operations here.
const OPERATIONS: [(&str, Role); 12] = [
    ("PutMetricAlarm", Role::Operate),
    ("PutCompositeAlarm", Role::Operate),
    ("DeleteAlarms", Role::Operate),
    ("SetAlarmState", Role::Operate),
    ("EnableAlarmActions", Role::Operate),
    ("DisableAlarmActions", Role::Operate),
    ("DescribeAlarms", Role::Read),
    ("DescribeAlarmsForMetric", Role::Read),
    ("DescribeAlarmHistory", Role::Read),
    ("TagResource", Role::Operate),
    ("UntagResource", Role::Operate),
    ("ListTagsForResource", Role::Read),
];

/// Returns the role that an operation on alarms needs; `None` if it is none.
pub(in crate::metrics) fn role_of(operation: &str) -> Option<Role> {
    OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, role)| *role)
}

/// Carries out an operation on alarms; `null` is an empty answer. Blocks.
pub(in crate::metrics) fn carry_out(server: &Shared, region: &str, operation: &str, values: &Value) -> Result<Step> {
    let desk = AlarmDesk { server, region };
    let input = Parameters::new(values);
    let done = match operation {
        "DescribeAlarmHistory" => return history(server, &input),
        "SetAlarmState" => return set_state(server, &input),
        "PutMetricAlarm" => desk.put(PutAlarm::metric(&input)?),
        "PutCompositeAlarm" => desk.put(PutAlarm::composite(&input)?),
        "DeleteAlarms" => desk.delete(&input),
        "EnableAlarmActions" => desk.enable(&input, true),
        "DisableAlarmActions" => desk.enable(&input, false),
        "DescribeAlarms" => desk.describe(&input),
        "DescribeAlarmsForMetric" => desk.of_metric(&input),
        "TagResource" | "UntagResource" => desk.tag(&input, operation == "TagResource"),
        // ListTagsForResource: what is none is not carried out.
        _ => desk.list_tags(&input),
    }?;
    if role_of(operation) == Some(Role::Operate) {
        crate::audit::operation(server, operation, values);
    }
    Ok(Step::Answer(done))
}

/// The alarms of a server as a caller sees them.
struct AlarmDesk<'s> {
    server: &'s Shared,
    region: &'s str,
}

/// Returns the groups of the filters that make a metric, as far as they are admitted.
fn groups_of_filters(server: &Shared, metric: &MetricName, admits: impl Fn(&str) -> bool) -> Result<BTreeSet<String>> {
    let filters = counters::filters_of(server.settings(), Some(&metric.name))?;
    let made = filters.into_iter().filter(|filter| filter.makes(metric) && admits(&filter.group));
    Ok(made.map(|filter| filter.group).collect())
}

/// Adds the groups of filters that were put after alarms on their metrics, as far as these exist for the authors of the alarms.
/// Blocks.
pub(crate) fn follow_filters(server: &Shared) -> Result<()> {
    let mut is_changed = false;
    for AlarmView { name, mut document, .. } in server.app.alerts.alarms() {
        let Ok(alarm) = MetricAlarm::read(&Parameters::new(&document.definition)) else { continue };
        let mut groups: BTreeSet<String> = document.groups.iter().cloned().collect();
        for metric in alarm.metrics() {
            groups.extend(groups_of_filters(server, &metric, |group| document.admits(group))?);
        }
        if groups.len() > document.groups.len() {
            document.groups = groups.into_iter().collect();
            server.settings().put(ALARM, &name, &to_json(&document)?)?;
            is_changed = true;
        }
    }
    if is_changed {
        server.app.alerts.refresh().map_err(|error| Problem::internal(error.to_string()))?;
    }
    Ok(())
}

/// Returns the alarms that exist for a caller.
fn visible(server: &Shared) -> Vec<AlarmView> {
    let mut alarms = server.app.alerts.alarms();
    alarms.retain(|alarm| is_visible(server, &alarm.groups));
    alarms
}

fn is_visible(server: &Shared, groups: &[GroupPattern]) -> bool {
    server.reaches_all(&groups.iter().map(|group| group.as_str().to_owned()).collect::<Vec<_>>())
}

fn not_found(name: &str) -> CloudWatchProblem {
    CloudWatchProblem::not_found("ResourceNotFound", format!("Unknown alarm: {name}"))
}

impl AlarmDesk<'_> {
    /// Stores an alarm and puts it in force.
    fn put(&self, put: PutAlarm) -> Answer {
        let alarms = self.server.app.alerts.alarms();
        let known = alarms.iter().find(|alarm| alarm.name == put.name);
        if known.is_some_and(|known| !is_visible(self.server, &known.groups)) {
            return Err(CloudWatchProblem::denied(format!("The name {:?} is taken.", put.name)));
        }
        let is_rule = || self.server.app.alerts.rules().iter().any(|rule| rule.name == put.name);
        if known.is_none() && is_rule() {
            return Err(invalid(format!("The name {:?} is that of a rule that is no alarm.", put.name)));
        }
        if known.is_none() && alarms.len() >= ALARMS_MAX {
            let message = format!("You have reached the maximum number of alarms, {ALARMS_MAX}.");
            return Err(CloudWatchProblem::new("LimitExceededFault", message));
        }
        if known.is_some_and(|known| is_composite(&known.document.definition) != is_composite(&put.shown)) {
            return Err(invalid("An alarm of the other type with this name already exists."));
        }
        let groups = self.groups(&put, &alarms)?;
        let mut definition = put.shown.clone();
        definition["Region"] = self.region.into();
        // The tags of an alarm that exists stay, as at Amazon.
        let tags = known.map_or_else(|| json!(put.tags), |known| known.document.definition["Tags"].clone());
        definition["Tags"] = tags;
        let mut document = AlarmDocument::new(definition, groups, &self.server.caller.author(), self.server.now());
        document.topics = PutAlarm::topics(&put.shown, "AlarmActions");
        document.notify = put.shown["ActionsEnabled"] != json!(false);
        if let Some((reach_s, period_s)) = put.reach_s {
            document.window_ns = reach_s.saturating_mul(Timestamp::SECOND);
            document.interval_ns = (period_s < 60).then_some(10 * Timestamp::SECOND);
        }
        self.store(&put.name, &document)?;
        let (done, key) = known.map_or(("created", "createdAlarm"), |_| ("updated", "updatedAlarm"));
        let mut data = json!({"version": "1.0", "type": if known.is_none() { "Create" } else { "Update" }});
        data[key] = put.shown;
        self.note(&put.name, &document, format!("Alarm \"{}\" {done}", put.name), &data);
        Ok(Value::Null)
    }

    /// Returns the groups of an alarm: those of its metrics, or of the alarms that it depends on.
    fn groups(&self, put: &PutAlarm, alarms: &[AlarmView]) -> Result<Vec<String>> {
        let mut groups = BTreeSet::new();
        for metric in &put.metrics {
            let of_filters = groups_of_filters(self.server, metric, |group| self.server.reaches(group))?;
            let own = group_name_of_outside(&format!("{}{}", GroupName::DATA, metric.namespace)).to_string();
            // Who has a filter need not reach data that others put.
            if self.server.reaches(&own) {
                groups.insert(own);
            } else if of_filters.is_empty() {
                return Err(CloudWatchProblem::denied(format!("The group {own} does not exist for this key.")));
            }
            groups.extend(of_filters);
        }
        // Alarms are among the rules.
        let rules = self.server.app.alerts.rules();
        for child in &put.children {
            let rule = rules.iter().find(|rule| rule.name == *child && self.server.reaches_all(&rule.groups));
            let unknown =
                || format!("Could not save the composite alarm as alarms [{child}] in the alarm rule do not exist");
            groups.extend(rule.ok_or_else(|| invalid(unknown()))?.groups.iter().cloned());
        }
        if depends(&put.children, &put.name, alarms) {
            return Err(invalid(format!("Could not save the composite alarm: {:?} would depend on itself.", put.name)));
        }
        Ok(groups.into_iter().collect())
    }

    fn store(&self, name: &str, document: &AlarmDocument) -> Result<()> {
        self.server.settings().put(ALARM, name, &to_json(document)?)?;
        self.refresh()
    }

    fn refresh(&self) -> Result<()> {
        let refreshed = self.server.app.alerts.refresh();
        Ok(refreshed.map_err(|error| Problem::internal(error.to_string()))?)
    }

    /// Writes a change of an alarm to its history. That it could not be written undoes nothing.
    fn note(&self, name: &str, document: &AlarmDocument, summary: String, data: &Value) {
        let kind = "ConfigurationUpdate";
        let at_ms = self.server.now().0.div_euclid(Timestamp::MILLISECOND);
        let item = HistoryItem::new(name, &document.definition, at_ms, kind, summary, data);
        if let Err(error) = write(self.server.whole(), &item.to_json()) {
            tracing::warn!(%error, "a change of an alarm is not in its history");
        }
    }

    /// Returns the alarms that a request names. Each of them must exist.
    fn named(&self, input: &Parameters<'_>) -> Result<Vec<AlarmView>> {
        let names: BTreeSet<&str> = input.texts("AlarmNames", NAMES_MAX)?.into_iter().collect();
        ensure!(!names.is_empty(), missing("AlarmNames"));
        let alarms = visible(self.server);
        let find = |name: &str| alarms.iter().find(|alarm| alarm.name == name).cloned().ok_or_else(|| not_found(name));
        names.into_iter().map(find).collect()
    }

    fn delete(&self, input: &Parameters<'_>) -> Answer {
        let going = self.named(input)?;
        let is_going = |name: &str| going.iter().any(|alarm| alarm.name == name);
        for other in self.server.app.alerts.alarms().iter().filter(|other| !is_going(&other.name)) {
            if let Some(child) = children(&other.document.definition).iter().find(|child| is_going(child)) {
                let message =
                    format!("Could not delete the alarm {child:?}: the alarm {:?} depends on it.", other.name);
                return Err(invalid(message));
            }
        }
        for alarm in &going {
            self.server.settings().remove(ALARM, &alarm.name)?;
            self.server.settings().remove(ORDER, &alarm.name)?;
        }
        self.refresh()?;
        for AlarmView { name, document, .. } in &going {
            let data = json!({"version": "1.0", "type": "Delete", "deletedAlarm": definition(name, document)});
            self.note(name, document, format!("Alarm \"{name}\" deleted"), &data);
        }
        Ok(Value::Null)
    }

    fn enable(&self, input: &Parameters<'_>, is_enabled: bool) -> Answer {
        for AlarmView { name, mut document, .. } in self.named(input)? {
            document.definition["ActionsEnabled"] = is_enabled.into();
            document.notify = is_enabled;
            document.changed_ms = self.server.now().0.div_euclid(Timestamp::MILLISECOND);
            self.store(&name, &document)?;
            let done = if is_enabled { "enabled" } else { "disabled" };
            let data = json!({"version": "1.0", "type": "Update", "actionsEnabled": is_enabled});
            self.note(&name, &document, format!("Alarm actions of \"{name}\" {done}"), &data);
        }
        Ok(Value::Null)
    }

    fn describe(&self, input: &Parameters<'_>) -> Answer {
        let filter = AlarmFilter::read(input)?;
        let mut alarms = visible(self.server);
        filter.retain(&mut alarms);
        page(input, &alarms)
    }

    fn of_metric(&self, input: &Parameters<'_>) -> Answer {
        let mut alarms = visible(self.server);
        retain_of_metric(input, &mut alarms)?;
        Ok(json!({"MetricAlarms": alarms.iter().map(shown).collect::<Vec<_>>()}))
    }

    fn resource(&self, input: &Parameters<'_>) -> Result<AlarmView> {
        let text = input.needed_text("ResourceARN", CHARS_MAX)?;
        let name = name_of_reference(text);
        let alarms = visible(self.server);
        let found = alarms.into_iter().find(|alarm| alarm.name == name && name != text);
        let unknown = || format!("Unknown resource: {text}");
        found.ok_or_else(|| CloudWatchProblem::not_found("ResourceNotFoundException", unknown()))
    }

    fn tag(&self, input: &Parameters<'_>, is_added: bool) -> Answer {
        let AlarmView { name, mut document, .. } = self.resource(input)?;
        let mut known = document.definition["Tags"].as_object().cloned().unwrap_or_default();
        if is_added {
            known.extend(tags(input)?.into_iter().map(|(key, value)| (key, value.into())));
        } else {
            input.texts("TagKeys", TAGS_MAX)?.into_iter().for_each(|key| drop(known.remove(key)));
        }
        ensure!(known.len() <= TAGS_MAX, bad_value(format!("A resource has {TAGS_MAX} tags at most.")));
        document.definition["Tags"] = known.into();
        self.store(&name, &document)?;
        Ok(json!({}))
    }

    fn list_tags(&self, input: &Parameters<'_>) -> Answer {
        // Dashboards have none.
        let arn = input.needed_text("ResourceARN", CHARS_MAX)?;
        if let Some((_, dashboard)) = arn.split_once(":dashboard/")
            && self.server.state.dashboards()?.body(self.server, dashboard)?.is_some()
        {
            return Ok(json!({"Tags": []}));
        }
        let alarm = self.resource(input)?;
        let tags = alarm.document.definition["Tags"].as_object().cloned().unwrap_or_default();
        let tags: Vec<Value> = tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        Ok(json!({"Tags": tags}))
    }
}

/// Reports whether one of `from`, or what they depend on, is `name`.
fn depends(from: &[String], name: &str, alarms: &[AlarmView]) -> bool {
    let (mut seen, mut ahead) = (BTreeSet::new(), from.to_vec());
    while let Some(next) = ahead.pop() {
        if next == name {
            return true;
        }
        let found = alarms.iter().find(|alarm| alarm.name == next);
        if let Some(alarm) = found.filter(|_| seen.insert(next.clone())) {
            ahead.extend(children(&alarm.document.definition));
        }
    }
    false
}

/// Sets the state of an alarm until it is judged again. Returns once it is there, or will be soon.
fn set_state(server: &Shared, parameters: &Parameters<'_>) -> Result<Step> {
    let name = parameters.needed_text("AlarmName", 255)?.to_owned();
    let state = state_named(parameters.needed_text("StateValue", 20)?.to_owned())?;
    let reason = parameters.needed_text("StateReason", 1023)?.to_owned();
    let reason_data = parameters.text("StateReasonData", 4000)?.map(str::to_owned);
    if reason_data.as_ref().is_some_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_err()) {
        return Err(CloudWatchProblem::new("InvalidFormatFault", "StateReasonData was not valid JSON"));
    }
    let order = StateOrder { id: random_id()?, state, reason, reason_data };
    ensure!(visible(server).iter().any(|alarm| alarm.name == name), not_found(&name));
    server.settings().put(ORDER, &name, &to_json(&order)?)?;
    server.app.alerts.judge_soon(&name);
    server.audit_own("alarm state set", &json!({"alarm": name, "state": order.state}));
    let server = server.clone();
    Ok(Step::Later(Box::pin(async move {
        // In a fleet another node may judge it, at its next turn.
        for _ in 0..SET_LOOKS {
            let alarms = server.app.alerts.alarms();
            let memory = alarms.iter().find(|alarm| alarm.name == name).and_then(|alarm| alarm.memory.as_ref());
            if memory.is_some_and(|memory| memory["order"] == json!(order.id)) {
                break;
            }
            tokio::time::sleep(SET_PAUSE).await;
        }
        Ok(Value::Null)
    })))
}

/// Begins `DescribeAlarmHistory`.
fn history(server: &Shared, parameters: &Parameters<'_>) -> Result<Step> {
    let now_ms = server.now().0.div_euclid(Timestamp::MILLISECOND);
    let start = parameters.time("StartDate")?.unwrap_or(now_ms - HISTORY_MS);
    let end = parameters.time("EndDate")?.map_or(i64::MAX / Timestamp::MILLISECOND, |end| end.saturating_add(1));
    let kind = parameters.text("HistoryItemType", 40)?.map(str::to_owned);
    let kinds = ["ConfigurationUpdate", "StateUpdate", "Action"];
    if let Some(other) = kind.as_deref().filter(|kind| !kinds.contains(kind)) {
        return Err(bad_value(format!("The value {other:?} of HistoryItemType must be one of {}.", kinds.join(", "))));
    }
    let types = AlarmTypes::read(parameters)?;
    let is_ascending = match parameters.text("ScanBy", 40)? {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(bad_value(format!("The value {other:?} of ScanBy is not known."))),
    };
    let alarm = parameters.text("AlarmName", 255)?.map(str::to_owned);
    let filter = HistoryFilter { alarm, kind, range: (start, end) };
    let (most, start) = page_asked(parameters)?;
    let server = server.clone();
    Ok(Step::query("DescribeAlarmHistory", move |run| {
        let mut items = read(run, &filter)?;
        let seen: BTreeSet<String> = visible(&server).into_iter().map(|alarm| alarm.name).collect();
        // The history of an alarm that was deleted is there for those who see everything.
        let sees_all = server.caller.scope.is_everything();
        items.retain(|item| (sees_all || seen.contains(&item.alarm)) && types.takes(item.is_composite));
        if is_ascending {
            items.reverse();
        }
        let (page, next) = page_from(&items, start, most);
        let answer = json!({"AlarmHistoryItems": page.iter().map(HistoryItem::shown).collect::<Vec<_>>()});
        Ok(with_next_token(answer, next))
    }))
}
