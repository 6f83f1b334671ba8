//! `pattern`: which messages there are, counted by what their segments keep of them where that is known, by the texts
//! themselves where it is not.
//!
//! What is counted are masked texts (`crate::operators::pattern`); counts of blocks, runs, threads and passing events
//! merge, and the patterns are found at the end from all texts together: those of an earlier time too, so that both
//! have the same. Memory grows with the number of different masked texts and counts against the query's.

pub(crate) mod bins;
pub(crate) mod conditions;
pub(crate) mod ends;
pub(crate) mod origins;
pub(crate) mod pattern_sums;
mod run_tally;
pub(crate) mod samples;
pub(crate) mod tally;
pub(crate) mod text_counts;
mod texts;

use std::sync::Arc;

use plan::{
    CHANGE_COLUMNS, COUNTS_COLUMN, END_COLUMNS, Earlier, Expr, Name, Operator, PATTERN_COLUMNS, Patterns, Plan,
    SCORE_COLUMNS, earlier_range,
};
use types::{Column, Run, TimeRange, Timestamp, Value};

use self::conditions::Conditions;
use self::ends::{End, Ends};
use self::text_counts::TextCounts;
use crate::operators::feed::OpenFeed;
use crate::operators::group::GroupRows;
use crate::operators::patterns::bins::Bins;
use crate::operators::patterns::pattern_sums::{
    Part, Sums, bins_of, count_feed, count_runs, depth_of, mined, needed_by,
};
use crate::operators::table::Table;
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::scanner::Scan;
use evaluate::{Frame, PreparedElements, Stop};
use pattern::{Band, band, change, id_of};

/// Returns the plan for the patterns of the messages that the conditions at the head of `plan` let through, with their
/// counts over spans of time of `counts` nanoseconds.
pub fn patterns_plan(plan: &Plan, earlier: Option<Earlier>, counts: i64, limit: u64) -> Plan {
    let mut operators = crate::scan::simplify::leading(plan);
    let text = Expr::Field("@message".into());
    operators.push(Operator::Patterns(Patterns { text, earlier, is_scored: false, counts: Some(counts) }));
    operators.push(Operator::Limit(limit));
    let change = CHANGE_COLUMNS.iter().filter(|_| earlier.is_some());
    let names = PATTERN_COLUMNS.iter().chain(change).chain(&END_COLUMNS).chain([&COUNTS_COLUMN]);
    let columns = names.map(|name| (Name::from(*name), Expr::Field((*name).into()))).collect();
    operators.push(Operator::Project { columns, is_events: false });
    plan.with_operators(operators)
}

/// Patterns of the events of all runs.
pub(crate) fn of_runs(scan: &Scan<'_>, runs: &[Arc<dyn Run>], lead: &[Operator], patterns: &Patterns) -> Result<Table> {
    let depth = depth_of(patterns);
    let mut count = |scan: &Scan<'_>| count_runs(scan, lead, patterns, bins_of(scan, patterns), depth);
    of_counts(scan, runs, lead, patterns, &mut count)
}

/// Patterns of events that pass by; `feed` lets them pass.
pub(crate) fn of_feed<'f>(
    scan: &Scan<'_>,
    feed: &mut OpenFeed<'f, '_>,
    lead: &[Operator],
    patterns: &Patterns,
) -> Result<Table> {
    let mut count = |scan: &Scan<'_>| count_feed(scan, &*feed(needed_by(patterns)), lead, patterns);
    of_counts(scan, &[], lead, patterns, &mut count)
}

/// Patterns of the events that `count` counts, compared with those of an earlier time where that is asked for.
fn of_counts(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    lead: &[Operator],
    patterns: &Patterns,
    count: &mut dyn FnMut(&Scan<'_>) -> Result<TextCounts>,
) -> Result<Table> {
    let counted = count(scan)?;
    let now = Part { scan, counted };
    let Some(request) = earlier_request(scan, patterns) else { return table(patterns, &now, None, lead) };
    let mut before = Scan::new(runs, &request);
    before.env.prepared = PreparedElements::of(lead);
    let counted = count(&before)?;
    let made = table(patterns, &now, Some(&Part { scan: &before, counted }), lead);
    scan.absorb(&before);
    made
}

/// Patterns of rows in memory.
pub(crate) fn of_rows(patterns: &Patterns, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<GroupRows, Stop> {
    let mut counted = TextCounts::new(None, crate::operators::patterns::tally::Depth::Newest);
    counted.add(frame, None, patterns, scan)?;
    scan.hold(counted.memory_bytes())?;
    Ok(finished(patterns, &Part { scan, counted }, None)?.finished)
}

fn earlier_request<'a>(scan: &Scan<'a>, patterns: &Patterns) -> Option<Request<'a>> {
    let earlier = patterns.earlier?;
    // Where there is nothing earlier, there are no events in an empty range.
    let nothing = TimeRange { from: Timestamp(0), to: Timestamp(0) };
    let range = earlier_range(earlier, scan.request.range, scan.request.time_zone).unwrap_or(nothing);
    Some(Request { range, progress: None, ..*scan.request })
}

