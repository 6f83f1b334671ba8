//! What `PutMetricAlarm` and `PutCompositeAlarm` take: read, checked, and shown as `DescribeAlarms` does.
//!
//! An alarm is stored as it is shown, and read again by the same reader when it is judged.

use std::collections::{BTreeMap, BTreeSet};

use ingest::datum::MetricName;
use serde_json::{Map, Value, json};
use types::ensure;

use super::super::data::query::{DataQuery, MetricQuery, QuerySource, shown_dimensions, spelled};
use super::super::error::{bad_combination, bad_value, missing};
use super::super::get::metric;
use super::super::math::{BAND, MathExpression};
use super::super::parameters::Parameters;
use super::super::put::unit;
use super::super::statistic::Statistic;
use super::composite::{CompositeRule, RULE_CHARS_MAX};
use super::judgement::{Datapoints, MissingData};
use super::threshold::Comparison;
use crate::answer::{CloudWatchProblem, Result};

type Read<T> = Result<T>;

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// Limits of alarms, as at Amazon.
const NAME_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 1024;
const ACTIONS_MAX: usize = 5;
const QUERIES_MAX: usize = 20;
const TAGS_MAX: usize = 50;
const DAY_S: i64 = 86_400;
const WEEK_S: i64 = 7 * DAY_S;
const HOUR_S: i64 = 3_600;

/// The lists of actions, and the state in which each is taken.
pub(super) const ACTIONS: [(&str, &str); 3] =
    [("OKActions", "OK"), ("AlarmActions", "ALARM"), ("InsufficientDataActions", "INSUFFICIENT_DATA")];

/// An alarm on a metric or an expression.
pub(super) struct MetricAlarm {
    pub(super) queries: Vec<DataQuery>,
    pub(super) period_s: i64,
    pub(super) datapoints: Datapoints,
    pub(super) comparison: Comparison,
    pub(super) threshold: Threshold,
    /// The statistic, as reasons name it; none of an expression.
    pub(super) statistic: Option<String>,
    pub(super) unit: Option<String>,
}

/// What values are compared with.
pub(super) enum Threshold {
    Fixed(f64),
    /// The query with this id, which gives a band.
    Band(String),
}

impl Threshold {
    /// Returns the id of the query that gives a band.
    pub(super) fn band(&self) -> Option<&str> {
        match self {
            Self::Fixed(_) => None,
            Self::Band(id) => Some(id),
        }
    }
}

/// An alarm as it is put.
pub(super) struct PutAlarm {
    pub(super) name: String,
    /// What is stored and shown.
    pub(super) shown: Value,
    pub(super) tags: Tags,
    /// The metrics that it looks at.
    pub(super) metrics: Vec<MetricName>,
    /// How far back it looks, and the length of its periods; nothing of a composite alarm.
    pub(super) reach_s: Option<(i64, i64)>,
    /// The alarms that it depends on.
    pub(super) children: Vec<String>,
}

impl PutAlarm {
    /// Reads what `PutMetricAlarm` is given.
    pub(super) fn metric(input: &Parameters<'_>) -> Read<Self> {
        let alarm = MetricAlarm::read(input)?;
        let (name, mut shown, tags) = common(input)?;
        shown.extend(alarm.shown(input)?);
        let metrics = alarm.metrics();
        let reach_s = Some((alarm.reach_s(), alarm.period_s));
        Ok(Self { name, shown: shown.into(), tags, metrics, reach_s, children: Vec::new() })
    }

    /// Reads what `PutCompositeAlarm` is given.
    pub(super) fn composite(input: &Parameters<'_>) -> Read<Self> {
        let text = input.needed_text("AlarmRule", RULE_CHARS_MAX)?;
        let rule = CompositeRule::read(text)
            .map_err(|problem| invalid(format!("Could not save the composite alarm: AlarmRule: {problem}.")))?;
        let children = rule.names().into_iter().map(str::to_owned).collect();
        let (name, mut shown, tags) = common(input)?;
        shown.insert("AlarmRule".to_owned(), text.into());
        Ok(Self { name, shown: shown.into(), tags, metrics: Vec::new(), reach_s: None, children })
    }

