//! Reads expressions of the fields of a span.

use pest::iterators::Pair;
use plan::escape::escaped;
use plan::{ArithmeticOperator, Comparison, QueryError, REGEXES_MAX, Result, Span, compile_go_regex, nearest};

use crate::field::{Field, Intrinsic, Scope};
use crate::grammar::{Rule, span_of};
use crate::literal::Literal;
use crate::reader::Reader;
use crate::syntax::{BinaryOperator, Expression, ExpressionKind, Pattern};

type Read<T> = Result<T>;

/// Bytes of a trace id and of a span id in hexadecimal.
const TRACE_ID_DIGITS: usize = 32;
const SPAN_ID_DIGITS: usize = 16;

/// An operand: `nil` is not a value, and can only be compared with.
enum Operand {
    Nil(Span),
    Value(Expression),
}

impl Reader<'_> {
    /// Reads a rule of expressions from `logic` to `sum`.
    pub(crate) fn expression(&mut self, pair: Pair<'_, Rule>) -> Read<Expression> {
        match self.operand(pair)? {
            Operand::Value(expression) => Ok(expression),
            Operand::Nil(span) => {
                let error = self.error("bare-nil", "nil is not a value of its own", span);
                Err(error.with_hint("compare a field with it: { .x != nil }"))
            }
        }
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Read<Operand> {
        let span = span_of(&pair);
        match pair.as_rule() {
            Rule::logic | Rule::comparison | Rule::sum | Rule::product => self.chain(pair),
            Rule::unary => self.unary(pair),
            Rule::power => {
                let mut parts = pair.into_inner();
                let base = parts.next().map(|base| self.operand(base));
                let base = base.unwrap_or_else(|| Err(self.missing(span)))?;
                let Some(exponent) = parts.next() else { return Ok(base) };
                let (base, exponent) = (self.value(base)?, self.expression(exponent)?);
                self.binary(BinaryOperator::Arithmetic(ArithmeticOperator::Power), base, exponent).map(Operand::Value)
            }
            Rule::word if pair.as_str() == "nil" => Ok(Operand::Nil(span)),
            Rule::field if pair.as_str().trim_end() == "nil" => Ok(Operand::Nil(span)),
            Rule::field => {
                let word = pair.as_str().trim_end();
                let kind = match Literal::of_word(word) {
                    Some(literal) => ExpressionKind::Literal(literal),
                    None => ExpressionKind::Field(self.field(pair)?),
                };
                Ok(Operand::Value(Expression { kind, span }))
            }
            Rule::aggregate => {
                let name = pair.into_inner().next().map_or("", |name| name.as_str());
                let message = format!("{name}() is computed from a spanset, not from one span");
                Err(self
                    .error("aggregate-in-expression", message, span)
                    .with_hint(format!("write {{ … }} | {name}(…) > 1")))
            }
            _ => {
                let kind = ExpressionKind::Literal(self.literal(&pair)?);
                Ok(Operand::Value(Expression { kind, span }))
            }
        }
    }

    fn missing(&self, span: Span) -> QueryError {
        self.error("syntax", "a value is missing", span)
    }

    fn value(&self, operand: Operand) -> Read<Expression> {
        match operand {
            Operand::Value(expression) => Ok(expression),
            Operand::Nil(span) => Err(self.error("bare-nil", "nil can only be compared with = and !=", span)),
        }
    }

    /// Reads operands joined by operators of one precedence, which bind to the left.
    fn chain(&mut self, pair: Pair<'_, Rule>) -> Read<Operand> {
        let span = span_of(&pair);
        let mut parts = pair.into_inner();
        let first = parts.next().ok_or_else(|| self.missing(span))?;
        let mut left = self.operand(first)?;
        while let (Some(sign), Some(right)) = (parts.next(), parts.next()) {
            let place = span_of(&sign);
            let right = self.operand(right)?;
            left = Operand::Value(self.joined(sign.as_str(), place, left, right)?);
        }
        Ok(left)
    }

    fn joined(&mut self, sign: &str, place: Span, left: Operand, right: Operand) -> Read<Expression> {
        let (left, right) = match (left, right) {
            (Operand::Value(left), Operand::Value(right)) => (left, right),
            (Operand::Nil(from), Operand::Nil(to)) if matches!(sign, "=" | "!=") => {
                return Ok(Expression { kind: ExpressionKind::Literal(Literal::Boolean(false)), span: from.to(to) });
            }
            (Operand::Value(value), Operand::Nil(nil)) | (Operand::Nil(nil), Operand::Value(value)) => {
                self.count_operator(place)?;
                return self.existence(sign, value, nil);
            }
            (Operand::Nil(nil), Operand::Nil(_)) => return self.value(Operand::Nil(nil)),
        };
        if matches!(sign, "=~" | "!~") {
            return self.matched(left, right, sign == "!~", place);
        }
        let operator = match sign {
            "&&" => BinaryOperator::And,
            "||" => BinaryOperator::Or,
            sign => match Comparison::named(sign) {
                Some(comparison) => BinaryOperator::Compare(comparison),
                None => BinaryOperator::Arithmetic(ArithmeticOperator::named(sign).ok_or_else(|| self.missing(place))?),
            },
        };
        self.binary(operator, left, right)
    }

    fn binary(&mut self, operator: BinaryOperator, mut left: Expression, mut right: Expression) -> Read<Expression> {
        let span = left.span.to(right.span);
        self.count_operator(span)?;
        if let BinaryOperator::Compare(Comparison::Equal | Comparison::NotEqual) = operator {
            complete_id(&left.kind, &mut right.kind);
            complete_id(&right.kind, &mut left.kind);
        }
        Ok(Expression { kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)), span })
    }

    /// Reads `x = nil` and `x != nil`.
    fn existence(&self, sign: &str, value: Expression, nil: Span) -> Read<Expression> {
        let is_there = match sign {
            "!=" => true,
            "=" => false,
            _ => return Err(self.error("bare-nil", "nil can only be compared with = and !=", nil)),
        };
        let span = Span { start: value.span.start.min(nil.start), end: value.span.end.max(nil.end) };
        Ok(Expression { kind: ExpressionKind::Exists(Box::new(value), is_there), span })
    }

    fn matched(&mut self, left: Expression, right: Expression, is_negated: bool, place: Span) -> Read<Expression> {
        self.count_operator(place)?;
        let ExpressionKind::Literal(Literal::Text(source)) = right.kind else {
            let message = "a regular expression is a constant text";
            return Err(self.error("pattern-not-constant", message, right.span).with_hint("write name =~ \"GET .*\""));
        };
        self.n_regexes += 1;
        if self.n_regexes > REGEXES_MAX {
            let message = format!("the query has more than {REGEXES_MAX} regular expressions");
            return Err(self.error("too-many-patterns", message, right.span).with_hint("one a|b|c replaces several"));
        }
        // First without the anchors: `a)(b` is not valid.
        let compiled = compile_go_regex(&source).and_then(|_| compile_go_regex(&format!("^(?s:{source})$")));
        let regex = compiled.map_err(|message| self.error("invalid-pattern", message, right.span))?;
        let span = left.span.to(right.span);
        let kind = ExpressionKind::Match(Box::new(left), Pattern { source, regex }, is_negated);
        Ok(Expression { kind, span })
    }

    fn unary(&mut self, pair: Pair<'_, Rule>) -> Read<Operand> {
        let span = span_of(&pair);
        let mut parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
        let last = parts.pop().ok_or_else(|| self.missing(span))?;
        let inner = self.operand(last)?;
        if parts.is_empty() {
            return Ok(inner);
        }
        let mut value = self.value(inner)?;
        for sign in parts.into_iter().rev() {
            let place = span_of(&sign);
            self.count_operator(place)?;
            let span = place.to(value.span);
            let folded = match &value.kind {
                ExpressionKind::Literal(literal) if sign.as_str() == "-" => literal.negated(),
                _ => None,
            };
            let kind = match folded {
                Some(literal) => ExpressionKind::Literal(literal),
                None if sign.as_str() == "!" => ExpressionKind::Not(Box::new(value)),
                None => ExpressionKind::Negate(Box::new(value)),
            };
            value = Expression { kind, span };
        }
        Ok(Operand::Value(value))
    }

    /// Reads a number, duration or text, with a minus where the rule allows it.
    pub(crate) fn literal(&self, pair: &Pair<'_, Rule>) -> Read<Literal> {
        let span = span_of(pair);
        let text = pair.as_str().trim_end();
        let too_large = || self.error("number-too-large", format!("{text} does not fit into 64 bits"), span);
        match pair.as_rule() {
            Rule::number => Literal::of_number(text).ok_or_else(too_large),
            Rule::duration => Literal::of_duration(text).ok_or_else(too_large),
            Rule::constant => {
                let parts: Vec<Pair<'_, Rule>> = pair.clone().into_inner().collect();
                let [.., number] = parts.as_slice() else { return Err(self.missing(span)) };
                let literal = self.literal(number)?;
                if parts.len() > 1 { literal.negated().ok_or_else(too_large) } else { Ok(literal) }
            }
            Rule::string => self.string(text, span).map(Literal::Text),
            _ => Literal::of_word(text).ok_or_else(|| {
                let error = self.error("unknown-word", format!("`{text}` is not a constant"), span);
                with_near(error, text, Literal::words())
            }),
        }
    }

    /// Reads a text in quotes.
    fn string(&self, quoted: &str, span: Span) -> Read<String> {
        let inner = &quoted[1..quoted.len() - 1];
        if quoted.starts_with('`') {
            return Ok(inner.to_owned());
        }
        let mut out = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            let escape = &rest[at + 1..];
            let Some((character, n_bytes)) = escaped(escape) else {
                let start = span.start + 1 + (inner.len() - rest.len()) + at;
                let shown: String = escape.chars().take(1).collect();
                let place = Span { start, end: start + 1 + shown.len() };
                let error = self.error("invalid-escape", format!("`\\{shown}` is not an escape in a text"), place);
                return Err(error.with_hint("write \\\\ for a backslash, or the text in `backticks`"));
            };
            out.push(character);
            rest = &escape[n_bytes..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Reads a field.
    pub(crate) fn field(&self, pair: Pair<'_, Rule>) -> Read<Field> {
        let span = span_of(&pair);
        let inner = pair.into_inner().next().ok_or_else(|| self.missing(span))?;
        let text = inner.as_str();
        match inner.as_rule() {
            Rule::attribute => self.attribute(inner, span),
            _ if text == "parent" => Err(self.parent(span)),
            _ => Intrinsic::of_name(text).map(Field::Intrinsic).ok_or_else(|| {
                let error = self.error("unknown-field", format!("there is no field `{text}`"), span);
                match nearest(text, Intrinsic::names().chain(Literal::words())) {
                    Some(near) => error.with_hint(format!("did you mean {near}, or the attribute .{text}?")),
                    None if text.contains(':') => error.with_hint("attributes have a dot: span.x, resource.x, .x"),
                    None => error.with_hint(format!("attributes begin with a dot or a scope: .{text}, span.{text}")),
                }
            }),
        }
    }

    fn parent(&self, span: Span) -> QueryError {
        let error = self.error("unknown-field", "the parent is no value of its own", span);
        error.with_hint("write parent.x for a field of the parent, and nestedSetParent < 0 for roots")
    }

    fn attribute(&self, pair: Pair<'_, Rule>, span: Span) -> Read<Field> {
        let mut parts = pair.into_inner();
        let before = parts.next().map_or("", |scope| scope.as_str());
        let of_parent = before.strip_prefix("parent");
        let scope = match of_parent.map_or(before, |rest| if rest.len() > 1 { &rest[1..] } else { rest }) {
            "." => Scope::Any,
            "span." => Scope::Span,
            "resource." => Scope::Resource,
            "event." => Scope::Event,
            "link." => Scope::Link,
            "instrumentation." => Scope::Instrumentation,
            "trace." => {
                let error = self.error("unknown-field", "traces have no attributes of their own", span);
                return Err(error.with_hint("write trace:duration, trace:rootName, trace:rootService or trace:id"));
            }
            other => {
                let message = format!("`{}` is no scope of attributes", other.trim_end_matches('.'));
                return Err(self.error("unknown-field", message, span));
            }
        };
        let mut name = String::new();
        for part in parts.next().into_iter().flat_map(Pair::into_inner) {
            match part.as_rule() {
                Rule::quoted_part => name.push_str(&self.quoted_name(&part)?),
                _ => name.push_str(part.as_str()),
            }
        }
        let own = if of_parent.is_some() && scope == Scope::Any { own_field(&name) } else { None };
        let field = own.map_or(Field::Attribute { scope, name: name.into() }, Field::Intrinsic);
        Ok(if of_parent.is_some() { Field::Parent(Box::new(field)) } else { field })
    }

    fn quoted_name(&self, part: &Pair<'_, Rule>) -> Read<String> {
        let text = part.as_str();
        let mut characters = text[1..text.len() - 1].chars();
        let mut name = String::new();
        while let Some(c) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some(escaped @ ('"' | '\\')) => name.push(escaped),
                    _ => {
                        let message = "names in quotes have the escapes \\\" and \\\\ only";
                        return Err(self.error("invalid-escape", message, span_of(part)));
                    }
                },
                c => name.push(c),
            }
        }
        Ok(name)
    }
}

