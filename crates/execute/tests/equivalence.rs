//! One question, one answer: random queries over random events are answered as a reference says that reads the
//! language row by row, and the same in every state of the store, with and without indexes and cache, on
//! one thread and on two.
//!
//! A run prints its seed; `CATAT_QUERY_SEED` repeats it, `CATAT_QUERY_ROUNDS` makes it so many times longer
//! (2,300 queries otherwise).

#[path = "equivalence/events.rs"]
mod events;
#[path = "equivalence/queries.rs"]
mod queries;
#[path = "equivalence/random.rs"]
mod random;
#[path = "golden/records.rs"]
mod records;
#[path = "equivalence/reference.rs"]
mod reference;
#[path = "equivalence/states.rs"]
mod states;
#[path = "equivalence/syntax.rs"]
mod syntax;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use chrono_tz::Tz;
use execute::{Answer, PartialCache, Request, Support, execute_with_subqueries};
use language::{ParseOptions, parse_insights};
use plan::{Plan, Rows};
use types::{TimeRange, Timestamp, Value};

use events::{Event, NOW};
use queries::{Query, Writer};
use random::Random;
use states::State;

/// Problems after which a run ends.
const PROBLEMS_MAX: usize = 12;

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// How a query is asked.
#[derive(Clone, Copy)]
enum How<'a> {
    Plain,
    /// With partials kept from query to query.
    Cached(&'a PartialCache),
    /// With rows taken while the scan continues.
    Streamed,
}

/// Parses a query: once, since it takes as long as answering, and each query is asked some thirty times.
fn parsed(query: &Query) -> Result<Plan, String> {
    let options = ParseOptions { now: Timestamp(NOW), time_zone: Tz::UTC };
    parse_insights(&query.text, &options).map_err(|errors| format!("refused: {errors}"))
}

fn ask(query: &Query, plan: &Plan, state: &State, how: How<'_>) -> Result<Answer, String> {
    let runs = &state.runs[..];
    let cancelled = AtomicBool::new(false);
    let tables = |name: &str| {
        let (columns, rows) = events::table(name);
        Some(Arc::new(Rows { columns: columns.into_iter().map(Into::into).collect(), rows }))
    };
    let taken = Mutex::new(Vec::new());
    let take = |rows: Vec<Vec<Option<Value>>>| {
        taken.lock().expect("nobody panicked").extend(rows);
        true
    };
    let support = match how {
        How::Plain => Support::default(),
        How::Cached(cache) => Support { cache: Some(cache), ..Support::default() },
        How::Streamed => Support { take_rows: Some(&take), ..Support::default() },
    };
    let request = Request {
        range: TimeRange { from: Timestamp(query.range.0), to: Timestamp(query.range.1) },
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(NOW),
        memory_bytes_max: 1 << 30,
        deadline: None,
        cancelled: &cancelled,
        n_threads: state.n_threads,
        progress: None,
        support: Support { tables: Some(&tables), ..support },
    };
    let answer = execute_with_subqueries(plan, runs, &request, &mut |_| runs.to_vec());
    let mut answer = answer.map_err(|error| format!("failed: {error}"))?;
    answer.rows.splice(0..0, taken.into_inner().expect("nobody panicked"));
    Ok(answer)
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3)
}

/// Whether an estimate is as near as LANGUAGE §5 promises: percentiles 1 %, numbers of distinct values 2 %.
fn is_estimate(a: Option<&Value>, b: Option<&Value>) -> bool {
    let number = |value: Option<&Value>| match value {
        Some(Value::Float(number)) => Some(*number),
        Some(Value::Integer(number)) => Some(*number as f64),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => (a - b).abs() <= 0.02 * a.abs().max(b.abs()),
        _ => is_same(a, b),
    }
}

/// Whether a reader takes two values for one: numbers by their value, all else exactly.
fn is_same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Float(a)), Some(Value::Float(b))) => is_near(*a, *b),
        (Some(Value::Float(a)), Some(Value::Integer(b))) | (Some(Value::Integer(b)), Some(Value::Float(a))) => {
            is_near(*a, *b as f64)
        }
        (Some(Value::List(a)), Some(Value::List(b))) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| is_same(a.as_ref(), b.as_ref()))
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let member = |name: &str| b.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.as_ref());
            a.len() == b.len() && a.iter().all(|(name, value)| member(name).is_some_and(|b| is_same(value.as_ref(), b)))
        }
        (a, b) => a == b,
    }
}

fn shown(row: &[Option<Value>]) -> String {
    let mut text = String::new();
    for value in row {
        match value {
            Some(value) => value.write_json(&mut text),
            None => text.push('-'),
        }
        text.push_str("  ");
    }
    text
}

/// What differs between an answer and what is expected.
fn difference(columns: &[&str], rows: &[Vec<Option<Value>>], answer: &Answer, takes_estimates: bool) -> Option<String> {
    let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    if names != columns {
        return Some(format!("columns {names:?}\n  expected {columns:?}"));
    }
    let is_row = |(expected, found): (&Vec<Option<Value>>, &Vec<Option<Value>>)| {
        let mut cells = expected.iter().zip(found).zip(&answer.columns);
        cells.all(|((expected, found), column)| {
            let is_equal = if column.approximate && takes_estimates { is_estimate } else { is_same };
            is_equal(expected.as_ref(), found.as_ref())
        })
    };
    let first = rows.iter().zip(&answer.rows).position(|pair| !is_row(pair));
    match first {
        None if rows.len() == answer.rows.len() => None,
        None => Some(format!("{} rows, expected {}", answer.rows.len(), rows.len())),
        Some(row) => Some(format!("row {row}: {}\n  expected {}", shown(&answer.rows[row]), shown(&rows[row]))),
    }
}

