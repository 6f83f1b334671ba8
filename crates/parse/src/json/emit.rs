//! From scanned members to an event: which key is the text and the time, which level, which fields.

use std::borrow::Cow;
use std::sync::LazyLock;

use types::{BatchBuilder, Level, RARE_SYSTEM_FIELDS, SYSTEM_FIELDS, TimeForm, Timestamp};

use super::{Members, TIME_KEYS, hints};
use crate::commit::commit_in_parts;
use crate::json::members::{Member, SpecialKey, TEXT_KEYS, Token};
use crate::json::times::time_of;
use crate::level::{LevelField, level_field, level_of_number, level_of_text, level_of_word};
use crate::time::{ASSUMED_ZONE, ResolvedTime, assumed_zone, bounded};
use crate::{ArrivalContext, Extras, Projection, ReportLevel, exception};

/// Incoming names that only the system may give, and what they are kept as.
static RESERVED: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let names = SYSTEM_FIELDS.into_iter().chain(["@any"]).chain(RARE_SYSTEM_FIELDS);
    names.map(|name| (name, name.replacen('@', "_", 1))).collect()
});

/// Which key gave the time, and what it says.
#[derive(Default)]
struct ChosenTime {
    /// The key's place in [`TIME_KEYS`].
    rank: Option<usize>,
    time: Option<Timestamp>,
    /// Set where the value can be given back from the time.
    form: Option<TimeForm>,
    /// The value of a time that events cannot have.
    rejected: Option<String>,
}

impl ChosenTime {
    /// What it says, beside its original where no event can have it.
    fn told(self) -> Option<(ResolvedTime, Cow<'static, str>)> {
        match (self.time, self.rejected) {
            (Some(time), _) => Some((ResolvedTime::At(time), Cow::Borrowed(""))),
            (None, Some(original)) => Some((ResolvedTime::OutOfRange, Cow::Owned(original))),
            (None, None) => None,
        }
    }

    /// A time that came beside the record.
    fn given(time: Timestamp, received: &ArrivalContext<'_>) -> Self {
        let none = Self { rank: None, time: None, form: None, rejected: None };
        match bounded(time.0.into(), received) {
            ResolvedTime::At(time) => Self { time: Some(time), ..none },
            ResolvedTime::OutOfRange => Self { rejected: Some(time.0.to_string()), ..none },
        }
    }
}

/// Adds a record that its sender made as an event. A time that came beside it makes its own keys mere fields. Returns its time.
pub(crate) fn emit_record(
    members: &mut Members,
    line: &str,
    received: &ArrivalContext<'_>,
    extras: &Extras<'_>,
    builder: &mut BatchBuilder,
) -> Option<Timestamp> {
    let chosen = match extras.time {
        Some(time) => {
            if let Some(member) = &members.times[0] {
                emit_field(members, "_timestamp", member, line, builder);
            }
            ChosenTime::given(time, received)
        }
        None => choose_time(members, line, received),
    };
    // In an old file a record without a time is of about the time of the one before it, as a line is.
    let of_file = received.modified.filter(|_| chosen.rejected.is_none());
    let otherwise = of_file.map_or(received.at, |modified| received.previous.unwrap_or(modified));
    builder.set_timestamp(chosen.time.unwrap_or(otherwise));
    if let Some(zone) = chosen.time.and_then(|time| assumed_zone(&members.read_time, time, received)) {
        builder.field_text(ASSUMED_ZONE, zone.as_str());
    }
    if let Some(original) = &chosen.rejected {
        builder.field_text("@timestampRejected", original);
    }
    emit_times(members, line, &chosen, None, builder);
    let text_rank = choose_text(members);
    emit_texts(members, line, text_rank, (received, None), builder);
    let message = text_rank.and_then(|rank| members.texts[rank].as_ref());
    let message = message.map(|member| match &member.token {
        Token::Text(span) => members.get(*span, line),
        _ => members.get(member.raw, line),
    });
    let message = message.or_else(|| hints::other_text(members, line));
    let (said, supposed) = emit_fields(members, line, None, builder);
    let of_trace = exception::add_of_members(members, line, None, builder);
    let of_text = || message.and_then(level_of_text);
    let said = said.max(level_of_death(members, line, message));
    builder.set_level(said.or(extras.level).or_else(of_text).or(supposed).or(of_trace));
    emit_rest(members, builder);
    let is_alone = |rank: &usize| *rank > 0 && !members.is_repeated(SpecialKey::Text(*rank));
    let text_key = text_rank.filter(is_alone).map(|rank| TEXT_KEYS[rank]);
    commit_in_parts(message.unwrap_or(line), text_key, received.limits, builder);
    chosen.time
}

