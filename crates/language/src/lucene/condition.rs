//! What a word, phrase, range or pattern after a field means.

use pest::iterators::Pair;
use regex::Regex;
use types::{Timestamp, Value};

use super::{Reader, Rule, span_of};
use crate::mapping::{Kind, Mapping};
use plan::balanced;
use plan::date_math::{date_value, read_time};
use plan::each::each;
use plan::each::has_value;
use plan::error::{QueryError, Span};
use plan::function::Function;
use plan::within;
use plan::words::words_of;
use plan::words::{Word, Words};
use plan::{Comparison, Expr, TextPattern};

/// Longest word of which similar ones are looked for: each letter makes three forms.
pub(crate) const FUZZY_LETTERS_MAX: usize = 32;

/// How the texts of a field are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Analysis {
    /// As a whole.
    Keyword,
    /// Word by word, as Elasticsearch does: of a text with several words one is enough, patterns are about one word.
    Words,
    /// Word by word for people: a text is found as it is written, at the borders of words; patterns are about one word or
    /// the whole value.
    Loose,
}

/// What a clause is about.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Every text or number of the event.
    Any(Analysis),
    /// A field, and how its texts are looked at.
    Field {
        /// Its name with us.
        name: String,
        /// Whole values where it was named as a `.keyword`, or is one of ours that holds no sentences.
        analysis: Analysis,
        /// What a mapping declares it to be.
        kind: Option<Kind>,
        /// Whether texts of dates are texts.
        is_plain: bool,
    },
    /// Whether the field named by the value is there.
    Presence,
}

/// One end of a range.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) comparison: Comparison,
    /// The value as it was written.
    pub(crate) text: String,
    /// What values that are no dates are compared with.
    pub(crate) value: Option<Value>,
    /// The first and the last instant, where it is a time.
    pub(crate) time: Option<(i64, i64)>,
}

impl Target {
    /// Everything, for people.
    pub(crate) fn any() -> Self {
        Self::Any(Analysis::Loose)
    }

    pub(crate) fn presence() -> Self {
        Self::Presence
    }

    /// The field that a sender of Elasticsearch means by `written`.
    pub(crate) fn field(written: &str) -> Self {
        Self::field_in(written, Analysis::Words)
    }

    /// The same with texts looked at in a way of the caller's.
    pub(crate) fn field_in(written: &str, of_texts: Analysis) -> Self {
        let (plain, has_suffix) = match written.strip_suffix(".keyword") {
            Some(plain) => (plain, true),
            None => (written, false),
        };
        let name = match plain {
            "message" => "@message",
            "level" | "log.level" => "@level",
            "_index" => "@log",
            "_id" => "@id",
            other => other,
        };
        let is_ours = name.starts_with('@') && name != "@message" && name != "@any";
        let analysis = if has_suffix || is_ours { Analysis::Keyword } else { of_texts };
        match name {
            "@any" | "*" => Self::Any(of_texts),
            name => Self::Field { name: name.to_owned(), analysis, kind: None, is_plain: false },
        }
    }

    /// The same where a mapping may declare it.
    pub(crate) fn of(mapping: &Mapping, written: &str, of_texts: Analysis) -> Self {
        let resolved = mapping.resolve(written);
        let mut target = Self::field_in(&resolved.name, of_texts);
        if let Self::Field { analysis, kind, is_plain, .. } = &mut target {
            *is_plain = resolved.is_plain;
            match &resolved.kind {
                Some(Kind::Text { .. }) => *analysis = Analysis::Words,
                Some(_) => *analysis = Analysis::Keyword,
                None => {}
            }
            *kind = resolved.kind;
        }
        target
    }

    pub(crate) fn expr(&self) -> Box<Expr> {
        Box::new(match self {
            Self::Any(_) | Self::Presence => Expr::Field("@any".into()),
            Self::Field { name, .. } => Expr::Field(name.as_str().into()),
        })
    }

    fn analysis(&self) -> Analysis {
        match self {
            Self::Any(analysis) | Self::Field { analysis, .. } => *analysis,
            Self::Presence => Analysis::Keyword,
        }
    }

