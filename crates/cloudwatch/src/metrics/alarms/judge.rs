//! The judge of alarms: reads their data, decides on the state, and says what subscribers are told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};

use alert::{AlarmJudge, AlarmQuestion, AlarmState, AlarmVerdict};
use door::Server;
use serde_json::{Value, json};
use types::{Hold, Timestamp};

use super::super::band::ModelCache;
use super::super::detectors::definition::config_of;
use super::super::parameters::Parameters;
use super::children::{deciding, holds};
use super::composite::CompositeRule;
use super::datapoints::{AlarmInputs, AlarmPeriod, periods};
use super::definition::{MetricAlarm, Threshold};
use super::history::{HistoryItem, write};
use super::judgement::{Judgement, MissingData};
use super::message::{messages, reference};
use super::state::{AlarmMemory, ChildState, Children, ORDER, StateOrder, name_of, state_of};
use super::threshold::{Crossing, JudgedPoint, UNTRAINED, time_text, unknown_reason};
use crate::metric_filters::counters;

/// Judges the alarms of a server.
struct Judge {
    server: Weak<Server>,
    /// Models of bands.
    models: ModelCache,
    /// Ids of items of histories that were stored since they were saved.
    written: Mutex<BTreeSet<String>>,
}

/// What an evaluation found.
struct Finding {
    /// The state; none if it stays as it is.
    state: Option<AlarmState>,
    value: Option<types::Value>,
    reason: String,
    reason_data: Option<String>,
    /// The alarms that a composite alarm depends on.
    children: Children,
}

/// Has the alarms of a server judged from now on.
pub(crate) fn start(server: &Arc<Server>) {
    let judge = Judge { server: Arc::downgrade(server), models: ModelCache::default(), written: Mutex::default() };
    server.app.alerts.set_alarm_judge(Arc::new(judge));
}

impl AlarmJudge for Judge {
    fn judge(&self, question: &AlarmQuestion<'_>) -> Result<AlarmVerdict, String> {
        let server = self.server.upgrade().ok_or("the server stops")?;
        let now_ms = question.now.0.div_euclid(Timestamp::MILLISECOND);
        let mut memory = question.memory.and_then(AlarmMemory::read).unwrap_or_else(|| AlarmMemory::initial(now_ms));
        self.write_rest(&server, &mut memory);
        let order = pending_order(&server, question.name, &memory)?;
        let finding = match &order {
            Some(order) => Finding {
                state: state_of(&order.state),
                value: None,
                reason: order.reason.clone(),
                reason_data: order.reason_data.clone(),
                children: memory.children.clone(),
            },
            None => self.evaluate(&server, question, &memory.children)?,
        };
        let before = memory.clone();
        let state = finding.state.or_else(|| state_of(&before.state)).unwrap_or(AlarmState::InsufficientData);
        let is_changed = name_of(state) != before.state;
        if is_changed || order.is_some() {
            memory.state = name_of(state).to_owned();
            (memory.reason, memory.reason_data) = (finding.reason, finding.reason_data);
            memory.updated_ms = now_ms;
        }
        memory.children = finding.children;
        let mut told = Vec::new();
        if is_changed {
            memory.transitioned_ms = now_ms;
            told = messages(question, &before, &memory);
            let items = HistoryItem::of_transition(question, &before, &memory, &told);
            memory.unwritten.extend(items.iter().map(HistoryItem::to_json));
        }
        memory.order = order.map(|order| order.id).or(memory.order);
        Ok(AlarmVerdict {
            state,
            value: finding.value,
            reason: memory.reason.clone(),
            description: question.definition["AlarmDescription"].as_str().map(str::to_owned),
            memory: serde_json::to_value(&memory).map_err(|error| error.to_string())?,
            messages: told,
        })
    }

    fn note_saved(&self, _name: &str, memory: &Value) {
        let (Some(server), Some(memory)) = (self.server.upgrade(), AlarmMemory::read(memory)) else { return };
        for item in &memory.unwritten {
            if write(&server, item).is_ok()
                && let Some(id) = item["id"].as_str()
            {
                self.written.hold().insert(id.to_owned());
            }
        }
    }
}

impl Judge {
    /// Evaluates an alarm; `before` are the states of its children at the last evaluation.
    fn evaluate(&self, server: &Server, question: &AlarmQuestion<'_>, before: &Children) -> Result<Finding, String> {
        if let Some(rule) = question.definition["AlarmRule"].as_str() {
            return Ok(of_composite(question, &CompositeRule::read(rule)?, before));
        }
        let config = |spelled: &str| config_of(server.settings(), spelled);
        let filters = |metric: Option<&str>| counters::filters_of(server.settings(), metric);
        of_metric(question, &AlarmInputs { filters: &filters, config: &config, models: &self.models })
    }

    /// Stores items that were saved with the memory and are not known to be in the history.
    fn write_rest(&self, server: &Server, memory: &mut AlarmMemory) {
        let mut written = self.written.hold();
        memory.unwritten.retain(|item| {
            let is_written = item["id"].as_str().is_some_and(|id| written.remove(id));
            !is_written && write(server, item).is_err()
        });
    }
}

/// Returns the order to set the state of an alarm that was not carried out yet. One that was is removed.
fn pending_order(server: &Server, name: &str, memory: &AlarmMemory) -> Result<Option<StateOrder>, String> {
    let Some(text) = server.settings().get(ORDER, name).map_err(|error| error.to_string())? else { return Ok(None) };
    let order: Option<StateOrder> = serde_json::from_str(&text).ok();
    match order.filter(|order| memory.order.as_ref() != Some(&order.id)) {
        Some(order) => Ok(Some(order)),
        None => server.settings().remove(ORDER, name).map(|()| None).map_err(|error| error.to_string()),
    }
}

