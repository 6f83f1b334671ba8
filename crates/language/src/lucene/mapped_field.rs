//! What is asked of fields that a mapping declares: each type has its own equality, order and patterns.

use std::net::IpAddr;

use types::{Timestamp, Value};

use super::bound::Bound;
use super::sent_level::has_sent;
use super::target::Target;
use super::text::value_of;
use crate::logic::never;
use crate::mapping::{Kind, no_longer};
use plan::date_math::read_time;
use plan::{Comparison, Expr, Function, balanced};

/// Put before texts, so that those that look like numbers are compared as texts.
const TEXT_MARK: &str = "\u{2}";

fn literal(value: Value) -> Box<Expr> {
    Box::new(Expr::Literal(Some(value)))
}

fn compare(comparison: Comparison, left: Expr, right: Value) -> Expr {
    Expr::Compare(comparison, Box::new(left), literal(right))
}

/// Returns the text of a value that is compared as one.
fn exact(value: Expr) -> Expr {
    Expr::Call(Function::Concat, vec![Expr::Literal(Some(Value::text(TEXT_MARK))), value])
}

/// Reads an address as the text that it is ordered by.
fn address(text: &str) -> Option<Value> {
    text.parse::<IpAddr>().ok().map(|address| Value::text(plan::address::address_key(address)))
}

/// Reads a subnet as its first and last address.
fn subnet(text: &str) -> Option<(Value, Value)> {
    let (network, length) = text.split_once('/')?;
    let (network, length): (IpAddr, u32) = (network.parse().ok()?, length.parse().ok()?);
    let key = |address: IpAddr| Value::text(plan::address::address_key(address));
    Some(match network {
        IpAddr::V4(network) => {
            let mask = if length == 0 { 0 } else { u32::MAX.checked_shl(32_u32.checked_sub(length)?).unwrap_or(0) };
            let first = network.to_bits() & mask;
            (key(IpAddr::V4(first.into())), key(IpAddr::V4((first | !mask).into())))
        }
        IpAddr::V6(network) => {
            let mask = if length == 0 { 0 } else { u128::MAX.checked_shl(128_u32.checked_sub(length)?).unwrap_or(0) };
            let first = network.to_bits() & mask;
            (key(IpAddr::V6(first.into())), key(IpAddr::V6((first | !mask).into())))
        }
    })
}

/// Reads a number; a text of one is a number, too.
fn number(text: &str) -> Option<Value> {
    match value_of(text.trim()) {
        number @ (Value::Integer(_) | Value::Float(_)) => Some(number),
        _ => text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Float),
    }
}

fn truth(text: &str) -> Option<Value> {
    match text {
        "true" => Some(Value::Boolean(true)),
        "false" | "" => Some(Value::Boolean(false)),
        _ => None,
    }
}

impl Target {
    /// Says why the field cannot be asked for a value; `None` where it can.
    pub(crate) fn misfit(&self, text: &str) -> Option<String> {
        let name = self.name();
        match self.kind()? {
            Kind::Refused(why) => Some(why.clone()),
            Kind::Number if number(text).is_none() => {
                Some(format!("failed to create query: For input string: \"{text:.100}\" of field [{name}]"))
            }
            Kind::Boolean if truth(text).is_none() => Some(format!(
                "failed to create query: Can't parse boolean value [{text:.100}] of field [{name}], expected [true] or [false]"
            )),
            Kind::Date { .. } if read_time(text, Timestamp(0)).is_none() => {
                Some(format!("failed to parse date field [{text:.100}] of field [{name}]"))
            }
            Kind::Ip if address(text).is_none() && subnet(text).is_none() => {
                Some(format!("failed to create query: '{text:.100}' is not an IP string literal, of field [{name}]"))
            }
            _ => None,
        }
    }

    /// Says why the field cannot be asked for a pattern; `None` where it can.
    pub(crate) fn misfit_of_pattern(&self, query: &str) -> Option<String> {
        let name = self.name();
        let kind = match self.kind()? {
            Kind::Refused(why) => return Some(why.clone()),
            Kind::Text { .. } | Kind::Keyword { .. } | Kind::Missing => return None,
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Date { .. } => "date",
            Kind::Ip => "ip",
        };
        let of = "Can only use";
        Some(format!(
            "{of} {query} queries on keyword, text and wildcard fields - not on [{name}] which is of type [{kind}]"
        ))
    }

    /// Says why the field cannot be asked for a phrase of several words; `None` where it can.
    pub(crate) fn misfit_of_phrase(&self, n_words: usize) -> Option<String> {
        match self.kind()? {
            Kind::Text { has_positions: false, .. } if n_words > 1 => {
                let name = self.name();
                Some(format!("field:[{name}] was indexed without position data; cannot run PhraseQuery"))
            }
            _ => None,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Field { name, .. } => name,
            Self::Any(_) | Self::Presence => "*",
        }
    }

    /// Returns the field's value as a keyword.
    fn keyword(&self, is_lower: bool) -> Expr {
        let field = Expr::Field(self.name().into());
        if is_lower { Expr::Call(Function::ToLower, vec![field]) } else { field }
    }