/// Returns the field that `parent.NAME` means if it is one that spans have by themselves.
fn own_field(name: &str) -> Option<Intrinsic> {
    use Intrinsic::{Duration, Kind, Name, Status, StatusMessage};
    Intrinsic::of_name(name).filter(|field| matches!(field, Name | Duration | Status | StatusMessage | Kind))
}

/// Adds a hint at what was probably meant.
pub(crate) fn with_near(error: QueryError, word: &str, words: impl Iterator<Item = &'static str>) -> QueryError {
    match nearest(word, words) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => error,
    }
}

/// Turns an id that a field is compared with into its stored form, with the leading zeros that users leave out.
fn complete_id(field: &ExpressionKind, id: &mut ExpressionKind) {
    let (ExpressionKind::Field(Field::Intrinsic(field)), ExpressionKind::Literal(Literal::Text(id))) = (field, id)
    else {
        return;
    };
    let n_digits = match field {
        Intrinsic::TraceId | Intrinsic::LinkTraceId => TRACE_ID_DIGITS,
        Intrinsic::SpanId | Intrinsic::ParentId | Intrinsic::LinkSpanId => SPAN_ID_DIGITS,
        _ => return,
    };
    if !id.is_empty() && id.len() <= n_digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        *id = format!("{:0>n_digits$}", id.to_ascii_lowercase());
    }
}