    /// Returns the topics of its actions in a state, by their ARNs.
    pub(super) fn topics(shown: &Value, list: &str) -> Vec<String> {
        let actions = shown[list].as_array().into_iter().flatten().filter_map(Value::as_str);
        actions.filter_map(topic_of).map(str::to_owned).collect()
    }
}

/// Returns the topic of an ARN of SNS.
pub(crate) fn topic_of(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let is_sns = parts.next()? == "arn" && parts.next().is_some() && parts.next()? == "sns";
    parts.next()?;
    parts.next()?;
    let topic = parts.next()?;
    let is_topic = !topic.is_empty() && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (is_sns && is_topic).then_some(topic)
}

/// The error of Amazon's validation.
pub(super) fn invalid(message: impl Into<String>) -> CloudWatchProblem {
    CloudWatchProblem::new("ValidationError", message)
}

/// Reads what all alarms have: the name, members as they are shown, tags.
fn common(input: &Parameters<'_>) -> Read<(String, Map<String, Value>, Tags)> {
    let name = input.needed_text("AlarmName", NAME_CHARS_MAX)?;
    ensure!(!name.chars().any(char::is_control), bad_value("The value of AlarmName must not have control characters."));
    let mut shown = Map::new();
    shown.insert("AlarmName".to_owned(), name.into());
    if let Some(text) = input.text("AlarmDescription", DESCRIPTION_CHARS_MAX)? {
        shown.insert("AlarmDescription".to_owned(), text.into());
    }
    shown.insert("ActionsEnabled".to_owned(), input.flag("ActionsEnabled")?.unwrap_or(true).into());
    for (list, _) in ACTIONS {
        let actions = input.texts(list, ACTIONS_MAX)?;
        if let Some(other) = actions.iter().find(|action| topic_of(action).is_none()) {
            let place = input.at(list);
            return Err(invalid(format!(
                "Invalid action in {place}: {other:?}. Actions here are topics: arn:aws:sns:REGION:000000000000:TOPIC."
            )));
        }
        shown.insert(list.to_owned(), actions.into());
    }
    Ok((name.to_owned(), shown, tags(input)?))
}

/// Reads tags.
pub(super) fn tags(input: &Parameters<'_>) -> Read<Tags> {
    let mut tags = Tags::new();
    for tag in input.structures("Tags", TAGS_MAX)? {
        let key = tag.needed_text("Key", 128)?.to_owned();
        tags.insert(key, tag.get("Value").and_then(Value::as_str).unwrap_or_default().chars().take(256).collect());
    }
    Ok(tags)
}

impl MetricAlarm {
    /// Returns the metrics that it looks at.
    pub(super) fn metrics(&self) -> Vec<MetricName> {
        self.queries.iter().filter_map(|query| Some(query.metric()?.metric.clone())).collect()
    }

    /// Reads the part of an alarm that is about metrics.
    pub(super) fn read(input: &Parameters<'_>) -> Read<Self> {
        let comparison = Comparison::read(input.needed_text("ComparisonOperator", NAME_CHARS_MAX)?)?;
        let datapoints = datapoints(input)?;
        let threshold = threshold(input, comparison)?;
        let low_counts = input.text("EvaluateLowSampleCountPercentile", NAME_CHARS_MAX)?;
        if low_counts.is_some_and(|value| value != "evaluate") {
            return Err(bad_value("EvaluateLowSampleCountPercentile: only evaluate is supported here."));
        }
        let alarm = if input.get("Metrics").is_some() {
            let (queries, period_s) = expression(input, &threshold)?;
            Self { queries, period_s, datapoints, comparison, threshold, statistic: None, unit: None }
        } else {
            let (query, statistic) = single(input)?;
            let (period_s, unit) = (period(input)?, unit(input)?.map(str::to_owned));
            let queries = vec![query];
            Self { queries, period_s, datapoints, comparison, threshold, statistic: Some(statistic), unit }
        };
        let range_s = alarm.period_s * i64::try_from(alarm.datapoints.of).unwrap_or(i64::MAX / WEEK_S);
        let (limit_s, what) = if alarm.period_s >= HOUR_S { (WEEK_S, "a week") } else { (DAY_S, "a day") };
        if range_s > limit_s {
            return Err(invalid(format!(
                "Metrics cannot be checked across more than {what} (EvaluationPeriods * Period must be <= {limit_s})."
            )));
        }
        Ok(alarm)
    }

