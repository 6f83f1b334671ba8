//! `GetMetricData`: statistics of metrics, and expressions over them, in pages.
//!
//! Periods start at multiples of the period since 1970. A period without data has no datapoint.

pub(super) mod query;

use std::collections::{BTreeMap, BTreeSet};

use door::{Problem, QueryRun, Result};
use ingest::datum::MetricName;
use serde_json::{Value, json};

use self::query::{CHARS_MAX, DataQuery, MetricQuery, QuerySource, Read, spelled};
use super::band::{BandConfig, BandContext, BandRequest, History, series_of};
use super::detectors::definition::config_of;
use super::error::{bad_value, missing};
use super::get::{range, whole_end};
use super::label::dynamic;
use super::math::{BAND, DatapointBudget, Evaluator, MathExpression, MathProblem, MathRequest, Series, times};
use super::parameters::Parameters;
use super::search::MetricSearch;
use super::source::MetricSource;
use super::statistic::Statistic;
use super::{filter_data, store};

/// Limits of requests, as at Amazon.
const QUERIES_MAX: usize = 500;
const PAGE_MAX: i64 = 100_800;

/// Most series of a search and of an answer.
const SERIES_MAX: usize = 500;

/// The period of datapoints that an expression makes where no query says one.
const PERIOD_MS: i64 = 300_000;

/// A request of `GetMetricData`.
pub(super) struct DataRequest {
    queries: Vec<DataQuery>,
    range: (i64, i64),
    is_ascending: bool,
    page: usize,
    /// The number of datapoints before the page.
    start: usize,
}

/// A result: a series of a query, and what is to be said about it.
struct DataResult {
    id: String,
    label: String,
    points: Vec<(i64, f64)>,
    messages: Vec<Value>,
}

impl DataRequest {
    /// Reads a request, for the page that starts after `start` datapoints.
    pub(super) fn read(input: &Value, start: usize) -> Read<Self> {
        let input = Parameters::new(input);
        let queries = DataQuery::read_all(&input, "MetricDataQueries", QUERIES_MAX)?;
        types::ensure!(!queries.is_empty(), missing("MetricDataQueries"));
        let is_ascending = match input.text("ScanBy", CHARS_MAX)? {
            None | Some("TimestampDescending") => false,
            Some("TimestampAscending") => true,
            Some(other) => {
                let rule = "TimestampDescending or TimestampAscending";
                return Err(bad_value(format!("The value {other:?} of ScanBy must be {rule}.")));
            }
        };
        let page = input.integer("MaxDatapoints")?.unwrap_or(PAGE_MAX);
        let page = usize::try_from(page).ok().filter(|page| (1..=PAGE_MAX as usize).contains(page));
        let page = page.ok_or_else(|| bad_value(format!("MaxDatapoints must be from 1 to {PAGE_MAX}.")))?;
        Ok(Self { queries, range: range(&input)?, is_ascending, page, start })
    }

    /// Returns a page of results, and the start of the next page.
    pub(super) fn answer(&self, run: &QueryRun<'_>) -> Result<(Value, Option<usize>)> {
        let config = |spelled: &str| config_of(run.server.settings(), spelled);
        let bands = BandContext { source: run, config: &config, cache: None };
        let evaluation = QueryEvaluation {
            queries: &self.queries,
            range: self.range,
            bands: &bands,
            also: None,
            budget: DatapointBudget::default(),
        };
        Ok(self.page_of(evaluation.results(run)?))
    }

    /// Returns a page of all results, and the start of the next page.
    fn page_of(&self, all: Vec<DataResult>) -> (Value, Option<usize>) {
        let (mut results, mut before) = (Vec::new(), 0);
        let end = self.start.saturating_add(self.page);
        for DataResult { id, label, mut points, messages } in all {
            if !self.is_ascending {
                points.reverse();
            }
            let n = points.len();
            let place = |at: usize| at.saturating_sub(before).min(n);
            let page = &points[place(self.start)..place(end)];
            // A result without datapoints belongs to the page of the datapoint before it: there may be no later page.
            let is_after_page_start = self.start < before || before == 0 && self.start == 0;
            if !page.is_empty() || n == 0 && is_after_page_start && before <= end {
                let is_whole = before + n <= end;
                results.push(json!({
                    "Id": id,
                    "Label": label,
                    "Timestamps": page.iter().map(|(time, _)| time / 1000).collect::<Vec<_>>(),
                    "Values": page.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
                    "StatusCode": if is_whole { "Complete" } else { "PartialData" },
                    "Messages": messages,
                }));
            }
            before += n;
        }
        let next = (before > end).then_some(end);
        (json!({"MetricDataResults": results, "Messages": []}), next)
    }
}