/// What is wrong with an answer that has to be the same as another one.
fn deviation(first: &Answer, other: &Answer, is_one_store: bool) -> Option<String> {
    let columns: Vec<&str> = first.columns.iter().map(|column| column.name.as_str()).collect();
    if let Some(difference) = difference(&columns, &first.rows, other, false) {
        return Some(difference);
    }
    if first.columns != other.columns {
        return Some(format!("columns {:?}\n  expected {:?}", other.columns, first.columns));
    }
    if is_one_store && first.ids != other.ids {
        return Some("other ids".to_owned());
    }
    if first.warnings != other.warnings || !other.partial_reasons.is_empty() {
        return Some(format!("{:?} {:?}", other.warnings, other.partial_reasons));
    }
    None
}

/// The answers to a query so far: the first one, and the first one of the present store, with their stores.
struct Known<'a> {
    first: &'a mut Option<(usize, Answer)>,
    of_store: &'a mut Option<(usize, Answer)>,
}

impl Known<'_> {
    /// What is wrong with an answer.
    fn judge(self, answer: Answer, query: &Query, events: &[Event], state: &State) -> Option<String> {
        if state.store == usize::MAX {
            return None;
        }
        let mut problem = match self.first {
            None if !query.has_reference() => None,
            None => {
                let expected = reference::answer(&query.commands, events, query.range);
                let columns: Vec<&str> = expected.columns.iter().map(String::as_str).collect();
                difference(&columns, &expected.rows, &answer, true).map(|what| format!("not as the reference: {what}"))
            }
            Some((_, known)) => deviation(known, &answer, false),
        };
        match self.of_store {
            Some((store, known)) if *store == state.store => {
                problem = problem.or_else(|| deviation(known, &answer, true));
            }
            other => *other = Some((state.store, answer.clone())),
        }
        self.first.get_or_insert((state.store, answer));
        problem
    }
}

impl Known<'_> {
    /// What is wrong with rows that were taken one after the other.
    fn judge_rows(self, answer: &Answer) -> Option<String> {
        let (_, known) = self.first.as_ref()?;
        let columns: Vec<&str> = known.columns.iter().map(|column| column.name.as_str()).collect();
        difference(&columns, &known.rows, answer, false)
    }
}

/// Asks queries of events in every state; gives what is wrong.
fn compare(events: &[Event], queries: &[Query]) -> Vec<String> {
    let mut problems = Vec::new();
    let plans: Vec<Result<Plan, String>> = queries.iter().map(parsed).collect();
    let mut first: Vec<Option<(usize, Answer)>> = vec![None; queries.len()];
    let mut of_store: Vec<Option<(usize, Answer)>> = vec![None; queries.len()];
    // Smaller than all that might be kept, so that partials are also forgotten.
    let cache = PartialCache::new(1 << 20);
    states::each(events, &mut |state: &State| {
        for (index, query) in queries.iter().enumerate() {
            let kept = (How::Cached(&cache), ", with cache");
            let hows = [(How::Plain, ""), kept, kept, (How::Streamed, ", streamed")];
            let hows = if state.is_streamed { &hows[2..] } else { &hows[..if state.is_cached { 3 } else { 1 }] };
            for (how, what) in hows {
                let asked = plans[index].as_ref().map_err(String::clone).and_then(|plan| ask(query, plan, state, *how));
                let known = Known { first: &mut first[index], of_store: &mut of_store[index] };
                let problem = asked.map_or_else(Some, |answer| match how {
                    How::Streamed => known.judge_rows(&answer),
                    _ => known.judge(answer, query, events, state),
                });
                if let Some(problem) = problem {
                    let range =
                        if query.range.0 == i64::MIN { String::new() } else { format!(" in {:?}", query.range) };
                    problems.push(format!("{}{range}\n  {}{what}: {problem}", query.text, state.name));
                }
            }
        }
    });
    let counts = cache.counts();
    assert!(events.len() < 100 || (counts.n_hits > 0 && counts.n_misses > 0), "{counts:?}");
    problems
}

/// Compares answers to random queries over events of which there are so many.
fn check(n_rounds: u64, n_queries: usize, n_events: &[usize]) {
    let seed = variable("CATAT_QUERY_SEED", 1);
    let n_rounds = n_rounds * variable("CATAT_QUERY_ROUNDS", 1);
    let (mut n_asked, mut problems) = (0, Vec::new());
    for round in 0..n_rounds {
        let mut random = Random::new((seed << 20) + (round << 8) + n_events.len() as u64);
        let n_events = random.of(n_events);
        let events = events::events(&mut random, n_events);
        let mut queries: Vec<Query> = (0..n_queries).map(|_| Writer::query(&mut random)).collect();
        // The same of another range: what is cached of the one must not answer the other.
        let others: Vec<Query> = queries.iter().step_by(5).map(|query| query.over_another_range(&mut random)).collect();
        queries.extend(others);
        n_asked += queries.len();
        let found = compare(&events, &queries);
        let told = |problem| format!("seed {seed}, round {round}, {n_events} events: {problem}");
        problems.extend(found.into_iter().map(told));
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
    }
    println!("seed {seed}: {n_asked} queries");
    problems.truncate(PROBLEMS_MAX);
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn answers_over_few_events_are_those_of_the_reference_in_every_state() {
    check(10, 160, &[0, 1, 8, 30]);
}

#[test]
fn answers_over_hundreds_of_events_are_those_of_the_reference_in_every_state() {
    check(2, 120, &[150, 300]);
}

#[test]
fn answers_over_several_blocks_are_those_of_the_reference_in_every_state() {
    check(1, 10, &[17_000]);
}
