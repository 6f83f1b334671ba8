//! Prometheus' test language: scripts that load series, evaluate queries and say what they yield.
//!
//! Times count from 1970. An instant query is evaluated as a range query around its time as well, and must yield the same.

mod command;
mod compare;
mod memory;
mod series;

use crate::answer::{Answer, Data, Row, instant, parse_with, range};
use crate::labels::Labels;
use crate::options::Options;
use crate::value::Value;

use self::command::{Command, Eval, Topic, commands};
use self::memory::Memory;
use self::series::Item;

/// Reads a series as scripts describe it: labels, and values one step apart, such as `0+10x5 _ stale {{count:2 buckets:[2]}}`. A gap
/// has no value.
///
/// # Errors
/// What is wrong with the text.
pub fn series_values(labels: &str, values: &str) -> Result<(Labels, Vec<Option<Value>>), String> {
    let (labels, items) = series::description(&format!("{labels} {values}"))?;
    Ok((labels, items.into_iter().map(|item| item.value).collect()))
}

/// What a script came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Evaluations that yield what is expected.
    pub passed: usize,
    /// Evaluations that do not, and lines that cannot be read.
    pub failures: Vec<Failure>,
}

/// A line that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// From 1 on.
    pub line: usize,
    /// The query, or empty where a line cannot be read.
    pub query: String,
    /// What is wrong.
    pub message: String,
}

/// Runs a script; a line that cannot be read ends it before anything runs.
pub fn run_script(text: &str, options: &Options) -> Report {
    let mut report = Report::default();
    let commands = match commands(text) {
        Ok(commands) => commands,
        Err((line, message)) => {
            report.failures.push(Failure { line, query: String::new(), message });
            return report;
        }
    };
    let mut memory = Memory::default();
    for (_, command) in commands {
        match command {
            Command::Clear => memory = Memory::default(),
            Command::Load { step, custom, series } => load(&mut memory, step, custom, series),
            Command::Eval(eval) => match check(&eval, &memory, options) {
                Ok(()) => report.passed += 1,
                Err(message) => report.failures.push(Failure { line: eval.line, query: eval.query, message }),
            },
        }
    }
    report
}

fn load(memory: &mut Memory, step: i64, custom: bool, series: Vec<(Labels, Vec<Item>)>) {
    let mut loaded = Vec::new();
    for (labels, items) in series {
        let timed =
            items.into_iter().enumerate().filter_map(|(at, item)| Some((step.checked_mul(at as i64)?, item.value?)));
        loaded.push((labels, timed.collect::<Vec<(i64, Value)>>()));
    }
    for (labels, samples) in &loaded {
        samples.iter().for_each(|(time, value)| memory.add(labels, *time, value.clone()));
    }
    if custom {
        memory.add_custom(&loaded);
    }
}

/// Returns the series of a script that only loads.
#[cfg(test)]
pub(crate) fn loaded(text: &str) -> Result<Memory, String> {
    let mut memory = Memory::default();
    for (_, command) in commands(text).map_err(|(line, message)| format!("line {line}: {message}"))? {
        if let Command::Load { step, custom, series } = command {
            load(&mut memory, step, custom, series);
        }
    }
    Ok(memory)
}

fn check(eval: &Eval, memory: &Memory, options: &Options) -> Result<(), String> {
    let fails = eval.wanted.iter().find(|(topic, _)| *topic == Topic::Fail).map(|(_, pattern)| pattern);
    let result = parse_with(&eval.query, options).map_err(|error| error.located(&eval.query)).and_then(|query| {
        let answer = if eval.step == 0 {
            instant(&query, eval.start, memory, options)
        } else {
            range(&query, (eval.start, eval.end), eval.step, memory, options)
        };
        answer.map(|answer| (query, answer)).map_err(|error| error.to_string())
    });
    let (query, answer) = match (result, fails) {
        (Err(message), Some(pattern)) if pattern.accepts(&message) => return Ok(()),
        (Err(message), Some(pattern)) => return Err(format!("expected an error like {pattern:?}, got: {message}")),
        (Err(message), None) => return Err(message),
        (Ok(_), Some(_)) => return Err("expected an error, got an answer".to_owned()),
        (Ok(answered), None) => answered,
    };
    compare::annotations(eval, &answer)?;
    compare::data(eval, &answer.data)?;
    let query_text = eval.query.to_ascii_lowercase();
    let by_context = ["start()", "end()", "range()", "step()"].iter().any(|call| query_text.contains(call));
    if eval.step != 0 || by_context || matches!(answer.data, Data::Matrix(_) | Data::String(_)) {
        return Ok(());
    }
    let around = range(&query, (eval.start - 60_000, eval.start + 60_000), 60_000, memory, options);
    let around = around.map_err(|error| format!("in a range query: {error}"))?;
    if eval.ordered {
        return Ok(());
    }
    compare::data(eval, &at_step(eval.start, &answer, around)).map_err(|message| format!("in a range query: {message}"))
}

/// Cuts one step out of a range query's answer.
fn at_step(time: i64, answer: &Answer, around: Answer) -> Data {
    let Data::Matrix(rows) = around.data else { return around.data };
    let cut = |mut row: Row| {
        row.samples.retain(|sample| sample.time == time);
        row
    };
    let rows: Vec<Row> = rows.into_iter().map(cut).filter(|row| !row.samples.is_empty()).collect();
    match (&answer.data, rows.first().and_then(|row| row.samples.first()).map(|sample| &sample.value)) {
        (Data::Scalar(_), Some(Value::Float(value))) => Data::Scalar(*value),
        _ => Data::Vector(rows),
    }
}
