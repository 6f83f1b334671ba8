//! What a record says of its time, level and text by keys that are not everyone's: those of single libraries and services.
//!
//! Looked at only where the common keys say nothing, so that common records cost nothing. A key that names a time of the
//! record's subject (`expires_at`, `created_at`) is none of its own time.

use types::{Level, Timestamp, Value};

use super::Members;
use crate::ArrivalContext;
use crate::json::members::{Member, Token};
use crate::json::times::time_of;
use crate::level::{LevelField, letter, level_of_number, level_of_word};
use crate::time::ResolvedTime;

/// Keys that give the time where none of [`TIME_KEYS`](super::TIME_KEYS) does, best first, and one that the record must
/// have too.
const OTHER_TIME_KEYS: [(&str, &str); 55] = [
    ("@t", ""),
    ("asctime", ""),
    ("datetime", ""),
    ("dateTime", ""),
    ("t", ""),
    // zap's development configuration.
    ("T", "L"),
    ("t.$date", ""),
    ("time.$date", ""),
    ("timestamp.$date", ""),
    ("record.time.timestamp", ""),
    ("record.time.repr", ""),
    ("instant.epochSecond", ""),
    ("timeMillis", ""),
    ("timestamp_ns", ""),
    ("timestamp_us", ""),
    ("timestamp_ms", ""),
    ("timestampMs", ""),
    ("timeUnixNano", ""),
    ("time_unix_nano", ""),
    ("resourceLogs", ""),
    ("Timestamp", ""),
    ("TimeStamp", ""),
    ("TIMESTAMP", ""),
    ("Time", ""),
    ("eventTime", ""),
    ("EventTime", ""),
    ("event_time", ""),
    ("eventTimestamp", ""),
    ("TimeGenerated", ""),
    ("CreationTime", "Operation"),
    ("log_time", ""),
    ("log_timestamp", ""),
    ("event_timestamp", ""),
    ("ibm_datetime", ""),
    ("reqTimeSec", "reqMethod"),
    ("data.date", "data.type"),
    // Senders wrap the record of another program.
    ("message.log_timestamp", ""),
    ("message.timestamp", ""),
    ("message.time", ""),
    ("content.timestamp", ""),
    ("event.timestamp", ""),
    ("event.datetime", ""),
    ("logTime", ""),
    ("EdgeStartTimestamp", ""),
    ("StartUTC", ""),
    ("time_iso8601", ""),
    ("time_local", ""),
    ("start_time", "response_code"),
    ("startTime", "categoryName"),
    ("created", "levelname"),
    ("ISODATE", ""),
    ("DATE", ""),
    ("date", ""),
    ("_time", ""),
    ("result._time", ""),
];

/// Lengths of the keys that begin with each letter, one bit each.
const LENGTHS: [u32; 256] = {
    let mut lengths = [0; 256];
    let mut n_done = 0;
    while n_done < OTHER_TIME_KEYS.len() {
        let name = OTHER_TIME_KEYS[n_done].0.as_bytes();
        lengths[name[0] as usize] |= 1 << name.len();
        n_done += 1;
    }
    lengths
};

/// An earlier number of seconds is no time of a log.
const EARLIEST: i64 = 500_000_000 * Timestamp::SECOND;

/// Keys that give the text of a record where none of [`TEXT_KEYS`](super::members::TEXT_KEYS) does, best first.
const OTHER_TEXT_KEYS: [&str; 11] = [
    "short_message", "Message", "fields.message", "record.message", "body.stringValue", "@m", "@mt", "M", "_msg",
    "_raw", "result._raw",
];

fn time_rank(name: &str) -> Option<usize> {
    let first = name.bytes().next()?;
    if name.len() > 31 || LENGTHS[usize::from(first)] & (1 << name.len()) == 0 {
        return None;
    }
    OTHER_TIME_KEYS.iter().position(|(known, _)| *known == name)
}

