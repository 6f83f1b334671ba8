//! Times as CloudWatch writes them.

use types::Timestamp;

/// `YYYY-MM-DD HH:MM:SS.sss`.
pub(super) fn time_text(time: Timestamp) -> String {
    let mut text = String::with_capacity(24);
    time.write_rfc3339(3, &mut text);
    text.trim_end_matches('Z').replacen('T', " ", 1)
}

/// Returns a time in milliseconds.
pub(super) fn milliseconds(time: Timestamp) -> i64 {
    time.0.div_euclid(1_000_000)
}