    pub(crate) fn is_keyword(&self) -> bool {
        matches!(self, Self::Field { analysis: Analysis::Keyword, .. })
    }

    /// Whether the words of a text that stands after it belong together.
    pub(crate) fn is_loose(&self) -> bool {
        self.analysis() == Analysis::Loose
    }

    /// A condition on the field that holds where it holds for one of its values.
    pub(super) fn of_one(&self, condition: Expr) -> Expr {
        match self {
            Self::Field { name, .. } if !name.starts_with('@') => each(&name.as_str().into(), condition),
            _ => condition,
        }
    }

    fn compared(&self, comparison: Comparison, value: Value) -> Expr {
        Expr::Compare(comparison, self.expr(), Box::new(Expr::Literal(Some(value))))
    }

    /// `field >= value`
    pub(crate) fn compare(&self, comparison: Comparison, value: Value) -> Expr {
        self.of_one(self.compared(comparison, value))
    }

    /// Equal to one of the values, texts as a whole.
    pub(crate) fn one_of(&self, values: Vec<Value>) -> Expr {
        if self.kind().is_some() {
            let each = values.iter().filter_map(|value| self.mapped_equal(&value.to_string()));
            return balanced(each.collect(), Expr::Or);
        }
        let literals = values.into_iter().map(|value| Expr::Literal(Some(value))).collect();
        self.of_one(Expr::In(self.expr(), literals))
    }

    /// Has words one after the other.
    pub(crate) fn has(&self, words: Words) -> Expr {
        self.of_one(Expr::Match(self.expr(), TextPattern::Words(words)))
    }

    /// Reports whether texts of dates are dates here.
    pub(crate) fn takes_dates(&self) -> bool {
        matches!(self, Self::Field { is_plain: false, kind: None | Some(Kind::Date { .. }), .. })
    }

    /// Whether its values are times.
    pub(crate) fn is_time(&self) -> bool {
        matches!(self, Self::Field { name, .. } if matches!(name.as_str(), "@timestamp" | "@ingestionTime"))
    }

    /// `field >= value`, of times as they are written too, where a day is all of it. `None` for a time that counts from
    /// a `now` that is not known.
    pub(crate) fn against(
        &self,
        comparison: Comparison,
        text: &str,
        value: Value,
        now: Option<Timestamp>,
    ) -> Option<Expr> {
        Some(self.between(vec![Bound::of_text(comparison, text, value, now, self.is_time())?]))
    }

    /// Values for which all bounds hold.
    pub(crate) fn between(&self, bounds: Vec<Bound>) -> Expr {
        if self.kind().is_some() {
            let bounds: Vec<Bound> = bounds.iter().cloned().map(|bound| self.in_milliseconds(bound)).collect();
            if let Some(condition) = self.mapped_between(&bounds) {
                return condition;
            }
        }
        let bounds: Vec<Bound> = bounds.into_iter().map(|bound| self.in_milliseconds(bound)).collect();
        let times: Option<Vec<Expr>> =
            bounds.iter().map(|bound| Some(self.of_time(bound.comparison, bound.time?))).collect();
        let times = times.map(|times| balanced(times, Expr::And));
        if let (true, Some(times)) = (self.is_time(), &times) {
            return times.clone();
        }
        if let [
            Bound { comparison: Comparison::GreaterOrEqual, value: Some(low), .. },
            Bound { comparison: Comparison::LessOrEqual, value: Some(high), .. },
        ] = bounds.as_slice()
        {
            let [low, high] = [low, high].map(|value| Box::new(Expr::Literal(Some(value.clone()))));
            let values = Expr::Between(self.expr(), low, high);
            return self.of_one(self.or_times(times, values));
        }
        let values = bounds.into_iter().map(|bound| match (bound.value, bound.time) {
            (Some(value), _) => self.compared(bound.comparison, value),
            // A number beside a time is one of milliseconds.
            (None, Some(time)) => self.of_milliseconds(bound.comparison, time),
            (None, None) => super::not(None),
        });
        let values = balanced(values.collect(), Expr::And);
        self.of_one(self.or_times(times, values))
    }

