//! Selectors and stages to operators of a plan.

use std::net::IpAddr;

use pest::iterators::Pair;
use types::{Value, parse_duration_ns};

use super::condition::{both, is_present, label_matches, message, text_matches};
use super::early_filter::EarlyFilter;
use super::grammar::Rule;
use super::groups::{group_patterns, is_foreign};
use super::label_view::{LabelScope, LabelView};
use super::log_query::LogQuery;
use super::loose::rounded_size;
use super::reader::Reader;
use super::{label, labels};
use crate::grammar::span_of;
use plan::error::QueryError;
use plan::function::{Function, LabelsFunction};
use plan::line_parser::LinePattern;
use plan::units::{duration_ns, size_bytes};
use plan::{Comparison, Expr, Operator, TextPattern};
use plan::{balanced, not};

/// A number taken out of the events instead of counting them.
#[derive(Clone, Debug)]
pub(super) struct Unwrap {
    /// The label that it is taken from, which the series do not have.
    pub label: String,
    /// The value of that label.
    pub text: Expr,
    /// The number.
    pub value: Expr,
}

/// Reads the parts of `log` or `range`; windows are left to the caller. `needs_text` says whether the text of a line
/// counts after the last stage: else it is not formatted where nothing reads it any more, and so that cannot fail.
pub(super) fn log(
    reader: &mut Reader<'_>,
    pair: Pair<'_, Rule>,
    needs_text: bool,
) -> Result<(LogQuery, Option<Unwrap>), QueryError> {
    let reads_text = |part: &Pair<'_, Rule>| {
        use Rule::{json, line_filter, logfmt, pattern, regexp, unpack};
        matches!(part.as_rule(), line_filter | json | logfmt | regexp | pattern | unpack)
    };
    let last_reader = pair.clone().into_inner().filter(reads_text).map(|part| span_of(&part).start).last();
    let mut query = LogQuery { sources: Vec::new(), operators: Vec::new(), shown: LabelView::default() };
    let mut unwrap = None;
    // Where the line got its present text, and whether only its colours were taken away since then.
    let (mut line_from, mut is_decolorized) = (0, false);
    reader.sight = LabelScope::new(reader.sight.is_plain);
    let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
    let early = if reader.sight.is_plain { Vec::new() } else { EarlyFilter::all(&parts) };
    for (index, part) in parts.into_iter().enumerate() {
        let (rule, before) = (part.as_rule(), reader.sight.set());
        let is_unread = !needs_text && last_reader.is_none_or(|last| last < span_of(&part).start);
        if is_unread && part.as_rule() == Rule::line_format {
            continue;
        }
        query.shown.loses_labels |= match part.as_rule() {
            Rule::drop | Rule::keep => true,
            Rule::label_format => labels::has_renaming(&part),
            _ => false,
        };
        query.shown.reads_labels |= matches!(part.as_rule(), Rule::label_or | Rule::line_format | Rule::label_format);
        match part.as_rule() {
            // Brackets around all of it.
            Rule::log | Rule::range => {
                reader.nest(span_of(&part))?;
                return log(reader, part, needs_text);
            }
            Rule::selector => {
                for matcher in part.into_inner().filter(|part| part.as_rule() == Rule::matcher) {
                    self::matcher(reader, matcher, &mut query)?;
                }
            }
            Rule::line_filter => {
                // As in Loki filters of the line precede all stages but those that give it another text; colours count.
                let at = if is_decolorized { line_from } else { query.operators.len() };
                if let Some(filter) = line_filter(reader, part)? {
                    query.operators.insert(at, filter);
                    line_from += usize::from(is_decolorized);
                }
            }
            Rule::label_or => query.operators.push(Operator::Filter(label_or(reader, part)?)),
            Rule::unwrap => unwrap = Some(read_unwrap(reader, part, &mut query)),
            _ => labels::stage(reader, part, &mut query)?,
        }
        for filter in early.iter().filter(|filter| filter.parsers.contains(&index)) {
            query.operators.push(early_filter(reader, filter, before.clone())?);
        }
        match rule {
            Rule::decolorize => is_decolorized = true,
            Rule::selector | Rule::line_format | Rule::unpack => {
                (line_from, is_decolorized) = (query.operators.len(), false);
            }
            _ => {}
        }
    }
    let next = LabelScope::new(reader.sight.is_plain);
    query.shown.sight = std::mem::replace(&mut reader.sight, next);
    Ok((query, unwrap))
}

