//! Stages that take labels out of a line, make new ones, or take some away.

use std::sync::Arc;

use pest::iterators::Pair;
use regex::Regex;
use types::{Value, ensure};

use super::condition::{Dot, message, text_matches};
use super::grammar::Rule;
use super::log_query::LogQuery;
use super::reader::Reader;
use super::{label, template};
use crate::grammar::span_of;
use plan::label_set::{ERROR, ERROR_DETAILS};
use plan::{
    Expr, Format, Function, LabelsFunction, Name, Operator, Parse, ParseMethod, Result, Span, line_parser, not,
};

/// What the column is called that labels are taken from in other languages. No event has a field of this name.
const OBJECT: &str = "#object";

/// Colours, movements and titles of a terminal: what begins with ESC or CSI, up to BEL or a final character.
const COLOURS: &str = concat!(
    r"[\x1b\x{9b}][\[\]()#;?]*",
    r"(?:[0-9A-Za-z;]*\x07|(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-nqrty=><~])"
);

/// Adds what a stage does.
pub(super) fn stage(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    if matches!(pair.as_rule(), Rule::json | Rule::logfmt | Rule::unpack) {
        reader.sight.settle(&mut query.operators);
    }
    match pair.as_rule() {
        Rule::json => json(reader, pair, query),
        Rule::logfmt => logfmt(reader, pair, query),
        Rule::regexp => regexp(reader, pair, query),
        Rule::pattern => pattern(reader, pair, query),
        Rule::unpack => {
            parse(reader, query, LabelsFunction::Unpack, vec![message()], format_of(Format::Json));
            reader.sight.may_fail();
            let entry = label::call(LabelsFunction::UnpackedLine, vec![message()]);
            extend(query, "@message".into(), entry);
            Ok(())
        }
        Rule::decolorize => {
            let colours = reader.regex(COLOURS, span_of(&pair))?;
            let empty = Expr::Literal(Some(Value::text("")));
            let plain = Expr::Call(Function::RegexpReplace, vec![message(), Expr::Regex(colours), empty]);
            extend(query, "@message".into(), plain);
            Ok(())
        }
        Rule::line_format => {
            let Some(text) = pair.into_inner().find(|part| part.as_rule() == Rule::string) else { return Ok(()) };
            let line = template::read(reader, &text, true)?;
            let line = match made(reader, query, line) {
                line @ Expr::Field(_) => Expr::Call(Function::Coalesce, vec![line, message()]),
                simple => simple,
            };
            extend(query, "@message".into(), line);
            Ok(())
        }
        Rule::label_format => label_format(reader, pair, query),
        Rule::drop => drop_labels(reader, pair, query),
        Rule::keep => keep_labels(reader, pair, query),
        _ => Ok(()),
    }
}

/// Leaves keys unread that `logfmt name="key"` takes under another name, and that nothing else looks for: Loki gives
/// such a label no value then.
pub(super) fn forget_keys(operator: &mut Operator, looked_for: &[String]) {
    let Operator::Extend { expr: Expr::Call(Function::Labels(LabelsFunction::LogfmtKeys), arguments), .. } = operator
    else {
        return;
    };
    let Some(pairs) = arguments.get_mut(3..) else { return };
    let text = |expr: &Expr| if let Expr::Literal(Some(value)) = expr { value.to_string() } else { String::new() };
    let names: Vec<String> = pairs.iter().step_by(2).map(text).collect();
    for key in pairs.iter_mut().skip(1).step_by(2) {
        let written = text(key);
        if !names.contains(&written) && !looked_for.contains(&written) {
            *key = label::text("");
        }
    }
}

/// Reports whether `label_format` gives a label another name.
pub(super) fn has_renaming(pair: &Pair<'_, Rule>) -> bool {
    let is_renaming = |part: Pair<'_, Rule>| part.into_inner().nth(1).is_some_and(|to| to.as_rule() == Rule::label);
    pair.clone().into_inner().filter(|part| part.as_rule() == Rule::renaming).any(is_renaming)
}