    /// Dates have whole milliseconds, but for the time of events and those that are declared with nanoseconds.
    fn in_milliseconds(&self, mut bound: Bound) -> Bound {
        const MILLISECOND: i64 = 1_000_000;
        let is_finer = self.is_time() || matches!(self.kind(), Some(Kind::Date { has_nanos: true }));
        if let (Some((first, last)), false) = (&mut bound.time, is_finer) {
            *first -= first.rem_euclid(MILLISECOND);
            *last = (*last - last.rem_euclid(MILLISECOND)).saturating_add(MILLISECOND - 1);
        }
        bound
    }

    /// A number of milliseconds compared with a time.
    pub(super) fn of_milliseconds(&self, comparison: Comparison, (first, last): (i64, i64)) -> Expr {
        let number = Box::new(Expr::Call(Function::ToNumber, vec![*self.expr()]));
        let literal = |instant: i64| Box::new(Expr::Literal(Some(Value::Integer(instant.div_euclid(1_000_000)))));
        match comparison {
            Comparison::Equal => Expr::Between(number, literal(first), literal(last)),
            comparison if takes_first(comparison) => Expr::Compare(comparison, number, literal(first)),
            comparison => Expr::Compare(comparison, number, literal(last)),
        }
    }

    fn or_times(&self, times: Option<Expr>, values: Expr) -> Expr {
        match (self, times) {
            (Self::Field { is_plain: false, kind: None, .. }, Some(times)) => self.if_date(times, values),
            _ => values,
        }
    }

    fn if_date(&self, of_date: Expr, of_other: Expr) -> Expr {
        Expr::Call(Function::IfDate, vec![*self.expr(), of_date, of_other])
    }

    /// A time compared with all of what was written: a day, a second.
    pub(super) fn of_time(&self, comparison: Comparison, (first, last): (i64, i64)) -> Expr {
        let instant = |instant| Value::Timestamp(Timestamp(instant));
        match comparison {
            Comparison::Equal => within(self.expr(), first, last.saturating_add(1)),
            Comparison::NotEqual => super::not(Some(within(self.expr(), first, last.saturating_add(1)))),
            comparison if takes_first(comparison) => self.compared(comparison, instant(first)),
            comparison => self.compared(comparison, instant(last)),
        }
    }

    /// A value as it stands after the field: a number, a time or words.
    pub(crate) fn value(&self, text: &str) -> Option<Expr> {
        if let Some(condition) = self.mapped_equal(text) {
            return Some(condition);
        }
        if self.is_keyword() {
            return Some(self.compare(Comparison::Equal, value_of(text)));
        }
        if self.is_loose() {
            return match value_of(text) {
                Value::String(_) => self.phrase(text),
                _ if self.is_sentence() => self.phrase(text),
                value => Some(self.compare(Comparison::Equal, value)),
            };
        }
        if let (Value::Integer(_) | Value::Float(_), false) = (value_of(text), is_word(text)) {
            // `-5` is no word, and the word in it another number.
            return Some(self.compare(Comparison::Equal, value_of(text)));
        }
        let words = words_of(text);
        let condition = match words.len() < 2 {
            true => self.pattern(Words::of_text(text)?),
            false => {
                let each = words.into_iter().filter_map(|word| Words::of_text(&word)).map(|word| self.pattern(word));
                balanced(each.collect(), Expr::Or)
            }
        };
        Some(self.of_one(self.or_date(text, condition)))
    }

    fn pattern(&self, words: Words) -> Expr {
        Expr::Match(self.expr(), TextPattern::Words(words))
    }

    /// A text that is a date is compared with dates as one.
    fn or_date(&self, text: &str, condition: Expr) -> Expr {
        let time = date_value(text).and_then(|_| read_time(text, Timestamp(0)));
        match (self, time) {
            (Self::Field { is_plain: false, kind: None, .. }, Some(time)) => {
                self.if_date(self.of_time(Comparison::Equal, time), condition)
            }
            _ => condition,
        }
    }

    /// The words of a text in quotes, one after the other.
    pub(crate) fn phrase(&self, text: &str) -> Option<Expr> {
        self.near(text, 0)
    }

