//! What a word, phrase, range or pattern after a field means.

use pest::iterators::Pair;
use regex::Regex;
use types::{Timestamp, Value};

use super::{Reader, Rule, span_of};
use crate::elastic::{read_time, within};
use crate::error::{QueryError, Span};
use crate::function::Function;
use crate::plan::{Comparison, Expr, TextPattern};

/// Longest word of which similar ones are looked for: each letter makes three forms.
pub(crate) const FUZZY_LETTERS_MAX: usize = 32;

/// What a clause is about.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Every text or number of the event.
    Any,
    /// A field, and whether texts are compared as a whole.
    Field {
        /// Its name with us.
        name: String,
        /// Whether it was named as a `.keyword`, or is one of ours that holds no sentences.
        is_keyword: bool,
    },
    /// Whether the field named by the value is there.
    Presence,
}

impl Target {
    pub(crate) fn any() -> Self {
        Self::Any
    }

    pub(crate) fn presence() -> Self {
        Self::Presence
    }

    /// The field that a sender of Elasticsearch means by `written`.
    pub(crate) fn field(written: &str) -> Self {
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
        match name {
            "@any" | "*" => Self::Any,
            name => Self::Field { name: name.to_owned(), is_keyword: has_suffix || is_ours },
        }
    }

    pub(crate) fn expr(&self) -> Box<Expr> {
        Box::new(match self {
            Self::Any | Self::Presence => Expr::Field("@any".into()),
            Self::Field { name, .. } => Expr::Field(name.as_str().into()),
        })
    }

    pub(crate) fn is_keyword(&self) -> bool {
        matches!(self, Self::Field { is_keyword: true, .. })
    }

    pub(crate) fn is_sentence(&self) -> bool {
        match self {
            Self::Field { name, .. } => name == "@message",
            Self::Any | Self::Presence => true,
        }
    }

    /// `field >= value`
    pub(crate) fn compare(&self, comparison: Comparison, value: Value) -> Expr {
        Expr::Compare(comparison, self.expr(), Box::new(Expr::Literal(Some(value))))
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
        if !self.is_time() {
            return Some(self.compare(comparison, value));
        }
        if now.is_none() && text.starts_with("now") {
            return None;
        }
        let Some((first, last)) = read_time(text, now.unwrap_or_default()) else {
            return Some(self.compare(comparison, value));
        };
        let instant = |instant| Value::Timestamp(Timestamp(instant));
        Some(match comparison {
            Comparison::Less | Comparison::GreaterOrEqual => self.compare(comparison, instant(first)),
            Comparison::Greater | Comparison::LessOrEqual => self.compare(comparison, instant(last)),
            Comparison::Equal => within(self.expr(), first, last.saturating_add(1)),
            Comparison::NotEqual => super::not(Some(within(self.expr(), first, last.saturating_add(1)))),
        })
    }

    /// A value as it stands after the field: a number, a time or a word.
    pub(crate) fn value(&self, text: &str) -> Option<Expr> {
        if self.is_sentence() {
            return self.phrase(text);
        }
        match value_of(text) {
            Value::String(_) => self.phrase(text),
            value => Some(self.compare(Comparison::Equal, value)),
        }
    }

    /// The words of a text in quotes, one after the other.
    pub(crate) fn phrase(&self, text: &str) -> Option<Expr> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if let Self::Presence = self {
            return Some(present(text));
        }
        if self.is_keyword() {
            return Some(self.compare(Comparison::Equal, Value::text(text)));
        }
        (!words.is_empty()).then(|| Expr::Match(self.expr(), TextPattern::Phrase(words)))
    }

    /// A word as it was written, perhaps with `*` and `?`.
    pub(crate) fn word(&self, reader: &mut Reader<'_>, written: &str, span: Span) -> Result<Option<Expr>, QueryError> {
        let text = unescaped(written);
        match self {
            Self::Presence => return Ok(Some(present(&text))),
            Self::Any if written == "*" => return Ok(None),
            Self::Field { name, .. } if written == "*" => return Ok(Some(present(name))),
            _ => {}
        }
        if reader.is_fuzzy {
            let regex = reader.regex(&self.similar(&text), span)?;
            return Ok(Some(self.matching(regex)));
        }
        if has_wildcard(written) {
            let regex = reader.regex(&self.wildcard(written), span)?;
            return Ok(Some(self.matching(regex)));
        }
        if self.is_time() {
            return reader.against(self, Comparison::Equal, &text, value_of(&text), span).map(Some);
        }
        Ok(self.value(&text))
    }

    /// A regular expression for `*` and `?`: within one word of a sentence, else over the whole value.
    pub(crate) fn wildcard(&self, written: &str) -> String {
        let (any, one) = if self.is_sentence() { ("\\S*", "\\S") } else { (".*", ".") };
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
        if !self.is_sentence() {
            return format!("(?s)^{source}$");
        }
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let begin = if is_letter(written.chars().next()) { "\\b" } else { "" };
        let end = if is_letter(written.chars().last()) { "\\b" } else { "" };
        format!("(?i){begin}{source}{end}")
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
        if self.is_keyword() { format!("^(?:{forms})$") } else { format!("(?i)\\b(?:{forms})\\b") }
    }

    /// A regular expression is about a whole value, and in sentences about a part.
    pub(crate) fn anchored(&self, source: &str) -> String {
        if self.is_sentence() { source.to_owned() } else { format!("^(?:{source})$") }
    }

    pub(crate) fn matching(&self, regex: Regex) -> Expr {
        Expr::Match(self.expr(), TextPattern::Regex(regex))
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
        let [low, high] = bounds.as_slice() else { return Ok(None) };
        let low_sign = if includes_low { Comparison::GreaterOrEqual } else { Comparison::Greater };
        let high_sign = if includes_high { Comparison::LessOrEqual } else { Comparison::Less };
        let compare = |comparison, (text, value, span): &(String, Value, Span)| {
            reader.against(self, comparison, text, value.clone(), *span)
        };
        Ok(match (low, high) {
            (Some((_, low, _)), Some((_, high, _))) if includes_low && includes_high && !self.is_time() => {
                let [low, high] = [low, high].map(|value| Box::new(Expr::Literal(Some(value.clone()))));
                Some(Expr::Between(self.expr(), low, high))
            }
            (Some(low), Some(high)) => {
                let (low, high) = (compare(low_sign, low)?, compare(high_sign, high)?);
                Some(Expr::And(Box::new(low), Box::new(high)))
            }
            (Some(low), None) => Some(compare(low_sign, low)?),
            (None, Some(high)) => Some(compare(high_sign, high)?),
            (None, None) => match self {
                Self::Field { name, .. } => Some(present(name)),
                _ => None,
            },
        })
    }
}

pub(crate) fn present(field: &str) -> Expr {
    let Target::Field { name, .. } = Target::field(field) else { return Expr::Literal(Some(Value::Boolean(true))) };
    Expr::Call(Function::IsPresent, vec![Expr::Field(name.as_str().into())])
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
