//! `auto_date_histogram`: buckets of times, with the shortest length that keeps their number within the request.

use chrono_tz::Tz;
use serde_json::Value as Json;
use types::{Timestamp, Value};

use super::histogram::{Grid, Histogram, Step, zone};
use super::operands::{number, time};
use language::mapping::Schema;
use language::search_error::{Result, SearchError};
use plan::calendar::{floor, offset_ns};
use plan::{Expr, Function, Length};

/// Default number of buckets, as in Elasticsearch.
const BUCKETS_DEFAULT: usize = 10;

/// Limit on the buckets, as in Elasticsearch (`search.max_buckets` by the longest step).
const BUCKETS_MAX: usize = super::BUCKETS_MAX / 30;

/// A unit of time: its name, its span, the multiples in use, its symbol.
type Unit = (&'static str, Length, &'static [u32], &'static str);

/// Units, shortest first.
const UNITS: [Unit; 6] = [
    ("second", Length::Nanoseconds(Timestamp::SECOND), &[1, 5, 10, 30], "s"),
    ("minute", Length::Nanoseconds(Timestamp::MINUTE), &[1, 5, 10, 30], "m"),
    ("hour", Length::Nanoseconds(Timestamp::HOUR), &[1, 3, 12], "h"),
    ("day", Length::Nanoseconds(Timestamp::DAY), &[1, 7], "d"),
    ("month", Length::Months(1), &[1, 3], "M"),
    ("year", Length::Months(12), &[1, 5, 10, 20, 50, 100], "y"),
];

/// A histogram of times whose step depends on the events.
#[derive(Clone, Debug)]
pub(super) struct AutoHistogram {
    /// The times.
    pub(super) time: Expr,
    n_buckets: usize,
    shortest: usize,
    format: Option<String>,
    zone: Tz,
}

/// Reads `auto_date_histogram`.
pub(super) fn parse(schema: &Schema, body: &Json, known_zone: &mut Option<Tz>, at: &str) -> Result<AutoHistogram> {
    let field = body.get("field").and_then(Json::as_str).ok_or_else(|| SearchError::parsing(at, "needs a [field]"))?;
    let n_buckets = number(body.get("buckets"), at)?.unwrap_or(BUCKETS_DEFAULT);
    if n_buckets == 0 || n_buckets > BUCKETS_MAX {
        return Err(SearchError::argument(format!("[{at}] buckets must be between 1 and {BUCKETS_MAX}")));
    }
    let shortest = match body.get("minimum_interval").and_then(Json::as_str) {
        None => 0,
        Some(name) => UNITS.iter().position(|(known, ..)| *known == name).ok_or_else(|| {
            let names = UNITS.map(|(name, ..)| name).join(", ");
            SearchError::argument(format!("minimum_interval must be one of [{names}]"))
        })?,
    };
    let format = body.get("format").and_then(Json::as_str).map(str::to_owned);
    let time = match time(schema, field)? {
        Expr::Field(name) if name.starts_with('@') => Expr::Field(name),
        // Dates as texts become times.
        value => Expr::Call(Function::DateFloor, vec![value, Expr::Duration(Length::Nanoseconds(1))]),
    };
    Ok(AutoHistogram { time, n_buckets, shortest, format, zone: zone(body, known_zone, at)? })
}

impl AutoHistogram {
    /// Returns the histogram for events from `first` to `last`, and the name of its step.
    pub(super) fn histogram(&self, first: i64, last: i64) -> (Histogram, String) {
        let mut chosen = None;
        for (_, unit, multiples, sign) in &UNITS[self.shortest..] {
            for multiple in *multiples {
                let histogram = self.of_step(*unit, *multiple, first);
                let is_enough = self.is_enough(&histogram, first, last);
                chosen = Some((histogram, format!("{multiple}{sign}")));
                if is_enough {
                    return chosen.unwrap_or_else(|| self.shortest_step(first));
                }
            }
        }
        // The longest step is a hundred years.
        chosen.unwrap_or_else(|| self.shortest_step(first))
    }

    /// Returns the histogram of no events.
    pub(super) fn shortest_step(&self, first: i64) -> (Histogram, String) {
        let (_, unit, _, sign) = UNITS[self.shortest];
        (self.of_step(unit, 1, first), format!("1{sign}"))
    }

    /// Returns buckets of several units, counted from the unit of the first event.
    fn of_step(&self, unit: Length, multiple: u32, first: i64) -> Histogram {
        let time = self.time.clone();
        let floored = |span: Length| Expr::Call(Function::DateFloor, vec![time.clone(), Expr::Duration(span)]);
        let (span, value, grid) = match unit {
            Length::Nanoseconds(length) if multiple > 1 => {
                let span = Length::Nanoseconds(length * i64::from(multiple));
                // Days count by the clocks of the zone, which may be changed meanwhile.
                let is_by_clock = length == Timestamp::DAY && self.zone != Tz::UTC;
                let origin = match is_by_clock {
                    true => floor(Tz::UTC, first.saturating_add(offset_ns(self.zone, first)), unit),
                    false => floor(self.zone, first, unit),
                }
                .unwrap_or(first);
                let function = if is_by_clock { Function::WallBucket } else { Function::TimeBucket };
                let literal = Expr::Literal(Some(Value::Timestamp(Timestamp(origin))));
                let bucket = Expr::Call(function, vec![time.clone(), literal, Expr::Duration(span)]);
                (span, bucket, if is_by_clock { Grid::Fixed(origin) } else { Grid::Counted(origin) })
            }
            Length::Nanoseconds(_) => (unit, floored(unit), Grid::Calendar(0)),
            Length::Months(months) => {
                let span = Length::Months(months * multiple);
                (span, floored(span), Grid::Calendar(0))
            }
        };
        Histogram {
            value,
            step: Step::Time { span, zone: self.zone, grid },
            least: 0,
            extended: None,
            hard: None,
            format: self.format.clone(),
            is_keyed: false,
            is_descending: false,
            by_count: false,
        }
    }

    /// Reports whether the events fit into the requested number of buckets.
    fn is_enough(&self, histogram: &Histogram, first: i64, last: i64) -> bool {
        let mut key = histogram.first_key(first as f64);
        for _ in 0..self.n_buckets {
            let Some(value) = key else { return true };
            key = histogram.next_key(&value).filter(|next| matches!(next, Value::Timestamp(next) if next.0 <= last));
        }
        key.is_none()
    }
}