fn table(patterns: &Patterns, now: &Part<'_, '_>, before: Option<&Part<'_, '_>>, lead: &[Operator]) -> Result<Table> {
    let PatternRows { mut finished, rows, places, conditions } = now.scan.or_nothing(finished(patterns, now, before));
    let mut samples: Vec<Option<Value>> = vec![None; finished.n_rows];
    let mut first_ids: Vec<Option<Value>> = vec![None; finished.n_rows];
    for (part, is_now) in before.map(|part| (part, false)).into_iter().chain([(now, true)]) {
        let ends: Vec<&Ends> =
            rows.iter().map(|(_, sums)| if is_now { &sums.now.ends } else { &sums.before.ends }).collect();
        let newest: Vec<&End> = ends.iter().map(|ends| &ends.newest).collect();
        let read = samples::read(part.scan, &newest, lead, patterns)?;
        let texts = read.into_iter().map(|sample| sample.map(|sample| sample.text));
        samples.iter_mut().zip(texts).filter(|(_, read)| read.is_some()).for_each(|(sample, read)| *sample = read);
        let oldest: Vec<&End> = ends.iter().map(|ends| &ends.oldest).collect();
        let read = samples::read(part.scan, &oldest, lead, patterns)?;
        let ids = read.into_iter().map(|sample| sample.and_then(|sample| sample.id).map(Value::String));
        first_ids.iter_mut().zip(ids).filter(|(_, read)| read.is_some()).for_each(|(id, read)| *id = read);
    }
    let named =
        rows.iter().zip(&samples).zip(&places).map(|(((pattern, _), sample), place)| (*place, &**pattern, sample));
    let conditions = conditions.map(|conditions| now.scan.or_nothing(conditions.of_rows(now.scan, named)));
    let mut conditions = conditions.unwrap_or_default();
    conditions.resize(finished.n_rows, None);
    let filled = [(PATTERN_COLUMNS[5], samples), (END_COLUMNS[2], first_ids), (END_COLUMNS[3], conditions)];
    for (name, values) in filled {
        if let Some((_, column)) = finished.columns.iter_mut().find(|(known, _)| **known == *name) {
            // Events that passed by have their text already.
            let value = |(row, value): (usize, Option<Value>)| value.or_else(|| column.value(row));
            *column = Arc::new(Column::of_values(values.into_iter().enumerate().map(value).collect()));
        }
    }
    Ok(Table::of_groups(finished))
}

/// The patterns as rows, and with their sums in the same order.
#[derive(Default)]
struct PatternRows<'t> {
    finished: GroupRows,
    rows: Vec<(String, Sums)>,
    /// The place of each row's pattern among those found.
    places: Vec<usize>,
    conditions: Option<Conditions<'t>>,
}

/// Finds the patterns; what has to be read of events is missing.
fn finished<'t>(
    patterns: &Patterns,
    now: &'t Part<'_, '_>,
    before: Option<&'t Part<'_, '_>>,
) -> Result<PatternRows<'t>, Stop> {
    let mined = mined(now, before)?;
    let conditions = patterns.counts.is_some().then(|| Conditions::new(&mined, now, before));
    let mut ordered: Vec<(usize, (String, Sums))> = mined.patterns.into_iter().zip(mined.sums).enumerate().collect();
    let count = |sums: &Sums| (std::cmp::Reverse(sums.now.total()), std::cmp::Reverse(sums.before.total()));
    ordered.sort_by(|(_, a), (_, b)| count(&a.1).cmp(&count(&b.1)).then_with(|| a.0.cmp(&b.0)));
    let (places, rows): (Vec<usize>, Vec<(String, Sums)>) = ordered.into_iter().unzip();
    let mut columns = pattern_columns(&rows);
    if patterns.earlier.is_some() {
        columns.extend(change_columns(&rows));
    }
    if patterns.is_scored {
        columns.extend(score_columns(&rows, now.counted.bins));
    }
    if patterns.counts.is_some() {
        columns.extend(end_columns(&rows));
        columns.push(column(COUNTS_COLUMN, rows.iter().map(|(_, sums)| counts(sums, now.counted.bins)).collect()));
    }
    let finished = GroupRows { n_rows: rows.len(), columns, approximate: Vec::new() };
    Ok(PatternRows { finished, rows, places, conditions })
}

fn column(name: &str, values: Vec<Option<Value>>) -> (Name, Arc<Column>) {
    (name.into(), Arc::new(Column::of_values(values)))
}