/// Judges an alarm over other alarms; `before` are their states at the last evaluation.
fn of_composite(question: &AlarmQuestion<'_>, rule: &CompositeRule, before: &Children) -> Finding {
    let now_ms = question.now.0.div_euclid(Timestamp::MILLISECOND);
    let mut children = Children::new();
    for name in rule.names() {
        let Some(found) = (question.state_of)(name) else {
            let reason =
                format!("Insufficient Data: the alarm {} does not exist", reference(question.definition, name));
            let state = Some(AlarmState::InsufficientData);
            return Finding { state, value: None, reason, reason_data: None, children: before.clone() };
        };
        children.insert(name.to_owned(), ChildState::new(&found, before.get(name), now_ms));
    }
    let state = if holds(rule, &children) { AlarmState::Alarm } else { AlarmState::Ok };
    let (reason, reason_data) = match deciding(rule, &children, before) {
        None => ("The alarm rule has no alarms and a constant value".to_owned(), None),
        Some((name, child)) => {
            let (reason, data) = child.reason(&reference(question.definition, name));
            (reason, Some(data))
        }
    };
    Finding { state: Some(state), value: None, reason, reason_data, children }
}

/// Judges an alarm on a metric or an expression.
fn of_metric(question: &AlarmQuestion<'_>, inputs: &AlarmInputs<'_>) -> Result<Finding, String> {
    let alarm =
        MetricAlarm::read(&Parameters::new(question.definition)).map_err(|problem| problem.parts().2.to_owned())?;
    let periods = periods(&alarm, question, inputs)?;
    let judged =
        |period: &AlarmPeriod| Some(JudgedPoint { time: period.time, value: period.value?, bounds: period.bounds? });
    let is_breached = |point: JudgedPoint| alarm.comparison.is_breached(point.value, point.bounds);
    let flags: Vec<Option<bool>> = periods.iter().map(|period| judged(period).map(is_breached)).collect();
    let points: Vec<JudgedPoint> = periods.iter().rev().filter_map(judged).take(alarm.datapoints.of).collect();
    let reason_data = || Some(reason_data(&alarm, &periods, &points, question.now).to_string());
    if periods.iter().all(|period| period.bounds.is_none()) {
        // Whatever missing data mean: nothing is missing but the band.
        let state = Some(AlarmState::InsufficientData);
        let (reason, reason_data) = (UNTRAINED.to_owned(), reason_data());
        return Ok(Finding { state, value: None, reason, reason_data, children: Children::new() });
    }
    let judgement = alarm.datapoints.judge(&flags);
    let state = match judgement {
        Judgement::Ok => Some(AlarmState::Ok),
        Judgement::Alarm => Some(AlarmState::Alarm),
        Judgement::InsufficientData => Some(AlarmState::InsufficientData),
        Judgement::Unchanged => None,
    };
    let reason = match judgement {
        Judgement::InsufficientData => unknown_reason(alarm.datapoints.of),
        _ => crossing(&alarm, &points, judgement == Judgement::Alarm).reason(),
    };
    let value = points.first().map(|point| types::Value::Float(point.value));
    Ok(Finding { state, value, reason, reason_data: reason_data(), children: Children::new() })
}

fn crossing<'p>(alarm: &MetricAlarm, points: &'p [JudgedPoint], is_alarm: bool) -> Crossing<'p> {
    Crossing {
        comparison: alarm.comparison,
        threshold: match alarm.threshold {
            Threshold::Fixed(threshold) => Some(threshold),
            Threshold::Band(_) => None,
        },
        of: alarm.datapoints.of,
        to_alarm: alarm.datapoints.to_alarm,
        points,
        n_missing: alarm.datapoints.of - points.len(),
        treated: match alarm.datapoints.missing {
            MissingData::Breaching => Some("Breaching"),
            MissingData::NotBreaching => Some("NonBreaching"),
            MissingData::Missing | MissingData::Ignore => None,
        },
        is_alarm,
    }
}

fn reason_data(alarm: &MetricAlarm, periods: &[AlarmPeriod], points: &[JudgedPoint], now: Timestamp) -> Value {
    let evaluated = |point: &JudgedPoint| json!({"timestamp": time_text(point.time), "value": point.value});
    let recent = |of: fn(&JudgedPoint) -> f64| points.iter().rev().map(of).collect::<Vec<f64>>();
    let mut data = json!({
        "version": "1.0",
        "queryDate": time_text(now.0.div_euclid(Timestamp::MILLISECOND)),
        "period": alarm.period_s,
        "recentDatapoints": recent(|point| point.value),
        "evaluatedDatapoints": points.iter().map(evaluated).collect::<Vec<_>>(),
    });
    match alarm.threshold {
        Threshold::Fixed(threshold) => data["threshold"] = threshold.into(),
        Threshold::Band(_) => {
            data["recentLowerThresholds"] = json!(recent(|point| point.bounds.lower));
            data["recentUpperThresholds"] = json!(recent(|point| point.bounds.upper));
        }
    }
    let start = points.last().map(|point| point.time).or_else(|| periods.first().map(|period| period.time));
    data["startDate"] = start.map(time_text).into();
    if let Some(statistic) = &alarm.statistic {
        data["statistic"] = statistic.as_str().into();
    }
    if let Some(unit) = &alarm.unit {
        data["unit"] = unit.as_str().into();
    }
    data
}
