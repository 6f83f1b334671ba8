//! Lists of alarms: filters, pages, and alarms as they are shown.

use alert::{AlarmDocument, AlarmView};
use serde_json::{Value, json};

use super::super::error::bad_value;
use super::super::get::metric;
use super::super::parameters::Parameters;
use super::composite::CompositeRule;
use super::definition::{ACTIONS, invalid};
use super::message::arn;
use super::state::{AlarmMemory, state_named};
use crate::answer::Result;
use crate::paging::{page_from, with_next_token};

type Read<T> = Result<T>;

/// Entries of a page, as at Amazon, and names in a request.
const PAGE_MAX: usize = 100;
const PAGE: usize = 50;
const NAMES_MAX: usize = 100;

/// Parameters that select alarms by what depends on them, and the only ones that may be given with such a parameter.
const RELATIVES: [&str; 2] = ["ChildrenOfAlarmName", "ParentsOfAlarmName"];
const WITH_RELATIVES: [&str; 4] = ["MaxRecords", "NextToken", "Action", "Version"];

/// Which types of alarms are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlarmTypes {
    metric: bool,
    composite: bool,
}

/// Which alarms are wanted.
pub(super) struct AlarmFilter {
    names: Vec<String>,
    prefix: Option<String>,
    types: AlarmTypes,
    state: Option<String>,
    action: Option<String>,
    /// Alarms that this one depends on, or that depend on it.
    children_of: Option<String>,
    parents_of: Option<String>,
}

impl AlarmTypes {
    /// Reads the types of a request; metric alarms if it has none, as at Amazon.
    pub(super) fn read(input: &Parameters<'_>) -> Read<Self> {
        let types = input.texts("AlarmTypes", 2)?;
        if let Some(other) = types.iter().find(|name| !["MetricAlarm", "CompositeAlarm"].contains(*name)) {
            return Err(bad_value(format!("The value {other:?} of AlarmTypes must be MetricAlarm or CompositeAlarm.")));
        }
        let composite = types.contains(&"CompositeAlarm");
        Ok(Self { metric: types.is_empty() || types.contains(&"MetricAlarm"), composite })
    }

    /// Reports whether an alarm is wanted.
    pub(super) fn takes(self, is_composite: bool) -> bool {
        if is_composite { self.composite } else { self.metric }
    }
}

impl AlarmFilter {
    /// Reads the filter of a request. Children and parents of an alarm are of both types, and exclude other filters.
    pub(super) fn read(input: &Parameters<'_>) -> Read<Self> {
        let relative = RELATIVES.into_iter().find(|name| input.get(name).is_some());
        let types = match relative {
            Some(name) => {
                refuse_others(input, name)?;
                AlarmTypes { metric: true, composite: true }
            }
            None => AlarmTypes::read(input)?,
        };
        let text = |name: &str| -> Read<Option<String>> { Ok(input.text(name, 1600)?.map(str::to_owned)) };
        let filter = Self {
            names: input.texts("AlarmNames", NAMES_MAX)?.into_iter().map(str::to_owned).collect(),
            prefix: text("AlarmNamePrefix")?,
            types,
            state: text("StateValue")?.map(state_named).transpose()?,
            action: text("ActionPrefix")?,
            children_of: text("ChildrenOfAlarmName")?,
            parents_of: text("ParentsOfAlarmName")?,
        };
        if !filter.names.is_empty() && filter.prefix.is_some() {
            return Err(super::super::error::bad_combination("AlarmNames excludes AlarmNamePrefix."));
        }
        Ok(filter)
    }

    pub(super) fn retain(&self, alarms: &mut Vec<AlarmView>) {
        let children = |alarm: &AlarmView| children(&alarm.document.definition);
        let of_parent: Option<Vec<String>> = self
            .children_of
            .as_ref()
            .map(|name| alarms.iter().find(|alarm| alarm.name == *name).map(children).unwrap_or_default());
        alarms.retain(|alarm| {
            let definition = &alarm.document.definition;
            let has_action = |prefix: &String| {
                let lists = ACTIONS.iter().flat_map(|(list, _)| definition[*list].as_array().into_iter().flatten());
                lists.filter_map(Value::as_str).any(|action| action.starts_with(prefix.as_str()))
            };
            (self.names.is_empty() || self.names.contains(&alarm.name))
                && self.prefix.as_ref().is_none_or(|prefix| alarm.name.starts_with(prefix.as_str()))
                && self.types.takes(is_composite(definition))
                && self.state.as_ref().is_none_or(|state| memory_of(alarm).state == *state)
                && self.action.as_ref().is_none_or(has_action)
                && of_parent.as_ref().is_none_or(|names| names.contains(&alarm.name))
                && self.parents_of.as_ref().is_none_or(|child| children(alarm).contains(child))
        });
    }
}

