//! Templates of `line_format` and `label_format`: Go's, as far as values and functions of them go.
//!
//! A template becomes one expression, so that it runs over columns like any other. Conditions and loops are refused by
//! name. A label that an event does not have is the empty text.

use pest::iterators::Pair;
use types::Value;

use super::Rule;
use super::read::{Reader, span_of};
use crate::error::{QueryError, Span};
use crate::function::Function;
use crate::plan::{ArithmeticOperator, Expr};

/// A piece of what stands between braces.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Label(String),
    Word(String),
    Text(String),
    Number(f64),
    Pipe,
    Open,
    Close,
}

/// Reads the template in a text of the query.
pub(super) fn read(reader: &mut Reader<'_>, pair: &Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let (written, span) = (reader.string(pair)?, span_of(pair));
    let (mut parts, mut rest, mut is_trimmed) = (Vec::new(), written.as_str(), false);
    while let Some(at) = rest.find("{{") {
        let Some(n_bytes) = rest[at + 2..].find("}}") else {
            return Err(reader.error("bad-template", "this template has {{ without }}", span));
        };
        let mut action = &rest[at + 2..at + 2 + n_bytes];
        let mut before = if is_trimmed { rest[..at].trim_start() } else { &rest[..at] };
        if let Some(inner) = action.strip_prefix("- ") {
            (action, before) = (inner, before.trim_end());
        }
        push_text(&mut parts, before);
        is_trimmed = action.ends_with(" -");
        let tokens = tokens(reader, action.trim_end_matches('-'), span)?;
        if !tokens.is_empty() {
            let mut actions = Actions { reader, tokens: &tokens, at: 0, span };
            parts.push(or_empty(actions.whole()?));
        }
        rest = &rest[at + 2 + n_bytes + 2..];
    }
    push_text(&mut parts, if is_trimmed { rest.trim_start() } else { rest });
    if parts.is_empty() {
        parts.push(text(""));
    }
    Ok(Expr::Call(Function::Concat, parts))
}

fn push_text(parts: &mut Vec<Expr>, literal: &str) {
    if !literal.is_empty() {
        parts.push(text(literal));
    }
}

fn text(literal: &str) -> Expr {
    Expr::Literal(Some(Value::text(literal)))
}

/// What is not there is the empty text.
fn or_empty(value: Expr) -> Expr {
    match value {
        Expr::Literal(Some(_)) => value,
        value => Expr::Call(Function::Coalesce, vec![value, text("")]),
    }
}

fn tokens(reader: &Reader<'_>, action: &str, span: Span) -> Result<Vec<Token>, QueryError> {
    let mut tokens = Vec::new();
    let mut rest = action.trim_start();
    if rest.starts_with("/*") {
        return Ok(tokens);
    }
    while let Some(first) = rest.chars().next() {
        let n_bytes = match first {
            '|' | '(' | ')' => {
                tokens.push(match first {
                    '|' => Token::Pipe,
                    '(' => Token::Open,
                    _ => Token::Close,
                });
                1
            }
            '"' | '`' => {
                let (literal, n_bytes) = quoted(rest, first)
                    .ok_or_else(|| reader.error("bad-template", "a text in this template has no end", span))?;
                tokens.push(Token::Text(literal));
                n_bytes
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "|()\"`".contains(c)).unwrap_or(rest.len());
                let word = &rest[..end];
                tokens.push(match (word.strip_prefix('.'), word.parse::<f64>()) {
                    (_, Ok(number)) if number.is_finite() => Token::Number(number),
                    (Some(name), _) => Token::Label(name.to_owned()),
                    _ => Token::Word(word.to_owned()),
                });
                end
            }
        };
        rest = rest[n_bytes..].trim_start();
    }
    Ok(tokens)
}

/// A text in quotes at the start, and how long it is with them.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let (mut literal, mut is_escaped) = (String::new(), false);
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => {
                is_escaped = false;
                literal.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
            }
            '\\' if quote == '"' => is_escaped = true,
            c if c == quote => return Some((literal, at + 1)),
            c => literal.push(c),
        }
    }
    None
}

/// What stands between one pair of braces.
struct Actions<'a, 'q> {
    reader: &'a mut Reader<'q>,
    tokens: &'a [Token],
    at: usize,
    span: Span,
}

