//! Times by the clock of a zone.

use chrono_tz::Tz;
use plan::write_zoned;
use types::Timestamp;

/// The clock of a zone.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) zone: Tz,
}

impl Times {
    /// Writes an instant to the minute: `2026-11-25 15:30`.
    pub(super) fn minute(self, at: Timestamp) -> String {
        self.whole(at).chars().take(16).collect()
    }

    /// Writes an instant as exactly as it is.
    pub(super) fn whole(self, at: Timestamp) -> String {
        let mut text = String::new();
        write_zoned(at, self.zone, &mut text);
        // The offset is that of the whole page, which says its zone.
        let end = text.get(19..).and_then(|rest| rest.find(['Z', '+', '-'])).map_or(text.len(), |end| 19 + end);
        text.truncate(end);
        text.replace('T', " ")
    }
}

#[cfg(test)]
mod tests;
