//! Times of day without a date, as consoles and some programs write them: the day comes from what is known beside the line.

use types::{Level, Timestamp, civil_from_days};

use super::clock::{clock, zone_after};
use super::forms::{Civil, DateOrder};
use super::head::{after_marks, after_priority};
use super::{FoundTime, bounded, civil_nanos};
use crate::ArrivalContext;
use crate::time::clock::WrittenZone;

/// How much earlier than the line before a line may be: threads write out of order, and clocks go back an hour in autumn.
const DISORDER: i64 = Timestamp::HOUR;

/// Longest name in brackets before a time of day.
const TAG_BYTES_MAX: usize = 16;

/// Where GLib's mark before a time of day stands at the latest.
const DOMAIN_BYTES_MAX: usize = 64;

/// How far the clock of a sender may be ahead.
const SKEW: i64 = 10 * Timestamp::MINUTE;

/// How far a time within the first hour of a day may be from what is known: others are a time since a start.
const ELAPSED: u64 = 2 * Timestamp::HOUR as u64;

/// Where the text goes on behind a name in brackets, a level or a process that it begins with: `[start] 06:47:13`,
/// `[D][06:47:13.527]`, `INFO 06:47:13`, `4471 06:47:13`.
fn behind_tag(line: &[u8]) -> Option<usize> {
    let n_digits = line.iter().take(TAG_BYTES_MAX).take_while(|byte| byte.is_ascii_digit()).count();
    if n_digits > 0 {
        return ((3..=7).contains(&n_digits) && line[n_digits..].starts_with(b" "))
            .then(|| after_marks(line, n_digits));
    }
    if line.first()?.is_ascii_uppercase() {
        let n_level = line.iter().take(TAG_BYTES_MAX).take_while(|byte| byte.is_ascii_uppercase()).count();
        let is_level =
            line[n_level..].starts_with(b" ") && n_level > 3 && Level::parse_bytes(&line[..n_level]).is_some();
        return is_level.then(|| after_marks(line, n_level));
    }
    let Some(inside) = line.strip_prefix(b"[") else { return behind_domain(line) };
    let n_name = inside.iter().take(TAG_BYTES_MAX).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (n_name > 0 && matches!(inside[n_name..], [b']', b' ' | b'[', ..])).then_some(n_name + 3)
}

/// Where the text goes on behind the domain and level of GLib: `(process:7): shop-WARNING **: 06:47:13.760: text`.
fn behind_domain(line: &[u8]) -> Option<usize> {
    let from = if line.starts_with(b"** ") { 3 } else { 0 };
    let head = &line[..line.len().min(DOMAIN_BYTES_MAX)];
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let start = if line[from..].starts_with(b"(") { crate::find::find_short(head, b"): ")? + 3 } else { from };
    let end = start + head[start..].iter().take_while(|byte| is_name(byte)).count();
    let has_level =
        memchr::memrchr(b'-', &head[start..end]).is_some() || Level::parse_bytes(&head[start..end]).is_some();
    let mark = [&b" **: "[..], b": "].into_iter().find(|mark| has_level && head[end..].starts_with(mark))?;
    Some(end + mark.len())
}

/// Reads the time of day that a line begins with, behind brackets or what [`behind_tag`] passes over. The day is that of the time
/// before, or the next one after midnight; without one, the last day that the file's modification or the arrival allows.
pub(crate) fn find_time_of_day(
    line: &[u8],
    previous: Option<Timestamp>,
    received: &ArrivalContext<'_>,
) -> Option<FoundTime> {
    let mut start = after_marks(line, after_priority(line));
    let found = clock(line, start).or_else(|| {
        start = behind_tag(line)?;
        clock(line, start)
    })?;
    let has_half = line[..found.end].ends_with(b"M") || line[..found.end].ends_with(b"m");
    let has_hour = line.get(start + 2) == Some(&b':') && found.has_seconds;
    if !has_hour && !has_half {
        return None;
    }
    let is_zone = matches!(line.get(found.end), Some(b' ' | b'Z' | b'+'));
    let zone = if is_zone { zone_after(line, found.end) } else { None };
    let (zone, end) = zone.unwrap_or((WrittenZone::None, found.end));
    let is_end = match line.get(end) {
        None | Some(b' ' | b'\t' | b'\n' | b'\r' | b']' | b')' | b'|' | b',' | b';' | b'"' | 0x1b) => true,
        Some(b'/') => line[..end].iter().rev().nth(3) == Some(&b'@'),
        Some(b':' | b'-') => !line.get(end + 1).is_some_and(u8::is_ascii_alphanumeric),
        _ => false,
    };
    if !is_end {
        return None;
    }
    let on_day = |day: i64| {
        let (year, month, day) = civil_from_days(day);
        let (second_of_day, nanos) = (found.second_of_day, found.nanos);
        let civil = Civil { year: Some(year), month, day, order: DateOrder::Sure, second_of_day, nanos, zone };
        civil_nanos(&civil, year, received)
    };
    let near = received.modified.unwrap_or(received.at);
    let anchor = previous.unwrap_or(near);
    let anchor_seconds = anchor.0.div_euclid(Timestamp::SECOND);
    let today = (anchor_seconds + received.zone.offset_seconds(anchor_seconds)).div_euclid(86_400);
    let latest = i128::from(near.0) + i128::from(SKEW);
    let days = [today - 1, today, today + 1];
    let last = || days.iter().rev().find_map(|day| on_day(*day).filter(|nanos| *nanos <= latest));
    let nanos = match previous {
        Some(previous) => days
            .iter()
            .find_map(|day| on_day(*day).filter(|nanos| *nanos >= i128::from(previous.0 - DISORDER)))
            .filter(|nanos| *nanos <= latest)
            .or_else(last)?,
        None => last()?,
    };
    let is_elapsed = found.second_of_day < 3_600 && nanos.abs_diff(i128::from(anchor.0)) > u128::from(ELAPSED);
    (!is_elapsed).then_some(FoundTime { time: bounded(nanos, received), start, end })
}
