//! One query of `GetMetricData`: a statistic of a metric, or an expression.

use std::collections::{BTreeMap, BTreeSet};

use door::Problem;
use ingest::datum::{Datum, MetricName};
use serde_json::{Value, json};

use super::super::error::{bad_combination, bad_value, missing};
use super::super::get::{PERIOD_MAX, SHORT_PERIODS, by_period, check_account, metric, period, whole_end};
use super::super::math::{MathExpression, MathProblem, Named, Series, canonical};
use super::super::parameters::Parameters;
use super::super::put::unit;
use super::super::source::MetricSource;
use super::super::statistic::{Statistic, has_sets};
use super::super::store;
use crate::answer::Result;

pub(in crate::metrics) const CHARS_MAX: usize = 255;
const EXPRESSION_CHARS_MAX: usize = 2048;

pub(in crate::metrics) type Read<T> = Result<T>;

/// A query.
pub(in crate::metrics) struct DataQuery {
    pub(in crate::metrics) id: String,
    pub(in crate::metrics) label: Option<String>,
    pub(in crate::metrics) source: QuerySource,
    pub(in crate::metrics) is_returned: bool,
}

/// Where the datapoints of a query come from.
pub(in crate::metrics) enum QuerySource {
    Metric(MetricQuery),
    Expression { text: String, expression: MathExpression, period_ms: Option<i64> },
}

/// A statistic of a metric.
pub(in crate::metrics) struct MetricQuery {
    pub(in crate::metrics) metric: MetricName,
    pub(in crate::metrics) unit: Option<String>,
    pub(in crate::metrics) period_ms: i64,
    pub(in crate::metrics) statistic: Statistic,
    pub(in crate::metrics) stat: String,
}

/// Reports whether a period in s is possible.
pub(in crate::metrics) fn is_period(period: i64) -> bool {
    SHORT_PERIODS.contains(&period) || period % 60 == 0 && (60..=PERIOD_MAX).contains(&period)
}

impl DataQuery {
    /// Reads the queries that a parameter has, each of another id.
    pub(in crate::metrics) fn read_all(input: &Parameters<'_>, name: &str, n_max: usize) -> Read<Vec<Self>> {
        let queries = input.structures(name, n_max)?.iter().map(Self::read).collect::<Read<Vec<_>>>()?;
        let mut ids = BTreeSet::new();
        match queries.iter().find(|query| !ids.insert(&query.id)) {
            Some(twice) => Err(bad_value(format!("The value {:?} of Id is there twice.", twice.id))),
            None => Ok(queries),
        }
    }

    fn read(query: &Parameters<'_>) -> Read<Self> {
        let id = query.needed_text("Id", CHARS_MAX)?;
        let is_id = id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_id {
            let rule = "must start with a lowercase letter and have letters, digits and underscores only";
            return Err(bad_value(format!("The value {id:?} of {} {rule}.", query.at("Id"))));
        }
        check_account(query, "AccountId")?;
        let source = match query.text("Expression", EXPRESSION_CHARS_MAX)? {
            None => QuerySource::Metric(MetricQuery::read(query)?),
            Some(text) => expression(query, text)?,
        };
        Ok(Self {
            id: id.to_owned(),
            label: query.text("Label", EXPRESSION_CHARS_MAX)?.map(str::to_owned),
            source,
            is_returned: query.flag("ReturnData")?.unwrap_or(true),
        })
    }

    /// Returns the metric, if it is one.
    pub(in crate::metrics) fn metric(&self) -> Option<&MetricQuery> {
        match &self.source {
            QuerySource::Metric(metric) => Some(metric),
            QuerySource::Expression { .. } => None,
        }
    }

    /// Returns the query as requests have it.
    pub(in crate::metrics) fn shown(&self) -> Value {
        let mut shown = json!({"Id": self.id, "ReturnData": self.is_returned});
        if let Some(label) = &self.label {
            shown["Label"] = label.as_str().into();
        }
        match &self.source {
            QuerySource::Metric(query) => {
                let MetricQuery { metric, unit, period_ms, stat, .. } = query;
                shown["MetricStat"] = json!({
                    "Metric": {
                        "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": shown_dimensions(metric),
                    },
                    "Period": period_ms / 1_000,
                    "Stat": stat,
                });
                if let Some(unit) = unit {
                    shown["MetricStat"]["Unit"] = unit.as_str().into();
                }
            }
            QuerySource::Expression { text, period_ms, .. } => {
                shown["Expression"] = text.as_str().into();
                if let Some(period_ms) = period_ms {
                    shown["Period"] = (period_ms / 1_000).into();
                }
            }
        }
        shown
    }
}

