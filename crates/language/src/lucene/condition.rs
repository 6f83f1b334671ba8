//! What a word, phrase, range or pattern after a field means.

use regex::Regex;
use types::{Timestamp, Value};

use super::bound::{Bound, takes_first};
use super::sent_level::{has_sent, is_of_level, of_level};
use super::target::Target;
use super::text::{is_word, value_of};
use crate::logic::not;
use crate::mapping::Kind;
use plan::date_math::read_time;
use plan::each::each;
use plan::words::words_of;
use plan::{Comparison, Expr, Function, TextPattern, Word, Words, balanced, date_value, within};

impl Target {
    /// Returns a condition on the field that holds where it holds for one of its values.
    pub(super) fn of_one(&self, condition: Expr) -> Expr {
        match self {
            Self::Field { name, meaning, .. } if is_of_level(name) => of_level(name, condition, *meaning),
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

    /// Returns values for which all bounds hold.
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
            // A number next to a time is one of milliseconds.
            (None, Some(time)) => self.of_milliseconds(bound.comparison, time),
            (None, None) => not(None),
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

    /// Returns a number of milliseconds compared with a time.
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

    /// Returns a time compared with all of what was written: a day, a second.
    pub(super) fn of_time(&self, comparison: Comparison, (first, last): (i64, i64)) -> Expr {
        let instant = |instant| Value::Timestamp(Timestamp(instant));
        match comparison {
            Comparison::Equal => within(self.expr(), first, last.saturating_add(1)),
            Comparison::NotEqual => not(Some(within(self.expr(), first, last.saturating_add(1)))),
            comparison if takes_first(comparison) => self.compared(comparison, instant(first)),
            comparison => self.compared(comparison, instant(last)),
        }
    }

    /// Returns a value as it is after the field: a number, a time or words.
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

    /// Returns a text that is a date is compared with dates as one.
    fn or_date(&self, text: &str, condition: Expr) -> Expr {
        let time = date_value(text).and_then(|_| read_time(text, Timestamp(0)));
        match (self, time) {
            (Self::Field { is_plain: false, kind: None, .. }, Some(time)) => {
                self.if_date(self.of_time(Comparison::Equal, time), condition)
            }
            _ => condition,
        }
    }

    /// Returns the words of a text in quotes, one after the other.
    pub(crate) fn phrase(&self, text: &str) -> Option<Expr> {
        self.near(text, 0)
    }

    /// Does the same where words may be elsewhere, by so many places in all.
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

    /// Returns one word that is not taken apart, or a value.
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
                let words = Words::new(vec![word]).map_or_else(|| not(None), |words| self.pattern(words));
                self.of_one(self.or_date(&text, words))
            }
        }
    }

    /// Returns the condition that the field has a value.
    pub(crate) fn is_there(&self) -> Expr {
        match self {
            Self::Field { kind: Some(_), .. } => self.mapped_presence().unwrap_or_else(|| not(None)),
            Self::Field { name, .. } if name.starts_with('@') => {
                Expr::Call(Function::IsPresent, vec![Expr::Field(name.as_str().into())])
            }
            Self::Field { name, .. } => has_sent(name),
            Self::Any(_) | Self::Presence => Expr::Literal(Some(Value::Boolean(true))),
        }
    }

    /// Returns a regular expression: about a whole value, or about one word and anchored at both ends.
    pub(crate) fn matching(&self, regex: Regex) -> Expr {
        if let Some(condition) = self.mapped_matching(&regex) {
            return condition;
        }
        if self.is_keyword() || self.is_loose() {
            return self.of_one(Expr::Match(self.expr(), TextPattern::Regex(regex)));
        }
        Words::new(vec![Word::Matching(regex)]).map_or_else(|| not(None), |words| self.has(words))
    }
}

pub(crate) fn present(field: &str) -> Expr {
    Target::field(field).is_there()
}
