//! Ranges of time cut into spans with so many events that each can be asked for at once.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::Timestamp;

use crate::client::Server;
use crate::failure::{Failure, Result};

/// Widths in which events are counted, as languages write them and in nanoseconds; each for spans of the one before that have too many.
const WIDTHS: [Width; 5] = [
    ("1d", Timestamp::DAY),
    ("1h", Timestamp::HOUR),
    ("1m", Timestamp::MINUTE),
    ("1s", Timestamp::SECOND),
    ("1ms", Timestamp::MILLISECOND),
];

/// A width, as languages write it and in nanoseconds.
pub(super) type Width = (&'static str, i64);

/// The next smaller width.
pub(super) fn smaller((_, length): Width) -> Option<Width> {
    WIDTHS.into_iter().find(|(_, other)| *other < length)
}

/// An hour.
pub(super) const HOUR: Width = WIDTHS[1];

/// From an instant to another, both included.
pub(super) type Range = (Timestamp, Timestamp);

/// Returns a time as the server reads it, by its clock.
pub(super) fn instant(server: &Server, text: &str) -> Result<Timestamp> {
    end_of_range(server, text, "from_time")
}

/// Returns the time by the server's clock.
pub(super) fn now(server: &Server) -> Result<Timestamp> {
    end_of_range(server, "now-1h", "to_time")
}

fn end_of_range(server: &Server, text: &str, end: &str) -> Result<Timestamp> {
    let range: Value = server.ask(server.request(Method::GET, "/api/v1/time").query(&[("text", text)]), "")?;
    let instant = range[end].as_str().and_then(Timestamp::parse_rfc3339);
    instant.ok_or_else(|| Failure::other(format!("the server reads {text:?} as {range}")))
}

/// Returns the two halves of a range; `None` if it is one instant.
pub(super) fn halves((from, to): Range) -> Option<[Range; 2]> {
    let middle = from.0 + (to.0 - from.0) / 2;
    (from < to).then_some([(from, Timestamp(middle)), (Timestamp(middle + 1), to)])
}

/// The events of some time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Span {
    #[serde(with = "as_text")]
    pub(super) from: Timestamp,
    /// The last instant.
    #[serde(with = "as_text")]
    pub(super) to: Timestamp,
    pub(super) events: u64,
}

impl Span {
    pub(super) fn range(&self) -> Range {
        (self.from, self.to)
    }
}

/// Counts the events of a range: where each span of a width begins that has some, in order.
pub(super) type Count<'c> = dyn Fn(Range, Width) -> Result<Vec<(Timestamp, u64)>> + 'c;

/// Cuts a range into spans of at most so many events, unless a millisecond has more. Neighbours become one where both are few and
/// `are_joined` has nothing against it.
pub(super) fn spans(
    count: &Count<'_>,
    range: Range,
    most: u64,
    are_joined: impl Fn(&Span, &Span) -> bool,
) -> Result<Vec<Span>> {
    let mut cut = Vec::new();
    count_into(count, range, (most, 0), &mut cut)?;
    let mut joined: Vec<Span> = Vec::new();
    for span in cut {
        match joined.last_mut().filter(|last| last.events + span.events <= most && are_joined(last, &span)) {
            Some(last) => (last.to, last.events) = (span.to, last.events + span.events),
            None => joined.push(span),
        }
    }
    Ok(joined)
}

fn count_into(count: &Count<'_>, range: Range, (most, level): (u64, usize), cut: &mut Vec<Span>) -> Result<()> {
    let width = WIDTHS[level];
    for (begin, events) in count(range, width)? {
        let last = Timestamp(begin.0.saturating_add(width.1 - 1));
        // The first and the last may reach beyond the range.
        let span = Span { from: begin.max(range.0), to: last.min(range.1), events };
        if events > most && level + 1 < WIDTHS.len() {
            count_into(count, span.range(), (most, level + 1), cut)?;
        } else if events > 0 {
            cut.push(span);
        }
    }
    Ok(())
}

/// Instants by RFC 3339.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use types::Timestamp;

    pub(super) fn serialize<S: Serializer>(instant: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(instant)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse_rfc3339(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no time")))
    }
}

#[cfg(test)]
mod tests;
