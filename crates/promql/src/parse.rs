//! Reads queries: `promql-parser` decides the shape, this file finds the place of each node and what its words mean.
//!
//! The tree of `promql-parser` carries no places, and it computes with durations that may not fit. So the words are read
//! here first, what it could not bear is refused, and then its tree and the words are walked side by side.

use std::sync::Arc;

use promql_parser::parser::Expr as Shape;

use crate::check;
use crate::error::ParseError;
use crate::function;
use crate::labels::METRIC_NAME;
use crate::lexer::{DURATION_MAX, Token, Word, duration, number, tokens, unquote};
use crate::matcher::Matcher;
use crate::syntax::{Aggregation, At, Expr, Grouping, Many, Matching, Node, Operator, Selector, Shift};

/// Reads and checks a query.
pub(crate) fn parse(text: &str) -> Result<Node, ParseError> {
    let words = tokens(text)?;
    check::check_brackets(text, &words)?;
    check_words(text, &words)?;
    refuse_unknown(text, &words)?;
    let shape = promql_parser::parser::parse(&shape_text(text, &words))
        .map_err(|message| check::syntax_error(text, &words, &message))?;
    let mut reader = Reader { text, words, at: 0 };
    let node = reader.node(&shape)?;
    if reader.at != reader.words.len() {
        return Err(reader.unexpected("the end"));
    }
    check::check(&node)?;
    Ok(node)
}

/// Returns a query in its usual layout: each part that is too long for a line on lines of its own.
///
/// Errors: what is wrong with which bytes.
pub fn format(text: &str) -> Result<String, ParseError> {
    parse(text)?;
    let refused = |message: String| ParseError::new(0..text.len(), format!("the query cannot be laid out: {message}"));
    promql_parser::parser::parse(text).map_err(refused).and_then(|shape| with_signs(&shape.prettify()))
}

/// Writes infinity as Prometheus does, with its sign.
fn with_signs(text: &str) -> Result<String, ParseError> {
    let mut signed = text.to_owned();
    for token in tokens(text)?.iter().rev().filter(|token| token.word == Word::Number) {
        let at = token.span.start;
        let has_sign = text[..at].ends_with(['+', '-']);
        if text[token.span.clone()].eq_ignore_ascii_case("inf") {
            signed.replace_range(token.span.clone(), if has_sign { "Inf" } else { "+Inf" });
        }
    }
    Ok(signed)
}

/// Refuses what `promql-parser` must not see: numbers that do not fit into its durations and times.
fn check_words(text: &str, words: &[Token]) -> Result<(), ParseError> {
    let word = |at: usize| words.get(at).map_or("", |token| &text[token.span.clone()]);
    for (at, token) in words.iter().enumerate().filter(|(_, token)| token.word == Word::Number) {
        let signed = at > 0 && matches!(word(at - 1), "+" | "-");
        let before = if signed { word(at.saturating_sub(2)) } else { word(at.saturating_sub(1)) };
        let value = number(&text[token.span.clone()]).unwrap_or(f64::NAN);
        let limit = match before.to_ascii_lowercase().as_str() {
            "[" | ":" | "offset" => DURATION_MAX as f64 / 1000.0,
            "@" => (1_u64 << 53) as f64 / 1000.0,
            _ => continue,
        };
        if !value.is_finite() || value > limit {
            let message = format!("{:?} is not a time in seconds of at most {limit}", &text[token.span.clone()]);
            return Err(ParseError::new(token.span.clone(), message));
        }
    }
    Ok(())
}