/// Reports whether an operator puts what `unpack` found instead of the line. Where no label is asked for, Loki unpacks
/// nothing.
pub(super) fn is_unpacked_line(operator: &Operator) -> bool {
    use LabelsFunction::UnpackedLine;
    matches!(operator, Operator::Extend { expr: Expr::Call(Function::Labels(UnpackedLine), _), .. })
}

fn extend(query: &mut LogQuery, name: Name, expr: Expr) {
    query.operators.push(Operator::Extend { name, expr });
}

fn format_of(format: Format) -> ParseMethod {
    ParseMethod::Format { format, prefix: None }
}

/// Adds a parser: labels of its own where the query runs, fields where it is said in another language.
fn parse(
    reader: &mut Reader<'_>,
    query: &mut LogQuery,
    function: LabelsFunction,
    details: Vec<Expr>,
    method: ParseMethod,
) {
    if reader.sight.is_plain {
        query.operators.push(Operator::Parse(Parse { text: message(), method }));
    } else {
        reader.sight.change(&mut query.operators, function, details);
    }
}

/// Names and expressions of `a="b.c", d`.
fn extractions(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Vec<(String, String, Span)>> {
    let mut found = Vec::new();
    for extraction in pair.into_inner().filter(|part| part.as_rule() == Rule::extraction) {
        let span = span_of(&extraction);
        let mut parts = extraction.into_inner();
        let Some(name) = parts.next() else { continue };
        let expression = match parts.next() {
            Some(text) => reader.string(&text)?,
            None => name.as_str().to_owned(),
        };
        found.push((name.as_str().to_owned(), expression, span));
    }
    Ok(found)
}

/// Adds a parser that takes only what it names.
fn named(
    reader: &mut Reader<'_>,
    query: &mut LogQuery,
    (function, format): (LabelsFunction, Format),
    mut details: Vec<Expr>,
    found: Vec<(String, String, Span)>,
) {
    if reader.sight.is_plain {
        let object = Name::from(format!("{OBJECT}{}", query.operators.len()));
        let method = ParseMethod::Format { format, prefix: Some(object.clone()) };
        query.operators.push(Operator::Parse(Parse { text: message(), method }));
        for (name, path, _) in found {
            extend(query, name.into(), Expr::Field(format!("{object}.{path}").into()));
        }
        return;
    }
    details.extend(found.iter().flat_map(|(name, path, _)| [label::text(name), label::text(path)]));
    reader.sight.change(&mut query.operators, function, details);
}

/// `| json`, or `| json a="b.c[0]"`, which takes only what it names.
fn json(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    let found = extractions(reader, pair)?;
    for (_, path, span) in &found {
        if line_parser::json_path(path).is_none() {
            let error = reader.error("bad-path", "this is no path into JSON", *span);
            return Err(error.with_hint("write a=\"user.name\", b=\"tags[0]\" or c=\"[\\\"first name\\\"]\""));
        }
    }
    if found.is_empty() {
        parse(reader, query, LabelsFunction::Json, vec![message()], format_of(Format::Json));
    } else {
        named(reader, query, (LabelsFunction::JsonPaths, Format::Json), vec![message()], found);
    }
    reader.sight.may_fail();
    Ok(())
}

/// `| logfmt`, or `| logfmt a="b"`, which takes only what it names.
fn logfmt(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    let has_flag =
        |flag: &str| pair.clone().into_inner().any(|part| part.as_rule() == Rule::logfmt_flag && part.as_str() == flag);
    let is_strict = has_flag("--strict");
    let flags = format!("{}{}", if is_strict { "s" } else { "" }, if has_flag("--keep-empty") { "e" } else { "" });
    let found = extractions(reader, pair)?;
    let details = vec![message(), label::text(flags)];
    if found.is_empty() {
        parse(reader, query, LabelsFunction::Logfmt, details, format_of(Format::Logfmt));
    } else {
        named(reader, query, (LabelsFunction::LogfmtKeys, Format::Logfmt), details, found);
    }
    if is_strict {
        reader.sight.may_fail();
    }
    Ok(())
}

fn regexp(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    let span = span_of(&pair);
    let Some(text) = pair.into_inner().find(|part| part.as_rule() == Rule::string) else {
        return Err(reader.error("syntax", "a regular expression in quotes is missing here", span));
    };
    let regex = reader.regex(&reader.string(&text)?, span_of(&text))?;
    let method = method_of(reader, &regex, span_of(&text))?;
    parse(reader, query, LabelsFunction::Regex, vec![message(), Expr::Regex(regex)], method);
    Ok(())
}

/// Named groups as fields.
fn method_of(reader: &Reader<'_>, regex: &Regex, span: Span) -> Result<ParseMethod> {
    let name_of = |(index, name): (usize, Option<&str>)| Some((Arc::from(name?), index));
    let names: Vec<(Name, usize)> = regex.capture_names().enumerate().filter_map(name_of).collect();
    ensure!(!names.is_empty(), reader.error("no-named-group", "nothing in it has a name", span));
    Ok(ParseMethod::Regex { regex: regex.clone(), names })
}

/// `<ip> - <_> "<method> <path>"`: what is between the literals becomes labels, from the start of the line.
fn pattern(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    let Some(text) = pair.into_inner().find(|part| part.as_rule() == Rule::string) else { return Ok(()) };
    let (written, span) = (reader.string(&text)?, span_of(&text));
    let pieces = line_parser::pieces(&written).map_err(|problem| {
        let code = if problem.starts_with("nothing") { "no-named-group" } else { "bad-pattern" };
        reader.error(code, problem, span)
    })?;
    let mut source = "^(?s)".to_owned();
    for (index, piece) in pieces.iter().enumerate() {
        let lazy = if index + 1 == pieces.len() { "" } else { "?" };
        match piece {
            line_parser::Piece::Literal(literal) => source.push_str(&regex::escape(literal)),
            line_parser::Piece::Capture(None) => source.push_str(&format!("(?:.*{lazy})")),
            line_parser::Piece::Capture(Some(name)) => source.push_str(&format!("(?P<{name}>.*{lazy})")),
        }
    }
    let method = method_of(reader, &reader.regex(&source, span)?, span)?;
    parse(reader, query, LabelsFunction::Pattern, vec![message(), label::text(written)], method);
    Ok(())
}

/// `| label_format a=b, c="{{.d}}"`: the first renames, the second computes. Templates see the labels as they are at
/// the first of them.
fn label_format(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    let (mut seen, mut named) = (None, Vec::new());
    for renaming in pair.into_inner().filter(|part| part.as_rule() == Rule::renaming) {
        let parts: Vec<Pair<'_, Rule>> = renaming.into_inner().collect();
        let [name, value] = parts.as_slice() else { continue };
        let (to, is_template) = (name.as_str(), value.as_rule() == Rule::string);
        if to == "__error__" || named.contains(&to) {
            let problem = match to {
                "__error__" => "__error__ cannot be formatted".to_owned(),
                to => format!("label {to:?} is set twice by one label_format"),
            };
            return Err(reader.error("bad-label-format", problem, span_of(name)));
        }
        named.push(to);
        let expr = if is_template {
            let seen = seen.get_or_insert_with(|| reader.sight.clone()).clone();
            let now = std::mem::replace(&mut reader.sight, seen);
            let expr = template::read(reader, value, false);
            reader.sight = now;
            made(reader, query, expr?)
        } else {
            reader.sight.label(value.as_str())
        };
        if reader.sight.is_plain {
            extend(query, to.into(), expr);
            if !is_template && to != value.as_str() {
                extend(query, value.as_str().into(), Expr::Literal(None));
            }
        } else if is_template {
            reader.sight.change(&mut query.operators, LabelsFunction::Set, vec![label::text(to), expr]);
        } else {
            let details = vec![label::text(to), label::text(value.as_str()), expr];
            reader.sight.change(&mut query.operators, LabelsFunction::Rename, details);
        }
    }
    Ok(())
}

/// Adds a column with what a template makes of each line. Where it fails, the line or the label stays as it is.
fn made(reader: &mut Reader<'_>, query: &mut LogQuery, template: Expr) -> Expr {
    if !matches!(template, Expr::Call(Function::Template, _)) {
        return template;
    }
    let column = Name::from(format!("#template{}", query.operators.len()));
    let details = match &template {
        Expr::Call(_, arguments) => label::call(LabelsFunction::TemplateProblem, arguments.clone()),
        _ => Expr::Literal(None),
    };
    extend(query, column.clone(), template);
    let value = Expr::Field(column);
    let is_missing = not(Expr::Call(Function::IsPresent, vec![value.clone()]));
    reader.sight.note(is_missing, "TemplateFormatErr", details);
    value
}

/// Returns the label of `drop` or `keep`, and its condition.
fn chosen<'p>(reader: &Reader<'_>, pair: Pair<'p, Rule>) -> Result<Option<(&'p str, Option<Expr>)>> {
    let parts: Vec<Pair<'p, Rule>> = pair.into_inner().collect();
    match parts.as_slice() {
        [name] => Ok(Some((name.as_str(), None))),
        [name, sign, text] => {
            let (value, span) = (reader.string(text)?, span_of(text));
            let label = match (name.as_str(), reader.sight.details()) {
                (ERROR_DETAILS, Some(details)) => details,
                (name, _) => reader.sight.label(name),
            };
            let condition = text_matches(reader, label, (sign.as_str(), Dot::AnyCharacter), &value, span)?;
            Ok(Some((name.as_str(), Some(condition.unwrap_or_else(always)))))
        }
        _ => Ok(None),
    }
}