/// Spells an expression over some queries, and returns the ids of those that it uses.
///
/// # Errors
/// If it has no band.
pub(in crate::metrics) fn spelled(
    queries: &[DataQuery],
    argument: &MathExpression,
) -> Result<(String, BTreeSet<String>), MathProblem> {
    let named = |id: &str| {
        let query = queries.iter().find(|query| query.id == id)?;
        Some(match &query.source {
            QuerySource::Metric(metric) => Named::Metric(metric.spelled()),
            QuerySource::Expression { expression, .. } => Named::Expression(expression),
        })
    };
    canonical(argument, &named)
}

/// Returns the dimensions of a metric as requests have them.
pub(in crate::metrics) fn shown_dimensions(metric: &MetricName) -> Value {
    metric.dimensions.iter().map(|(name, text)| json!({"Name": name, "Value": text})).collect()
}

fn expression(query: &Parameters<'_>, text: &str) -> Read<QuerySource> {
    let place = query.at("Expression");
    types::ensure!(query.get("MetricStat").is_none(), bad_combination(format!("{place} excludes MetricStat.")));
    if text.trim_start().get(..6).is_some_and(|start| start.eq_ignore_ascii_case("select")) {
        return Err(bad_value(format!("{place}: Metrics Insights (SELECT) is not supported here.")));
    }
    let expression = MathExpression::read(text).map_err(|problem| bad_value(format!("{place}: {problem}.")))?;
    let period_ms = query.get("Period").map(|_| period(query)).transpose()?.map(|period| period * 1_000);
    Ok(QuerySource::Expression { text: text.to_owned(), expression, period_ms })
}

impl MetricQuery {
    fn read(query: &Parameters<'_>) -> Read<Self> {
        let stat = query.structure("MetricStat")?.ok_or_else(|| missing(&query.at("MetricStat")))?;
        if query.get("Period").is_some() {
            return Err(bad_combination(format!("{} is for expressions; MetricStat has its own.", query.at("Period"))));
        }
        let of = stat.structure("Metric")?.ok_or_else(|| missing(&stat.at("Metric")))?;
        let text = stat.needed_text("Stat", CHARS_MAX)?;
        Ok(Self {
            metric: metric(&of)?,
            unit: unit(&stat)?.map(str::to_owned),
            period_ms: period(&stat)? * 1000,
            statistic: Statistic::read(text)?,
            stat: text.to_owned(),
        })
    }

    /// Spells the metric and its statistic, so that equal ones have equal texts.
    pub(in crate::metrics) fn spelled(&self) -> String {
        let MetricName { namespace, name, dimensions } = &self.metric;
        json!([namespace, name, dimensions, self.stat]).to_string()
    }

    /// Returns the datapoints, and what is to be said about them.
    pub(in crate::metrics) fn series(
        &self,
        source: &dyn MetricSource,
        (start, end): (i64, i64),
    ) -> Result<(Series, Vec<Value>), Problem> {
        let start = start.div_euclid(self.period_ms) * self.period_ms;
        let units = store::data_of(source, &self.metric, (start, whole_end(end, self.period_ms)))?;
        let is_meant = |unit: &str| self.unit.as_ref().is_none_or(|wanted| wanted == unit);
        let data = units.into_iter().filter(|(unit, _)| is_meant(unit)).flat_map(|(_, data)| data).collect();
        let (points, messages) = self.points(by_period(data, 0, self.period_ms));
        let series = Series {
            label: self.metric.name.clone(),
            points,
            period_ms: self.period_ms,
            properties: self.properties(),
        };
        Ok((series, messages))
    }

    /// Returns the datapoints of periods, and a message if some periods have statistic sets instead of single values.
    fn points(&self, periods: BTreeMap<i64, Vec<Datum>>) -> (BTreeMap<i64, f64>, Vec<Value>) {
        let (mut points, mut n_with_sets) = (BTreeMap::new(), 0);
        for (time, data) in periods {
            if let Some(value) = self.statistic.of(&data) {
                points.insert(time, value);
            } else if has_sets(&data) {
                n_with_sets += 1;
            }
        }
        let periods = match n_with_sets {
            0 => return (points, Vec::new()),
            1 => "1 period has".to_owned(),
            n => format!("{n} periods have"),
        };
        let text = format!("{} needs single values: {periods} statistic sets", self.stat);
        (points, vec![json!({"Code": "StatisticSets", "Value": text})])
    }

    /// Returns what dynamic labels may name.
    fn properties(&self) -> BTreeMap<String, String> {
        let own = [
            ("MetricName", self.metric.name.clone()),
            ("Namespace", self.metric.namespace.clone()),
            ("Period", (self.period_ms / 1_000).to_string()),
            ("Stat", self.stat.clone()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let dimensions = self.metric.dimensions.iter().map(|(name, value)| (format!("Dim.{name}"), value.clone()));
        own.chain(dimensions).collect()
    }
}

#[cfg(test)]
mod tests;