/// Gives the event the keys of a text line that is a JSON object, and its level; the line stays the text.
///
/// Returns the time that the keys say, beside its original; where one was told already, they are mere fields.
pub(crate) fn emit_line_fields(
    members: &mut Members,
    line: &str,
    (received, is_told): (&ArrivalContext<'_>, bool),
    wanted: Option<&Projection>,
    builder: &mut BatchBuilder,
) -> Option<(ResolvedTime, Cow<'static, str>)> {
    let chosen = if is_told { ChosenTime::default() } else { choose_time(members, line, received) };
    emit_times(members, line, &chosen, wanted, builder);
    emit_texts(members, line, None, (received, wanted), builder);
    let message = members.texts[1..].iter().find_map(|member| match member.as_ref()?.token {
        Token::Text(span) => Some(members.get(span, line)),
        _ => None,
    });
    let (said, supposed) = emit_fields(members, line, wanted, builder);
    let of_trace = exception::add_of_members(members, line, wanted, builder);
    if wanted.is_none_or(Projection::has_level) {
        let said = said.max(level_of_death(members, line, message));
        builder.set_level(said.or_else(|| message.and_then(level_of_text)).or(supposed).or(of_trace));
    }
    emit_rest(members, builder);
    chosen.told()
}

/// Gives the event the keys of an object that stands around its line or behind it, and returns the time that they say, unless
/// one was told already, and the level. The keys of times are left out where `keeps_times` is not set.
pub(crate) fn emit_around(
    members: &mut Members,
    object: &str,
    (received, is_told, keeps_times): (&ArrivalContext<'_>, bool, bool),
    wanted: Option<&Projection>,
    builder: &mut BatchBuilder,
) -> (Option<(ResolvedTime, Cow<'static, str>)>, Option<Level>) {
    let chosen = if is_told { ChosenTime::default() } else { choose_time(members, object, received) };
    if keeps_times {
        emit_times(members, object, &chosen, wanted, builder);
    }
    emit_texts(members, object, None, (received, wanted), builder);
    let (said, supposed) = emit_fields(members, object, wanted, builder);
    emit_rest(members, builder);
    (chosen.told(), said.or(supposed))
}

/// The first key of the order that holds a time; a rejected time is told where no key does.
fn choose_time(members: &Members, line: &str, received: &ArrivalContext<'_>) -> ChosenTime {
    let mut rejected = None;
    for (rank, member) in members.times.iter().enumerate() {
        let Some(member) = member else { continue };
        let (resolved, form) = time_of(members, member, line, received);
        if let Some(ResolvedTime::At(time)) = resolved {
            return ChosenTime { rank: Some(rank), time: Some(time), form, rejected: rejected.filter(|_| rank > 0) };
        }
        // What `@timestamp` says is kept nowhere else.
        if rejected.is_none() && (resolved.is_some() || rank == 0) {
            rejected = Some(match &member.token {
                Token::Text(span) => members.get(*span, line).to_string(),
                _ => members.get(member.raw, line).to_string(),
            });
        }
    }
    let time = if rejected.is_none() { hints::other_time(members, line, received) } else { None };
    ChosenTime { rank: None, time, form: None, rejected }
}

/// Gives the event the keys that hold times, derived from `@timestamp` where that gives the value back.
fn emit_times(
    members: &Members,
    line: &str,
    chosen: &ChosenTime,
    wanted: Option<&Projection>,
    builder: &mut BatchBuilder,
) {
    for (rank, key) in TIME_KEYS.iter().enumerate().skip(1) {
        let Some(member) = &members.times[rank] else { continue };
        if !is_wanted(wanted, key) {
            continue;
        }
        match chosen.form {
            Some(form) if chosen.rank == Some(rank) && !members.is_repeated(SpecialKey::Time(rank)) => {
                builder.set_time_key(key, form);
            }
            _ => emit_field(members, key, member, line, builder),
        }
    }
}

/// The first key of the order that holds a text; of `@message` any value will do.
fn choose_text(members: &Members) -> Option<usize> {
    let is_usable = |rank: &usize| match &members.texts[*rank] {
        Some(member) => *rank == 0 || matches!(member.token, Token::Text(_)),
        None => false,
    };
    (0..TEXT_KEYS.len()).find(is_usable)
}

/// Gives the event the keys that might have been its text and are not, and the one that is if it has other values too.
fn emit_texts(
    members: &mut Members,
    line: &str,
    chosen: Option<usize>,
    (received, wanted): (&ArrivalContext<'_>, Option<&Projection>),
    builder: &mut BatchBuilder,
) {
    for (rank, key) in TEXT_KEYS.iter().enumerate() {
        let is_field = chosen != Some(rank) || (rank > 0 && members.is_repeated(SpecialKey::Text(rank)));
        let Some(member) = members.texts[rank].clone().filter(|_| is_field) else { continue };
        let name = if rank == 0 { "_message" } else { *key };
        if member.text_bytes() > received.limits.field_bytes_max {
            let raw = members.get(member.raw, line).to_string();
            members.drop_into_rest(name, &raw);
        } else if is_wanted(wanted, name) {
            emit_field(members, name, &member, line, builder);
        }
    }
}

/// The level of the report of a death in the journal, whose priority is that of all that a program prints.
fn level_of_death(members: &Members, line: &str, message: Option<&str>) -> Option<Level> {
    let text = message.filter(|text| text.contains('\n'))?;
    let is_entry = ["PRIORITY", "__REALTIME_TIMESTAMP"].iter().any(|name| members.has(line, name));
    if is_entry { ReportLevel::of(text).map(|report| report.level) } else { None }
}

/// Gives the event its other fields and returns the level that they say, and that which holds where its text says none: the
/// journal gives `PRIORITY` 6 to everything that a service prints.
fn emit_fields(
    members: &Members,
    line: &str,
    wanted: Option<&Projection>,
    builder: &mut BatchBuilder,
) -> (Option<Level>, Option<Level>) {
    let mut found = FoundLevel::default();
    let mut is_hinted = false;
    let mut is_printed = false;
    let mut status = None;
    let mut is_request = false;
    for member in &members.members {
        let mut name = members.get(member.name, line);
        let first = name.as_bytes().first();
        // MongoDB's `s`, OTLP's `resourceLogs`, `@t`, `reason` of Kubernetes and others.
        is_hinted |= matches!((first, name.len()), (Some(b's' | b'L'), 1) | (Some(b'r'), 12) | (Some(b'@'), _));
        is_hinted |= name.ends_with("reason");
        match first {
            Some(b'@') => {
                let kept = RESERVED.iter().find(|(incoming, _)| *incoming == name);
                name = kept.map_or(name, |(_, kept)| kept);
            }
            Some(b's' | b'r') if matches!(name, "status" | "status_code" | "response_code" | "responseCode") => {
                status = Some(&member.token);
            }
            Some(b'm' | b'p' | b'u' | b'r') if matches!(name, "method" | "path" | "uri" | "url" | "request") => {
                is_request = true;
            }
            Some(b'_') if name == "_TRANSPORT" => {
                is_printed = matches!(&member.token, Token::Text(span) if members.get(*span, line) == "stdout");
            }
            _ => {}
        }
        if is_wanted(wanted, name) {
            emit_field(members, name, member, line, builder);
        }
        if let Some(kind) = level_field(name) {
            found.take(kind, members, member, line);
        }
    }
    let of_status = || match status {
        Some(Token::Integer(number)) if is_request => Level::of_http_status(*number),
        Some(Token::Text(span)) if is_request => Level::of_http_status(members.get(*span, line).parse().ok()?),
        _ => None,
    };
    let of_scale = |number: i64| hints::other_level(members, line, Some(number));
    let level = found.of_word.or_else(|| found.unknown.and_then(of_scale)).or_else(|| found.level());
    let level = level.or_else(of_status);
    let level = level.or_else(|| if is_hinted { hints::other_level(members, line, None) } else { None });
    if is_printed && level == Some(Level::Info) { (None, level) } else { (level, None) }
}

/// What the keys of a record say of its level.
#[derive(Default)]
struct FoundLevel {
    of_word: Option<Level>,
    of_number: Option<Level>,
    of_nested: Option<Level>,
    /// A number of no scale that is everyone's.
    unknown: Option<i64>,
}

impl FoundLevel {
    fn take(&mut self, kind: LevelField, members: &Members, member: &Member, line: &str) {
        match (&member.token, kind) {
            (Token::Text(span), LevelField::Nested) if self.of_nested.is_none() => {
                self.of_nested = level_of_word(kind, members.get(*span, line));
            }
            (Token::Text(span), _) if self.of_word.is_none() => {
                let text = members.get(*span, line);
                match text.parse() {
                    Ok(number) => self.take_number(kind, number),
                    Err(_) => self.of_word = level_of_word(kind, text),
                }
            }
            (Token::Integer(number), _) => self.take_number(kind, *number),
            _ => {}
        }
    }

    fn take_number(&mut self, kind: LevelField, number: i64) {
        let level = level_of_number(kind, number);
        if level.is_none() || kind == LevelField::Severity && number >= 10 {
            self.unknown = Some(number);
        }
        match kind {
            LevelField::Nested => self.of_nested = self.of_nested.or(level),
            _ => self.of_number = self.of_number.or(level),
        }
    }

    /// A word wins over a number, whose meaning differs from library to library.
    fn level(&self) -> Option<Level> {
        self.of_word.or(self.of_number).or(self.of_nested)
    }
}

/// Whether a field is read; where nothing is said, all are.
fn is_wanted(wanted: Option<&Projection>, name: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.has_field(name))
}

fn emit_field(members: &Members, name: &str, member: &Member, line: &str, builder: &mut BatchBuilder) {
    match &member.token {
        Token::Text(span) | Token::Digits(span) => builder.field_text(name, members.get(*span, line)),
        Token::Integer(number) => builder.field_integer(name, *number),
        Token::Float(number) => builder.field_float(name, *number),
        Token::Boolean(truth) => builder.field_boolean(name, *truth),
        Token::Value(value) => builder.field_value(name, value.clone()),
    }
}

fn emit_rest(members: &Members, builder: &mut BatchBuilder) {
    if !members.rest.is_empty() {
        builder.field_text("@rest", &format!("{{{}}}", members.rest));
        builder.field_integer("@fieldsDropped", members.n_dropped);
    }
}
