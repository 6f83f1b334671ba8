//! Conditions on labels between stages: how they are put together, and numbers, sizes and addresses that they compare.

use std::net::IpAddr;

use pest::iterators::Pair;
use types::{Value, parse_duration_ns};

use super::condition::{both, is_present, label_matches};
use super::grammar::Rule;
use super::label;
use super::loose::rounded_size;
use super::reader::Reader;
use crate::grammar::span_of;
use plan::units::{duration_ns, size_bytes};
use plan::{Comparison, Expr, Function, LabelsFunction, Result, Span, balanced, not};

/// What stands between two conditions. A comma and a blank are an `and` without a rank in Loki's grammar: whatever
/// follows them belongs to their right side, and they to that of what precedes them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Junction {
    Or,
    And,
    Unranked,
}

impl Junction {
    /// Reports whether what this joins is one condition before `next` is read.
    fn is_closed_by(self, next: Self) -> bool {
        match (self, next) {
            (Self::Or, next) => next == Self::Or,
            (Self::And, next) => next != Self::Unranked,
            (Self::Unranked, _) => false,
        }
    }
}

/// Conditions in the order in which Loki checks them.
enum Conditions<'p> {
    Single(Pair<'p, Rule>),
    Any(Vec<Self>),
    All(Vec<Self>),
}

impl Conditions<'_> {
    /// Joins two sides; a chain of one kind is a list, so that its length is no depth.
    fn join(self, junction: Junction, right: Self) -> Self {
        match (junction == Junction::Or, self, right) {
            (true, left, right) => {
                let parts = |side| if let Self::Any(parts) = side { parts } else { vec![side] };
                Self::Any([parts(left), parts(right)].into_iter().flatten().collect())
            }
            (false, left, right) => {
                let parts = |side| if let Self::All(parts) = side { parts } else { vec![side] };
                Self::All([parts(left), parts(right)].into_iter().flatten().collect())
            }
        }
    }

    fn read(self, reader: &mut Reader<'_>, span: Span) -> Result<Expr> {
        let (is_any, parts) = match self {
            Self::Single(part) if part.as_rule() == Rule::condition => return condition(reader, part),
            Self::Single(paren) => {
                reader.nest(span_of(&paren))?;
                let inner = paren.into_inner().find(|part| part.as_rule() == Rule::label_filter);
                return inner.map_or_else(|| Ok(always()), |inner| label_filter(reader, inner));
            }
            Self::Any(parts) => (true, parts),
            Self::All(parts) => (false, parts),
        };
        reader.nest(span)?;
        let (n_guards, mut read) = (reader.sight.guards.len(), Vec::with_capacity(parts.len()));
        for part in parts {
            let expr = part.read(reader, span)?;
            // Where one of them holds, those after it are not checked and cannot fail.
            if is_any {
                reader.sight.guards.push(not(expr.clone()));
            }
            read.push(expr);
        }
        reader.sight.guards.truncate(n_guards);
        Ok(balanced(read, if is_any { Expr::Or } else { Expr::And }))
    }
}

/// Reads all conditions of a stage.
pub(super) fn label_filter(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr> {
    let span = span_of(&pair);
    let (mut operands, mut waiting): (Vec<Conditions<'_>>, Vec<Junction>) = (Vec::new(), Vec::new());
    let join = |operands: &mut Vec<Conditions<'_>>, junction: Junction| {
        if let (Some(right), Some(left)) = (operands.pop(), operands.pop()) {
            operands.push(left.join(junction, right));
        }
    };
    let mut junction = Junction::Unranked;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_or => junction = Junction::Or,
            Rule::kw_and => junction = Junction::And,
            Rule::label_paren | Rule::condition => {
                if !operands.is_empty() {
                    while let Some(top) = waiting.pop_if(|top| top.is_closed_by(junction)) {
                        join(&mut operands, top);
                    }
                    waiting.push(std::mem::replace(&mut junction, Junction::Unranked));
                }
                operands.push(Conditions::Single(part));
            }
            _ => {}
        }
    }
    while let Some(junction) = waiting.pop() {
        join(&mut operands, junction);
    }
    operands.pop().map_or_else(|| Ok(always()), |all| all.read(reader, span))
}

fn always() -> Expr {
    Expr::Literal(Some(Value::Boolean(true)))
}

/// Reads one condition.
pub(super) fn condition(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr> {
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
        let text = reader.string(value)?;
        return Ok(label_matches(reader, name, sign, &text, span_of(value))?.unwrap_or_else(always));
    }
    if value.as_rule() == Rule::address {
        return address(reader, name, sign, value);
    }
    let Some(comparison) = Comparison::named(if sign == "==" { "=" } else { sign }) else {
        return Err(reader.error("bad-comparison", "a regular expression must be in quotes", span_of(value)));
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
fn compared(reader: &mut Reader<'_>, comparison: Comparison, label: Expr, pair: &Pair<'_, Rule>) -> Result<Expr> {
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
fn address(reader: &Reader<'_>, name: &str, sign: &str, pair: &Pair<'_, Rule>) -> Result<Expr> {
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
pub(super) fn addresses(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<String> {
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