/// Returns what leaves a line out whose labels, just found by a parser, do not fit a condition. `before` are the labels
/// before it.
fn early_filter(reader: &mut Reader<'_>, filter: &EarlyFilter<'_>, before: Expr) -> Result<Operator, QueryError> {
    let condition = condition(reader, filter.condition.clone())?;
    let is_parsed = |set: Expr| label::call(LabelsFunction::IsParsed, vec![set, label::text(filter.name)]);
    let is_found = both(is_parsed(reader.sight.set()), not(is_parsed(before)));
    Ok(Operator::Filter(Expr::Or(Box::new(not(is_found)), Box::new(condition))))
}

fn matcher(reader: &Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<(), QueryError> {
    let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
    let [name, sign, text] = parts.as_slice() else { return Ok(()) };
    let (name, sign, value) = (name.as_str(), sign.as_str(), reader.string(text)?);
    if name == "group" && query.sources.is_empty() && !value.contains(is_foreign) {
        query.sources = group_patterns(sign, &value);
    }
    let equal = (sign == "=" && !value.is_empty()).then(|| value.clone());
    query.shown.equal.push((name.to_owned(), equal));
    let matches = |label: Expr| text_matches(reader, label, sign, &value, span_of(text));
    let condition = match name {
        "group" => group_matches(matches(label::expr(name))?, sign, &value, || matches(label::of_stream(name)))?,
        _ if reader.sight.is_plain => matches(label::expr(name))?,
        _ => match (matches(label::of_stream(name))?, matches(label::selectable(name))?) {
            (Some(of_stream), Some(of_fields)) => {
                let others = both(not(label::is_pushed()), of_fields);
                Some(Expr::Or(Box::new(both(label::is_pushed(), of_stream)), Box::new(others)))
            }
            _ => None,
        },
    };
    query.operators.extend(condition.map(Operator::Filter));
    Ok(())
}

/// Returns a matcher of the label `group`: the group of an event, whoever brought it. Groups are named by labels that
/// were pushed, but not every text is a name: one that is none is looked for among these.
fn group_matches(
    of_group: Option<Expr>,
    sign: &str,
    value: &str,
    of_stream: impl FnOnce() -> Result<Option<Expr>, QueryError>,
) -> Result<Option<Expr>, QueryError> {
    if sign.starts_with('!') || !value.contains(is_foreign) {
        return Ok(of_group);
    }
    let either = |a: Expr, b: Expr| Expr::Or(Box::new(a), Box::new(b));
    Ok(of_group.zip(of_stream()?).map(|(a, b)| either(a, b)))
}

/// `|= "a" or "b"`: holds any of the texts; with `!` none of them.
fn line_filter(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Option<Operator>, QueryError> {
    let (mut sign, mut alternatives) = ("|=", Vec::new());
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::line_sign => sign = part.as_str(),
            Rule::string if matches!(sign, "|>" | "!>") => alternatives.push(fits(reader, &part)?),
            Rule::string => {
                let text = reader.string(&part)?;
                let pattern = match sign {
                    "|~" | "!~" => TextPattern::Regex(reader.regex(&text, span_of(&part))?),
                    // Everything holds the empty text; Grafana sends it for an empty search.
                    _ if text.is_empty() && sign == "|=" => return Ok(None),
                    _ => TextPattern::Substring(text),
                };
                alternatives.push(Expr::Match(Box::new(message()), pattern));
            }
            Rule::address => {
                if !matches!(sign, "|=" | "!=") {
                    let problem = "addresses are looked for with |= or !=";
                    return Err(reader.error("bad-comparison", problem, span_of(&part)));
                }
                let addresses = Expr::Literal(Some(Value::text(addresses(reader, &part)?)));
                alternatives.push(Expr::Call(Function::HoldsAddress, vec![message(), addresses]));
            }
            _ => {}
        }
    }
    let condition = balanced(alternatives, Expr::Or);
    Ok(Some(Operator::Filter(if sign.starts_with('!') { not(condition) } else { condition })))
}

