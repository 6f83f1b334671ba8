//! `histogram` and `date_histogram`: buckets of numbers and times, and the sequence of their keys.

use chrono_tz::Tz;
use serde_json::{Map, Value as Json, json};
use types::{Timestamp, Value};

use super::operands::{self, time, with_missing};
use language::mapping::Schema;
use language::search_error::{Result, SearchError};
use plan::calendar::{bounds, floor, wall_floor, wall_next};
use plan::date_math::{format_time_in, zone_of};
use plan::{ArithmeticOperator, Expr, Function, Length, date_math as times};

/// Offsets of time zones are multiples of this length.
const QUARTER: i64 = 15 * Timestamp::MINUTE;

/// Buckets of numbers or times.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    pub(super) value: Expr,
    pub(super) step: Step,
    pub(super) least: u64,
    /// The first and last key between which empty buckets are shown.
    pub(super) extended: Option<(f64, f64)>,
    pub(super) hard: Option<(f64, f64)>,
    pub(super) format: Option<String>,
    pub(super) is_keyed: bool,
    pub(super) is_descending: bool,
    /// Whether buckets are ordered by count.
    pub(super) by_count: bool,
}

/// The distance from one bucket to the next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Number { interval: f64, offset: f64 },
    Time { span: Length, zone: Tz, grid: Grid },
}

/// The starts of buckets of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grid {
    /// At calendar units of the zone, shifted by nanoseconds.
    Calendar(i64),
    /// At fixed lengths by the clocks of the zone, counted from this distance from 1970.
    Fixed(i64),
    /// At fixed lengths, counted from an instant.
    Counted(i64),
}

impl Grid {
    /// Returns the start of the bucket that contains an instant.
    fn start(self, instant: i64, span: Length, zone: Tz) -> Option<i64> {
        match (self, span) {
            (Self::Fixed(origin), Length::Nanoseconds(length)) => wall_floor(zone, instant, length.max(1), origin),
            (Self::Counted(origin), Length::Nanoseconds(length)) => wall_floor(Tz::UTC, instant, length.max(1), origin),
            (Self::Fixed(moved) | Self::Counted(moved) | Self::Calendar(moved), span) => {
                floor(zone, instant.checked_sub(moved)?, span)?.checked_add(moved)
            }
        }
    }

    /// Returns the start of the bucket after the one that begins at `start`.
    fn next(self, start: i64, span: Length, zone: Tz) -> Option<i64> {
        match (self, span) {
            (Self::Fixed(origin), Length::Nanoseconds(length)) => wall_next(zone, start, length.max(1), origin),
            (Self::Counted(_), Length::Nanoseconds(length)) => start.checked_add(length),
            (Self::Fixed(moved) | Self::Counted(moved) | Self::Calendar(moved), span) => {
                bounds(zone, start.checked_sub(moved)?, span)?.1.checked_add(moved)
            }
        }
    }
}

impl Histogram {
    /// Returns a key as a number; times are nanoseconds.
    pub(super) fn position(&self, key: &Value) -> Option<f64> {
        match (self.step, key) {
            (Step::Time { .. }, Value::Timestamp(instant)) => Some(instant.0 as f64),
            (Step::Number { interval, offset }, Value::Integer(floor)) => Some(*floor as f64 * interval + offset),
            (Step::Number { interval, offset }, Value::Float(floor)) => Some(floor * interval + offset),
            _ => None,
        }
    }

    /// Returns the key of the bucket that contains a position.
    pub(super) fn first_key(&self, position: f64) -> Option<Value> {
        match self.step {
            Step::Number { interval, offset } => Some(Value::Integer(((position - offset) / interval).floor() as i64)),
            Step::Time { span, zone, grid } => {
                Some(Value::Timestamp(Timestamp(grid.start(position as i64, span, zone)?)))
            }
        }
    }

    pub(super) fn next_key(&self, key: &Value) -> Option<Value> {
        match (self.step, key) {
            (Step::Number { .. }, Value::Integer(floor)) => floor.checked_add(1).map(Value::Integer),
            (Step::Time { span, zone, grid }, Value::Timestamp(instant)) => {
                let next = grid.next(instant.0, span, zone)?;
                (next > instant.0).then_some(Value::Timestamp(Timestamp(next)))
            }
            _ => None,
        }
    }

    /// Returns the time zone of the keys.
    pub(super) fn zone(&self) -> Tz {
        match self.step {
            Step::Time { zone, .. } => zone,
            Step::Number { .. } => Tz::UTC,
        }
    }

    pub(super) fn write_key(&self, key: &Value, object: &mut Map<String, Json>) {
        let position = self.position(key).unwrap_or_default();
        match key {
            Value::Timestamp(instant) => {
                object.insert("key".into(), json!(instant.0.div_euclid(1_000_000)));
                let zone = self.zone();
                object.insert("key_as_string".into(), json!(format_time_in(zone, *instant, self.format.as_deref())));
            }
            _ => _ = object.insert("key".into(), json!(position)),
        }
    }
}