    /// Returns how far back it looks, in s.
    pub(super) fn reach_s(&self) -> i64 {
        let n = i64::try_from(self.datapoints.of + super::judgement::EVALUATION_MORE).unwrap_or(i64::MAX / WEEK_S);
        n.saturating_mul(self.period_s)
    }

    fn shown(&self, input: &Parameters<'_>) -> Read<Map<String, Value>> {
        let mut shown = json!({
            "EvaluationPeriods": self.datapoints.of,
            "ComparisonOperator": self.comparison.name(),
        });
        match &self.threshold {
            Threshold::Fixed(threshold) => shown["Threshold"] = (*threshold).into(),
            Threshold::Band(id) => shown["ThresholdMetricId"] = id.as_str().into(),
        }
        if input.get("DatapointsToAlarm").is_some() {
            shown["DatapointsToAlarm"] = self.datapoints.to_alarm.into();
        }
        if input.get("TreatMissingData").is_some() {
            shown["TreatMissingData"] = self.datapoints.missing.name().into();
        }
        match (input.get("Metrics"), self.queries.first().map(|query| &query.source)) {
            (None, Some(QuerySource::Metric(query))) => {
                shown["MetricName"] = query.metric.name.as_str().into();
                shown["Namespace"] = query.metric.namespace.as_str().into();
                shown["Dimensions"] = shown_dimensions(&query.metric);
                shown["Period"] = self.period_s.into();
                let kind = if Statistic::simple(&query.stat).is_some() { "Statistic" } else { "ExtendedStatistic" };
                shown[kind] = query.stat.as_str().into();
                if let Some(unit) = &self.unit {
                    shown["Unit"] = unit.as_str().into();
                }
            }
            _ => shown["Metrics"] = self.queries.iter().map(DataQuery::shown).collect(),
        }
        Ok(if let Value::Object(shown) = shown { shown } else { Map::new() })
    }
}