    /// The same where words may stand elsewhere, by so many places in all.
    pub(crate) fn near(&self, text: &str, slop: usize) -> Option<Expr> {
        if let Self::Presence = self {
            return Some(present(text));
        }
        if let Some(condition) = self.mapped_equal(text) {
            return Some(condition);
        }
        if self.is_keyword() {
            return Some(self.compare(Comparison::Equal, Value::text(text)));
        }
        if self.is_loose() {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let condition = || Expr::Match(self.expr(), TextPattern::Phrase(words.clone()));
            return (!words.is_empty()).then(|| self.of_one(self.or_date(text, condition())));
        }
        if let (Value::Integer(_) | Value::Float(_), false) = (value_of(text), is_word(text)) {
            return Some(self.compare(Comparison::Equal, value_of(text)));
        }
        Some(self.of_one(self.or_date(text, self.pattern(Words::of_text(text)?.with_slop(slop)))))
    }

    /// One word that is not taken apart, or a value.
    pub(crate) fn term(&self, value: &Value) -> Expr {
        let text = value.to_string();
        if let Some(condition) = self.mapped_equal(&text) {
            return condition;
        }
        if self.is_keyword() || self.is_time() {
            return match read_time(&text, Timestamp(0)).filter(|_| self.is_time()) {
                Some(time) => self.of_time(Comparison::Equal, time),
                None => self.compare(Comparison::Equal, value.clone()),
            };
        }
        match value {
            Value::Integer(_) | Value::Float(_) if !is_word(&text) => self.compare(Comparison::Equal, value.clone()),
            _ => {
                let word = Word::Exact(text.as_str().into());
                let words = Words::new(vec![word]).map_or_else(|| super::not(None), |words| self.pattern(words));
                self.of_one(self.or_date(&text, words))
            }
        }
    }

    /// A word as it was written, perhaps with `*` and `?`.
    pub(crate) fn word(&self, reader: &mut Reader<'_>, written: &str, span: Span) -> Result<Option<Expr>, QueryError> {
        let text = unescaped(written);
        match self {
            Self::Presence => return Ok(Some(reader.present(&text))),
            Self::Any(_) if written == "*" => return Ok(None),
            Self::Field { .. } if written == "*" => return Ok(Some(self.is_there())),
            _ => {}
        }
        let is_pattern = reader.is_fuzzy || has_wildcard(written);
        if let Some(answer) = reader.misfit(self, &text, is_pattern.then_some("wildcard"), span) {
            return answer.map(Some);
        }
        if reader.is_fuzzy {
            let source = if self.is_loose() { self.similar(&text) } else { self.similar(&text.to_lowercase()) };
            let regex = reader.regex(&source, span)?;
            return Ok(Some(self.matching(regex)));
        }
        if has_wildcard(written) {
            let sources = self.wildcards(written);
            let mut found = Vec::with_capacity(sources.len());
            for source in sources {
                found.push(self.matching(reader.regex(&source, span)?));
            }
            return Ok(Some(balanced(found, Expr::Or)));
        }
        if self.is_time() {
            return reader.against(self, Comparison::Equal, &text, value_of(&text), span).map(Some);
        }
        Ok(Some(self.value(&text).unwrap_or_else(|| super::not(None))))
    }

    /// The condition that the field has a value.
    pub(crate) fn is_there(&self) -> Expr {
        match self {
            Self::Field { kind: Some(_), .. } => self.mapped_presence().unwrap_or_else(|| super::not(None)),
            Self::Field { name, .. } if name.starts_with('@') => {
                Expr::Call(Function::IsPresent, vec![Expr::Field(name.as_str().into())])
            }
            Self::Field { name, .. } => has_value(&name.as_str().into()),
            Self::Any(_) | Self::Presence => Expr::Literal(Some(Value::Boolean(true))),
        }
    }

    /// Whether its texts are sentences, of which a pattern is about a part.
    fn is_sentence(&self) -> bool {
        match self {
            Self::Field { name, .. } => name == "@message",
            Self::Any(_) | Self::Presence => true,
        }
    }