/// Reads `histogram`.
pub(super) fn histogram(schema: &Schema, body: &Json, at: &str) -> Result<Histogram> {
    let number =
        |name: &str| body.get(name).and_then(|json| json.as_f64().or_else(|| json.as_str()?.trim().parse().ok()));
    let field = body.get("field").and_then(Json::as_str).ok_or_else(|| SearchError::parsing(at, "needs a [field]"))?;
    let Some(interval) = number("interval").filter(|interval| *interval > 0.0 && interval.is_finite()) else {
        return Err(SearchError::argument(format!("[{at}] [interval] must be >0 for histogram aggregation")));
    };
    let offset = number("offset").unwrap_or(0.0);
    let literal = |number: f64| {
        let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
        Box::new(Expr::Literal(Some(if is_whole { Value::Integer(number as i64) } else { Value::Float(number) })))
    };
    let arithmetic = |operator, a: Box<Expr>, number| Box::new(Expr::Arithmetic(operator, a, literal(number)));
    let value = Box::new(with_missing(schema.value(field)?, body.get("missing")));
    let moved = if offset == 0.0 { value } else { arithmetic(ArithmeticOperator::Subtract, value, offset) };
    let divided = arithmetic(ArithmeticOperator::Divide, moved, interval);
    let floor = Box::new(Expr::Call(Function::Floor, vec![*divided]));
    Ok(Histogram { value: *floor, ..shape(body, Step::Number { interval, offset }, at)? })
}

/// Reads the options that both histograms share.
fn shape(body: &Json, step: Step, at: &str) -> Result<Histogram> {
    let order = match body.get("order") {
        Some(Json::Array(orders)) => orders.first(),
        other => other,
    };
    let order = order.and_then(Json::as_object).and_then(|order| order.iter().next());
    let by_count = match order.map(|(name, _)| name.as_str()) {
        None | Some("_key" | "_term" | "_time") => false,
        Some("_count") => true,
        Some(other) => return Err(SearchError::parsing(at, format!("order by [{other}] is not supported"))),
    };
    let bounds = |name: &str| {
        let bound = |side: &str, open: f64| match body.get(name).and_then(|bounds| bounds.get(side)) {
            Some(json) => bound_of(json, step),
            None => Some(open),
        };
        body.get(name)
            .filter(|bounds| !bounds.is_null())
            .and_then(|_| Some((bound("min", f64::INFINITY)?, bound("max", f64::NEG_INFINITY)?)))
    };
    let hard = bounds("hard_bounds").map(|(low, high)| {
        (
            if low == f64::INFINITY { f64::NEG_INFINITY } else { low },
            if high == f64::NEG_INFINITY { f64::INFINITY } else { high },
        )
    });
    Ok(Histogram {
        value: Expr::Literal(None),
        step,
        least: operands::number(body.get("min_doc_count"), at)?.unwrap_or(0) as u64,
        extended: bounds("extended_bounds"),
        hard,
        format: body.get("format").and_then(Json::as_str).map(str::to_owned),
        is_keyed: body.get("keyed").and_then(Json::as_bool).unwrap_or(false),
        is_descending: order.and_then(|(_, direction)| direction.as_str()) == Some("desc"),
        by_count,
    })
}

/// Reads a bound in the unit of keys; times are nanoseconds.
fn bound_of(json: &Json, step: Step) -> Option<f64> {
    match step {
        Step::Number { .. } => json.as_f64().or_else(|| json.as_str()?.trim().parse().ok()),
        Step::Time { zone, .. } => {
            // Grafana sends numbers as strings.
            let written = times::read(json, Some("epoch_millis"), Timestamp(0), zone)?;
            Some(written.first as f64)
        }
    }
}

/// Reads the zone of a histogram. A search has a single zone.
pub(super) fn zone(body: &Json, known: &mut Option<Tz>, at: &str) -> Result<Tz> {
    let zone = match body.get("time_zone").and_then(Json::as_str) {
        None => known.unwrap_or(Tz::UTC),
        Some(text) => {
            let message = || format!("the time zone [{text}] is not known; name one like Asia/Jakarta");
            zone_of(text).ok_or_else(|| SearchError::parsing(at, message()))?
        }
    };
    match *known {
        Some(other) if other != zone => {
            Err(SearchError::parsing(at, format!("two time zones in one search ({other}, {zone}) are not supported")))
        }
        _ => {
            *known = Some(zone);
            Ok(zone)
        }
    }
}