/// The evaluation of queries over a range in ms.
struct QueryEvaluation<'q> {
    queries: &'q [DataQuery],
    range: (i64, i64),
    bands: &'q BandContext<'q>,
    /// The id of a query that is returned even if it says otherwise.
    also: Option<&'q str>,
    budget: DatapointBudget,
}

impl QueryEvaluation<'_> {
    /// Returns the results of all queries that are to be returned, in the order of the request.
    fn results(&self, run: &dyn MetricSource) -> Result<Vec<DataResult>> {
        let (mut metrics, mut expressions, mut messages) = (Vec::new(), Vec::new(), BTreeMap::new());
        for query in self.queries {
            match &query.source {
                QuerySource::Metric(metric) => {
                    let (series, said) = metric.series(run, self.range)?;
                    metrics.push((query.id.clone(), series));
                    messages.insert(&*query.id, said);
                }
                QuerySource::Expression { expression, .. } => expressions.push((query.id.clone(), expression)),
            }
        }
        let mut results = Vec::new();
        for query in self.queries.iter().filter(|query| query.is_returned || self.also == Some(&*query.id)) {
            let found = match &query.source {
                QuerySource::Metric(_) => {
                    let own = metrics.iter().find(|(id, _)| *id == query.id);
                    own.map(|(_, series)| series.clone()).into_iter().collect()
                }
                QuerySource::Expression { expression, period_ms, .. } => {
                    let of_query = |problem: MathProblem| {
                        Problem::bad_request("bad-expression", format!("the expression {}: {problem}", query.id))
                    };
                    let found = self.evaluate(run, &metrics, &expressions, (expression, *period_ms));
                    found.map_err(of_query)?
                }
            };
            for series in found {
                results.push(query.result(series, messages.remove(&*query.id).unwrap_or_default())?);
            }
            if results.len() > SERIES_MAX {
                let message = format!("the request gives more than {SERIES_MAX} series");
                return Err(Problem::bad_request("too-many-series", message).hint("ask for fewer, such as by SLICE"));
            }
        }
        Ok(results)
    }

    fn evaluate(
        &self,
        run: &dyn MetricSource,
        metrics: &[(String, Series)],
        expressions: &[(String, &MathExpression)],
        (expression, own_period_ms): (&MathExpression, Option<i64>),
    ) -> Result<Vec<Series>, MathProblem> {
        let search = |wanted: &str, statistic: &str, period: i64| self.search(run, wanted, statistic, period);
        let band = |argument: &MathExpression, series: &Series, n: f64| self.band(run, (argument, series), n);
        let period_ms = own_period_ms.or_else(|| self.period_ms()).unwrap_or(PERIOD_MS);
        let shift_ms = run.shift_ms();
        let request = MathRequest {
            metrics,
            range: self.range,
            period_ms,
            shift_ms,
            budget: &self.budget,
            search: &search,
            band: &band,
        };
        let series = Evaluator { request, expressions }.series(expression)?;
        match series.iter().find(|series| own_period_ms.is_some_and(|period| period != series.period_ms)) {
            None => Ok(series),
            Some(other) => {
                let period = other.period_ms / 1_000;
                Err(MathProblem(format!("its Period must be that of its metrics, {period} s; it is not needed")))
            }
        }
    }

    /// Returns the band of an expression, whose series in the range is given.
    fn band(
        &self,
        run: &dyn MetricSource,
        (argument, series): (&MathExpression, &Series),
        n_deviations: f64,
    ) -> Result<Vec<Series>, MathProblem> {
        let (spelled, used) = spelled(self.queries, argument)?;
        let config = (self.bands.config)(&spelled)?;
        let bounds = self.with_history((argument, &used), series.period_ms, |history| {
            let (period_ms, shift_ms, cache) = (series.period_ms, run.shift_ms(), self.bands.cache);
            // Values in one unit are another series.
            let spelled = &format!("{spelled} {}", self.units(&used));
            let request = BandRequest { spelled, config: &config, history, period_ms, shift_ms, cache };
            request.bounds(times(self.range, period_ms), n_deviations)
        })?;
        Ok(series_of(bounds, series))
    }

    fn units(&self, used: &BTreeSet<String>) -> String {
        let metrics = self.queries.iter().filter(|query| used.contains(&query.id)).filter_map(DataQuery::metric);
        metrics.filter_map(|metric| metric.unit.as_deref()).collect::<Vec<_>>().join(" ")
    }

    /// Returns what `ask` finds with the values of an expression at other times.
    fn with_history<T>(
        &self,
        (argument, used): (&MathExpression, &BTreeSet<String>),
        period_ms: i64,
        ask: impl FnOnce(&History<'_>) -> Result<T, MathProblem>,
    ) -> Result<T, MathProblem> {
        let refuse = |what: &str| MathProblem(format!("{what} is not supported in what anomalies are detected of"));
        let search = |_: &str, _: &str, _: i64| -> Result<Vec<Series>, MathProblem> { Err(refuse("SEARCH")) };
        let band = |_: &MathExpression, _: &Series, _: f64| -> Result<Vec<Series>, MathProblem> { Err(refuse(BAND)) };
        let queries = || self.queries.iter().filter(|query| used.contains(&query.id));
        let history = |(from, to): (i64, i64)| -> Result<Vec<(i64, f64)>, MathProblem> {
            // The last period that starts in the range is read to its end.
            let range = (from, to + period_ms);
            let (mut metrics, mut expressions) = (Vec::new(), Vec::new());
            for query in queries() {
                match &query.source {
                    QuerySource::Metric(metric) => {
                        let series = metric.series(self.bands.source, range);
                        let (series, _) = series.map_err(|problem| MathProblem(problem.message))?;
                        metrics.push((query.id.clone(), series));
                    }
                    QuerySource::Expression { expression, .. } => expressions.push((query.id.clone(), expression)),
                }
            }
            let shift_ms = self.bands.source.shift_ms();
            let request = MathRequest {
                metrics: &metrics,
                range,
                period_ms,
                shift_ms,
                budget: &self.budget,
                search: &search,
                band: &band,
            };
            let series = Evaluator { request, expressions: &expressions }.series(argument)?;
            let points = series.into_iter().flat_map(|series| series.points);
            Ok(points.filter(|(time, _)| (from..to).contains(time)).collect())
        };
        ask(&history)
    }

    /// Returns the period of the first metric.
    fn period_ms(&self) -> Option<i64> {
        self.queries.iter().find_map(|query| Some(query.metric()?.period_ms))
    }

    /// Returns the series of the metrics that a search finds.
    fn search(
        &self,
        run: &dyn MetricSource,
        wanted: &str,
        stat: &str,
        period: i64,
    ) -> Result<Vec<Series>, MathProblem> {
        let wanted = MetricSearch::read(wanted)?;
        let statistic = Statistic::find(stat).ok_or_else(|| MathProblem(format!("{stat:?} is not a statistic")))?;
        if !query::is_period(period) {
            return Err(MathProblem(format!(
                "the period {period} of SEARCH must be 1, 5, 10, 20, 30 or a multiple of 60"
            )));
        }
        let of_store = |problem: Problem| MathProblem(problem.message);
        // The last minute counts as a whole, as in the data.
        let period_ms = period * 1_000;
        let range = (self.range.0.div_euclid(period_ms) * period_ms, whole_end(self.range.1, period_ms));
        let mut found = store::metrics(run, wanted.namespace(), None, range).map_err(of_store)?;
        found.extend(filter_data::metrics(run, wanted.namespace(), range).map_err(of_store)?);
        let found: Vec<MetricName> = found.into_iter().filter(|metric| wanted.is_match(metric)).collect();
        if found.len() > SERIES_MAX {
            return Err(MathProblem(format!("SEARCH finds {} metrics, more than {SERIES_MAX}", found.len())));
        }
        let has_one_name = found.windows(2).all(|pair| pair[0].name == pair[1].name);
        let mut list = Vec::new();
        for metric in found {
            let values: Vec<&str> = metric.dimensions.values().map(String::as_str).collect();
            let label = match values.join(" ") {
                values if values.is_empty() => metric.name.clone(),
                values if has_one_name => values,
                values => format!("{values} {}", metric.name),
            };
            let query = MetricQuery { metric, unit: None, period_ms: period * 1_000, statistic, stat: stat.to_owned() };
            let (series, _) = query.series(run, self.range).map_err(of_store)?;
            list.push(Series { label, ..series });
        }
        Ok(list)
    }
}

