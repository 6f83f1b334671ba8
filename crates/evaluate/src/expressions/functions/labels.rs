//! Functions of the labels of LogQL, column by column.
//!
//! What a Loki sender said of a line is in the name of its stream (the labels) and in `@loki` (level and the names of
//! its metadata, whose values are fields of the event). Both repeat, so that they are taken apart once per distinct
//! value.

mod constant;
mod distinct;
mod parser;
mod set;
mod stream;

use std::sync::Arc;

use plan::label_set::labels_of_stream;
use plan::template::parse_float;
use plan::units::{duration_ns, size_bytes};
use plan::{Expr, LabelSet, LabelsFunction, line_parser, unreadable};
use types::{Column, Value};

use self::constant::literal;
use self::parser::{Parser, is_parser};
use self::set::{change, fail, get};
use self::stream::{base, begin};
use crate::columns::cell::Cell;
use crate::columns::frame::{Frame, booleans};
use crate::columns::stop::Result;
use crate::expressions::environment::Environment;
use crate::expressions::functions::output::{FunctionOutput, filled, rows};

/// Returns the values of a call.
pub(super) fn call(
    function: LabelsFunction,
    arguments: &[Expr],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<FunctionOutput> {
    use LabelsFunction as L;
    match (function, arguments) {
        (L::IsPushed, [stream]) => {
            let streams = env.evaluate(stream, frame)?;
            let is_pushed = |row| Cell::at(&streams, row).text().is_some_and(|name| labels_of_stream(&name).is_some());
            Ok((Arc::new(booleans(&types::RowSet::of(streams.n_rows(), is_pushed))), None))
        }
        (L::OfStream, [stream, name]) => {
            let streams = env.evaluate(stream, frame)?;
            let name = literal(name);
            rows(frame.n_rows(), env, |row| {
                labels_of_stream(&Cell::at(&streams, row).text()?)?.remove(name).map(Value::text)
            })
        }
        (L::Base, [name, stream, metadata, other]) => base(literal(name), [stream, metadata, other], frame, env),
        (L::Begin, arguments) if arguments.len() == 6 => begin(arguments, frame, env),
        (L::Get, [set, name, other]) => get(set, literal(name), other, frame, env),
        (L::Number | L::Duration | L::Size, [text]) => {
            let texts = env.evaluate(text, frame)?;
            rows(frame.n_rows(), env, |row| {
                let text = Cell::at(&texts, row).text()?;
                match function {
                    L::Number => parse_float(&text).map(Value::Float),
                    L::Duration => duration_ns(&text).map(Value::Integer),
                    _ => size_bytes(&text).map(|bytes| Value::Float(bytes as f64)),
                }
            })
        }
        (L::Same, [label, text]) => {
            let (labels, text) = (env.evaluate(label, frame)?, literal(text));
            let is_same = |row| Cell::at(&labels, row).text().is_some_and(|label| label == text);
            Ok((Arc::new(booleans(&types::RowSet::of(labels.n_rows(), is_same))), None))
        }
        (L::IsParsed, [set, name]) => {
            let (sets, name) = (env.evaluate(set, frame)?, literal(name));
            let is_parsed =
                |row| Cell::at(&sets, row).text().is_some_and(|set| LabelSet::read(&set).is_extracted(name));
            Ok((Arc::new(booleans(&types::RowSet::of(sets.n_rows(), is_parsed))), None))
        }
        (L::Unreadable | L::FirstFailure | L::TemplateProblem | L::Fits, all) => judged(function, all, frame, env),
        (L::Fail, [set, condition, error, details]) => fail([set, condition, details], literal(error), frame, env),
        (L::UnpackedLine, [line]) => {
            let lines = env.evaluate(line, frame)?;
            rows(frame.n_rows(), env, |row| {
                let line = Cell::at(&lines, row).text()?;
                Some(
                    line_parser::unpacked_line(&line).map_or_else(|| Value::text(&*line), |entry| Value::text(&*entry)),
                )
            })
        }
        (_, [set, line, details @ ..]) if is_parser(function) => {
            let parser = Parser::of(function, details);
            let (sets, lines) = (env.evaluate(set, frame)?, env.evaluate(line, frame)?);
            rows(frame.n_rows(), env, |row| {
                let (set, line) = (Cell::at(&sets, row).text()?, Cell::at(&lines, row).text());
                let mut set = LabelSet::read(&set);
                parser.read(line.as_deref().unwrap_or_default(), &mut set);
                Some(Value::text(set.write()))
            })
        }
        (_, [set, details @ ..]) => change(function, set, details, frame, env),
        _ => Ok((Arc::new(Column::Missing { n_rows: frame.n_rows() }), None)),
    }
}

/// Returns what is wrong with a text, a label or a template, and whether a line fits a pattern.
fn judged(
    function: LabelsFunction,
    arguments: &[Expr],
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<FunctionOutput> {
    use LabelsFunction as L;
    match (function, arguments) {
        (L::Unreadable, [text, kind]) => {
            let texts = env.evaluate(text, frame)?;
            let of: fn(&str) -> String = match literal(kind) {
                "bytes" => unreadable::size,
                "duration" | "duration_seconds" => unreadable::duration,
                _ => unreadable::number,
            };
            rows(frame.n_rows(), env, |row| Some(Value::text(of(&Cell::at(&texts, row).text()?))))
        }
        (L::FirstFailure, [set, failures @ ..]) => {
            let sets = env.evaluate(set, frame)?;
            let mut judged = Vec::with_capacity(failures.len() / 2);
            for pair in failures.chunks_exact(2) {
                judged.push((literal(&pair[0]), env.evaluate(&pair[1], frame)?));
            }
            rows(frame.n_rows(), env, |row| {
                let failed = judged.iter().filter_map(|(name, texts)| Some((*name, Cell::at(texts, row).text()?)));
                let set = Cell::at(&sets, row).text()?;
                let set = LabelSet::read(&set);
                failed.min_by_key(|(name, _)| set.place(name)).map(|(_, text)| Value::text(text))
            })
        }
        (L::TemplateProblem, [Expr::Template(template), values @ ..]) => {
            let columns = values.iter().map(|value| env.evaluate(value, frame)).collect::<Result<Vec<_>>>()?;
            rows(frame.n_rows(), env, |row| filled(template, &columns, row, env.now).err().map(Value::text))
        }
        (L::Fits, [line, pattern]) => {
            let lines = env.evaluate(line, frame)?;
            let pattern = line_parser::LinePattern::new(literal(pattern)).ok();
            let fits = |row| {
                let line = Cell::at(&lines, row).text();
                pattern.as_ref().is_some_and(|pattern| pattern.fits(line.as_deref().unwrap_or_default()))
            };
            Ok((Arc::new(booleans(&types::RowSet::of(lines.n_rows(), fits))), None))
        }
        _ => Ok((Arc::new(Column::Missing { n_rows: frame.n_rows() }), None)),
    }
}
