//! Selectors and stages to operators of a plan.

use pest::iterators::Pair;
use types::Value;

use super::condition::{Dot, both, is_present, message, text_matches};
use super::early_filter::EarlyFilter;
use super::grammar::Rule;
use super::groups::{group_patterns, is_foreign};
use super::label_filter::{addresses, condition, label_filter};
use super::label_view::{LabelScope, LabelView};
use super::log_query::LogQuery;
use super::reader::Reader;
use super::{label, labels};
use crate::grammar::span_of;
use plan::label_set::ERROR;
use plan::line_parser::LinePattern;
use plan::{Comparison, Expr, Function, LabelsFunction, Name, Operator, Result, TextPattern, balanced, not};

/// A number taken out of the events instead of counting them.
#[derive(Clone, Debug)]
pub(super) struct Unwrap {
    /// The label that it is taken from, which the series do not have.
    pub label: String,
    /// The value of that label.
    pub text: Expr,
    /// The number.
    pub value: Expr,
    /// The number of labels that conditions before it ask for.
    pub n_asked: usize,
}

/// Reads the parts of `log` or `range`; windows are left to the caller. `needs_text` says whether the text of a line
/// counts after the last stage: else it is not formatted where nothing reads it any more, and so that cannot fail.
pub(super) fn log(
    reader: &mut Reader<'_>,
    pair: Pair<'_, Rule>,
    needs_text: bool,
) -> Result<(LogQuery, Option<Unwrap>)> {
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
    let early = if reader.sight.is_plain || reader.is_grouped { Vec::new() } else { EarlyFilter::all(&parts) };
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
        query.shown.reads_labels |=
            matches!(part.as_rule(), Rule::label_filter | Rule::line_format | Rule::label_format);
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
            Rule::label_filter => query.operators.push(Operator::Filter(label_filter(reader, part)?)),
            Rule::unwrap => unwrap = Some(read_unwrap(reader, part, &mut query)),
            _ => labels::stage(reader, part, &mut query)?,
        }
        let of_parser = early.iter().filter(|filter| filter.parsers.contains(&index));
        early_filters(reader, of_parser, before, &mut query.operators)?;
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

/// Adds the filters that are checked while a parser reads a line. `before` are the labels before it.
fn early_filters<'e, 'p: 'e>(
    reader: &mut Reader<'_>,
    filters: impl Iterator<Item = &'e EarlyFilter<'p>>,
    before: Expr,
    operators: &mut Vec<Operator>,
) -> Result<()> {
    let mut failures = vec![reader.sight.set()];
    for filter in filters {
        let n_noted = reader.sight.n_noted();
        operators.push(early_filter(reader, filter, before.clone())?);
        let details = reader.sight.take_back(n_noted);
        failures.extend(details.into_iter().flat_map(|details| [label::text(filter.name), details]));
    }
    if failures.len() > 1 {
        let first = Name::from(format!("#early{}", operators.len()));
        let expr = label::call(LabelsFunction::FirstFailure, failures);
        operators.push(Operator::Extend { name: first.clone(), expr });
        let details = Expr::Field(first);
        reader.sight.note(is_present(details.clone()), "LabelFilterErr", details);
    }
    Ok(())
}

/// Returns what leaves a line out whose labels, just found by a parser, do not fit a condition. `before` are the labels
/// before it.
fn early_filter(reader: &mut Reader<'_>, filter: &EarlyFilter<'_>, before: Expr) -> Result<Operator> {
    let is_parsed = |set: Expr| label::call(LabelsFunction::IsParsed, vec![set, label::text(filter.name)]);
    let failed = label::text("LogfmtParserErr");
    let is_found = match reader.sight.error().filter(|_| filter.name == ERROR) {
        Some(error) => Expr::Compare(Comparison::Equal, Box::new(error), Box::new(failed)),
        None => both(is_parsed(reader.sight.set()), not(is_parsed(before))),
    };
    reader.sight.guards.push(is_found.clone());
    let condition = condition(reader, filter.condition.clone());
    reader.sight.guards.pop();
    Ok(Operator::Filter(Expr::Or(Box::new(not(is_found)), Box::new(condition?))))
}

fn matcher(reader: &Reader<'_>, pair: Pair<'_, Rule>, query: &mut LogQuery) -> Result<()> {
    let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
    let [name, sign, text] = parts.as_slice() else { return Ok(()) };
    let (name, sign, value) = (name.as_str(), sign.as_str(), reader.string(text)?);
    if name == "group" && query.sources.is_empty() && !value.contains(is_foreign) {
        query.sources = group_patterns(sign, &value);
    }
    let equal = (sign == "=" && !value.is_empty()).then(|| value.clone());
    query.shown.equal.push((name.to_owned(), equal));
    let matches = |label: Expr| text_matches(reader, label, (sign, Dot::AnyCharacter), &value, span_of(text));
    let condition = match name {
        "group" => group_matches(matches(label::expr(name))?, sign, &value, || matches(label::of_stream(name)))?,
        _ if reader.sight.is_plain => matches(label::expr(name))?,
        _ => match (matches(label::of_stream(name))?, matches(label::any_field(name))?) {
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
    of_stream: impl FnOnce() -> Result<Option<Expr>>,
) -> Result<Option<Expr>> {
    if sign.starts_with('!') || !value.contains(is_foreign) {
        return Ok(of_group);
    }
    let either = |a: Expr, b: Expr| Expr::Or(Box::new(a), Box::new(b));
    Ok(of_group.zip(of_stream()?).map(|(a, b)| either(a, b)))
}

/// `|= "a" or "b"`: holds any of the texts; with `!` none of them.
fn line_filter(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Option<Operator>> {
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
fn fits(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<Expr> {
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
    let (mut field, n_asked) = (reader.sight.label(name), reader.sight.asked.len());
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
        return Unwrap { label: name.to_owned(), text, value, n_asked };
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
    Unwrap { label: name.to_owned(), text, value, n_asked }
}