/// Returns the words as `promql-parser` is to see them: without what it does not read, but of the same shape.
///
/// Conditions, numbers, durations and texts become such that it accepts, since the real ones are read here; `start()` and
/// `end()` become calls.
fn shape_text(text: &str, words: &[Token]) -> String {
    let word = |at: usize| words.get(at).map_or("", |token| &text[token.span.clone()]);
    let (mut shape, mut in_braces) = (String::with_capacity(text.len()), false);
    for (at, token) in words.iter().enumerate() {
        let is_sign = token.word == Word::Sign;
        match word(at) {
            "{" if is_sign => {
                in_braces = true;
                shape.push_str("{a=\"b\"}");
            }
            "}" if is_sign => in_braces = false,
            _ if in_braces => {}
            _ if token.word == Word::Quoted => shape.push_str(" \"a\""),
            _ if matches!(token.word, Word::Number | Word::Duration) => shape.push_str(" 1"),
            // Names to Prometheus, save behind a selector.
            "anchored" | "smoothed" => shape.push_str(" a"),
            // Their precedence is that of comparisons; `bool` makes them stand between scalars, which is checked here.
            "</" | ">/" => shape.push_str(" < bool"),
            "start" | "end" if word(at + 1) == "(" && (at == 0 || word(at - 1) != "@") => shape.push_str(" pi"),
            other => {
                shape.push(' ');
                shape.push_str(other);
            }
        }
    }
    shape
}

/// Words after which an operand begins. What follows any other name modifies that metric.
const BEFORE_OPERANDS: [&str; 12] =
    ["and", "or", "unless", "atan2", "bool", "on", "ignoring", "group_left", "group_right", "by", "without", "offset"];

