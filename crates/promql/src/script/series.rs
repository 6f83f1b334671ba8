//! Descriptions of series: labels and a sequence of values, such as `up{job="a"} 0+10x5 _x2 stale {{count:2 buckets:[2]}}`.

use std::sync::Arc;

use crate::histogram::{Histogram, ResetHint};
use crate::labels::{Labels, METRIC_NAME};
use crate::lexer::{Word, number, tokens, unquote};
use crate::value::{STALE, Value};

/// More values than this per line are refused.
const VALUES_MAX: usize = 1_000_000;

/// One value of a sequence; `None` is a gap.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) value: Option<Value>,
    /// Whether the description of the histogram had a hint.
    pub(crate) hinted: bool,
}

/// Reads labels and values of a line.
pub(crate) fn description(line: &str) -> Result<(Labels, Vec<Item>), String> {
    let end = labels_end(line)?;
    Ok((labels(&line[..end])?, values(line[end..].trim())?))
}

/// Finds the end of the labels: the closing brace, or the first space.
fn labels_end(line: &str) -> Result<usize, String> {
    let space = line.find([' ', '\t']).unwrap_or(line.len());
    let Some(open) = line.find('{').filter(|open| line[..*open].trim().find([' ', '\t']).is_none()) else {
        return Ok(space);
    };
    if line[open..].starts_with("{{") {
        return Ok(space);
    }
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices().skip_while(|(at, _)| *at < open) {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(q) if c == '\\' && q != '`' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '}' => return Ok(at + 1),
            None => {}
        }
    }
    Err("the braces of the labels are not closed".to_owned())
}

/// Reads `name{a="b", "c.d"="e"}`.
pub(crate) fn labels(text: &str) -> Result<Labels, String> {
    let words = tokens(text).map_err(|error| error.message)?;
    let mut words = words.iter().map(|token| (token.word, &text[token.span.clone()])).peekable();
    let mut pairs: Vec<(String, String)> = Vec::new();
    if let Some((_, name)) = words.next_if(|(word, _)| matches!(word, Word::Name | Word::Number)) {
        pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
    }
    let wrong =
        |found: Option<(Word, &str)>| format!("unexpected {:?} among labels", found.map_or("end", |(_, text)| text));
    if words.peek().is_none() {
        return if pairs.is_empty() { Err("a series has no labels".to_owned()) } else { Ok(Labels::new(pairs)) };
    }
    match words.next() {
        Some((_, "{")) => {}
        other => return Err(wrong(other)),
    }
    while words.next_if(|(_, text)| *text == "}").is_none() {
        let name = match words.next() {
            Some((Word::Name | Word::Number, name)) => name.to_owned(),
            Some((Word::Quoted, text)) => {
                let name = unquote(text)?;
                if words.peek().is_none_or(|(_, text)| *text != "=") {
                    pairs.push((METRIC_NAME.to_owned(), name));
                    words.next_if(|(_, text)| *text == ",");
                    continue;
                }
                name
            }
            other => return Err(wrong(other)),
        };
        match (words.next(), words.next()) {
            (Some((_, "=")), Some((Word::Quoted, value))) => pairs.push((name, unquote(value)?)),
            (Some((_, "=")), other) | (other, _) => return Err(wrong(other)),
        }
        words.next_if(|(_, text)| *text == ",");
    }
    Ok(Labels::new(pairs))
}

/// Reads a sequence of values.
fn values(text: &str) -> Result<Vec<Item>, String> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        rest = item(rest, &mut all)?.trim_start();
        if all.len() > VALUES_MAX {
            return Err(format!("a series has more than {VALUES_MAX} values"));
        }
    }
    Ok(all)
}

/// Reads one value or a repeated one; returns what follows.
fn item<'a>(text: &'a str, all: &mut Vec<Item>) -> Result<&'a str, String> {
    let gap = Item { value: None, hinted: false };
    if let Some(rest) = text.strip_prefix('_') {
        let (count, rest) = repeats(rest)?;
        all.extend(std::iter::repeat_n(gap, count.unwrap_or(1)));
        return Ok(rest);
    }
    if text.starts_with("{{") {
        let (first, hinted, rest) = histogram(text)?;
        let sign = if rest.starts_with("-{{") { -1.0 } else { 1.0 };
        let step = rest.strip_prefix(['+', '-']).filter(|rest| rest.starts_with("{{"));
        let (step, rest) = match step {
            Some(after) => histogram(after).map(|(step, _, rest)| (Some(step), rest))?,
            None => (None, rest),
        };
        let (count, rest) = repeats(rest)?;
        let mut now = first;
        for at in 0..=count.unwrap_or(0) {
            if let (Some(step), true) = (&step, at > 0) {
                let sum = if sign < 0.0 { now.minus(step) } else { now.plus(step) };
                now = sum.map_err(|_| "histograms of a sequence have different kinds of schemas")?.0;
            }
            all.push(Item { value: Some(now.clone().into()), hinted });
        }
        return Ok(rest);
    }
    if let Some(rest) = text.strip_prefix("stale") {
        let (count, rest) = repeats(rest)?;
        let stale = Item { value: Some(Value::Float(f64::from_bits(STALE))), hinted: false };
        all.extend(std::iter::repeat_n(stale, count.map_or(1, |count| count + 1)));
        return Ok(rest);
    }
    let (first, rest) = leading_number(text)?;
    let (step, rest) = match rest.starts_with(['+', '-']) {
        true => leading_number(rest)?,
        false => (0.0, rest),
    };
    let (count, rest) = repeats(rest)?;
    let mut now = first;
    for at in 0..=count.unwrap_or(0) {
        // Added again and again, as Prometheus does, which is not the same as a product.
        now = if at > 0 { now + step } else { now };
        all.push(Item { value: Some(Value::Float(now)), hinted: false });
    }
    Ok(rest)
}