impl Actions<'_, '_> {
    fn error(&self, message: impl Into<String>) -> QueryError {
        self.reader.error("bad-template", message, self.span)
    }

    fn whole(&mut self) -> Result<Expr, QueryError> {
        let value = self.pipeline()?;
        if self.at < self.tokens.len() {
            return Err(self.error("a bracket in this template closes nothing"));
        }
        Ok(value)
    }

    /// Commands with `|` between: what one gives is the last argument of the next.
    fn pipeline(&mut self) -> Result<Expr, QueryError> {
        self.reader.nest(self.span)?;
        let mut value = None;
        loop {
            value = Some(self.command(value)?);
            if self.tokens.get(self.at) != Some(&Token::Pipe) {
                break;
            }
            self.at += 1;
        }
        value.ok_or_else(|| self.error("a value is missing in this template"))
    }

    fn command(&mut self, piped: Option<Expr>) -> Result<Expr, QueryError> {
        let word = match self.tokens.get(self.at) {
            Some(Token::Word(word)) if !is_value(word) => {
                self.at += 1;
                Some(word.clone())
            }
            _ => None,
        };
        let mut arguments = Vec::new();
        while let Some(argument) = self.operand()? {
            arguments.push(argument);
        }
        arguments.extend(piped);
        match word {
            Some(word) => self.call(&word, arguments),
            None if arguments.len() == 1 => arguments.pop().ok_or_else(|| self.error("a value is missing")),
            None => Err(self.error("one value is expected between {{ and }}: write {{.label}}")),
        }
    }

    fn operand(&mut self) -> Result<Option<Expr>, QueryError> {
        let operand = match self.tokens.get(self.at) {
            Some(Token::Label(name)) => self.reader.sight.label(name),
            Some(Token::Text(literal)) => text(literal),
            Some(Token::Number(number)) => Expr::Literal(Some(number_value(*number))),
            Some(Token::Word(word)) if word == "__line__" => Expr::Field("@message".into()),
            Some(Token::Word(word)) if word == "__timestamp__" => Expr::Field("@timestamp".into()),
            Some(Token::Word(word)) => return Err(self.error(format!("`{word}` cannot stand here in a template"))),
            Some(Token::Open) => {
                self.at += 1;
                let inner = self.pipeline()?;
                if self.tokens.get(self.at) != Some(&Token::Close) {
                    return Err(self.error("a bracket in this template is not closed"));
                }
                inner
            }
            Some(Token::Pipe | Token::Close) | None => return Ok(None),
        };
        self.at += 1;
        Ok(Some(operand))
    }

    /// A function of Go's templates, of Loki's or of sprig's, as one of ours.
    fn call(&self, name: &str, mut arguments: Vec<Expr>) -> Result<Expr, QueryError> {
        use Function::{Concat, IsEmpty, Replace, Substring, ToLower, ToUpper, Trim, TrimEnd, TrimStart};
        let n_arguments = arguments.len();
        let call = |function: Function, arguments: Vec<Expr>| Ok(Expr::Call(function, arguments));
        match (name, n_arguments) {
            ("ToLower" | "lower", 1) => call(ToLower, arguments),
            ("ToUpper" | "upper", 1) => call(ToUpper, arguments),
            ("TrimSpace" | "trim", 1) => call(Trim, arguments),
            ("Trim", 2) => call(Trim, arguments),
            ("TrimLeft", 2) => call(TrimStart, arguments),
            ("TrimRight", 2) => call(TrimEnd, arguments),
            ("trimAll", 2) => {
                arguments.reverse();
                call(Trim, arguments)
            }
            ("Replace", 4) => {
                arguments.pop();
                call(Replace, arguments)
            }
            ("replace", 3) => {
                arguments.rotate_right(1);
                call(Replace, arguments)
            }
            ("trunc", 2) => {
                arguments.reverse();
                arguments.insert(1, Expr::Literal(Some(Value::Integer(0))));
                call(Substring, arguments)
            }
            ("substr", 3) => {
                let length = self.number("sub", vec![arguments[1].clone(), arguments[0].clone()])?;
                call(Substring, vec![arguments[2].clone(), arguments[0].clone(), length])
            }
            ("default", 2) => {
                let (value, otherwise) = (arguments[1].clone(), arguments[0].clone());
                call(Function::If, vec![Expr::Call(IsEmpty, vec![value.clone()]), otherwise, value])
            }
            ("print" | "printf", 1..) => call(
                Concat,
                if name == "print" { arguments.into_iter().map(or_empty).collect() } else { self.printf(arguments)? },
            ),
            ("urldecode", 1) => call(Function::UrlDecode, arguments),
            ("b64dec", 1) => call(Function::Base64Decode, arguments),
            ("regexReplaceAll", 3) => {
                let pattern = match &arguments[0] {
                    Expr::Literal(Some(pattern)) => self.reader.regex(&pattern.to_string(), self.span)?,
                    _ => return Err(self.error("regexReplaceAll takes its expression in quotes")),
                };
                let (value, with) = (arguments[1].clone(), arguments[2].clone());
                call(Function::RegexpReplace, vec![value, Expr::Regex(pattern), with])
            }
            _ => self.number(name, arguments),
        }
    }

