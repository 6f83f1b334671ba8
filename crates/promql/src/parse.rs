//! Reads queries into trees: operators by their precedence, everything else by its first word.

use std::sync::Arc;

use crate::check;
use crate::duration::milliseconds;
use crate::error::ParseError;
use crate::function::{self, Kind};
use crate::labels::METRIC_NAME;
use crate::lexer::{TIME_MAX, Token, Word, duration, number, tokens, unquote};
use crate::matcher::{MatchKind, Matcher};
use crate::syntax::{
    Aggregation, At, Edges, Expr, Grouping, Length, Many, Matching, Node, Operator, Selector, Shift, Span,
};

/// Words that are no names of metrics, but in braces.
const RESERVED: [&str; 6] = ["atan2", "bool", "group_left", "group_right", "ignoring", "on"];

/// Returns a node with a minus before it, which begins at `start`.
fn negated(inner: Node, start: usize) -> Node {
    let span = start..inner.span.end;
    let expr = match inner.expr {
        Expr::Number(value) => Expr::Number(-value),
        _ => Expr::Negate(Box::new(inner)),
    };
    Node { expr, span }
}

/// Reads and checks a query.
pub(crate) fn parse(text: &str) -> Result<Node, ParseError> {
    let words = tokens(text)?;
    if words.is_empty() {
        return Err(ParseError::new(0..text.len(), "no expression found in input"));
    }
    let mut reader = Reader { text, words, at: 0 };
    let node = reader.expression(0)?;
    if reader.at < reader.words.len() {
        return Err(reader.unexpected("an operator"));
    }
    check::check(&node)?;
    Ok(node)
}

