//! The functions of metric math. What is not done is refused by name.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::TimePart;
use super::request::MathRequest;
use super::values::{each, same_period};
use super::{MathProblem, MathValue, Series};

type Outcome = Result<MathValue, MathProblem>;

/// Functions of the reference that are not done: they need other services of Amazon, or are Metrics Insights.
const UNSUPPORTED: [&str; 5] = ["DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SELECT", "SERVICE_QUOTA"];

/// An argument of a call.
pub(super) enum Argument {
    Value(MathValue),
    /// A word that is no id, such as `REPEAT`.
    Word(String),
    Text(String),
}

/// The arguments of a call of a function.
struct Arguments<'r> {
    name: &'r str,
    request: &'r MathRequest<'r>,
    arguments: Vec<Argument>,
}

/// Calls a function, whose name is in upper case.
///
/// # Errors
/// If it is none, or cannot be called so.
pub(super) fn call(request: &MathRequest<'_>, name: &str, arguments: Vec<Argument>) -> Outcome {
    let of = &Arguments { name, request, arguments };
    match name {
        "ABS" => each(of.only()?, f64::abs),
        "CEIL" => each(of.only()?, f64::ceil),
        "FLOOR" => each(of.only()?, f64::floor),
        "LOG" => each(of.only()?, f64::ln),
        "LOG10" => each(of.only()?, f64::log10),
        "SUM" => aggregate(of.only()?, name, |values| values.iter().sum()),
        "AVG" => average(of.only()?),
        "MIN" => aggregate(of.only()?, name, |values| values.iter().copied().fold(f64::INFINITY, f64::min)),
        "MAX" => aggregate(of.only()?, name, |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        "STDDEV" => aggregate(of.only()?, name, deviation),
        "DATAPOINT_COUNT" => match of.only()? {
            MathValue::Series(series) => Ok(MathValue::Number(series.points.len() as f64)),
            other => aggregate(other, name, |values| values.len() as f64),
        },
        "DIFF" => each_series(of.only()?, name, |series| Ok(steps(series, |(_, a), (_, b)| b - a))),
        "DIFF_TIME" => each_series(of.only()?, name, |series| Ok(steps(series, |(a, _), (b, _)| seconds(b - a)))),
        "RATE" => each_series(of.only()?, name, |series| Ok(steps(series, |(t, a), (u, b)| (b - a) / seconds(u - t)))),
        "RUNNING_SUM" => each_series(of.only()?, name, |series| Ok(running_sum(series))),
        "METRIC_COUNT" => Ok(MathValue::Number(of.series_list(0)?.len() as f64)),
        "PERIOD" => Ok(MathValue::Number(seconds(of.only_series()?.period_ms))),
        "TIME_SERIES" => request.constant(of.number(0)?).map(MathValue::Series),
        "REMOVE_EMPTY" => {
            let list = of.series_list(0)?;
            Ok(MathValue::List(list.into_iter().filter(|series| !series.points.is_empty()).collect()))
        }
        "FIRST" | "LAST" => {
            let mut list = of.series_list(0)?;
            let chosen = if name == "FIRST" { list.drain(..).next() } else { list.pop() };
            Ok(chosen.map_or_else(|| MathValue::List(Vec::new()), MathValue::Series))
        }
        "METRICS" => match &of.arguments[..] {
            [] => Ok(MathValue::List(request.metrics(""))),
            [Argument::Text(part)] => Ok(MathValue::List(request.metrics(part))),
            _ => Err(MathProblem("METRICS takes a part of an Id in quotes, or nothing".to_owned())),
        },
        "SEARCH" => search(of),
        "FILL" => fill(of),
        "IF" => choose(of),
        "SLICE" => slice(of),
        "SORT" => sort(of),
        _ if UNSUPPORTED.contains(&name) => Err(MathProblem(format!("the function {name} is not supported here"))),
        _ => match TimePart::named(name) {
            Some(part) => time_parts(of, part),
            None => Err(MathProblem(format!("{name} is not a function of metric math"))),
        },
    }
}

impl Arguments<'_> {
    fn value(&self, place: usize) -> Outcome {
        let name = self.name;
        match self.arguments.get(place) {
            None => Err(MathProblem(format!("{name} needs {} arguments or more", place + 1))),
            Some(Argument::Value(value)) => Ok(value.clone()),
            Some(Argument::Word(word)) => {
                Err(MathProblem(format!("{word:?} is not the Id of a query of this request")))
            }
            Some(Argument::Text(_)) => Err(MathProblem(format!("argument {} of {name} must not be a text", place + 1))),
        }
    }

    /// Returns the only argument.
    fn only(&self) -> Outcome {
        if self.arguments.len() == 1 {
            return self.value(0);
        }
        Err(MathProblem(format!("{} takes one argument; several series go into a list, [m1, m2]", self.name)))
    }

    /// Returns the only argument, which must be a series.
    fn only_series(&self) -> Result<Series, MathProblem> {
        let usage = || MathProblem(format!("{} takes one series", self.name));
        types::ensure!(self.arguments.len() == 1, usage());
        match self.value(0)? {
            MathValue::Series(series) => Ok(series),
            _ => Err(usage()),
        }
    }

    fn number(&self, place: usize) -> Result<f64, MathProblem> {
        match self.value(place)? {
            MathValue::Number(number) => Ok(number),
            _ => Err(MathProblem(format!("argument {} of {} must be a number", place + 1, self.name))),
        }
    }

    fn count(&self, place: usize) -> Result<usize, MathProblem> {
        let number = self.number(place)?;
        let is_count = number >= 0.0 && number.fract() == 0.0 && number < 1e9;
        let problem = || MathProblem(format!("argument {} of {} must be a whole number", place + 1, self.name));
        is_count.then_some(number as usize).ok_or_else(problem)
    }

    fn series_list(&self, place: usize) -> Result<Vec<Series>, MathProblem> {
        match self.value(place)? {
            MathValue::List(list) => Ok(list),
            MathValue::Series(series) => Ok(vec![series]),
            MathValue::Number(_) => Err(MathProblem(format!("argument {} of {} must be series", place + 1, self.name))),
        }
    }

    fn word(&self, place: usize) -> Option<String> {
        match self.arguments.get(place)? {
            Argument::Word(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        }
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1e3
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the standard deviation of all values, not of a sample.
fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Aggregates a series to a number, or a list to a series: at each time the values that are there.
fn aggregate(value: MathValue, name: &str, of: impl Fn(&[f64]) -> f64) -> Outcome {
    match value {
        MathValue::Number(_) => Err(MathProblem(format!("{name} takes a series or a list of series"))),
        MathValue::Series(series) => {
            let values: Vec<f64> = series.points.values().copied().collect();
            Ok(MathValue::Number(if values.is_empty() { f64::NAN } else { of(&values) }))
        }
        MathValue::List(list) => {
            same_period(list.iter())?;
            let times: BTreeSet<i64> = list.iter().flat_map(|series| series.points.keys().copied()).collect();
            let at = |time: i64| {
                let values: Vec<f64> = list.iter().filter_map(|series| series.points.get(&time).copied()).collect();
                (time, of(&values))
            };
            let points = times.into_iter().map(at).filter(|(_, value)| value.is_finite()).collect();
            let period_ms = list.first().map_or(60_000, |series| series.period_ms);
            Ok(MathValue::Series(Series { points, period_ms, ..Series::default() }))
        }
    }
}

/// Averages a series to a number, or a list to a series, where a series that has no datapoint at a time counts as 0.
fn average(value: MathValue) -> Outcome {
    match value {
        MathValue::List(list) => {
            let n_series = list.len() as f64;
            aggregate(MathValue::List(list), "AVG", |values| values.iter().sum::<f64>() / n_series)
        }
        other => aggregate(other, "AVG", mean),
    }
}

fn each_series(value: MathValue, name: &str, change: impl Fn(&Series) -> Result<Series, MathProblem>) -> Outcome {
    match value {
        MathValue::Number(_) => Err(MathProblem(format!("{name} takes a series or a list of series"))),
        MathValue::Series(series) => change(&series).map(MathValue::Series),
        MathValue::List(list) => list.iter().map(change).collect::<Result<_, _>>().map(MathValue::List),
    }
}

/// Returns a part of the time of each period of the request. The series gives the length of the periods; where it has datapoints
/// does not matter.
fn time_parts(of: &Arguments<'_>, part: TimePart) -> Outcome {
    let series = of.only_series()?;
    let shift_ms = of.request.shift_ms;
    let times = of.request.times(series.period_ms)?;
    let points = times.map(|time| (time, part.at(time + shift_ms))).collect();
    Ok(MathValue::Series(Series { points, ..series }))
}

/// Returns a value for each datapoint but the first, from it and the one before.
fn steps(series: &Series, of: impl Fn((i64, f64), (i64, f64)) -> f64) -> Series {
    let later = series.points.iter().skip(1);
    let pairs = series.points.iter().zip(later).map(|((t, a), (u, b))| (*u, of((*t, *a), (*u, *b))));
    Series { points: pairs.filter(|(_, value)| value.is_finite()).collect(), ..series.clone() }
}

fn running_sum(series: &Series) -> Series {
    let mut sum = 0.0;
    let points: BTreeMap<i64, f64> = series
        .points
        .iter()
        .map(|(time, value)| {
            sum += value;
            (*time, sum)
        })
        .collect();
    Series { points, ..series.clone() }
}

fn search(of: &Arguments<'_>) -> Outcome {
    let usage = || MathProblem("SEARCH takes a search in quotes, a statistic in quotes and a period in s".to_owned());
    let (wanted, statistic, period) = match &of.arguments[..] {
        [Argument::Text(wanted), Argument::Text(statistic)] => (wanted, statistic, of.request.period_ms / 1_000),
        [Argument::Text(wanted), Argument::Text(statistic), Argument::Value(MathValue::Number(period))]
            if *period >= 1.0 && period.fract() == 0.0 && *period < 1e8 =>
        {
            (wanted, statistic, *period as i64)
        }
        _ => return Err(usage()),
    };
    (of.request.search)(wanted, statistic, period).map(MathValue::List)
}

/// Fills the times of the request that have no datapoint.
fn fill(of: &Arguments<'_>) -> Outcome {
    let value = of.value(0)?;
    let (word, filler) = match of.word(1) {
        Some(word) if word == "REPEAT" || word == "LINEAR" => (word, MathValue::Number(0.0)),
        _ => (String::new(), of.value(1)?),
    };
    if matches!(filler, MathValue::List(_)) {
        return Err(MathProblem("FILL fills with a number, a series, REPEAT or LINEAR".to_owned()));
    }
    each_series(value, "FILL", |series| {
        let mut filled = series.clone();
        for time in of.request.times(series.period_ms)? {
            if series.points.contains_key(&time) {
                continue;
            }
            let before = series.points.range(..time).next_back();
            let found = match (&*word, &filler) {
                ("REPEAT", _) => before.map(|(_, value)| *value),
                ("LINEAR", _) => before
                    .zip(series.points.range(time..).next())
                    .map(|((t, a), (u, b))| a + (b - a) * (time - t) as f64 / (u - t) as f64),
                (_, MathValue::Number(number)) => Some(*number),
                (_, MathValue::Series(other)) => other.points.get(&time).copied(),
                (_, MathValue::List(_)) => None,
            };
            if let Some(value) = found.filter(|value| value.is_finite()) {
                filled.points.insert(time, value);
            }
        }
        Ok(filled)
    })
}

/// Chooses datapoints by a condition. A value that is missing is 0 where the condition is true, and no datapoint where it is false.
fn choose(of: &Arguments<'_>) -> Outcome {
    if !(2..=3).contains(&of.arguments.len()) {
        return Err(MathProblem("IF takes a condition, a value and, if wanted, another value".to_owned()));
    }
    let condition = of.value(0)?;
    let values = [Some(of.value(1)?), (of.arguments.len() == 3).then(|| of.value(2)).transpose()?];
    if let MathValue::Number(number) = condition {
        let [yes, no] = values;
        let chosen = if number != 0.0 { yes } else { no };
        let empty = || MathValue::Series(Series { period_ms: of.request.period_ms, ..Series::default() });
        return Ok(chosen.unwrap_or_else(empty));
    }
    let of_series = |condition: &Series| -> Result<Series, MathProblem> {
        let mut points = BTreeMap::new();
        for (time, truth) in &condition.points {
            let is_true = *truth != 0.0;
            let chosen = &values[usize::from(!is_true)];
            let value = match chosen {
                None => None,
                Some(MathValue::Number(number)) => Some(*number),
                Some(MathValue::Series(series)) => {
                    same_period([condition, series].into_iter())?;
                    series.points.get(time).copied().or(is_true.then_some(0.0))
                }
                Some(MathValue::List(_)) => {
                    return Err(MathProblem("the values of IF are numbers or series".to_owned()));
                }
            };
            points.extend(value.filter(|value| value.is_finite()).map(|value| (*time, value)));
        }
        Ok(Series { points, ..condition.clone() })
    };
    match condition {
        MathValue::Series(condition) => of_series(&condition).map(MathValue::Series),
        MathValue::List(list) => list.iter().map(of_series).collect::<Result<_, _>>().map(MathValue::List),
        MathValue::Number(_) => Ok(MathValue::List(Vec::new())),
    }
}

/// Returns the series of a list from a place on, and before another place if there is one.
fn slice(of: &Arguments<'_>) -> Outcome {
    let list = of.series_list(0)?;
    let first = of.count(1)?;
    let end = if of.arguments.len() > 2 { of.count(2)? } else { list.len() };
    Ok(MathValue::List(list.into_iter().take(end).skip(first).collect()))
}

fn sort(of: &Arguments<'_>) -> Outcome {
    let mut list = of.series_list(0)?;
    let key: fn(&[f64]) -> f64 = match of.word(1).as_deref() {
        Some("AVG") => mean,
        Some("SUM") => |values| values.iter().sum(),
        Some("MIN") => |values| values.iter().copied().fold(f64::INFINITY, f64::min),
        Some("MAX") => |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => return Err(MathProblem("SORT sorts by AVG, MIN, MAX or SUM".to_owned())),
    };
    let is_rising = match of.word(2).as_deref() {
        Some("ASC") => true,
        Some("DESC") => false,
        _ => return Err(MathProblem("the order of SORT is ASC or DESC".to_owned())),
    };
    let n = if of.arguments.len() > 3 { of.count(3)? } else { usize::MAX };
    // A series without datapoints comes last.
    let of_series = |series: &Series| {
        let values: Vec<f64> = series.points.values().copied().collect();
        (!values.is_empty()).then(|| key(&values))
    };
    list.sort_by(|a, b| match (of_series(a), of_series(b)) {
        (Some(a), Some(b)) if is_rising => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    list.truncate(n);
    Ok(MathValue::List(list))
}