/// What an alarm looks at, with times in ms.
#[derive(Debug, Default)]
pub(super) struct AlarmData {
    pub(super) points: Vec<(i64, f64)>,
    /// The lower and the upper bound of the band, where there is one.
    pub(super) bounds: BTreeMap<i64, (f64, f64)>,
}

/// Returns the datapoints of the only query that is to be returned, and the bounds of the query `band`.
///
/// # Errors
/// If they cannot be read, or are those of several series.
pub(super) fn alarm_data(
    source: &dyn MetricSource,
    queries: &[DataQuery],
    range: (i64, i64),
    (bands, band): (&BandContext<'_>, Option<&str>),
) -> Result<AlarmData> {
    let results =
        QueryEvaluation { queries, range, bands, also: band, budget: DatapointBudget::default() }.results(source)?;
    let (of_band, mut own): (Vec<DataResult>, Vec<DataResult>) =
        results.into_iter().partition(|result| Some(&*result.id) == band);
    let mut data = AlarmData::default();
    if let [upper, lower] = &of_band[..] {
        let lower: BTreeMap<i64, f64> = lower.points.iter().copied().collect();
        let both = upper.points.iter().filter_map(|(time, high)| Some((*time, (*lower.get(time)?, *high))));
        data.bounds = both.collect();
    }
    match (own.pop(), own.is_empty()) {
        (Some(result), true) => Ok(AlarmData { points: result.points, ..data }),
        (None, _) => Ok(data),
        (Some(_), false) => Err(Problem::bad_request("too-many-series", "the expression gives more than one series")),
    }
}

/// Reports whether there are enough data for a band of the query `id` at a time in ms.
///
/// # Errors
/// If its data cannot be read.
pub(super) fn is_trained(
    source: &dyn MetricSource,
    (queries, id): (&[DataQuery], &str),
    config: &BandConfig,
    time: i64,
) -> Result<bool, MathProblem> {
    let bands = BandContext { source, config: &|_: &str| Ok(config.clone()), cache: None };
    let evaluation =
        QueryEvaluation { queries, range: (time, time), bands: &bands, also: None, budget: DatapointBudget::default() };
    let argument = MathExpression::Word(id.to_owned());
    let (spelled, used) = spelled(queries, &argument)?;
    let period_ms = evaluation.period_ms().unwrap_or(PERIOD_MS);
    evaluation.with_history((&argument, &used), period_ms, |history| {
        BandRequest { spelled: &spelled, config, history, period_ms, shift_ms: 0, cache: None }.is_trained(time)
    })
}

impl DataQuery {
    fn result(&self, series: Series, messages: Vec<Value>) -> Result<DataResult> {
        let usual = if series.label.is_empty() { self.id.clone() } else { series.label.clone() };
        let series = Series { label: usual.clone(), ..series };
        let label = match &self.label {
            None => usual,
            Some(label) => dynamic(label, &series).map_err(|problem| Problem::bad_request("bad-label", problem))?,
        };
        Ok(DataResult { id: self.id.clone(), label, points: series.points.into_iter().collect(), messages })
    }
}

#[cfg(test)]
mod tests;