/// Reads `date_histogram`.
pub(super) fn date_histogram(schema: &Schema, body: &Json, known_zone: &mut Option<Tz>, at: &str) -> Result<Histogram> {
    let field = body.get("field").and_then(Json::as_str).ok_or_else(|| SearchError::parsing(at, "needs a [field]"))?;
    let zone = zone(body, known_zone, at)?;
    let text = |name: &str| body.get(name).and_then(Json::as_str).map(str::trim);
    let unreadable = |text: &str| SearchError::argument(format!("[{at}] [{text}] is not a supported interval"));
    let (span, is_calendar) = match (text("fixed_interval"), text("calendar_interval"), text("interval")) {
        (Some(text), ..) => (fixed(text).ok_or_else(|| unreadable(text))?, false),
        (_, Some(text), _) => (calendar(text).ok_or_else(|| unreadable(text))?, true),
        (_, _, Some(text)) => match calendar(text) {
            Some(span) => (span, true),
            None => (fixed(text).ok_or_else(|| unreadable(text))?, false),
        },
        _ => {
            return Err(SearchError::argument(format!(
                "[{at}] Invalid interval specified, must be non-null and non-empty"
            )));
        }
    };
    let offset = match text("offset") {
        None | Some("" | "0" | "0s" | "0ms") => 0,
        Some(text) => signed(text).ok_or_else(|| unreadable(text))?,
    };
    let time = with_missing_time(time(schema, field)?, body.get("missing"), zone, at)?;
    let (value, grid) = buckets(time, span, zone, is_calendar, offset);
    Ok(Histogram { value, ..shape(body, Step::Time { span, zone, grid }, at)? })
}

/// Returns the start of the bucket of a time as an expression, and the grid of buckets.
fn buckets(time: Expr, span: Length, zone: Tz, is_calendar: bool, offset: i64) -> (Expr, Grid) {
    let date_floor = |time: Expr| Expr::Call(Function::DateFloor, vec![time, Expr::Duration(span)]);
    let later = |time: Expr, by: i64| Expr::Call(Function::Later, vec![time, Expr::Duration(Length::Nanoseconds(by))]);
    let length = match span {
        Length::Nanoseconds(length) if !is_calendar => length,
        _ if offset == 0 => return (date_floor(time), Grid::Calendar(0)),
        _ => return (later(date_floor(later(time, -offset)), offset), Grid::Calendar(offset)),
    };
    // Quarters of an hour begin at the same instants in all zones, and days within one.
    let is_plain = QUARTER % length == 0 || length == Timestamp::HOUR || length == Timestamp::DAY;
    if offset == 0 && (is_plain || (zone == Tz::UTC && length % (7 * Timestamp::DAY) != 0)) {
        return (date_floor(time), Grid::Calendar(0));
    }
    // Fixed lengths count from 1970-01-01, which was not a Monday.
    let origin = offset.rem_euclid(length);
    let function = if zone == Tz::UTC { Function::TimeBucket } else { Function::WallBucket };
    let literal = Expr::Literal(Some(Value::Timestamp(Timestamp(origin))));
    (Expr::Call(function, vec![time, literal, Expr::Duration(span)]), Grid::Fixed(origin))
}

fn with_missing_time(field: Expr, missing: Option<&Json>, zone: Tz, at: &str) -> Result<Expr> {
    let Some(json) = missing.filter(|json| !json.is_null()) else { return Ok(field) };
    let written = times::read(json, None, Timestamp(0), zone);
    let written = written.ok_or_else(|| SearchError::parsing(at, format!("[missing] {json} is not a time")))?;
    let literal = Expr::Literal(Some(Value::Timestamp(Timestamp(written.first))));
    Ok(Expr::Call(Function::Coalesce, vec![field, literal]))
}

/// Parses a fixed length: `500ms`, `30s`, `5m`, `2h`, `1d`, `1w`.
fn fixed(text: &str) -> Option<Length> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let number: i64 = text[..at].parse().ok().filter(|number| *number > 0)?;
    let unit = match &text[at..] {
        "ms" => 1_000_000,
        "s" => Timestamp::SECOND,
        "m" => Timestamp::MINUTE,
        "h" => Timestamp::HOUR,
        "d" => Timestamp::DAY,
        "w" => 7 * Timestamp::DAY,
        _ => return None,
    };
    number.checked_mul(unit).map(Length::Nanoseconds)
}

/// Parses an offset: a fixed length, optionally with a sign.
fn signed(text: &str) -> Option<i64> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    match fixed(length)? {
        Length::Nanoseconds(length) => Some(sign * length),
        Length::Months(_) => None,
    }
}

/// Returns a calendar span by its name.
pub(super) fn calendar(text: &str) -> Option<Length> {
    Some(match text {
        "second" | "1s" => Length::Nanoseconds(Timestamp::SECOND),
        "minute" | "1m" => Length::Nanoseconds(Timestamp::MINUTE),
        "hour" | "1h" => Length::Nanoseconds(Timestamp::HOUR),
        "day" | "1d" => Length::Nanoseconds(Timestamp::DAY),
        "week" | "1w" => Length::Nanoseconds(7 * Timestamp::DAY),
        "month" | "1M" => Length::Months(1),
        "quarter" | "1q" => Length::Months(3),
        "year" | "1y" => Length::Months(12),
        _ => return None,
    })
}