fn datapoints(input: &Parameters<'_>) -> Read<Datapoints> {
    let count = |name: &str| -> Read<Option<usize>> {
        let Some(number) = input.integer(name)? else { return Ok(None) };
        let count = usize::try_from(number).ok().filter(|count| (1..=100_000).contains(count));
        count.map(Some).ok_or_else(|| bad_value(format!("The value {number} of {name} must be greater than 0.")))
    };
    let of = count("EvaluationPeriods")?.ok_or_else(|| missing("EvaluationPeriods"))?;
    let to_alarm = count("DatapointsToAlarm")?.unwrap_or(of);
    ensure!(to_alarm <= of, invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods."));
    let missing = match input.text("TreatMissingData", NAME_CHARS_MAX)? {
        None => MissingData::Missing,
        Some(text) => {
            let names = MissingData::ALL.map(MissingData::name).join(", ");
            let refused = || bad_value(format!("The value {text:?} of TreatMissingData must be one of {names}."));
            MissingData::named(text).ok_or_else(refused)?
        }
    };
    Ok(Datapoints { of, to_alarm, missing })
}

fn period(input: &Parameters<'_>) -> Read<i64> {
    let period = input.integer("Period")?.ok_or_else(|| missing("Period"))?;
    let is_period = matches!(period, 10 | 20 | 30) || period % 60 == 0 && (60..=WEEK_S).contains(&period);
    if is_period { Ok(period) } else { Err(bad_value("The value of Period must be 10, 20, 30 or a multiple of 60.")) }
}

/// Reads the metric of an alarm on one, and the name of its statistic.
fn single(input: &Parameters<'_>) -> Read<(DataQuery, String)> {
    let (simple, extended) =
        (input.text("Statistic", NAME_CHARS_MAX)?, input.text("ExtendedStatistic", NAME_CHARS_MAX)?);
    let (stat, statistic) = match (simple, extended) {
        (Some(_), Some(_)) => return Err(bad_combination("Statistic excludes ExtendedStatistic.")),
        (None, None) => return Err(missing("Statistic")),
        (Some(text), None) => (text, Statistic::simple(text)),
        (None, Some(text)) => (text, Statistic::extended(text)),
    };
    let statistic = statistic.ok_or_else(|| bad_value(format!("The value {stat:?} is no such statistic.")))?;
    let query = MetricQuery {
        metric: metric(input)?,
        unit: unit(input)?.map(str::to_owned),
        period_ms: period(input)? * 1_000,
        statistic,
        stat: stat.to_owned(),
    };
    let source = QuerySource::Metric(query);
    Ok((DataQuery { id: "m1".to_owned(), label: None, source, is_returned: true }, stat.to_owned()))
}

/// Checks that a query gives a band, of something that has one.
fn check_band(queries: &[DataQuery], id: &str) -> Read<()> {
    let place = "ThresholdMetricId";
    let query = queries.iter().find(|query| query.id == id);
    let of_band = query.and_then(|query| match &query.source {
        QuerySource::Expression { expression: MathExpression::Call(name, arguments), .. }
            if name.eq_ignore_ascii_case(BAND) =>
        {
            arguments.first()
        }
        _ => None,
    });
    let argument = of_band.ok_or_else(|| invalid(format!("{place}: the query {id:?} must be {BAND}(ID, NUMBER).")))?;
    spelled(queries, argument).map(drop).map_err(|problem| invalid(format!("{place}: {problem}.")))
}

/// Reads the threshold, which must be of the kind that the comparison is for.
fn threshold(input: &Parameters<'_>, comparison: Comparison) -> Read<Threshold> {
    let (fixed, band) = (input.number("Threshold")?, input.text("ThresholdMetricId", NAME_CHARS_MAX)?);
    let name = comparison.name();
    match (fixed, band) {
        (Some(_), Some(_)) => Err(bad_combination("ThresholdMetricId excludes Threshold.")),
        (Some(threshold), None) if !comparison.is_of_band() => Ok(Threshold::Fixed(threshold)),
        (None, Some(_)) if input.get("Metrics").is_none() => Err(bad_combination("ThresholdMetricId needs Metrics.")),
        (None, Some(id)) if comparison.is_of_band() => Ok(Threshold::Band(id.to_owned())),
        (_, Some(_)) => Err(bad_combination(format!("ThresholdMetricId is not for ComparisonOperator {name}."))),
        (_, None) if comparison.is_of_band() => {
            Err(bad_combination(format!("ComparisonOperator {name} needs ThresholdMetricId, the Id of a band.")))
        }
        (None, None) => Err(missing("Threshold")),
        (Some(_), None) => Err(bad_combination(format!("Threshold is not for ComparisonOperator {name}."))),
    }
}

/// Reads the queries of an alarm on an expression, and their period.
fn expression(input: &Parameters<'_>, threshold: &Threshold) -> Read<(Vec<DataQuery>, i64)> {
    let single = ["MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"];
    if let Some(other) = single.iter().find(|name| input.get(name).is_some()) {
        return Err(bad_combination(format!("Metrics excludes {other}.")));
    }
    let queries = DataQuery::read_all(input, "Metrics", QUERIES_MAX)?;
    let band = threshold.band();
    if let Some(id) = band {
        check_band(&queries, id)?;
    }
    if queries.iter().filter(|query| query.is_returned && band != Some(&*query.id)).count() != 1 {
        return Err(invalid("Exactly one element of the metrics list should return data."));
    }
    let mut periods = BTreeSet::new();
    for query in &queries {
        match &query.source {
            QuerySource::Metric(metric) => drop(periods.insert(metric.period_ms / 1_000)),
            QuerySource::Expression { expression, .. } => {
                ensure!(!expression.calls("SEARCH"), invalid("SEARCH is not supported in the expression of an alarm."));
            }
        }
    }
    let mut found = periods.iter();
    match (found.next(), found.next()) {
        (Some(period), None) => Ok((queries, *period)),
        (None, _) => Err(invalid("Metrics list must contain at least one metric.")),
        (Some(_), Some(_)) => Err(invalid("All metrics of an alarm must have the same Period.")),
    }
}