/// Reads `xN`.
fn repeats(text: &str) -> Result<(Option<usize>, &str), String> {
    let Some(rest) = text.strip_prefix('x') else {
        return if text.is_empty() || text.starts_with([' ', '\t']) {
            Ok((None, text))
        } else {
            Err(format!("unexpected {text:?} in a sequence of values"))
        };
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let count = rest[..end].parse().ok().filter(|count| *count <= VALUES_MAX);
    let count = count.ok_or_else(|| format!("{:?} is no number of repetitions up to {VALUES_MAX}", &rest[..end]))?;
    Ok((Some(count), &rest[end..]))
}

fn leading_number(text: &str) -> Result<(f64, &str), String> {
    // Here `0x10` is ten times zero, not sixteen.
    let part = |(at, c): &(usize, char)| match c {
        '+' | '-' => *at == 0 || text[..*at].ends_with(['e', 'E']),
        'x' | 'X' => false,
        c => c.is_ascii_alphanumeric() || matches!(c, '.' | '_'),
    };
    let end = text.char_indices().take_while(part).map(|(at, c)| at + c.len_utf8()).last().unwrap_or(0);
    let value =
        number(&text[..end]).ok_or_else(|| format!("{:?} is no number", text.split(' ').next().unwrap_or("")))?;
    Ok((value, &text[end..]))
}

/// Reads `{{…}}`; returns the histogram, whether it has a hint, and what follows.
fn histogram(text: &str) -> Result<(Histogram, bool, &str), String> {
    let end = text.find("}}").ok_or("a histogram is not closed by }}")?;
    let mut found = Histogram::default();
    let (mut hinted, mut offsets) = (false, (0_i32, 0_i32));
    let mut rest = text[2..end].trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':').ok_or_else(|| format!("expected KEY:VALUE, got {rest:?}"))?;
        let (value, next) = match after.strip_prefix('[') {
            Some(list) => list.split_once(']').ok_or("a list is not closed by ]")?,
            None => after.split_once([' ', '\t']).unwrap_or((after, "")),
        };
        rest = next.trim_start();
        let float = || number(value.trim()).ok_or_else(|| format!("{value:?} of {key} is no number"));
        let whole = || value.trim().parse::<i32>().map_err(|_| format!("{value:?} of {key} is no whole number"));
        let list = || -> Result<Vec<f64>, String> {
            value.split_whitespace().map(|n| number(n).ok_or_else(|| format!("{n:?} of {key} is no number"))).collect()
        };
        let side = |counts: Vec<f64>| counts.into_iter().enumerate().map(|(at, n)| (at as i32, n)).collect();
        match key.trim() {
            "schema" => found.schema = whole()?,
            "sum" => found.sum = float()?,
            "count" => found.count = float()?,
            "z_bucket" => found.zero_count = float()?,
            "z_bucket_w" => found.zero_threshold = float()?,
            "custom_values" => found.custom = Arc::from(list()?),
            "buckets" => found.positive = side(list()?),
            "n_buckets" => found.negative = side(list()?),
            "offset" => offsets.0 = whole()?,
            "n_offset" => offsets.1 = whole()?,
            "counter_reset_hint" => {
                hinted = true;
                found.hint = match value.trim() {
                    "unknown" => ResetHint::Unknown,
                    "reset" => ResetHint::Reset,
                    "not_reset" => ResetHint::NotReset,
                    "gauge" => ResetHint::Gauge,
                    other => return Err(format!("unknown hint {other:?}; use unknown, reset, not_reset or gauge")),
                };
            }
            other => return Err(format!("unknown part {other:?} of a histogram")),
        }
    }
    if !(-4..=8).contains(&found.schema) && !found.is_custom() {
        return Err(format!("schema {} is neither in -4..=8 nor -53", found.schema));
    }
    let shift = |side: &mut Vec<(i32, f64)>, by: i32| side.iter_mut().for_each(|(at, _)| *at = at.saturating_add(by));
    shift(&mut found.positive, offsets.0);
    shift(&mut found.negative, offsets.1);
    Ok((found, hinted, &text[end + 2..]))
}