    /// Regular expressions for `*` and `?`, one of which must match.
    pub(crate) fn wildcards(&self, written: &str) -> Vec<String> {
        match (self.is_loose(), self.is_sentence()) {
            (false, _) => vec![wildcard(&self.normal(written))],
            (true, true) => vec![wildcard_of_word(written)],
            (true, false) => vec![wildcard(written), wildcard_of_word(written)],
        }
    }

    /// A regular expression as the field takes it.
    pub(crate) fn expression(&self, source: &str) -> Result<String, String> {
        match (self.is_loose(), self.is_sentence()) {
            (true, true) => Ok(source.to_owned()),
            (true, false) => Ok(format!("^(?:{source})$")),
            (false, _) => super::regexp::anchored(source),
        }
    }

    /// A pattern as the words of the field are: in lower case.
    pub(crate) fn normal(&self, written: &str) -> String {
        let is_kept = match self.kind() {
            Some(Kind::Keyword { is_lower, .. }) => !is_lower,
            _ => self.is_keyword(),
        };
        if is_kept { written.to_owned() } else { written.to_lowercase() }
    }

    /// A regular expression for a word and those that differ from it in one letter: another one, one more, one less, or two
    /// in the other order.
    pub(crate) fn similar(&self, word: &str) -> String {
        let letters: Vec<char> = word.chars().take(FUZZY_LETTERS_MAX).collect();
        let text = |letters: &[char]| regex::escape(&letters.iter().collect::<String>());
        let mut forms = vec![text(&letters)];
        for at in 0..=letters.len() {
            let (before, after) = letters.split_at(at);
            forms.push(format!("{}\\S{}", text(before), text(after)));
            if let [_, rest @ ..] = after {
                forms.push(format!("{}\\S?{}", text(before), text(rest)));
            }
            if let [first, second, rest @ ..] = after {
                forms.push(format!("{}{}{}", text(before), text(&[*second, *first]), text(rest)));
            }
        }
        let forms = forms.join("|");
        if self.is_loose() { format!("(?i)\\b(?:{forms})\\b") } else { format!("^(?:{forms})$") }
    }

    /// A regular expression: about a whole value, or about one word and anchored at both ends.
    pub(crate) fn matching(&self, regex: Regex) -> Expr {
        if let Some(condition) = self.mapped_matching(&regex) {
            return condition;
        }
        if self.is_keyword() || self.is_loose() {
            return self.of_one(Expr::Match(self.expr(), TextPattern::Regex(regex)));
        }
        Words::new(vec![Word::Matching(regex)]).map_or_else(|| super::not(None), |words| self.has(words))
    }

    /// `[a TO b]`, `{a TO b}`; `*` is an open end.
    pub(crate) fn range(&self, reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Option<Expr>, QueryError> {
        let (mut includes_low, mut includes_high, mut bounds) = (true, true, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::range_open => includes_low = part.as_str() == "[",
                Rule::range_close => includes_high = part.as_str() == "]",
                Rule::bound => bounds.push(bound(&part)),
                _ => {}
            }
        }
        let Ok([low, high]) = <[_; 2]>::try_from(bounds) else { return Ok(None) };
        let low_sign = if includes_low { Comparison::GreaterOrEqual } else { Comparison::Greater };
        let high_sign = if includes_high { Comparison::LessOrEqual } else { Comparison::Less };
        let mut read = Vec::new();
        for (comparison, bound) in [(low_sign, low), (high_sign, high)] {
            let Some((text, value, span)) = bound else { continue };
            if let Some(answer) = reader.misfit(self, &text, None, span) {
                return answer.map(Some);
            }
            read.push(reader.bound(self, comparison, &text, value, span)?);
        }
        Ok(match (read.is_empty(), self) {
            (false, _) => Some(self.between(read)),
            (true, Self::Field { .. }) => Some(self.is_there()),
            (true, _) => None,
        })
    }
}