/// Refuses parameters that exclude `name`, the parameter that asks for children or parents.
fn refuse_others(input: &Parameters<'_>, name: &str) -> Read<()> {
    let known: Vec<&str> = WITH_RELATIVES.into_iter().chain([name]).collect();
    match input.unknown(&known) {
        None => Ok(()),
        Some(other) => {
            Err(invalid(format!("{name} excludes {other}: only MaxRecords and NextToken may be given with it.")))
        }
    }
}

/// Keeps the alarms on one metric.
pub(super) fn retain_of_metric(input: &Parameters<'_>, alarms: &mut Vec<AlarmView>) -> Read<()> {
    let wanted = metric(input)?;
    let period = input.integer("Period")?;
    let texts = [("Statistic", input.text("Statistic", 255)?), ("Unit", input.text("Unit", 255)?)];
    let extended = input.text("ExtendedStatistic", 255)?;
    alarms.retain(|alarm| {
        let definition = &alarm.document.definition;
        let own = Parameters::new(definition);
        metric(&own).is_ok_and(|metric| metric == wanted)
            && period.is_none_or(|period| definition["Period"] == json!(period))
            && texts.iter().all(|(name, text)| text.is_none_or(|text| definition[*name] == json!(text)))
            && extended.is_none_or(|text| definition["ExtendedStatistic"] == json!(text))
    });
    Ok(())
}

/// Returns the alarms that an alarm depends on.
pub(super) fn children(definition: &Value) -> Vec<String> {
    let rule = definition["AlarmRule"].as_str().and_then(|text| CompositeRule::read(text).ok());
    rule.iter().flat_map(CompositeRule::names).map(str::to_owned).collect()
}

/// Reports whether an alarm is one over others.
pub(super) fn is_composite(definition: &Value) -> bool {
    definition.get("AlarmRule").is_some()
}

/// Returns a page of alarms, by type.
pub(super) fn page(input: &Parameters<'_>, alarms: &[AlarmView]) -> Read<Value> {
    let (most, start) = page_asked(input)?;
    let (page, next) = page_from(alarms, start, most);
    let of = |composite: bool| -> Vec<Value> {
        let wanted = page.iter().filter(|alarm| is_composite(&alarm.document.definition) == composite);
        wanted.map(shown).collect()
    };
    Ok(with_next_token(json!({"CompositeAlarms": of(true), "MetricAlarms": of(false)}), next))
}

/// Returns the most entries of the page that is asked for, and the number of entries before it.
pub(super) fn page_asked(input: &Parameters<'_>) -> Read<(usize, usize)> {
    Ok((input.most("MaxRecords", PAGE, PAGE_MAX)?, input.start(1024)?))
}

/// Returns what is remembered of an alarm.
fn memory_of(alarm: &AlarmView) -> AlarmMemory {
    let known = alarm.memory.as_ref().and_then(AlarmMemory::read);
    known.unwrap_or_else(|| AlarmMemory::initial(alarm.document.changed_ms))
}

/// Returns the definition of an alarm as it is shown.
pub(super) fn definition(name: &str, document: &AlarmDocument) -> Value {
    let mut shown = document.definition.clone();
    if let Some(members) = shown.as_object_mut() {
        members.remove("Tags");
        members.remove("Region");
    }
    shown["AlarmArn"] = arn(document.definition["Region"].as_str().unwrap_or("us-east-1"), name).into();
    shown["AlarmConfigurationUpdatedTimestamp"] = (document.changed_ms as f64 / 1e3).into();
    shown
}

/// Returns an alarm as `DescribeAlarms` has it.
pub(super) fn shown(alarm: &AlarmView) -> Value {
    let mut shown = definition(&alarm.name, &alarm.document);
    let memory = memory_of(alarm);
    shown["StateValue"] = memory.state.into();
    shown["StateReason"] = memory.reason.into();
    if let Some(data) = memory.reason_data {
        shown["StateReasonData"] = data.into();
    }
    shown["StateUpdatedTimestamp"] = (memory.updated_ms as f64 / 1e3).into();
    shown["StateTransitionedTimestamp"] = (memory.transitioned_ms as f64 / 1e3).into();
    if alarm.error.is_some() && !is_composite(&alarm.document.definition) {
        shown["EvaluationState"] = "EVALUATION_ERROR".into();
    }
    shown
}

#[cfg(test)]
mod tests;