/// Returns the condition of a pattern filter.
fn fits(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let text = reader.string(pair)?;
    let pattern = LinePattern::new(&text).map_err(|problem| {
        let error = reader.error("bad-pattern", problem, span_of(pair));
        error.with_hint("write |> `user <_> failed`")
    })?;
    if reader.sight.is_plain {
        let literals: Vec<String> = text.split("<_>").map(regex::escape).collect();
        let regex = reader.regex(&format!("^(?s:{})$", literals.join(".+?")), span_of(pair))?;
        return Ok(Expr::Match(Box::new(message()), TextPattern::Regex(regex)));
    }
    let fits = label::call(LabelsFunction::Fits, vec![message(), label::text(&text)]);
    Ok(match pattern.literal() {
        // The index knows where this may be.
        Some(literal) => {
            let holds = Expr::Match(Box::new(message()), TextPattern::Substring(literal.to_owned()));
            both(holds, fits)
        }
        None => fits,
    })
}

fn read_unwrap(reader: &mut Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Unwrap {
    let (mut conversion, mut name) = (String::new(), "");
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::conversion => conversion = part.as_str().to_ascii_lowercase(),
            Rule::label => name = part.as_str(),
            _ => {}
        }
    }
    let mut field = reader.sight.label(name);
    if !reader.sight.is_plain {
        // Columns of their own: both are asked for more than once.
        let mut column = |name: &str, expr: Expr| {
            query.operators.push(Operator::Extend { name: name.into(), expr });
            Expr::Field(name.into())
        };
        field = column("#unwrapped", field);
        let text = field.clone();
        let there = Expr::Call(Function::IsEmpty, vec![field.clone()]);
        let value = match &*conversion {
            "bytes" => label::call(LabelsFunction::Size, vec![field.clone()]),
            "" => label::call(LabelsFunction::Number, vec![field.clone()]),
            _ => {
                let nanoseconds = label::call(LabelsFunction::Duration, vec![field.clone()]);
                let second = Expr::Literal(Some(Value::Float(1e9)));
                Expr::Arithmetic(plan::ArithmeticOperator::Divide, Box::new(nanoseconds), Box::new(second))
            }
        };
        let value = column("#number", value);
        let wrong = both(not(there), not(is_present(value.clone())));
        reader.sight.note(wrong, "SampleExtractionErr", label::unreadable(&conversion, field));
        return Unwrap { label: name.to_owned(), text, value };
    }
    let text = field.clone();
    let value = match &*conversion {
        "bytes" => Expr::Call(Function::ParseBytes, vec![field]),
        "" => field,
        // Loki gives seconds, our function milliseconds.
        _ => {
            let milliseconds = Expr::Call(Function::ParseDuration, vec![field]);
            let thousand = Expr::Literal(Some(Value::Float(1000.0)));
            Expr::Arithmetic(plan::ArithmeticOperator::Divide, Box::new(milliseconds), Box::new(thousand))
        }
    };
    Unwrap { label: name.to_owned(), text, value }
}

