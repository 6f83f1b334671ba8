//! What a line that is no object says: its time, its level, and the fields of its shape.

use std::borrow::Cow;
use std::cell::Cell;

use types::{BatchBuilder, Level, Timestamp, Value};

use crate::arrival::{ArrivalContext, Extras};
use crate::crash::{ReportLevel, level_behind_header};
use crate::shape::{PartLayer, PartValue, Parts, Shape};
use crate::time::{ResolvedTime, TimeMemo, find_time_in, find_time_of_day, parse_own_time};
use crate::{Projection, exception, json};

/// Longest name of a field, as of JSON records.
const NAME_BYTES_MAX: usize = 512;

/// What a text says of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnTime {
    /// Nothing that an event may have.
    None,
    /// The time of day; the day is taken from what is known beside the text.
    OfDay,
    /// Day and time.
    Full,
}

/// What is known of a line beside itself.
pub(super) struct LineContext<'a> {
    pub(super) extras: &'a Extras<'a>,
    /// The level that stands around the line.
    pub(super) level: Option<Level>,
    /// Whether its time is known already: its own is a mere field then.
    pub(super) is_told: bool,
    pub(super) received: &'a ArrivalContext<'a>,
    pub(super) wanted: Option<&'a Projection>,
    /// The time that was read last in the line.
    pub(super) times: &'a TimeMemo,
    /// Whether the line before said its level.
    pub(super) said_level: &'a Cell<bool>,
}

/// What a line said.
pub(super) struct LineReading<'t> {
    pub(super) time: Option<(ResolvedTime, Cow<'t, str>)>,
    pub(super) said: OwnTime,
    /// The field that is the line itself.
    pub(super) text_key: Option<&'static str>,
}

/// Gives the event what a line says, with its parts where its shape is known.
pub(super) fn add<'t>(
    (line, parts, shape): (&'t str, Option<&Parts>, Option<Shape>),
    told: &LineContext<'_>,
    builder: &mut BatchBuilder,
) -> LineReading<'t> {
    let LineContext { extras, received, wanted, times, .. } = *told;
    let mut may_have_trace = times.first_line(line).len() < line.len();
    // What came beside the line is not looked for in it.
    if wanted.is_none_or(Projection::has_level) && extras.level.is_none() {
        let (level, is_report) = match told.level {
            Some(level) => (Some(level), false),
            None => level_of_line(parts, line, told),
        };
        may_have_trace |= is_report;
        builder.set_level(level);
    }
    let mut text_key = None;
    if may_have_trace {
        let has_own = |name: &str| extras.fields.iter().any(|(own, _)| **own == *name);
        let text = parts.and_then(|parts| parts.behind_header(line)).unwrap_or(line);
        let key = exception::add_of_text(text, has_own, wanted, builder);
        text_key = key.filter(|key| wanted.is_none_or(|wanted| wanted.has_field(key)));
    }
    let mut said = OwnTime::Full;
    let full = if told.is_told { None } else { time_of_line(parts, line, received, times) };
    let time = full.or_else(|| {
        let is_open = !told.is_told;
        let found = is_open.then(|| find_time_of_day(line.as_bytes(), received.previous, received))??;
        said = OwnTime::OfDay;
        Some((found.time, Cow::Borrowed(&line[found.start..found.end])))
    });
    if let Some(parts) = parts {
        let own = time.as_ref().map(|(time, _)| *time);
        emit_parts((shape, parts, line), own, received, wanted, builder);
    }
    LineReading { time, said, text_key }
}

/// The time that a line has, and how it is written.
fn time_of_line<'t>(
    parts: Option<&Parts>,
    text: &'t str,
    received: &ArrivalContext<'_>,
    times: &TimeMemo,
) -> Option<(ResolvedTime, Cow<'t, str>)> {
    let found = |text: &'t str| {
        let found = find_time_in(text.as_bytes(), received, times)?;
        Some((found.time, Cow::Borrowed(&text[found.start..found.end])))
    };
    let Some(parts) = parts else { return found(text) };
    let written = parts.time(text).and_then(|written| {
        let time = parse_own_time(written, received, times);
        let time = time.or_else(|| crate::find_time(written.as_bytes(), received).map(|found| found.time))?;
        let original =
            if time == ResolvedTime::OutOfRange { Cow::Owned(written.to_owned()) } else { Cow::Borrowed("") };
        Some((time, original))
    });
    match parts.behind_header(text) {
        Some(message) if written.is_none() => found(message),
        Some(message) => {
            let Some(at) = clock_in(message) else { return written };
            let fine = found(message);
            let header = parts.time(text).unwrap_or_default();
            if let (Some((time, _)), Some((other, _))) = (&written, &fine)
                && is_of_other_year(header, *time, *other)
            {
                return fine;
            }
            // Numbers of the message may stand before a date.
            let is_before = fine.as_ref().is_none_or(|(_, text)| text.as_ptr() < message[at..].as_ptr());
            let later = if is_before { found(&message[at..]) } else { None };
            finer(finer(written, fine), later)
        }
        None => written.or_else(|| found(text)),
    }
}