fn always() -> Expr {
    Expr::Literal(Some(Value::Boolean(true)))
}

/// `__error__`, which Grafana drops after every query whose volume it shows, is no label of lines that no parser read.
fn drop_labels(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    for part in pair.into_inner().filter(|part| part.as_rule() == Rule::chosen) {
        match chosen(reader, part)? {
            Some((ERROR | ERROR_DETAILS, _)) if reader.sight.is_plain => {}
            Some((name @ (ERROR | ERROR_DETAILS), condition)) => {
                reader.sight.forget(&mut query.operators, name, condition);
            }
            Some((name, _)) if name.starts_with("__") && !reader.sight.has_parsed() => {}
            Some((name, condition)) if reader.sight.is_plain => {
                let value = condition.map_or(Expr::Literal(None), |condition| {
                    Expr::Call(Function::If, vec![not(condition), Expr::Field(name.into()), Expr::Literal(None)])
                });
                extend(query, name.into(), value);
            }
            Some((name, condition)) => {
                let details = vec![label::text(name), condition.unwrap_or_else(always)];
                reader.sight.change(&mut query.operators, LabelsFunction::Drop, details);
            }
            None => {}
        }
    }
    Ok(())
}

fn keep_labels(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    let mut details = Vec::new();
    for part in pair.into_inner().filter(|part| part.as_rule() == Rule::chosen) {
        let Some((name, condition)) = chosen(reader, part)? else { continue };
        details.extend([label::text(name), condition.unwrap_or_else(always), reader.sight.label(name)]);
    }
    // Which labels are shown is no matter of other languages: they show fields that are named.
    if !reader.sight.is_plain {
        reader.sight.change(&mut query.operators, LabelsFunction::Keep, details);
    }
    Ok(())
}