fn label_or(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let mut alternatives = Vec::new();
    for part in pair.into_inner().filter(|part| part.as_rule() == Rule::label_and) {
        let mut conditions = Vec::new();
        for test in part.into_inner() {
            match test.as_rule() {
                Rule::label_paren => {
                    reader.nest(span_of(&test))?;
                    let inner = test.into_inner().find(|part| part.as_rule() == Rule::label_or);
                    conditions.extend(inner.map(|inner| label_or(reader, inner)).transpose()?);
                }
                Rule::condition => conditions.push(condition(reader, test)?),
                _ => {}
            }
        }
        alternatives.push(balanced(conditions, Expr::And));
    }
    Ok(balanced(alternatives, Expr::Or))
}

fn condition(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let span = span_of(&pair);
    let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
    let [name, sign, value] = parts.as_slice() else {
        return Err(reader.error("syntax", "a label, a sign and a value are expected here", span));
    };
    let (name, sign) = (name.as_str(), sign.as_str());
    reader.sight.asked.push(name.to_owned());
    if value.as_rule() == Rule::string {
        if matches!(sign, "<" | "<=" | ">" | ">=") {
            let message = "a text can only be compared with = != =~ !~";
            return Err(reader.error("bad-comparison", message, span).with_hint("write the number without quotes"));
        }
        let always = Expr::Literal(Some(Value::Boolean(true)));
        let text = reader.string(value)?;
        return Ok(label_matches(reader, name, sign, &text, span_of(value))?.unwrap_or(always));
    }
    if value.as_rule() == Rule::address {
        return address(reader, name, sign, value);
    }
    let comparison = match sign {
        "=" | "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return Err(reader.error("bad-comparison", "a regular expression must be in quotes", span_of(value))),
    };
    let label = reader.sight.label(name);
    if !reader.sight.is_plain && !name.starts_with("__") {
        return compared(reader, comparison, label, value);
    }
    let (left, right) = quantity(label, value.as_str()).ok_or_else(|| {
        let error = reader.error("bad-quantity", "this is no number, duration or size", span_of(value));
        error.with_hint("write 500, 1.5s, 20MB or a text in quotes")
    })?;
    Ok(Expr::Compare(comparison, Box::new(left), Box::new(Expr::Literal(Some(right)))))
}

/// Returns a comparison with a number, a duration or a size as Loki has it: a missing label is not compared, and a line
/// whose label cannot be read stays, with an error.
fn compared(
    reader: &mut Reader<'_>,
    comparison: Comparison,
    label: Expr,
    pair: &Pair<'_, Rule>,
) -> Result<Expr, QueryError> {
    let (function, right) = loki_quantity(pair.as_str()).ok_or_else(|| {
        let error = reader.error("bad-quantity", "this is no number, duration or size", span_of(pair));
        error.with_hint("write 500, 1.5s, 20MB or a text in quotes")
    })?;
    let left = label::call(function, vec![label.clone()]);
    let is_wrong = both(is_present(label.clone()), not(is_present(left.clone())));
    // An error that the line has already is kept.
    let is_first = reader.sight.error().map(|earlier| both(not(is_present(earlier)), is_wrong.clone()));
    let kind = match function {
        LabelsFunction::Size => "bytes",
        LabelsFunction::Duration => "duration",
        _ => "",
    };
    let details = label::unreadable(kind, label.clone());
    reader.sight.note(is_first.unwrap_or_else(|| is_wrong.clone()), "LabelFilterErr", details);
    let holds = Expr::Compare(comparison, Box::new(left), Box::new(Expr::Literal(Some(right))));
    Ok(both(is_present(label), Expr::Or(Box::new(is_wrong), Box::new(holds))))
}

/// Returns how a label is read that is compared with this, and its value in the same form.
fn loki_quantity(written: &str) -> Option<(LabelsFunction, Value)> {
    if let Ok(number) = written.parse::<f64>() {
        return number.is_finite().then_some((LabelsFunction::Number, Value::Float(number)));
    }
    let nanoseconds = parse_duration_ns(written).ok().or_else(|| duration_ns(written));
    if let Some(nanoseconds) = nanoseconds {
        return Some((LabelsFunction::Duration, Value::Integer(nanoseconds)));
    }
    size_bytes(written).map(|bytes| (LabelsFunction::Size, Value::Float(rounded_size(bytes))))
}