/// Where a date and time of day may begin among the first words of a text.
fn clock_in(text: &str) -> Option<usize> {
    let head = &text.as_bytes()[..text.len().min(96)];
    if head.len() > 10 && head[10] == b'.' && head[..10].iter().all(u8::is_ascii_digit) {
        return Some(0);
    }
    let is_clock = |at: &usize| *at > 1 && head[at - 1].is_ascii_digit() && head.get(at + 3) == Some(&b':');
    let hour = memchr::memchr_iter(b':', head).find(is_clock)? - 2;
    let date = hour.saturating_sub("2026-11-20 ".len());
    Some(if head[date].is_ascii_digit() { date } else { hour })
}

/// A time, or one of the same second that is finer.
pub(super) fn finer<T>(time: Option<(ResolvedTime, T)>, other: Option<(ResolvedTime, T)>) -> Option<(ResolvedTime, T)> {
    match (&time, &other) {
        (Some((ResolvedTime::At(whole), _)), Some((ResolvedTime::At(fine), _)))
            if whole.0 % Timestamp::SECOND != 0
                || fine.0.div_euclid(Timestamp::SECOND) != whole.0 / Timestamp::SECOND =>
        {
            time
        }
        (Some((ResolvedTime::OutOfRange, _)), _) | (_, None | Some((ResolvedTime::OutOfRange, _))) => time,
        _ => other,
    }
}

/// Whether a header's time, which has no year, is another one's but for the year.
fn is_of_other_year(header: &str, time: ResolvedTime, other: ResolvedTime) -> bool {
    let (ResolvedTime::At(time), ResolvedTime::At(other)) = (time, other) else { return false };
    let has_year = header.len() > 15 || !header.starts_with(|c: char| c.is_ascii_uppercase());
    let calendar = |time: Timestamp| {
        let (_, month, day) = types::civil_from_days(time.day());
        (month, day, time.0.div_euclid(Timestamp::SECOND).rem_euclid(24 * 3600))
    };
    !has_year && other < time && calendar(time) == calendar(other)
}

/// The level of a line by its shape, by its words, as the report of a death, or by the header around it; and whether it is such
/// a report.
fn level_of_line(parts: Option<&Parts>, line: &str, told: &LineContext<'_>) -> (Option<Level>, bool) {
    let text = parts.and_then(|parts| parts.behind_header(line)).unwrap_or(line);
    let times = told.times;
    let said = parts.and_then(Parts::own_level).or_else(|| crate::level::level_in(text, times, told.said_level));
    // The kernel writes `INFO` before what has failed.
    let may_be_of_kernel = || said == Some(Level::Info) && memchr::memchr(b'\n', text.as_bytes()).is_some();
    let report = if said.is_none() || may_be_of_kernel() { ReportLevel::of_known(text, times) } else { None };
    let report = report.filter(|report| said.is_none() || report.is_of_kernel);
    let of_header = || parts.and_then(Parts::level_of_header);
    let level = said.filter(|_| report.is_none()).or_else(|| level_behind_header(of_header(), report));
    (level, report.is_some())
}

/// Gives the event the fields that its line says by its shape; one that is the event's time is not kept twice. What is
/// over a limit stays in the text only, and is counted.
fn emit_parts(
    (shape, parts, line): (Option<Shape>, &Parts, &str),
    time: Option<ResolvedTime>,
    received: &ArrivalContext<'_>,
    wanted: Option<&Projection>,
    builder: &mut BatchBuilder,
) {
    let limits = received.limits;
    let (mut n_fields, mut n_dropped) = (0, 0);
    let mut path = String::new();
    let mut emit = |builder: &mut BatchBuilder, name: &str, below: Option<&str>, value: PartValue<'_>| {
        let name = match below {
            Some(below) => {
                path.clear();
                path.extend([name, ".", below]);
                &*path
            }
            None => name,
        };
        // Only what no sender wrote is the system's.
        let forged = name.strip_prefix('@').filter(|_| shape != Some(Shape::Lambda)).map(|bare| format!("_{bare}"));
        let name = forged.as_deref().unwrap_or(name);
        if wanted.is_some_and(|wanted| !wanted.has_field(name)) {
            return;
        }
        let is_long = matches!(&value, PartValue::Text(text) if text.len() > limits.field_bytes_max);
        if is_long || n_fields >= limits.fields_max || name.is_empty() || name.len() > NAME_BYTES_MAX {
            n_dropped += 1;
            return;
        }
        n_fields += 1;
        match value {
            PartValue::Text(text)
                if shape == Some(Shape::Logfmt)
                    && json::TIME_KEYS.contains(&name)
                    && time.is_some()
                    && crate::parse_time(&text, received) == time
                    && !parts.is_repeated(name, line)
                    && let Some(form) = json::exact_rfc3339(&text) =>
            {
                builder.set_time_key(name, form);
            }
            PartValue::Text(text) => builder.field_text(name, &text),
            PartValue::Integer(number) => builder.field_integer(name, number),
            PartValue::Float(number) => builder.field_float(name, number),
            PartValue::Empty => builder.field_value(name, Value::Object(Vec::new().into())),
        }
    };
    parts.each_own(PartLayer::Text, line, |name, below, value| emit(builder, name, below, value));
    builder.begin_layer();
    parts.each_own(PartLayer::Header, line, |name, below, value| emit(builder, name, below, value));
    if n_dropped > 0 {
        builder.field_integer("@fieldsDropped", n_dropped);
    }
}