fn integer(count: u64) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn pattern_columns(rows: &[(String, Sums)]) -> Vec<(Name, Arc<Column>)> {
    let total: u64 = rows.iter().map(|(_, sums)| sums.now.total()).sum();
    let ratio = |sums: &Sums| if total == 0 { 0.0 } else { sums.now.total() as f64 / total as f64 };
    let level = |sums: &Sums| sums.now.level().or_else(|| sums.before.level());
    let sample =
        |sums: &Sums| sums.now.ends.newest.text().or_else(|| sums.before.ends.newest.text()).map(Value::String);
    let value = |name: &str, (pattern, sums): &(String, Sums)| match name {
        "@pattern" => Some(Value::text(pattern.as_str())),
        "@ratio" => Some(Value::Float(ratio(sums))),
        "@sampleCount" => Some(integer(sums.now.total())),
        "@severityLabel" => level(sums).map(|level| Value::text(level.name())),
        "@patternId" => Some(Value::text(id_of(pattern))),
        _ => sample(sums),
    };
    PATTERN_COLUMNS.iter().map(|name| column(name, rows.iter().map(|row| value(name, row)).collect())).collect()
}

fn change_columns(rows: &[(String, Sums)]) -> Vec<(Name, Arc<Column>)> {
    let totals = |sums: &Sums| (sums.now.total(), sums.before.total());
    let difference =
        |(now, before): (u64, u64)| i64::try_from(i128::from(now) - i128::from(before)).unwrap_or_default();
    let [previous_name, difference_name, description_name] = CHANGE_COLUMNS;
    let all = |value: &dyn Fn((u64, u64)) -> Value| rows.iter().map(|(_, sums)| Some(value(totals(sums)))).collect();
    vec![
        column(previous_name, all(&|(_, before)| integer(before))),
        column(difference_name, all(&|both| Value::Integer(difference(both)))),
        column(description_name, all(&|(now, before)| Value::text(change(now as f64, before as f64, true)))),
    ]
}

/// Times of the first and the last event, of the earlier time where there are none now; the first one's id is read
/// later.
fn end_columns(rows: &[(String, Sums)]) -> Vec<(Name, Arc<Column>)> {
    let time = |end: &dyn Fn(&Ends) -> Option<i64>| -> Vec<Option<Value>> {
        let of = |sums: &Sums| end(&sums.now.ends).or_else(|| end(&sums.before.ends));
        rows.iter().map(|(_, sums)| of(sums).map(|time| Value::Timestamp(Timestamp(time)))).collect()
    };
    let [first, last, id, condition] = END_COLUMNS;
    vec![
        column(first, time(&|ends| ends.oldest.time())),
        column(last, time(&|ends| ends.newest.time())),
        column(id, vec![None; rows.len()]),
        column(condition, vec![None; rows.len()]),
    ]
}

fn score_columns(rows: &[(String, Sums)], bins: Option<Bins>) -> Vec<(Name, Arc<Column>)> {
    let worst: Vec<Option<(Band, usize, f64)>> = rows
        .iter()
        .map(|(_, sums)| {
            let counts = &sums.now.bins;
            let bands = band(counts, None, true).into_iter().enumerate();
            let (place, band) = bands.max_by(|a, b| a.1.score.total_cmp(&b.1.score).then(b.0.cmp(&a.0)))?;
            Some((band, place, counts[place]))
        })
        .collect();
    let reason = |(band, place, count): (Band, usize, f64)| {
        let since = bins.map(|bins| format!(" in the {} from {}", seconds(bins.length), bins.start(place)));
        Some(Value::text(format!("{}{}", band.reason(count)?, since.unwrap_or_default())))
    };
    let [score_name, lower_name, upper_name, reason_name] = SCORE_COLUMNS;
    let all =
        |value: &dyn Fn((Band, usize, f64)) -> Option<Value>| worst.iter().map(|worst| worst.and_then(value)).collect();
    vec![
        column(score_name, all(&|(band, ..)| Some(Value::Float(band.score)))),
        column(lower_name, all(&|(band, ..)| Some(Value::Float(band.lower)))),
        column(upper_name, all(&|(band, ..)| Some(Value::Float(band.upper)))),
        column(reason_name, all(&reason)),
    ]
}

/// Starts of spans of time and counts.
fn counts(sums: &Sums, bins: Option<Bins>) -> Option<Value> {
    let bins = bins?;
    let pair = |(place, count): (usize, &f64)| {
        let pair = vec![Some(Value::Timestamp(bins.start(place))), Some(Value::Integer(*count as i64))];
        Some(Value::List(Arc::new(pair)))
    };
    Some(Value::List(Arc::new(sums.now.bins.iter().enumerate().map(pair).collect())))
}

/// Returns a length of time as people say it.
fn seconds(length: i64) -> String {
    let seconds = length as f64 / Timestamp::SECOND as f64;
    match seconds {
        s if s < 120.0 => format!("{} s", pattern::short(s)),
        s if s < 7200.0 => format!("{} min", pattern::short(s / 60.0)),
        s => format!("{} h", pattern::short(s / 3600.0)),
    }
}