/// `ip("10.0.0.0/8")` of a label: an address, a subnet, or the first and the last of many addresses.
fn address(reader: &Reader<'_>, name: &str, sign: &str, pair: &Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let addresses = addresses(reader, pair)?;
    let label = reader.sight.label(name);
    let inside = |function| Expr::Call(function, vec![label.clone(), label::text(&addresses)]);
    let is_negated = match sign {
        "=" | "==" => false,
        "!=" => true,
        _ => return Err(reader.error("bad-comparison", "an address is compared with = or !=", span_of(pair))),
    };
    if reader.sight.is_plain {
        let inside = inside(Function::HoldsAddress);
        return Ok(if is_negated { not(inside) } else { inside });
    }
    // The label may hold more than an address. A line whose label is missing goes, one that has an error stays.
    let inside = inside(Function::HoldsAddress);
    let holds = both(is_present(label.clone()), if is_negated { not(inside) } else { inside });
    Ok(match reader.sight.error() {
        Some(error) => Expr::Or(Box::new(is_present(error)), Box::new(holds)),
        None => holds,
    })
}

/// Returns what is in `ip("…")`, an address as the subnet that only it is in.
fn addresses(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<String, QueryError> {
    let Some(text) = pair.clone().into_inner().find(|part| part.as_rule() == Rule::string) else {
        return Err(reader.error("syntax", "an address in quotes is missing here", span_of(pair)));
    };
    let mut addresses = reader.string(&text)?;
    let parsed = |text: &str| text.trim().parse::<IpAddr>().ok();
    if let Some((first, last)) = addresses.split_once('-')
        && let (Some(first), Some(last)) = (parsed(first), parsed(last))
        && first.is_ipv4() == last.is_ipv4()
        && first <= last
    {
        return Ok(addresses);
    }
    let alone = parsed(&addresses).map(|address| if address.is_ipv4() { "/32" } else { "/128" });
    addresses.push_str(alone.unwrap_or_default());
    let (network, bits) = addresses.split_once('/').unwrap_or_default();
    let bits_max = parsed(network).map(|address| if address.is_ipv4() { 32 } else { 128 });
    if !bits.parse::<u8>().is_ok_and(|bits| bits_max.is_some_and(|most| bits <= most)) {
        let error = reader.error("bad-address", "this is no address and no subnet", span_of(&text));
        return Err(error.with_hint("write ip(\"10.1.2.3\"), ip(\"10.0.0.0/8\") or ip(\"10.0.0.1-10.0.0.9\")"));
    }
    Ok(addresses)
}

/// Returns a label and a number, a duration or a size, in the form in which they compare.
fn quantity(label: Expr, written: &str) -> Option<(Expr, Value)> {
    if let Ok(number) = written.parse::<i64>() {
        return Some((label, Value::Integer(number)));
    }
    if let Ok(number) = written.parse::<f64>() {
        return number.is_finite().then_some((label, Value::Float(number)));
    }
    if let Ok(nanoseconds) = parse_duration_ns(written) {
        let milliseconds = Value::Float(nanoseconds as f64 / 1e6);
        return Some((Expr::Call(Function::ParseDuration, vec![label]), milliseconds));
    }
    let unit_at = written.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = written[..unit_at].parse().ok()?;
    let factor: f64 = match &*written[unit_at..].to_ascii_lowercase() {
        "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1048576.0,
        "gib" => 1073741824.0,
        "tib" => 1099511627776.0,
        _ => return None,
    };
    Some((Expr::Call(Function::ParseBytes, vec![label]), Value::Float(number * factor)))
}