fn with_computed(node: Node, durations: Vec<(Length, Node)>) -> Node {
    if durations.is_empty() {
        return node;
    }
    Node { span: node.span.clone(), expr: Expr::Computed(Box::new(node), durations) }
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
        self.word().eq_ignore_ascii_case(word)
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    fn kind(&self) -> Option<Word> {
        self.words.get(self.at).map(|token| token.word)
    }

    fn next_is(&self, word: &str) -> bool {
        self.words.get(self.at + 1).is_some_and(|token| self.text[token.span.clone()].eq_ignore_ascii_case(word))
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
        if let Some(token) = self.words.get(self.at) {
            return ParseError::new(token.span.clone(), format!("unexpected {:?}, expected {wanted}", self.word()));
        }
        let last = self.words.last().map_or(0..0, |token| token.span.clone());
        let message = format!("unexpected end of input after {:?}", &self.text[last.clone()]);
        ParseError::new(last.end..self.text.len(), message)
    }

    /// Returns where the word lies that was read last.
    fn last(&self) -> Span {
        self.at.checked_sub(1).and_then(|at| self.words.get(at)).map_or(0..0, |token| token.span.clone())
    }

    /// Returns where the next word begins.
    fn start(&self) -> usize {
        self.words.get(self.at).map_or(self.text.len(), |token| token.span.start)
    }

    fn take(&mut self, accept: &[Word], wanted: &str) -> Result<String, ParseError> {
        if !self.kind().is_some_and(|kind| accept.contains(&kind)) {
            return Err(self.unexpected(wanted));
        }
        self.at += 1;
        Ok(self.text[self.last()].to_owned())
    }

    /// Reads operands and the operators between them that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Node, ParseError> {
        let mut left = self.operand()?;
        while let Some((_, operator)) = Operator::ALL.iter().find(|(text, _)| self.is(text)) {
            let level = operator.level();
            if level < least {
                break;
            }
            self.at += 1;
            let return_bool = self.skip("bool");
            let matching = self.matching()?;
            let right = self.expression(if *operator == Operator::Pow { level } else { level + 1 })?;
            let span = left.span.start..right.span.end;
            let (operator, sides) = (*operator, (Box::new(left), Box::new(right)));
            let expr = Expr::Binary { operator, left: sides.0, right: sides.1, matching, return_bool };
            left = Node { expr, span };
        }
        Ok(left)
    }

    /// Reads an operand with its signs and modifiers.
    fn operand(&mut self) -> Result<Node, ParseError> {
        let start = self.start();
        // The tree has no unary plus, which changes nothing where it is allowed.
        if self.skip("+") {
            let node = self.expression(Operator::Pow.level())?;
            check::expect_signed(&node)?;
            return Ok(node);
        }
        if self.skip("-") {
            return Ok(negated(self.expression(Operator::Pow.level())?, start));
        }
        let expr = self.primary()?;
        let mut node = Node { expr, span: start..self.last().end };
        let mut computed = Vec::new();
        loop {
            if self.is("[") {
                node = self.ranged(with_computed(node, std::mem::take(&mut computed)), &mut computed)?;
            } else if self.is_any(&["offset", "@", "anchored", "smoothed"]) {
                self.shift(&mut node, &mut computed)?;
            } else {
                return Ok(with_computed(node, computed));
            }
            node.span.end = self.last().end;
        }
    }

    fn primary(&mut self) -> Result<Expr, ParseError> {
        match self.kind() {
            Some(Word::Number | Word::Duration) => self.literal().map(Expr::Number),
            Some(Word::Quoted) => Ok(Expr::Text(self.quoted()?.into())),
            Some(Word::Name) if !self.is_any(&RESERVED) => self.named(),
            _ if self.is("{") => self.selector(),
            _ if self.skip("(") => {
                let inner = Box::new(self.expression(0)?);
                self.expect(")")?;
                Ok(Expr::Paren(inner))
            }
            _ => Err(self.unexpected("an operand")),
        }
    }

    /// Reads an aggregation, a call or a selector.
    fn named(&mut self) -> Result<Expr, ParseError> {
        let aggregation = Aggregation::ALL.iter().find(|(text, _)| self.is(text));
        if let Some((_, aggregation)) = aggregation
            && ["(", "by", "without"].iter().any(|word| self.next_is(word))
        {
            return self.aggregate(*aggregation);
        }
        if !self.next_is("(") {
            return self.selector();
        }
        let is_duration = self.is_any(&["step", "range", "min_of", "max_of"]);
        let name = if is_duration { self.word().to_ascii_lowercase() } else { self.word().to_owned() };
        let function = function::find(&name).ok_or_else(|| {
            ParseError::new(self.words[self.at].span.clone(), format!("unknown function with name '{}'", self.word()))
        })?;
        self.at += 1;
        Ok(Expr::Call(function, self.args()?))
    }

    fn aggregate(&mut self, aggregation: Aggregation) -> Result<Expr, ParseError> {
        self.at += 1;
        let at = self.last();
        let before = self.grouping()?;
        let mut args = self.args()?;
        let grouping = if before.is_some() { before } else { self.grouping()? }.unwrap_or_default();
        let (wanted, name, got) = (aggregation.n_args(), aggregation.text(), args.len());
        match args.pop().map(Box::new) {
            Some(inner) if got == wanted => {
                Ok(Expr::Aggregate { aggregation, param: args.pop().map(Box::new), inner, grouping })
            }
            _ => Err(ParseError::new(at, format!("expected {wanted} argument(s) in call to {name:?}, got {got}"))),
        }
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, ParseError> {
        let without = self.is("without");
        if !self.is_any(&["by", "without"]) {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Grouping { labels: self.names()?, without }))
    }

    fn args(&mut self) -> Result<Vec<Node>, ParseError> {
        let mut args = Vec::new();
        self.expect("(")?;
        if self.skip(")") {
            return Ok(args);
        }
        loop {
            args.push(self.expression(0)?);
            if !self.skip(",") {
                self.expect(")")?;
                return Ok(args);
            }
        }
    }

    /// Reads how the series of two vectors are matched.
    fn matching(&mut self) -> Result<Matching, ParseError> {
        let mut matching = Matching { on: self.is("on"), ..Matching::default() };
        if self.is_any(&["on", "ignoring"]) {
            self.at += 1;
            matching.labels = self.names()?;
            if self.is_any(&["group_left", "group_right"]) {
                matching.many = if self.is("group_left") { Many::Left } else { Many::Right };
                self.at += 1;
                matching.include = if self.is("(") { self.names()? } else { Vec::new() };
            }
        }
        // A metric may be called so as well.
        while self.next_is("(") {
            let (left, right) = match &*self.word().to_ascii_lowercase() {
                "fill" => (true, true),
                "fill_left" => (true, false),
                "fill_right" => (false, true),
                _ => break,
            };
            if left && matching.fill_left.is_some() || right && matching.fill_right.is_some() {
                return Err(self.unexpected("an operand"));
            }
            self.at += 2;
            let value = Some(self.signed()?);
            self.expect(")")?;
            matching.fill_left = if left { value } else { matching.fill_left };
            matching.fill_right = if right { value } else { matching.fill_right };
        }
        Ok(matching)
    }

    /// Reads `[RANGE]` or `[RANGE:STEP]`; durations that are computed are added to `computed`.
    fn ranged(&mut self, node: Node, computed: &mut Vec<(Length, Node)>) -> Result<Node, ParseError> {
        let start = self.start();
        self.at += 1;
        let range = self.duration(Length::Range, computed)?;
        let span = node.span.clone();
        if self.skip(":") {
            check::expect(&node, Kind::Vector, "subquery")?;
            let step = if self.is("]") { None } else { Some(self.duration(Length::Step, computed)?) };
            self.expect("]")?;
            let expr = Expr::Subquery { inner: Box::new(node), range, step, shift: Shift::default() };
            return Ok(Node { expr, span });
        }
        self.expect("]")?;
        let message = match node.expr {
            Expr::Selector(selector) if selector.shift.offset == 0 && selector.shift.at.is_none() => {
                return Ok(Node { expr: Expr::Matrix(selector, range), span });
            }
            Expr::Selector(_) => "no offset or @ modifiers allowed before range",
            _ => "ranges only allowed for vector selectors",
        };
        Err(ParseError::new(start..self.last().end, message))
    }

    /// Reads `offset`, `@`, `anchored` or `smoothed`; a duration that is computed is added to `computed`.
    fn shift(&mut self, node: &mut Node, computed: &mut Vec<(Length, Node)>) -> Result<(), ParseError> {
        let word = self.word().to_ascii_lowercase();
        let at = self.words[self.at].span.clone();
        let is_subquery = matches!(node.expr, Expr::Subquery { .. });
        let (Expr::Selector(Selector { shift, .. })
        | Expr::Matrix(Selector { shift, .. }, _)
        | Expr::Subquery { shift, .. }) = &mut node.expr
        else {
            let message = format!("{word:?} must be preceded by a selector or a subquery");
            return Err(ParseError::new(at, message));
        };
        let is_offset = shift.offset != 0 || computed.iter().any(|(length, _)| *length == Length::Offset);
        if shift.at.is_some() && word == "@" || is_offset && word == "offset" {
            return Err(ParseError::new(at, format!("{word:?} may not be set multiple times")));
        }
        self.at += 1;
        match &*word {
            "@" => shift.at = Some(self.at_time()?),
            "offset" => shift.offset = self.duration(Length::Offset, computed)?,
            _ if is_subquery => {
                return Err(ParseError::new(at, format!("{word} modifier is not supported for subqueries")));
            }
            _ => {
                let edges = if word == "anchored" { Edges::Anchored } else { Edges::Smoothed };
                if shift.edges != Edges::Inside && shift.edges != edges {
                    let message = "anchored and smoothed modifiers cannot be used together";
                    return Err(ParseError::new(at, message));
                }
                shift.edges = edges;
            }
        }
        Ok(())
    }

    /// Reads a duration, or a number of seconds, in ms; one that is computed is added to `computed`.
    fn duration(&mut self, length: Length, computed: &mut Vec<(Length, Node)>) -> Result<i64, ParseError> {
        let node = match length {
            Length::Offset => self.offset()?,
            Length::Range | Length::Step => self.expression(0)?,
        };
        let ms = milliseconds(&node, (self.text, length), None)?;
        if !matches!(node.expr, Expr::Number(_)) {
            computed.push((length, node));
        }
        Ok(ms.unwrap_or_default())
    }

    /// Reads the duration of an offset: operators belong to it only after parentheses without a sign.
    fn offset(&mut self) -> Result<Node, ParseError> {
        if self.is("(") {
            return self.expression(Operator::Add.level());
        }
        let start = self.start();
        let is_negative = self.is("-");
        self.at += usize::from(self.is_any(&["-", "+"]));
        let inner_start = self.start();
        let expr = self.primary()?;
        let end = self.last().end;
        if is_negative {
            return Ok(negated(Node { expr, span: inner_start..end }, start));
        }
        Ok(Node { expr, span: start..end })
    }

    fn at_time(&mut self) -> Result<At, ParseError> {
        for (name, at) in [("start", At::Start), ("end", At::End)] {
            if self.skip(name) {
                self.expect("(")?;
                self.expect(")")?;
                return Ok(at);
            }
        }
        let (seconds, limit) = (self.signed()?, TIME_MAX as f64 / 1000.0);
        if seconds.is_nan() || seconds.abs() > limit {
            let message = format!("{:?} is not a time in seconds of at most {limit}", &self.text[self.last()]);
            return Err(ParseError::new(self.last(), message));
        }
        Ok(At::Time((seconds * 1000.0).round() as i64))
    }

    /// Reads a number with a sign, if there is one.
    fn signed(&mut self) -> Result<f64, ParseError> {
        let sign = if self.is("-") { -1.0 } else { 1.0 };
        self.at += usize::from(self.is_any(&["-", "+"]));
        Ok(sign * self.literal()?)
    }

    /// Reads a number, or a duration as seconds.
    fn literal(&mut self) -> Result<f64, ParseError> {
        let text = self.take(&[Word::Number, Word::Duration], "a number")?;
        let value = duration(&text).ok().map(|ms| ms as f64 / 1000.0).or_else(|| number(&text));
        value.ok_or_else(|| ParseError::new(self.last(), format!("{text:?} is no number")))
    }

    fn quoted(&mut self) -> Result<String, ParseError> {
        let text = self.take(&[Word::Quoted], "a quoted string")?;
        unquote(&text).map_err(|message| ParseError::new(self.last(), message))
    }

    /// Reads a name of a label: among them are words that are numbers elsewhere, such as `inf`.
    fn label(&mut self) -> Result<String, ParseError> {
        match self.kind() {
            Some(Word::Quoted) => self.quoted(),
            Some(Word::Number) if self.word().starts_with(|c: char| !c.is_ascii_alphabetic()) => {
                Err(self.unexpected("a label name"))
            }
            _ => self.take(&[Word::Name, Word::Number], "a label name"),
        }
    }

    /// Reads names of labels in parentheses.
    fn names(&mut self) -> Result<Vec<Arc<str>>, ParseError> {
        self.expect("(")?;
        let mut names = Vec::new();
        while !self.skip(")") {
            names.push(self.label()?.into());
            if !self.is(")") {
                self.expect(",")?;
            }
        }
        Ok(names)
    }

    fn selector(&mut self) -> Result<Expr, ParseError> {
        let start = self.start();
        let named = |name: &str| Matcher { name: METRIC_NAME.into(), kind: MatchKind::Equal, value: name.into() };
        let mut matchers = Vec::new();
        if !self.is("{") {
            matchers.push(named(&self.take(&[Word::Name], "a metric name")?));
        }
        let is_named = !matchers.is_empty();
        let is_open = self.skip("{");
        while is_open && !self.skip("}") {
            let is_quoted = self.kind() == Some(Word::Quoted);
            let label_start = self.start();
            let label = self.label()?;
            if is_quoted && self.is_any(&[",", "}"]) {
                if matchers.iter().any(|matcher| *matcher.name == *METRIC_NAME) {
                    return Err(ParseError::new(self.last(), "metric name must not be set twice"));
                }
                matchers.push(named(&label));
            } else {
                let operator = self.take(&[Word::Sign], "one of = != =~ !~")?;
                let value = self.quoted()?;
                let end = self.last().end;
                if is_named && label == METRIC_NAME {
                    let message = format!("metric name must not be set twice: {:?} or {value:?}", matchers[0].value);
                    return Err(ParseError::new(start..end, message));
                }
                let matcher = Matcher::new(&label, &operator, &value);
                matchers.push(matcher.map_err(|message| ParseError::new(label_start..end, message))?);
            }
            if !self.is("}") {
                self.expect(",")?;
            }
        }
        Ok(Expr::Selector(Selector { matchers, shift: Shift::default() }))
    }
}

#[cfg(test)]
mod tests;
