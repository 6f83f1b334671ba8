//! Templates of `line_format` and `label_format` as expressions.

use pest::iterators::Pair;
use types::Value;

use super::condition::message;
use super::grammar::Rule;
use super::reader::Reader;
use crate::grammar::span_of;
use plan::{Expr, Function, Result, Template};

/// Reads a template that is texts and labels alone as an expression that other languages know.
fn simple(reader: &Reader<'_>, text: &str) -> Option<Expr> {
    let literal = |text: &str| Expr::Literal(Some(Value::text(text)));
    let (first, actions) = text.split_once("{{").map_or((text, None), |(first, rest)| (first, Some(rest)));
    let mut parts = vec![literal(first)];
    for action in actions.into_iter().flat_map(|actions| actions.split("{{")) {
        let (name, after) = action.split_once("}}")?;
        let name = name.trim().strip_prefix('.')?;
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return None;
        }
        parts.push(Expr::Call(Function::Coalesce, vec![reader.sight.label(name), literal("")]));
        parts.push(literal(after));
    }
    parts.retain(|part| !matches!(part, Expr::Literal(Some(Value::String(text))) if text.is_empty()));
    match parts.len() {
        0 => Some(literal("")),
        1 => parts.pop(),
        _ => Some(Expr::Call(Function::Concat, parts)),
    }
}

/// Reads the template in a text of the query, of `line_format` or of a label. Its value is missing where it fails for a
/// line.
pub(super) fn read(reader: &Reader<'_>, pair: &Pair<'_, Rule>, is_line: bool) -> Result<Expr> {
    if reader.sight.is_plain
        && let Some(simple) = simple(reader, &reader.string(pair)?)
    {
        return Ok(simple);
    }
    let template =
        Template::parse(if is_line { "line" } else { "label" }, &reader.string(pair)?).map_err(|problem| {
            let error = reader.error("bad-template", format!("invalid template: {problem}"), span_of(pair));
            error.with_hint(
                "write {{.label}}, functions of it such as {{.label | ToUpper}}, {{if}}, {{range}}, {{with}}",
            )
        })?;
    // A line that is one label alone is no template to Loki, but the value of a label: errors are none.
    let of_label = |name: &String| match name.as_str() {
        "__error__" | "__error_details__" if template.is_label() && is_line => Expr::Literal(None),
        "__error_details__" => reader.sight.details().unwrap_or(Expr::Literal(None)),
        name => reader.sight.label(name),
    };
    let labels: Vec<Expr> = template.labels().iter().map(of_label).collect();
    let line = [Expr::Template(template), message(), Expr::Field("@timestamp".into())];
    Ok(Expr::Call(Function::Template, line.into_iter().chain(labels).collect()))
}
