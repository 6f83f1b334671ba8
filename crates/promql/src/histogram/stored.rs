//! Histograms as the text that is stored of a sample: compact JSON with its members in this order.
//!
//! ```text
//! {"schema":1,"count":12,"sum":18.4,"zero_threshold":0.001,"zero_count":2,"positive":[[1,[2,0,3]],[9,[4]]],"negative":[[0,[1]]]}
//! {"schema":-53,"count":3,"sum":4,"custom":[0.5,1,5],"positive":[[0,[1,2]]],"hint":"gauge"}
//! ```
//!
//! A side is a list of spans: the index of the first bucket, and the counts from there on. Members that are 0, empty or unknown are
//! left out, except the first three; buckets without observations stand only between others. Numbers that JSON does not have are texts:
//! `"NaN"`, `"+Inf"`, `"-Inf"`, and `"stale"` as the sum of the marker that ends a series.

use std::fmt::Write;
use std::sync::Arc;

use crate::histogram::{Histogram, ResetHint};
use crate::value::{STALE, is_stale};

/// Buckets without observations that are written within a span: more take more room than a new span.
const GAP_MAX: i32 = 3;

/// Words of hints.
const HINTS: [(&str, ResetHint); 3] =
    [("reset", ResetHint::Reset), ("not_reset", ResetHint::NotReset), ("gauge", ResetHint::Gauge)];

impl Histogram {
    /// Returns the text that is stored.
    pub fn to_text(&self) -> String {
        let mut out = format!("{{\"schema\":{},\"count\":", self.schema);
        put_number(&mut out, self.count);
        out.push_str(",\"sum\":");
        put_number(&mut out, self.sum);
        for (name, value) in [("zero_threshold", self.zero_threshold), ("zero_count", self.zero_count)] {
            if value != 0.0 {
                // Writing to a text succeeds.
                let _ = write!(out, ",\"{name}\":");
                put_number(&mut out, value);
            }
        }
        if !self.custom.is_empty() {
            out.push_str(",\"custom\":");
            put_numbers(&mut out, self.custom.iter().copied());
        }
        put_side(&mut out, "positive", &self.positive);
        put_side(&mut out, "negative", &self.negative);
        if let Some((word, _)) = HINTS.iter().find(|(_, hint)| *hint == self.hint) {
            let _ = write!(out, ",\"hint\":\"{word}\"");
        }
        out.push('}');
        out
    }

    /// Reads a stored text; `None` if it is none.
    pub fn of_text(text: &str) -> Option<Self> {
        let mut rest = Rest(text.strip_prefix('{')?.strip_suffix('}')?);
        let mut found = Self::default();
        loop {
            match rest.name()? {
                "schema" => found.schema = rest.index()?,
                "count" => found.count = rest.number()?,
                "sum" => found.sum = rest.number()?,
                "zero_threshold" => found.zero_threshold = rest.number()?,
                "zero_count" => found.zero_count = rest.number()?,
                "custom" => found.custom = Arc::from(rest.numbers()?),
                "positive" => found.positive = rest.side()?,
                "negative" => found.negative = rest.side()?,
                "hint" => {
                    let word = rest.quoted()?;
                    found.hint = HINTS.iter().find(|(own, _)| *own == word)?.1;
                }
                _ => return None,
            }
            if rest.0.is_empty() {
                break;
            }
            rest.take(",")?;
        }
        found.checked().ok()
    }
}

fn put_number(out: &mut String, number: f64) {
    // Writing to a text succeeds.
    let _ = if is_stale(number) {
        write!(out, "\"stale\"")
    } else if number.is_nan() {
        write!(out, "\"NaN\"")
    } else if number.is_infinite() {
        write!(out, "\"{}Inf\"", if number > 0.0 { '+' } else { '-' })
    } else if number.fract() == 0.0 && number.abs() < 1e15 {
        write!(out, "{number}")
    } else {
        write!(out, "{number:?}")
    };
}

fn put_numbers(out: &mut String, numbers: impl Iterator<Item = f64>) {
    out.push('[');
    for (at, number) in numbers.enumerate() {
        if at > 0 {
            out.push(',');
        }
        put_number(out, number);
    }
    out.push(']');
}

fn put_side(out: &mut String, name: &str, side: &[(i32, f64)]) {
    let mut last: Option<i32> = None;
    for &(index, count) in side.iter().filter(|(_, count)| *count != 0.0) {
        let gap = last.map(|last| index - last - 1).filter(|gap| *gap <= GAP_MAX);
        match (last, gap) {
            (_, Some(gap)) => {
                (0..gap).for_each(|_| out.push_str(",0"));
                out.push(',');
            }
            (None, None) => {
                let _ = write!(out, ",\"{name}\":[[{index},[");
            }
            (Some(_), None) => {
                let _ = write!(out, "]],[{index},[");
            }
        }
        put_number(out, count);
        last = Some(index);
    }
    if last.is_some() {
        out.push_str("]]]");
    }
}

/// What is left to read.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn take(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn quoted(&mut self) -> Option<&'t str> {
        let (text, rest) = self.0.strip_prefix('"')?.split_once('"')?;
        self.0 = rest;
        Some(text)
    }

    fn name(&mut self) -> Option<&'t str> {
        let name = self.quoted()?;
        self.take(":")?;
        Some(name)
    }

    /// Takes what is up to the next comma or bracket.
    fn word(&mut self) -> &'t str {
        let end = self.0.bytes().position(|byte| matches!(byte, b',' | b']')).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    fn index(&mut self) -> Option<i32> {
        self.word().parse().ok()
    }

    fn number(&mut self) -> Option<f64> {
        if self.0.starts_with('"') {
            return match self.quoted()? {
                "NaN" => Some(f64::NAN),
                "+Inf" => Some(f64::INFINITY),
                "-Inf" => Some(f64::NEG_INFINITY),
                "stale" => Some(f64::from_bits(STALE)),
                _ => None,
            };
        }
        // Words such as `inf` are numbers to the parser, but none here.
        let word = self.word();
        let is_plain = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'e'));
        word.parse().ok().filter(|_| is_plain)
    }

    /// Takes a list, whose elements `take` takes one by one.
    fn list(&mut self, mut take: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take("[")?;
        loop {
            take(self)?;
            if self.take("]").is_some() {
                return Some(());
            }
            self.take(",")?;
        }
    }

    fn numbers(&mut self) -> Option<Vec<f64>> {
        let mut numbers = Vec::new();
        self.list(|rest| {
            numbers.push(rest.number()?);
            Some(())
        })?;
        Some(numbers)
    }

    fn side(&mut self) -> Option<Vec<(i32, f64)>> {
        let mut side = Vec::new();
        self.list(|rest| {
            rest.take("[")?;
            let mut index = rest.index()?;
            rest.take(",")?;
            rest.list(|rest| {
                let count = rest.number()?;
                if count != 0.0 {
                    side.push((index, count));
                }
                index = index.checked_add(1)?;
                Some(())
            })?;
            rest.take("]")
        })?;
        Some(side)
    }
}

#[cfg(test)]
mod tests;