    fn address(&self) -> Expr {
        Expr::Call(Function::AddressKey, vec![Expr::Field(self.name().into())])
    }

    /// Returns values that are equal to one; `None` for a field that is read by words or by its values.
    pub(crate) fn mapped_equal(&self, text: &str) -> Option<Expr> {
        let field = || Expr::Field(self.name().into());
        Some(match self.kind()? {
            Kind::Text { .. } => return None,
            Kind::Keyword { is_lower, most, .. } => {
                if most.is_some_and(|most| text.chars().count() > most) {
                    return Some(never());
                }
                let text = if *is_lower { text.to_lowercase() } else { text.to_owned() };
                let value = self.keyword(*is_lower);
                self.of_one(match number(&text) {
                    Some(_) => compare(Comparison::Equal, exact(value), Value::text(format!("{TEXT_MARK}{text}"))),
                    None => compare(Comparison::Equal, value, Value::text(text)),
                })
            }
            Kind::Number => {
                number(text).map_or_else(never, |number| self.of_one(compare(Comparison::Equal, field(), number)))
            }
            Kind::Boolean => {
                truth(text).map_or_else(never, |truth| self.of_one(compare(Comparison::Equal, field(), truth)))
            }
            Kind::Date { .. } => match read_time(text, Timestamp(0)) {
                Some(time) => self.mapped_between(&[Bound::of_time(Comparison::Equal, text, time)])?,
                None => never(),
            },
            Kind::Ip => self.of_one(match (address(text), subnet(text)) {
                (Some(key), _) => compare(Comparison::Equal, self.address(), key),
                (None, Some((first, last))) => Expr::Between(Box::new(self.address()), literal(first), literal(last)),
                (None, None) => never(),
            }),
            Kind::Missing | Kind::Refused(_) => never(),
        })
    }

    /// Returns values for which all bounds hold; `None` for a field that is read by its values.
    pub(crate) fn mapped_between(&self, bounds: &[Bound]) -> Option<Expr> {
        let field = || Expr::Field(self.name().into());
        let all = |condition: &dyn Fn(&Bound) -> Option<Expr>| {
            let conditions: Vec<Expr> = bounds.iter().map(|bound| condition(bound).unwrap_or_else(never)).collect();
            self.of_one(balanced(conditions, Expr::And))
        };
        Some(match self.kind()? {
            Kind::Text { .. } | Kind::Keyword { is_of_texts: true, .. } => return None,
            Kind::Keyword { is_lower, most, .. } => {
                let value = self.keyword(*is_lower);
                let condition = |bound: &Bound| {
                    let text = if *is_lower { bound.text.to_lowercase() } else { bound.text.clone() };
                    let compared =
                        compare(bound.comparison, exact(value.clone()), Value::text(format!("{TEXT_MARK}{text}")));
                    Some(match most {
                        Some(most) => Expr::And(Box::new(no_longer(&value, *most)), Box::new(compared)),
                        None => compared,
                    })
                };
                all(&condition)
            }
            Kind::Number => all(&|bound| Some(compare(bound.comparison, field(), number(&bound.text)?))),
            Kind::Boolean => all(&|bound| Some(compare(bound.comparison, field(), truth(&bound.text)?))),
            Kind::Ip => all(&|bound| {
                let (first, last) = match subnet(&bound.text) {
                    Some(both) => both,
                    None => address(&bound.text).map(|key| (key.clone(), key))?,
                };
                let is_first = matches!(bound.comparison, Comparison::Less | Comparison::GreaterOrEqual);
                Some(compare(bound.comparison, self.address(), if is_first { first } else { last }))
            }),
            Kind::Date { .. } => all(&|bound| {
                let time = bound.time?;
                let of_number = self.of_milliseconds(bound.comparison, time);
                Some(Expr::Call(Function::IfDate, vec![field(), self.of_time(bound.comparison, time), of_number]))
            }),
            Kind::Missing | Kind::Refused(_) => never(),
        })
    }

    /// Returns values that match a regular expression; `None` for a field that is read by words or by its values.
    pub(crate) fn mapped_matching(&self, regex: &regex::Regex) -> Option<Expr> {
        use plan::TextPattern;
        Some(match self.kind()? {
            Kind::Keyword { is_lower, most, .. } => {
                let value = self.keyword(*is_lower);
                let matched = Expr::Match(Box::new(value.clone()), TextPattern::Regex(regex.clone()));
                self.of_one(match most {
                    Some(most) => Expr::And(Box::new(no_longer(&value, *most)), Box::new(matched)),
                    None => matched,
                })
            }
            Kind::Text { .. } => return None,
            _ => never(),
        })
    }

    /// Returns the condition that the field has a value that is found.
    pub(crate) fn mapped_presence(&self) -> Option<Expr> {
        Some(match self.kind()? {
            Kind::Missing => never(),
            Kind::Keyword { is_lower, most: Some(most), .. } => self.of_one(no_longer(&self.keyword(*is_lower), *most)),
            _ if self.name().starts_with('@') => Expr::Call(Function::IsPresent, vec![Expr::Field(self.name().into())]),
            _ => has_sent(self.name()),
        })
    }
}
