//! What the names of files and folders say of the events in them: their days, and fields (`region=eu/`).

use std::sync::Arc;

use types::{TimeRange, Timestamp, Value, days_from_civil};

/// How many days before or after those in its path an event may be: folders may follow a local calendar, and late events are in
/// the folder of the day on which they arrived.
const MARGIN_DAYS: i64 = 1;

/// The first and the last day, counted since the epoch.
type Days = (i64, i64);

/// Reports whether a file may have an event of `range`, by the days that its path below the folder that was named says.
pub(crate) fn may_have_events(below: &str, range: TimeRange) -> bool {
    let Some((first, last)) = days(below) else { return true };
    let begin = (first - MARGIN_DAYS).saturating_mul(Timestamp::DAY);
    let end = last.saturating_add(1 + MARGIN_DAYS).saturating_mul(Timestamp::DAY).saturating_sub(1);
    range.overlaps(Timestamp(begin), Timestamp(end))
}

/// All days between the first and the last that a path says; `None` where it says none.
fn days(path: &str) -> Option<Days> {
    let parts: Vec<&str> = path.split('/').collect();
    let (file, folders) = parts.split_last()?;
    let of_folders = (0..folders.len()).filter_map(|from| days_of_folders(&folders[from..]));
    of_folders.chain(days_of_file(file)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// The days of folders such as `2026/11/30`, `year=2026/month=11` and `dt=2026-11-30`, from the first one on.
fn days_of_folders(folders: &[&str]) -> Option<Days> {
    let first = folders.first()?;
    if let Some((_, value)) = first.split_once('=')
        && let Some(day) = day_of(value, "-").filter(|_| value.len() == 10)
    {
        return Some((day, day));
    }
    let part = |place: usize, name: &str, n_digits: usize| {
        let folder = folders.get(place)?;
        let digits = folder.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).unwrap_or(folder);
        number(digits).filter(|_| digits.len() == n_digits || digits.len() < folder.len())
    };
    let year = part(0, "year", 4).filter(|year| (1970..2200).contains(year))?;
    let month = part(1, "month", 2).and_then(|month| u32::try_from(month).ok());
    let Some(first) = month.and_then(|month| days_from_civil(year, month, 1)) else {
        // A folder whose name is a number alone may be of anything.
        let (january, next) = (days_from_civil(year, 1, 1)?, days_from_civil(year + 1, 1, 1)?);
        return folders.first()?.contains('=').then_some((january, next - 1));
    };
    let of_day = part(2, "day", 2).and_then(|day| days_from_civil(year, month?, u32::try_from(day).ok()?));
    // A month has no more days than this; that more are kept costs little.
    Some(of_day.map_or((first, first + 30), |day| (day, day)))
}

/// The days of a file: `…_20261130T0605Z_…` of CloudTrail and load balancers, `….2026-11-30-06.…` of CloudFront. A file whose name
/// begins with a time begins with it, and may go on for long; those of `catat export` do so for a day at most.
fn days_of_file(name: &str) -> Option<Days> {
    let is_of_export = name.split('.').nth(1).is_some_and(|kind| matches!(kind, "ndjson" | "csv"));
    let of_words = name.split(['_', '.']).enumerate().filter_map(|(place, word)| {
        let is_stamp = word.len() >= 14 && word.as_bytes()[8] == b'T' && word.ends_with('Z');
        let day = match word.len() {
            14 | 16 if is_stamp => day_of(word, "")?,
            13 => number(word.get(11..)?).and_then(|_| day_of(word, "-"))?,
            _ => return None,
        };
        Some(match (place, is_of_export) {
            (0, true) => (day, day + 1),
            (0, false) => (day, i64::MAX / Timestamp::DAY),
            _ => (day, day),
        })
    });
    of_words.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// The day that a text begins with, whose year, month and day have `between` between them.
fn day_of(text: &str, between: &str) -> Option<i64> {
    let (year, rest) = (text.get(..4)?, text.get(4..)?.strip_prefix(between)?);
    let (month, rest) = (rest.get(..2)?, rest.get(2..)?.strip_prefix(between)?);
    let (month, day) = (number(month)?, number(rest.get(..2)?)?);
    days_from_civil(number(year)?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

fn number(digits: &str) -> Option<i64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// The fields that folders such as `region=eu` give to all events below them.
pub(crate) fn fields(path: &str) -> Arc<[(Arc<str>, Value)]> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders).split('/');
    let named = folders
        .filter_map(|folder| folder.split_once('='))
        .filter(|(name, _)| !name.is_empty() && !name.starts_with('@'));
    let value = |name: &str, text: &str| match number(text) {
        // Leading zeros of accounts and the like are a part of them.
        Some(number) if !text.starts_with('0') || text == "0" || is_part_of_time(name) => Value::Integer(number),
        _ => Value::text(text),
    };
    let mut fields: Vec<(Arc<str>, Value)> = named.map(|(name, text)| (name.into(), value(name, text))).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.dedup_by(|a, b| a.0 == b.0);
    fields.into()
}

fn is_part_of_time(name: &str) -> bool {
    matches!(name, "year" | "month" | "day" | "hour" | "minute")
}

#[cfg(test)]
mod tests;
