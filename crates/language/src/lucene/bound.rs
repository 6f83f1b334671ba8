//! One end of a range.

use plan::date_math::read_time;
use plan::{Comparison, date_value};
use types::{Timestamp, Value};

/// One end of a range.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) comparison: Comparison,
    /// The value as it was written.
    pub(crate) text: String,
    /// What values that are no dates are compared with.
    pub(crate) value: Option<Value>,
    /// The first and the last instant, where it is a time.
    pub(crate) time: Option<(i64, i64)>,
}

impl Bound {
    /// Reads a bound in text; `None` for a time that counts from a `now` that is not known.
    pub(crate) fn of_text(
        comparison: Comparison,
        text: &str,
        value: Value,
        now: Option<Timestamp>,
        is_time: bool,
    ) -> Option<Self> {
        let is_relative = text.starts_with("now") && read_time(text, Timestamp(0)).is_some();
        if is_relative && now.is_none() {
            return None;
        }
        let is_date = is_time || is_relative || date_value(text.split("||").next().unwrap_or_default()).is_some();
        let time = read_time(text, now.unwrap_or_default()).filter(|_| is_date);
        let text = text.to_owned();
        Some(Self { comparison, text, value: time.is_none().then_some(value), time })
    }

    /// Returns a bound that is a time.
    pub(crate) fn of_time(comparison: Comparison, text: &str, time: (i64, i64)) -> Self {
        Self { comparison, text: text.to_owned(), value: None, time: Some(time) }
    }
}

/// Reports whether a comparison is with the first instant of what was written.
pub(super) fn takes_first(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Less | Comparison::GreaterOrEqual)
}