    /// Functions of numbers.
    fn number(&self, name: &str, arguments: Vec<Expr>) -> Result<Expr, QueryError> {
        let operator = match (name, arguments.len()) {
            ("len", 1) => return Ok(Expr::Call(Function::ByteLength, arguments)),
            ("bytes", 1) => return Ok(Expr::Call(Function::ParseBytes, arguments)),
            ("int" | "float64", 1) => return Ok(Expr::Call(Function::ToNumber, arguments)),
            ("duration" | "duration_seconds", 1) => {
                // Ours gives milliseconds.
                let milliseconds = Box::new(Expr::Call(Function::ParseDuration, arguments));
                let thousand = Box::new(Expr::Literal(Some(Value::Float(1000.0))));
                return Ok(Expr::Arithmetic(ArithmeticOperator::Divide, milliseconds, thousand));
            }
            ("add" | "addf", 2..) => ArithmeticOperator::Add,
            ("sub" | "subf", 2) => ArithmeticOperator::Subtract,
            ("mul" | "mulf", 2..) => ArithmeticOperator::Multiply,
            ("divf", 2) => ArithmeticOperator::Divide,
            ("mod", 2) => ArithmeticOperator::Remainder,
            (_, n_arguments) => {
                let message = format!("`{name}` with {n_arguments} arguments does not work in templates yet");
                let error = self.reader.error("not-supported-yet", message, self.span);
                return Err(error.with_hint("what works: {{.label}} and functions of it such as {{.label | ToUpper}}"));
            }
        };
        let joined = arguments.into_iter().reduce(|a, b| Expr::Arithmetic(operator, Box::new(a), Box::new(b)));
        joined.ok_or_else(|| self.error(format!("{name} needs numbers")))
    }

    /// `printf` with `%s`, `%v` and `%d` without widths: the parts one after the other.
    fn printf(&self, arguments: Vec<Expr>) -> Result<Vec<Expr>, QueryError> {
        let mut arguments = arguments.into_iter();
        let Some(Expr::Literal(Some(form))) = arguments.next() else {
            return Err(self.error("printf takes its form in quotes first"));
        };
        let (form, mut parts) = (form.to_string(), Vec::new());
        let mut rest = form.as_str();
        while let Some(at) = rest.find('%') {
            push_text(&mut parts, &rest[..at]);
            match rest[at + 1..].chars().next() {
                Some('s' | 'v' | 'd') => {
                    let argument = arguments.next().ok_or_else(|| self.error("printf has too few arguments"))?;
                    parts.push(or_empty(argument));
                }
                Some('%') => parts.push(text("%")),
                _ => return Err(self.error("of printf only %s, %v, %d and %% work")),
            }
            rest = &rest[at + 2..];
        }
        push_text(&mut parts, rest);
        Ok(if parts.is_empty() { vec![text("")] } else { parts })
    }
}

fn is_value(word: &str) -> bool {
    matches!(word, "__line__" | "__timestamp__")
}

fn number_value(number: f64) -> Value {
    // Whole numbers below 2^53 are the same as integers.
    if number.fract() == 0.0 && number.abs() < 9e15 { Value::Integer(number as i64) } else { Value::Float(number) }
}