impl Bound {
    /// Reads a bound in text; `None` for a time that counts from a `now` that is not known.
    pub(crate) fn of_text(
        comparison: Comparison,
        text: &str,
        value: Value,
        now: Option<Timestamp>,
        is_time: bool,
    ) -> Option<Self> {
        let is_relative = text.starts_with("now") && read_time(text, Timestamp(0)).is_some();
        if is_relative && now.is_none() {
            return None;
        }
        let is_date = is_time || is_relative || date_value(text.split("||").next().unwrap_or_default()).is_some();
        let time = read_time(text, now.unwrap_or_default()).filter(|_| is_date);
        let text = text.to_owned();
        Some(Self { comparison, text, value: time.is_none().then_some(value), time })
    }

    /// A bound that is a time.
    pub(crate) fn of_time(comparison: Comparison, text: &str, time: (i64, i64)) -> Self {
        Self { comparison, text: text.to_owned(), value: None, time: Some(time) }
    }
}

/// Whether a comparison is with the first instant of what was written.
fn takes_first(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Less | Comparison::GreaterOrEqual)
}

/// Whether a text is one word as it stands.
fn is_word(text: &str) -> bool {
    words_of(text).as_slice() == [text]
}

/// A regular expression for `*` and `?`, over a whole value or word.
pub fn wildcard(written: &str) -> String {
    format!("(?s)^{}$", wildcard_source(written, ".*", "."))
}

/// A regular expression for `*` and `?` within one word of a text.
fn wildcard_of_word(written: &str) -> String {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let begin = if is_letter(written.chars().next()) { "\\b" } else { "" };
    let end = if is_letter(written.chars().last()) { "\\b" } else { "" };
    format!("(?i){begin}{}{end}", wildcard_source(written, "\\S*", "\\S"))
}

fn wildcard_source(written: &str, any: &str, one: &str) -> String {
    let mut source = String::new();
    let mut characters = written.chars();
    while let Some(c) = characters.next() {
        match c {
            '*' => source.push_str(any),
            '?' => source.push_str(one),
            '\\' => source.push_str(&regex::escape(&characters.next().map(String::from).unwrap_or_default())),
            c => source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    source
}

pub(crate) fn present(field: &str) -> Expr {
    Target::field(field).is_there()
}

pub(crate) fn comparison(sign: &str) -> Comparison {
    match sign {
        ">=" => Comparison::GreaterOrEqual,
        ">" => Comparison::Greater,
        "<=" => Comparison::LessOrEqual,
        _ => Comparison::Less,
    }
}

/// One end of a range: its text, its value and its place. `None` where it is open.
fn bound(pair: &Pair<'_, Rule>) -> Option<(String, Value, Span)> {
    (pair.as_str() != "*").then(|| (text_of(pair), scalar(pair), span_of(pair)))
}

/// A word or a text in quotes without what they were written with.
pub(crate) fn text_of(pair: &Pair<'_, Rule>) -> String {
    let written = pair.as_str();
    unescaped(if written.starts_with('"') { inside(written) } else { written })
}

/// A word or a text in quotes as a value.
pub(crate) fn scalar(pair: &Pair<'_, Rule>) -> Value {
    let written = pair.as_str();
    match written.starts_with('"') {
        true => Value::text(unescaped(inside(written))),
        false => value_of(&unescaped(written)),
    }
}

/// What a word reads as: a number, a truth value, else a text.
pub(crate) fn value_of(text: &str) -> Value {
    let is_numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | 'e' | 'E' | '+');
    match text {
        "true" => return Value::Boolean(true),
        "false" => return Value::Boolean(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return if number.to_string() == text { Value::Integer(number) } else { Value::text(text) };
    }
    let is_number = text.ends_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_numeric);
    match text.parse::<f64>() {
        Ok(number) if is_number && number.is_finite() => Value::Float(number),
        _ => Value::text(text),
    }
}

pub(crate) fn has_wildcard(written: &str) -> bool {
    let mut characters = written.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '*' | '?' => return true,
            _ => {}
        }
    }
    false
}

/// What stands between the first and the last character.
pub(crate) fn inside(written: &str) -> &str {
    written.get(1..written.len().saturating_sub(1)).unwrap_or_default()
}

/// A word without its backslashes.
pub(crate) fn unescaped(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.extend(characters.next()),
            c => text.push(c),
        }
    }
    text
}
