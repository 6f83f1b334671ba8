//! Stages that take labels out of a line, make new ones, or take some away.

use std::sync::Arc;

use pest::iterators::Pair;
use regex::Regex;
use types::Value;

use super::read::{Reader, span_of};
use super::shown::Parsed;
use super::stage::{label_matches, message, not};
use super::{LogQuery, Rule, label, template};
use crate::error::{QueryError, Span};
use crate::function::Function;
use crate::plan::{Expr, Format, Name, Operator, Parse, ParseMethod, TextPattern};

/// What columns with objects are called that labels are taken from. No event has a field of this name.
const OBJECT: &str = "#object";

/// A line that is `key=value` pairs and names from end to end.
const WHOLE_LOGFMT: &str = r#"^\s*(?:[^\s="]+(?:=(?:"(?:[^"\\]|\\.)*"|[^\s="]*))?(?:\s+|$))*$"#;

/// Colours and movements of a terminal.
const COLOURS: &str = r"\x1b\[[0-9;?]*[ -/]*[@-~]";

/// Adds what a stage does.
pub(super) fn stage(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<(), QueryError> {
    match pair.as_rule() {
        Rule::json => format(reader, pair, Format::Json, query),
        Rule::logfmt => format(reader, pair, Format::Logfmt, query),
        Rule::regexp => regexp(reader, pair, query),
        Rule::pattern => pattern(reader, pair, query),
        Rule::unpack => {
            named_by_lines(reader, Format::Json, query, |parsed| parsed.without("_entry"));
            let entry = Expr::Call(Function::Coalesce, vec![Expr::Field("_entry".into()), message()]);
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
            let line = template::read(reader, &text)?;
            extend(query, "@message".into(), line);
            Ok(())
        }
        Rule::label_format => label_format(reader, pair, query),
        Rule::drop => drop_labels(reader, pair, query),
        Rule::keep => keep_labels(reader, pair, query),
        _ => Ok(()),
    }
}

fn parse_message(method: ParseMethod) -> Operator {
    Operator::Parse(Parse { text: message(), method })
}

fn extend(query: &mut LogQuery, name: Name, expr: Expr) {
    query.operators.push(Operator::Extend { name, expr });
}

/// `| json`, or `| json a="b.c[0]"`, which takes only what it names.
fn format(
    reader: &mut Reader<'_>,
    pair: Pair<'_, Rule>,
    format: Format,
    query: &mut LogQuery,
) -> Result<(), QueryError> {
    let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
    let of = |rule: Rule| parts.iter().filter(move |part| part.as_rule() == rule);
    let has_flag = |flag: &str| of(Rule::logfmt_flag).any(|part| part.as_str() == flag);
    if has_flag("--strict") {
        let is_whole = TextPattern::Regex(reader.regex(WHOLE_LOGFMT, Span::default())?);
        // A later stage may make another line of it.
        let column = Name::from(format!("#strict{}", query.operators.len()));
        extend(query, column.clone(), Expr::Match(Box::new(message()), is_whole));
        reader.sight.note(not(Expr::Field(column)), "LogfmtParserErr");
    }
    if of(Rule::extraction).next().is_none() {
        named_by_lines(reader, format, query, |parsed| parsed.keeping_empty(has_flag("--keep-empty")));
        return Ok(());
    }
    let object = object_name(query);
    query.operators.push(parse_message(ParseMethod::Format { format, prefix: Some(object.clone()) }));
    if format == Format::Json {
        note_bad_json(reader, &object);
    }
    for extraction in of(Rule::extraction) {
        let mut parts = extraction.clone().into_inner();
        let Some(name) = parts.next() else { continue };
        let path = match parts.next() {
            Some(text) => reader.string(&text)?,
            None => name.as_str().to_owned(),
        };
        // Loki writes members of names with signs as `["a-b"]`; ours stand behind a point.
        let path = path.replace("[\"", ".").replace("\"]", "");
        let value = Expr::Field(format!("{object}.{}", path.trim_start_matches('.')).into());
        extend(query, name.as_str().into(), value);
        query.shown.make(name.as_str(), &mut reader.sight);
    }
    Ok(())
}

/// A parser that takes all labels of a line under the names that stand in it.
fn named_by_lines(reader: &mut Reader<'_>, format: Format, query: &mut LogQuery, how: impl FnOnce(Parsed) -> Parsed) {
    let object = object_name(query);
    let parse = Parse { text: message(), method: ParseMethod::Format { format, prefix: Some(object.clone()) } };
    query.shown.parse(how(Parsed::new(object.clone(), parse)), &mut query.operators, &mut reader.sight);
    query.operators.push(parse_message(ParseMethod::Format { format, prefix: None }));
    if format == Format::Json {
        note_bad_json(reader, &object);
    }
}

/// A column that no event and no other stage has.
fn object_name(query: &LogQuery) -> Name {
    format!("{OBJECT}{}", query.operators.len() + query.shown.objects.len()).into()
}

fn note_bad_json(reader: &mut Reader<'_>, object: &Name) {
    let is_object = Expr::Call(Function::IsPresent, vec![Expr::Field(object.clone())]);
    reader.sight.note(not(is_object), "JSONParserErr");
}

fn regexp(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<(), QueryError> {
    let span = span_of(&pair);
    let Some(text) = pair.into_inner().find(|part| part.as_rule() == Rule::string) else {
        return Err(reader.error("syntax", "a regular expression in quotes is missing here", span));
    };
    let regex = reader.regex(&reader.string(&text)?, span_of(&text))?;
    take_groups(reader, regex, span_of(&text), query)
}

fn take_groups(reader: &mut Reader<'_>, regex: Regex, span: Span, query: &mut LogQuery) -> Result<(), QueryError> {
    let name_of = |(index, name): (usize, Option<&str>)| Some((Arc::from(name?), index));
    let names: Vec<(Name, usize)> = regex.capture_names().enumerate().filter_map(name_of).collect();
    if names.is_empty() {
        return Err(reader.error("no-named-group", "nothing in it has a name", span));
    }
    names.iter().for_each(|(name, _)| query.shown.make(name, &mut reader.sight));
    query.operators.push(parse_message(ParseMethod::Regex { regex, names }));
    Ok(())
}

/// `<ip> - <_> "<method> <path>"`: what stands between the literals becomes labels, from the start of the line.
fn pattern(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<(), QueryError> {
    let Some(text) = pair.into_inner().find(|part| part.as_rule() == Rule::string) else { return Ok(()) };
    let (written, span) = (reader.string(&text)?, span_of(&text));
    let (mut source, mut rest, mut is_after_capture) = ("^(?s)".to_owned(), written.as_str(), false);
    while let Some((at, end)) = capture(rest) {
        if at == 0 && is_after_capture {
            let message = "two captures stand side by side: where one ends cannot be told";
            return Err(reader.error("bad-pattern", message, span));
        }
        let (literal, name) = (&rest[..at], &rest[at + 1..end]);
        rest = &rest[end + 1..];
        let lazy = if rest.is_empty() { "" } else { "?" };
        let opening = if name == "_" { "(?:".to_owned() } else { format!("(?P<{name}>") };
        source.push_str(&format!("{}{opening}.*{lazy})", regex::escape(literal)));
        is_after_capture = true;
    }
    source.push_str(&regex::escape(rest));
    let regex = reader.regex(&source, span)?;
    take_groups(reader, regex, span, query)
}

/// Where the next `<name>` begins and ends.
fn capture(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('<').map(|at| at + from) {
        let name = text[at + 1..].find('>').map(|end| &text[at + 1..at + 1 + end]);
        let is_name = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if let Some(name) = name.filter(is_name) {
            return Some((at, at + 1 + name.len()));
        }
        from = at + 1;
    }
    None
}

/// `| label_format a=b, c="{{.d}}"`: the first renames, the second computes.
fn label_format(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<(), QueryError> {
    for renaming in pair.into_inner().filter(|part| part.as_rule() == Rule::renaming) {
        let parts: Vec<Pair<'_, Rule>> = renaming.into_inner().collect();
        let [name, value] = parts.as_slice() else { continue };
        if value.as_rule() == Rule::string {
            let value = template::read(reader, value)?;
            set(reader, query, name.as_str(), value);
        } else {
            let renamed = reader.sight.label(value.as_str());
            set(reader, query, name.as_str(), renamed);
            if name.as_str() != value.as_str() {
                hide(query, value.as_str());
            }
        }
    }
    Ok(())
}

/// Gives a label a value; those of streams have their own fields.
fn set(reader: &mut Reader<'_>, query: &mut LogQuery, name: &str, value: Expr) {
    let fields = label::fields(name);
    extend(query, fields.first().copied().unwrap_or("@level").into(), value);
    query.shown.make(name, &mut reader.sight);
}

fn hide(query: &mut LogQuery, name: &str) {
    for field in label::fields(name) {
        extend(query, field.into(), Expr::Literal(None));
    }
    query.shown.hide(name);
}

/// The label of `drop` or `keep`, and its condition where it has one.
fn chosen<'p>(reader: &Reader<'_>, pair: Pair<'p, Rule>) -> Result<Option<(&'p str, Option<Expr>)>, QueryError> {
    let parts: Vec<Pair<'p, Rule>> = pair.into_inner().collect();
    match parts.as_slice() {
        [name] => Ok(Some((name.as_str(), None))),
        [name, sign, text] => {
            let value = reader.string(text)?;
            let always = Expr::Literal(Some(Value::Boolean(true)));
            let condition = label_matches(reader, name.as_str(), sign.as_str(), &value, span_of(text))?;
            Ok(Some((name.as_str(), Some(condition.unwrap_or(always)))))
        }
        _ => Ok(None),
    }
}

/// `__error__`, which Grafana drops behind every query whose volume it shows, is no field.
fn drop_labels(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<(), QueryError> {
    for part in pair.into_inner().filter(|part| part.as_rule() == Rule::chosen) {
        match chosen(reader, part)? {
            Some(("__error__", None)) => reader.sight.forget(),
            Some((name, _)) if name.starts_with("__") => {}
            Some((name, None)) => hide(query, name),
            Some((name, Some(condition))) => keep_if(reader, query, name, not(condition)),
            None => {}
        }
    }
    Ok(())
}

fn keep_labels(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<(), QueryError> {
    let mut kept = Vec::new();
    for part in pair.into_inner().filter(|part| part.as_rule() == Rule::chosen) {
        let Some((name, condition)) = chosen(reader, part)? else { continue };
        if let Some(condition) = condition {
            keep_if(reader, query, name, condition);
        }
        kept.push(name.to_owned());
    }
    query.shown.keep(&kept, &mut reader.sight);
    Ok(())
}

/// Leaves a label where a condition holds.
fn keep_if(reader: &mut Reader<'_>, query: &mut LogQuery, name: &str, condition: Expr) {
    for field in label::fields(name) {
        let value = vec![condition.clone(), Expr::Field(field.into()), Expr::Literal(None)];
        extend(query, field.into(), Expr::Call(Function::If, value));
    }
    // What lines name is shown as it stands there; from here on it is a label that may be missing.
    if !query.shown.objects.is_empty() && !super::STREAM_LABELS.contains(&name) {
        query.shown.make(name, &mut reader.sight);
    }
}