/// The place of the name that tells the time of records with these keys, as far as names say it.
pub fn time_key(names: &[&str]) -> Option<usize> {
    let place = |wanted: &str| names.iter().position(|name| *name == wanted);
    let is_there = |beside: &str| beside.is_empty() || names.contains(&beside);
    let others = OTHER_TIME_KEYS.iter().filter(|(_, beside)| is_there(beside)).map(|(key, _)| *key);
    super::TIME_KEYS.into_iter().chain(others).find_map(place)
}

/// Whether a key may tell the time of a record, be it beside another one.
pub fn may_tell_time(name: &str) -> bool {
    super::TIME_KEYS.contains(&name) || is_needed(name)
}

/// Whether a key may be needed for what a record says, though its value is not asked for.
pub(crate) fn is_needed(name: &str) -> bool {
    time_rank(name).is_some() || OTHER_TIME_KEYS.iter().any(|(_, beside)| *beside == name)
}

/// The time that a record says by a key of a single library.
pub(super) fn other_time(members: &Members, line: &str, received: &ArrivalContext<'_>) -> Option<Timestamp> {
    let mut best: Option<(usize, Timestamp)> = None;
    for member in &members.members {
        let Some(rank) = time_rank(members.get(member.name, line)) else { continue };
        let beside = OTHER_TIME_KEYS[rank].1;
        if best.is_some_and(|(known, _)| known <= rank) || (!beside.is_empty() && !members.has(line, beside)) {
            continue;
        }
        let time = match &member.token {
            Token::Value(list) => records(list).find_map(nanos).map(Timestamp),
            _ => match time_of(members, member, line, received).0 {
                Some(ResolvedTime::At(time)) => Some(Timestamp(time.0 + nanos_beside(members, line, rank))),
                _ => None,
            },
        };
        best = time.filter(|time| time.0 >= EARLIEST).map(|time| (rank, time)).or(best);
    }
    best.map(|(_, time)| time)
}

/// Nanoseconds that log4j2 writes beside its seconds.
fn nanos_beside(members: &Members, line: &str, rank: usize) -> i64 {
    if OTHER_TIME_KEYS[rank].0 != "instant.epochSecond" {
        return 0;
    }
    match named(members, line, "instant.nanoOfSecond").map(|member| &member.token) {
        Some(Token::Integer(nanos @ 0..1_000_000_000)) => *nanos,
        _ => 0,
    }
}

/// The text that a record says by a key of a single library.
pub(super) fn other_text<'t>(members: &'t Members, line: &'t str) -> Option<&'t str> {
    let mut best: Option<(usize, &str)> = None;
    for member in &members.members {
        let name = members.get(member.name, line);
        let first = name.bytes().next();
        // Most names are told apart by this.
        if !matches!(
            (name.len(), first),
            (2 | 3, Some(b'@'))
                | (1 | 7, Some(b'M'))
                | (4, Some(b'_'))
                | (11, Some(b'r'))
                | (13..=16, Some(b's' | b'f' | b'r' | b'b'))
        ) {
            continue;
        }
        let rank = OTHER_TEXT_KEYS.iter().position(|known| *known == name);
        let rank = rank.filter(|_| name != "M" || members.has(line, "L"));
        if let (Some(rank), Token::Text(span)) = (rank, &member.token)
            && best.is_none_or(|(known, _)| rank < known)
        {
            best = Some((rank, members.get(*span, line)));
        }
    }
    best.map(|(_, text)| text)
}