/// Refuses by name what Prometheus reads as an experiment and `promql-parser` does not.
fn refuse_unknown(text: &str, words: &[Token]) -> Result<(), ParseError> {
    let mut open: Vec<&str> = Vec::new();
    let word = |at: usize| words.get(at).map_or("", |token| &text[token.span.clone()]);
    for (at, token) in words.iter().enumerate() {
        let fail = |what: &str| {
            Err(ParseError::new(token.span.clone(), format!("{what}, which is experimental, is not supported")))
        };
        let before = if at > 1 && matches!(word(at - 1), "+" | "-") { at - 2 } else { at.wrapping_sub(1) };
        let is_offset = word(before).eq_ignore_ascii_case("offset");
        match word(at) {
            _ if token.word == Word::Quoted => {}
            sign @ ("(" | "[" | "{") => {
                if open.last() == Some(&"[") || is_offset {
                    return fail("arithmetic in a duration");
                }
                open.push(sign);
            }
            ")" | "]" | "}" => {
                open.pop();
            }
            "+" | "-" | "*" | "/" | "%" | "^" if open.last() == Some(&"[") => return fail("arithmetic in a duration"),
            name if token.word == Word::Name && (open.last() == Some(&"[") || is_offset && word(at + 1) == "(") => {
                return fail(&format!("{name:?} in a duration"));
            }
            modifier @ ("anchored" | "smoothed") if at > 0 && ends_operand(text, &words[at - 1]) => {
                return fail(&format!("modifier {modifier:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reports whether a selector may end with a word.
fn ends_operand(text: &str, token: &Token) -> bool {
    let word = &text[token.span.clone()];
    match token.word {
        Word::Sign => matches!(word, "]" | "}"),
        Word::Name => !BEFORE_OPERANDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)),
        Word::Number | Word::Duration => true,
        Word::Quoted => false,
    }
}

struct Reader<'a> {
    text: &'a str,
    words: Vec<Token>,
    at: usize,
}

impl Reader<'_> {
    fn word(&self) -> &str {
        self.words.get(self.at).map_or("", |token| &self.text[token.span.clone()])
    }

    fn is(&self, word: &str) -> bool {
        self.words.get(self.at).is_some_and(|token| token.word != Word::Quoted)
            && self.word().eq_ignore_ascii_case(word)
    }

    fn skip(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), ParseError> {
        if self.skip(word) { Ok(()) } else { Err(self.unexpected(&format!("{word:?}"))) }
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        let end = self.text.len();
        let span = self.words.get(self.at).map_or(end..end, |token| token.span.clone());
        ParseError::new(span, format!("unexpected {:?}, expected {wanted}", self.word()))
    }

    fn take(&mut self, accept: &[Word], wanted: &str) -> Result<(Word, String), ParseError> {
        match self.words.get(self.at) {
            Some(token) if accept.contains(&token.word) => {
                let found = (token.word, self.text[token.span.clone()].to_owned());
                self.at += 1;
                Ok(found)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    /// Reads the words of a node of this shape.
    fn node(&mut self, shape: &Shape) -> Result<Node, ParseError> {
        // The tree has no unary plus, which changes nothing where it is allowed.
        let mut has_plus = false;
        while self.skip("+") {
            has_plus = true;
        }
        let start = self.words.get(self.at).map_or(self.text.len(), |token| token.span.start);
        let expr = self.expr(shape)?;
        let end = self.at.checked_sub(1).and_then(|at| self.words.get(at)).map_or(start, |token| token.span.end);
        let node = Node { expr, span: start..end };
        if has_plus {
            check::expect_signed(&node)?;
        }
        Ok(node)
    }

    fn boxed(&mut self, shape: &Shape) -> Result<Box<Node>, ParseError> {
        self.node(shape).map(Box::new)
    }

    fn expr(&mut self, shape: &Shape) -> Result<Expr, ParseError> {
        match shape {
            Shape::NumberLiteral(_) => self.literal(),
            Shape::StringLiteral(_) => Ok(Expr::Text(self.quoted()?.into())),
            Shape::Unary(unary) => {
                self.expect("-")?;
                Ok(Expr::Negate(self.boxed(&unary.expr)?))
            }
            Shape::Paren(paren) => {
                self.expect("(")?;
                let inner = self.boxed(&paren.expr)?;
                self.expect(")")?;
                Ok(Expr::Paren(inner))
            }
            Shape::VectorSelector(_) => {
                let matchers = self.matchers()?;
                Ok(Expr::Selector(Selector { matchers, shift: self.shift()? }))
            }
            Shape::MatrixSelector(_) => {
                let matchers = self.matchers()?;
                self.expect("[")?;
                let range = self.positive_duration()?;
                self.expect("]")?;
                Ok(Expr::Matrix(Selector { matchers, shift: self.shift()? }, range))
            }
            Shape::Subquery(subquery) => {
                let inner = self.boxed(&subquery.expr)?;
                self.expect("[")?;
                let range = self.positive_duration()?;
                self.expect(":")?;
                let step = if self.is("]") { None } else { Some(self.positive_duration()?) };
                self.expect("]")?;
                Ok(Expr::Subquery { inner, range, step, shift: self.shift()? })
            }
            Shape::Call(call) => self.call(&call.args.args),
            Shape::Aggregate(aggregate) => self.aggregate(aggregate),
            Shape::Binary(binary) => self.binary(binary),
            Shape::Extension(_) => Err(self.unexpected("an expression")),
        }
    }

    fn literal(&mut self) -> Result<Expr, ParseError> {
        let mut sign = 1.0;
        while self.is("-") || self.is("+") {
            sign = if self.is("-") { -sign } else { sign };
            self.at += 1;
        }
        let (word, text) = self.take(&[Word::Number, Word::Duration], "a number")?;
        let value = match word {
            Word::Duration => duration(&text).ok().map(|ms| ms as f64 / 1000.0),
            _ => number(&text),
        };
        value.map(|value| Expr::Number(sign * value)).ok_or_else(|| self.unexpected("a number"))
    }

    fn quoted(&mut self) -> Result<String, ParseError> {
        let at = self.at;
        let (_, text) = self.take(&[Word::Quoted], "a quoted string")?;
        unquote(&text).map_err(|message| ParseError::new(self.words[at].span.clone(), message))
    }

    /// Reads a duration, or a number of seconds, in ms.
    fn duration(&mut self) -> Result<i64, ParseError> {
        let (word, text) = self.take(&[Word::Number, Word::Duration], "a duration")?;
        let span = self.words[self.at - 1].span.clone();
        match word {
            Word::Duration => duration(&text).map_err(|message| ParseError::new(span, message)),
            _ => Ok((number(&text).unwrap_or(0.0) * 1000.0).round() as i64),
        }
    }

    fn positive_duration(&mut self) -> Result<i64, ParseError> {
        let at = self.at;
        match self.duration()? {
            0 => Err(ParseError::new(self.words[at].span.clone(), "duration must be greater than 0")),
            ms => Ok(ms),
        }
    }

    /// Reads `offset` and `@`, in any order.
    fn shift(&mut self) -> Result<Shift, ParseError> {
        let mut shift = Shift::default();
        loop {
            if self.skip("offset") {
                let negative = self.is("-");
                if self.is("-") || self.is("+") {
                    self.at += 1;
                }
                let ms = self.duration()?;
                shift.offset = if negative { -ms } else { ms };
            } else if self.skip("@") {
                shift.at = Some(self.at_time()?);
            } else {
                return Ok(shift);
            }
        }
    }

    fn at_time(&mut self) -> Result<At, ParseError> {
        for (name, at) in [("start", At::Start), ("end", At::End)] {
            if self.skip(name) {
                self.expect("(")?;
                self.expect(")")?;
                return Ok(at);
            }
        }
        match self.literal()? {
            Expr::Number(seconds) => Ok(At::Time((seconds * 1000.0).round() as i64)),
            _ => Err(self.unexpected("a time in seconds")),
        }
    }

    fn matchers(&mut self) -> Result<Vec<Matcher>, ParseError> {
        let start = self.at;
        let mut found = Vec::new();
        let equal = |name: &str, value: &str| Matcher::new(name, "=", value).map_err(|m| ParseError::new(0..0, m));
        if !self.is("{") {
            let (_, name) = self.take(&[Word::Name], "a metric name")?;
            found.push(equal(METRIC_NAME, &name)?);
        }
        let is_named = !found.is_empty();
        if self.skip("{") {
            while !self.skip("}") {
                let at = self.at;
                let quoted = self.words.get(at).is_some_and(|token| token.word == Word::Quoted);
                let name =
                    if quoted { self.quoted()? } else { self.take(&[Word::Name, Word::Number], "a label name")?.1 };
                if quoted && (self.is(",") || self.is("}")) {
                    if found.iter().any(|m| *m.name == *METRIC_NAME) && at > start {
                        let message = "metric name must not be set twice";
                        return Err(ParseError::new(self.words[at].span.clone(), message));
                    }
                    found.push(equal(METRIC_NAME, &name)?);
                } else {
                    let (_, operator) = self.take(&[Word::Sign], "one of = != =~ !~")?;
                    let value = self.quoted()?;
                    let span = self.words[at].span.start..self.words[self.at - 1].span.end;
                    if is_named && name == METRIC_NAME {
                        let message = format!("metric name must not be set twice: {:?} or {value:?}", found[0].value);
                        return Err(ParseError::new(self.words[start].span.start..span.end, message));
                    }
                    found.push(Matcher::new(&name, &operator, &value).map_err(|m| ParseError::new(span, m))?);
                }
                if !self.is("}") {
                    self.expect(",")?;
                }
            }
        }
        Ok(found)
    }

    /// Reads names of labels in parentheses.
    fn names(&mut self) -> Result<Vec<Arc<str>>, ParseError> {
        let mut names: Vec<Arc<str>> = Vec::new();
        self.expect("(")?;
        while !self.skip(")") {
            if self.words.get(self.at).is_some_and(|token| token.word == Word::Quoted) {
                names.push(self.quoted()?.into());
            } else {
                names.push(self.take(&[Word::Name, Word::Number], "a label name")?.1.into());
            }
            if !self.is(")") {
                self.expect(",")?;
            }
        }
        Ok(names)
    }

    fn args(&mut self, shapes: &[Box<Shape>]) -> Result<Vec<Node>, ParseError> {
        let mut args = Vec::with_capacity(shapes.len());
        self.expect("(")?;
        for (at, shape) in shapes.iter().enumerate() {
            if at > 0 {
                self.expect(",")?;
            }
            args.push(self.node(shape)?);
        }
        self.expect(")")?;
        Ok(args)
    }

    fn call(&mut self, shapes: &[Box<Shape>]) -> Result<Expr, ParseError> {
        let at = self.at;
        let (_, name) = self.take(&[Word::Name], "a function name")?;
        let function = function::find(&name).ok_or_else(|| {
            ParseError::new(self.words[at].span.clone(), format!("unknown function with name {name:?}"))
        })?;
        Ok(Expr::Call(function, self.args(shapes)?))
    }

    fn aggregate(&mut self, shape: &promql_parser::parser::AggregateExpr) -> Result<Expr, ParseError> {
        let (_, name) = self.take(&[Word::Name], "an aggregation")?;
        let found = Aggregation::ALL.iter().find(|(text, _)| text.eq_ignore_ascii_case(&name));
        let aggregation = found.ok_or_else(|| self.unexpected("an aggregation"))?.1;
        let mut grouping = self.grouping()?;
        let shapes: Vec<Box<Shape>> = shape.param.iter().chain([&shape.expr]).cloned().collect();
        let mut args = self.args(&shapes)?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let inner = Box::new(args.pop().ok_or_else(|| self.unexpected("an argument"))?);
        let param = args.pop().map(Box::new);
        Ok(Expr::Aggregate { aggregation, param, inner, grouping: grouping.unwrap_or_default() })
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let without = self.is("without");
        if without || self.is("by") {
            self.at += 1;
            return Ok(Some(Grouping { labels: self.names()?, without }));
        }
        Ok(None)
    }

    fn binary(&mut self, shape: &promql_parser::parser::BinaryExpr) -> Result<Expr, ParseError> {
        let left = self.boxed(&shape.lhs)?;
        let found = Operator::ALL.iter().find(|(text, _)| self.is(text));
        let operator = found.ok_or_else(|| self.unexpected("an operator"))?.1;
        self.at += 1;
        let return_bool = self.skip("bool");
        let matching = self.matching()?;
        let right = self.boxed(&shape.rhs)?;
        Ok(Expr::Binary { operator, left, right, matching, return_bool })
    }

    fn matching(&mut self) -> Result<Matching, ParseError> {
        let mut matching = Matching { on: self.is("on"), ..Matching::default() };
        if self.is("on") || self.is("ignoring") {
            self.at += 1;
            matching.labels = self.names()?;
        }
        for (name, many) in [("group_left", Many::Left), ("group_right", Many::Right)] {
            if self.skip(name) {
                matching.many = many;
                matching.include = if self.is("(") { self.names()? } else { Vec::new() };
            }
        }
        loop {
            let (left, right) = (self.is("fill_left"), self.is("fill_right"));
            // A metric may be called so as well.
            let opens = self.words.get(self.at + 1).is_some_and(|token| &self.text[token.span.clone()] == "(");
            if !opens || !(left || right || self.is("fill")) {
                return Ok(matching);
            }
            self.at += 1;
            self.expect("(")?;
            let Expr::Number(value) = self.literal()? else { return Err(self.unexpected("a number")) };
            self.expect(")")?;
            matching.fill_left = if right { matching.fill_left } else { Some(value) };
            matching.fill_right = if left { matching.fill_right } else { Some(value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn words_of_experiments_are_names_of_metrics_too() {
        assert!(parse("sum(smoothed) + anchored{a=\"b\"}").is_ok());
        assert!(parse("a and smoothed or on (b) anchored").is_ok());
        assert!(parse("rate(a[5m] smoothed)").is_err());
    }

    #[test]
    fn a_plus_stands_before_numbers_and_vectors_alone() {
        assert!(parse("+1 + +a").is_ok());
        for text in ["+\"a\"", "+a[5m]", "label_replace(a, +\"b\", \"\", \"\", \"\")"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn infinity_is_laid_out_with_its_sign() {
        assert_eq!(format("a>inf").as_deref(), Ok("a > +Inf"));
        assert_eq!(format("a > -Inf").as_deref(), Ok("a > -Inf"));
    }
}
