//! The time that a member of a record holds.

use types::TimeForm;

use super::Members;
use crate::ArrivalContext;
use crate::json::members::{Member, Token};
use crate::time::{
    ResolvedTime, bounded, epoch, epoch_of_digits, epoch_of_float, epoch_of_integer, parse_own_time, parse_time,
};

/// The time, and the form that gives its text back; a time that is out of bounds is told too.
pub(super) fn time_of(
    members: &Members,
    member: &Member,
    line: &str,
    received: &ArrivalContext<'_>,
) -> (Option<ResolvedTime>, Option<TimeForm>) {
    // These keys say that any number is an instant; the others are those of durations too.
    let is_sure = matches!(members.get(member.name, line), "@timestamp" | "__REALTIME_TIMESTAMP");
    let resolve = |nanos: i128| if is_sure { Some(bounded(nanos, received)) } else { epoch(nanos, received) };
    match &member.token {
        Token::Integer(number) => {
            let (nanos, unit_ns) = epoch_of_integer(*number);
            (resolve(nanos), Some(TimeForm::Epoch { unit_ns }))
        }
        Token::Float(_) | Token::Digits(_) => {
            let written = members.get(member.raw, line);
            // Also a number with an exponent or with more digits than any time.
            let nanos = epoch_of_digits(written.as_bytes()).or_else(|| written.parse().ok().map(epoch_of_float));
            (nanos.and_then(resolve), None)
        }
        Token::Text(span) => {
            let text = members.get(*span, line);
            let own = parse_own_time(text, received, &members.read_time);
            (own.or_else(|| if is_sure { parse_time(text, received) } else { None }), exact_rfc3339(text))
        }
        Token::Boolean(_) | Token::Value(_) => (None, None),
    }
}

/// The form of a time that reads exactly as [`TimeForm::Rfc3339`] writes it.
pub(crate) fn exact_rfc3339(text: &str) -> Option<TimeForm> {
    let b = text.as_bytes();
    let digits = match b.len() {
        20 => 0,
        22..=30 if b[19] == b'.' => b.len() - 21,
        _ => return None,
    };
    let is_exact = b[10] == b'T' && b[4] == b'-' && b[b.len() - 1] == b'Z' && &b[17..19] != b"60";
    is_exact.then_some(TimeForm::Rfc3339 { digits: digits as u8 })
}