/// The level of a record whose common keys say none, or a number that means something with other keys beside it.
pub(super) fn other_level(members: &Members, line: &str, number: Option<i64>) -> Option<Level> {
    let has = |name: &str| members.has(line, name);
    if let Some(number) = number {
        return match number {
            0..=4 if has("reqId") => Level::of_code((number + 2) as u8),
            // FoundationDB's warnings are 20 and 30.
            5..=40 if has("LogGroup") && has("Machine") => Some(match number {
                ..10 => Level::Debug,
                10..20 => Level::Info,
                20..40 => Level::Warn,
                _ => Level::Error,
            }),
            0..=7 if has("short_message") => Level::of_syslog(number as u8),
            100..=600 if has("channel") => Some(match number {
                100 => Level::Debug,
                200 | 250 => Level::Info,
                300 => Level::Warn,
                400 => Level::Error,
                500 | 550 | 600 => Level::Fatal,
                _ => return None,
            }),
            _ => None,
        };
    }
    let text = |token: Option<&Token>| match token {
        Some(Token::Text(span)) => Some(members.get(*span, line)),
        _ => None,
    };
    let (mut letter_of, mut of_hclog, mut lists, mut n_mongo, mut n_serilog) = (None, None, None, 0, 0);
    for member in &members.members {
        match members.get(member.name, line) {
            "s" => letter_of = Some(&member.token),
            "@level" => of_hclog = Some(&member.token),
            "L" if has("T") => return level_of_word(LevelField::Named, text(Some(&member.token))?),
            "resourceLogs" => lists = Some(&member.token),
            "c" | "ctx" | "t.$date" => n_mongo += 1,
            "@t" | "@m" | "@mt" => n_serilog += 1,
            _ => {}
        }
    }
    if let Some(word) = text(letter_of).filter(|word| word.len() <= 2 && n_mongo >= 2) {
        return letter(*word.as_bytes().first()?);
    }
    if let Some(Token::Value(list)) = lists {
        return records(list).filter_map(level_of_record).max();
    }
    // Compact events of Serilog leave out the level that is the usual one.
    if n_serilog >= 2 {
        return Some(Level::Info);
    }
    let of_hclog = text(of_hclog).filter(|_| has("@message"));
    of_hclog.and_then(|word| level_of_word(LevelField::Named, word)).or_else(|| level_of_container(members, line))
}

/// The level of an event of Kubernetes, or of the state of a container.
fn level_of_container(members: &Members, line: &str) -> Option<Level> {
    let (mut reason, mut kind, mut is_event) = ("", "", false);
    for member in &members.members {
        let name = members.get(member.name, line);
        is_event |= name.contains("involvedObject.") || name.contains("regarding.");
        let Token::Text(span) = &member.token else { continue };
        match name.rsplit('.').next() {
            Some("reason") => reason = members.get(*span, line),
            Some("type") => kind = members.get(*span, line),
            _ => {}
        }
    }
    match (reason, kind) {
        ("OOMKilled" | "OOMKilling" | "CrashLoopBackOff", _) => Some(Level::Error),
        ("BackOff", _) if is_event => Some(Level::Error),
        (_, "Warning") if is_event => Some(Level::Warn),
        (_, "Normal") if is_event => Some(Level::Info),
        _ => None,
    }
}

fn named<'m>(members: &'m Members, line: &str, name: &str) -> Option<&'m Member> {
    members.members.iter().find(|member| members.get(member.name, line) == name)
}

/// The log records of a line of OTLP.
fn records(resource_logs: &Value) -> impl Iterator<Item = &Value> {
    items(Some(resource_logs))
        .flat_map(|resource| items(member(resource, "scopeLogs")))
        .flat_map(|scope| items(member(scope, "logRecords")))
}

fn level_of_record(record: &Value) -> Option<Level> {
    let of_number = match member(record, "severityNumber") {
        Some(Value::Integer(number)) => level_of_number(LevelField::OtlpNumber, *number),
        _ => None,
    };
    of_number.or_else(|| match member(record, "severityText")? {
        Value::String(text) => level_of_word(LevelField::Named, text),
        _ => None,
    })
}

fn nanos(record: &Value) -> Option<i64> {
    let written = |name: &str| match member(record, name)? {
        Value::String(text) => text.parse().ok(),
        Value::Integer(nanos) => Some(*nanos),
        _ => None,
    };
    written("timeUnixNano").filter(|nanos| *nanos > 0).or_else(|| written("observedTimeUnixNano"))
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    let items = if let Some(Value::List(items)) = list { &items[..] } else { &[] };
    items.iter().flatten()
}

fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Object(members) = object else { return None };
    members.iter().find(|(known, _)| **known == *name)?.1.as_ref()
}
