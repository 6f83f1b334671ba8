//! Reads aggregations: a tree of buckets, with metrics and pipelines in them.

use chrono_tz::Tz;
use serde_json::{Map, Value as Json, json};
use types::{Timestamp, Value};

use super::filter::{Reader, object};
use super::metric::{self, METRICS, Metric};
use super::pipeline::{self, PIPELINES, Pipeline};
use super::terms::{self, Composite, Terms, with_missing};
use super::times::{self, zone_of};
use super::{SearchError, field_of, not, value_of_json};
use crate::function::Function;
use crate::plan::{ArithmeticOperator, Comparison, Expr, Span};

/// Deepest nesting of aggregations.
const NESTING_MAX: usize = 10;

/// Most aggregations of one search.
const AGGREGATIONS_MAX: usize = 200;

/// What is supported, as errors say it.
pub const AGGREGATIONS: &str = "date_histogram, histogram, terms, range, date_range, filters, filter, missing, composite, \
    top_hits, avg, sum, min, max, stats, extended_stats, percentiles, cardinality, value_count, top_metrics, derivative, \
    cumulative_sum, bucket_script, moving_fn, moving_avg, serial_diff";

/// The aggregations of one search.
#[derive(Clone, Debug, Default)]
pub struct Aggregations {
    pub(super) list: Vec<Aggregation>,
    /// The zone that calendar spans are of.
    pub(super) zone: Option<Tz>,
}

impl Aggregations {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// One aggregation.
#[derive(Clone, Debug)]
pub(super) struct Aggregation {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) children: Vec<Aggregation>,
    pub(super) meta: Option<Json>,
    /// Where it stands in the request.
    pub(super) at: String,
}

/// What an aggregation is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Metric(Metric),
    Pipeline(Pipeline),
    TopHits(Json),
    Terms(Terms),
    Composite(Composite),
    Histogram(Histogram),
    Branches(Branches),
}

/// Buckets of numbers or times.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    pub(super) value: Expr,
    pub(super) step: Step,
    pub(super) least: u64,
    /// Between which keys buckets are shown even without events, first and last.
    pub(super) extended: Option<(f64, f64)>,
    pub(super) hard: Option<(f64, f64)>,
    pub(super) format: Option<String>,
    pub(super) is_keyed: bool,
    pub(super) is_descending: bool,
    /// Whether order is by count.
    pub(super) by_count: bool,
}

/// From one bucket to the next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Number { interval: f64, offset: f64 },
    Time { span: Span, zone: Tz, origin: Option<i64> },
}

/// Buckets with a condition each.
#[derive(Clone, Debug)]
pub(super) struct Branches {
    pub(super) list: Vec<Branch>,
    pub(super) form: Form,
}

/// How such buckets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The only one is the answer itself.
    Single,
    List,
    /// A list of buckets without names.
    Anonymous,
    Keyed,
}

/// A bucket with a condition.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) key: String,
    pub(super) condition: Option<Expr>,
    /// What is shown beside count and contents.
    pub(super) shown: Map<String, Json>,
}

/// Reads `aggs`.
pub fn parse_aggregations(json: Option<&Json>, now: Timestamp) -> Result<Aggregations, SearchError> {
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(Aggregations::default()) };
    let mut parser = Parser { reader: Reader::new(now), zone: None, n_read: 0 };
    let list = parser.list(json, "aggs", 0)?;
    Ok(Aggregations { list, zone: parser.zone })
}

struct Parser {
    reader: Reader,
    zone: Option<Tz>,
    n_read: usize,
}

impl Parser {
    fn list(&mut self, json: &Json, at: &str, nesting: usize) -> Result<Vec<Aggregation>, SearchError> {
        if nesting > NESTING_MAX {
            return Err(SearchError::argument(format!("aggregations are nested more than {NESTING_MAX} deep")));
        }
        let mut list = Vec::new();
        for (name, body) in object(json, at)? {
            self.n_read += 1;
            if self.n_read > AGGREGATIONS_MAX {
                return Err(SearchError::argument(format!("the search has more than {AGGREGATIONS_MAX} aggregations")));
            }
            if name.contains(['[', ']', '>']) {
                let reason = format!("Invalid aggregation name [{name}]. Aggregation names cannot contain [ ] or >");
                return Err(SearchError::argument(reason));
            }
            list.push(self.one(name, body, &format!("{at}.{name}"), nesting)?);
        }
        Ok(list)
    }

    fn one(&mut self, name: &str, body: &Json, at: &str, nesting: usize) -> Result<Aggregation, SearchError> {
        let (mut kind, mut children, mut meta) = (None, Vec::new(), None);
        for (member, value) in object(body, at)? {
            match member.as_str() {
                "aggs" | "aggregations" => children = self.list(value, at, nesting + 1)?,
                "meta" => meta = Some(value.clone()),
                _ if kind.is_some() => {
                    let message = format!("Found two aggregation type definitions in [{name}]");
                    return Err(SearchError::parsing(at, message));
                }
                member => kind = Some(self.kind(member, value, &format!("{at}.{member}"))?),
            }
        }
        let Some(kind) = kind else {
            return Err(SearchError::parsing(at, format!("Missing definition for aggregation [{name}]")));
        };
        let has_buckets = matches!(kind, Kind::Terms(_) | Kind::Composite(_) | Kind::Histogram(_) | Kind::Branches(_));
        if !has_buckets && !children.is_empty() {
            let message = format!("Aggregator [{name}] cannot accept sub-aggregations");
            return Err(SearchError {
                kind: "aggregation_initialization_exception",
                ..SearchError::parsing(at, message)
            });
        }
        if matches!(kind, Kind::Pipeline(_)) && nesting == 0 {
            let message = "stands inside a histogram, whose buckets it is computed from";
            return Err(SearchError::parsing(at, message));
        }
        if let Kind::Terms(terms) = &kind {
            let is_metric = |child: &&Aggregation| matches!(child.kind, Kind::Metric(_));
            let metrics: Vec<&str> = children.iter().filter(is_metric).map(|child| child.name.as_str()).collect();
            terms.check_orders(&metrics, at)?;
        }
        Ok(Aggregation { name: name.to_owned(), kind, children, meta, at: at.to_owned() })
    }

    fn kind(&mut self, kind: &str, body: &Json, at: &str) -> Result<Kind, SearchError> {
        Ok(match kind {
            kind if METRICS.contains(&kind) => Kind::Metric(metric::parse(kind, body, at)?),
            kind if PIPELINES.contains(&kind) => Kind::Pipeline(pipeline::parse(kind, body, at)?),
            "top_hits" => Kind::TopHits(body.clone()),
            "terms" => Kind::Terms(terms::parse(&mut self.reader, body, at)?),
            "composite" => Kind::Composite(terms::parse_composite(body, &mut self.zone, at)?),
            "histogram" => Kind::Histogram(histogram(body, at)?),
            "date_histogram" => Kind::Histogram(date_histogram(body, &mut self.zone, at)?),
            "filter" => {
                let condition = self.reader.clause(body, at, 0, false)?;
                let branch = Branch { key: String::new(), condition, shown: Map::new() };
                Kind::Branches(Branches { list: vec![branch], form: Form::Single })
            }
            "filters" => Kind::Branches(self.filters(body, at)?),
            "missing" => {
                let Some(field) = body.get("field").and_then(Json::as_str) else {
                    return Err(SearchError::parsing(at, "needs a [field]"));
                };
                let is_present = Expr::Call(Function::IsPresent, vec![Expr::Field(field_of(field))]);
                let branch = Branch { key: String::new(), condition: Some(not(Some(is_present))), shown: Map::new() };
                Kind::Branches(Branches { list: vec![branch], form: Form::Single })
            }
            "range" => Kind::Branches(ranges(body, at)?),
            "date_range" => Kind::Branches(self.date_ranges(body, at)?),
            other => {
                let message = format!("aggregation [{other}] is not supported; supported are {AGGREGATIONS}");
                return Err(SearchError::parsing(at, message));
            }
        })
    }

    fn filters(&mut self, body: &Json, at: &str) -> Result<Branches, SearchError> {
        let mut list = Vec::new();
        let mut add = |reader: &mut Reader, key: String, query: &Json| {
            let condition = reader.clause(query, &format!("{at}.filters.{key}"), 0, false)?;
            list.push(Branch { key, condition, shown: Map::new() });
            Ok::<(), SearchError>(())
        };
        let form = match body.get("filters") {
            Some(Json::Object(filters)) => {
                for (key, query) in filters {
                    add(&mut self.reader, key.clone(), query)?;
                }
                Form::Keyed
            }
            Some(Json::Array(filters)) => {
                for (index, query) in filters.iter().enumerate() {
                    add(&mut self.reader, index.to_string(), query)?;
                }
                Form::Anonymous
            }
            _ => return Err(SearchError::parsing(at, "needs [filters]")),
        };
        let other = body.get("other_bucket_key").and_then(Json::as_str);
        if other.is_some() || body.get("other_bucket").and_then(Json::as_bool).unwrap_or(false) {
            let conditions: Option<Vec<Expr>> = list.iter().map(|branch| branch.condition.clone()).collect();
            let any = conditions.map(|conditions| crate::insights::balanced(conditions, Expr::Or));
            let key = other.unwrap_or("_other_").to_owned();
            list.push(Branch { key, condition: Some(not(any)), shown: Map::new() });
        }
        Ok(Branches { list, form })
    }

    fn date_ranges(&mut self, body: &Json, at: &str) -> Result<Branches, SearchError> {
        let zone = zone(body, &mut self.zone, at)?;
        let format = body.get("format").and_then(Json::as_str);
        let now = self.reader.now;
        let read = |json: &Json| {
            let written = times::read(json, format, now, zone);
            written.map(|written| written.first).ok_or_else(|| SearchError::parsing(at, format!("{json} is no time")))
        };
        let shown = |bound: i64| {
            let text = super::format_time(Timestamp(bound), format);
            (json!(bound.div_euclid(1_000_000)), text)
        };
        branches(body, at, |json| Ok(Value::Timestamp(Timestamp(read(json)?))), |json| Ok(shown(read(json)?)))
    }
}

/// `range`: numbers from and to.
fn ranges(body: &Json, at: &str) -> Result<Branches, SearchError> {
    let number = |json: &Json| {
        let number = json.as_f64().or_else(|| json.as_str()?.trim().parse().ok());
        number.ok_or_else(|| SearchError::parsing(at, format!("{json} is no number")))
    };
    branches(
        body,
        at,
        |json| Ok(value_of_json(json).unwrap_or(Value::Float(number(json)?))),
        |json| {
            let number = number(json)?;
            Ok((json!(number), format!("{number:?}")))
        },
    )
}

/// Ranges with their bounds as values, and as they are shown.
fn branches(
    body: &Json,
    at: &str,
    value: impl Fn(&Json) -> Result<Value, SearchError>,
    shown: impl Fn(&Json) -> Result<(Json, String), SearchError>,
) -> Result<Branches, SearchError> {
    let Some(field) = body.get("field").and_then(Json::as_str) else {
        return Err(SearchError::parsing(at, "needs a [field]"));
    };
    let Some(Json::Array(ranges)) = body.get("ranges") else {
        return Err(SearchError::parsing(at, "needs a list of [ranges]"));
    };
    let field = Expr::Field(field_of(field));
    let mut list = Vec::new();
    for range in ranges {
        let mut branch = Branch { key: String::new(), condition: None, shown: Map::new() };
        let mut texts = ["*".to_owned(), "*".to_owned()];
        let mut conditions = vec![Expr::Call(Function::IsPresent, vec![field.clone()])];
        for (side, (name, comparison)) in
            [("from", Comparison::GreaterOrEqual), ("to", Comparison::Less)].into_iter().enumerate()
        {
            let Some(bound) = range.get(name).filter(|bound| !bound.is_null()) else { continue };
            let literal = Expr::Literal(Some(value(bound)?));
            conditions.push(Expr::Compare(comparison, Box::new(field.clone()), Box::new(literal)));
            let (json, text) = shown(bound)?;
            branch.shown.insert(name.into(), json);
            texts[side] = text;
        }
        let key = range.get("key").and_then(Json::as_str).map_or_else(|| texts.join("-"), str::to_owned);
        branch.condition = Some(crate::insights::balanced(conditions, Expr::And));
        branch.key = key;
        list.push(branch);
    }
    let form = if body.get("keyed").and_then(Json::as_bool).unwrap_or(false) { Form::Keyed } else { Form::List };
    Ok(Branches { list, form })
}

/// Reads `histogram`.
pub(super) fn histogram(body: &Json, at: &str) -> Result<Histogram, SearchError> {
    let number =
        |name: &str| body.get(name).and_then(|json| json.as_f64().or_else(|| json.as_str()?.trim().parse().ok()));
    let Some(field) = body.get("field").and_then(Json::as_str) else {
        return Err(SearchError::parsing(at, "needs a [field]"));
    };
    let Some(interval) = number("interval").filter(|interval| *interval > 0.0 && interval.is_finite()) else {
        return Err(SearchError::argument(format!("[{at}] [interval] must be >0 for histogram aggregation")));
    };
    let offset = number("offset").unwrap_or(0.0);
    let literal = |number: f64| {
        let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
        Box::new(Expr::Literal(Some(if is_whole { Value::Integer(number as i64) } else { Value::Float(number) })))
    };
    let arithmetic = |operator, a: Box<Expr>, number| Box::new(Expr::Arithmetic(operator, a, literal(number)));
    let value = Box::new(with_missing(Expr::Field(field_of(field)), body.get("missing")));
    let moved = if offset == 0.0 { value } else { arithmetic(ArithmeticOperator::Subtract, value, offset) };
    let divided = arithmetic(ArithmeticOperator::Divide, moved, interval);
    let floor = Box::new(Expr::Call(Function::Floor, vec![*divided]));
    Ok(Histogram { value: *floor, ..shape(body, Step::Number { interval, offset }, at)? })
}

/// What both histograms have in common.
fn shape(body: &Json, step: Step, at: &str) -> Result<Histogram, SearchError> {
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
        least: terms::number(body.get("min_doc_count"), at)?.unwrap_or(0) as u64,
        extended: bounds("extended_bounds"),
        hard,
        format: body.get("format").and_then(Json::as_str).map(str::to_owned),
        is_keyed: body.get("keyed").and_then(Json::as_bool).unwrap_or(false),
        is_descending: order.and_then(|(_, direction)| direction.as_str()) == Some("desc"),
        by_count,
    })
}

/// A bound in the unit of keys: nanoseconds of times.
fn bound_of(json: &Json, step: Step) -> Option<f64> {
    match step {
        Step::Number { .. } => json.as_f64().or_else(|| json.as_str()?.trim().parse().ok()),
        Step::Time { zone, .. } => {
            // Grafana sends numbers as texts.
            let written = times::read(json, Some("epoch_millis"), Timestamp(0), zone)?;
            Some(written.first as f64)
        }
    }
}

/// The zone that a histogram names; one search has one.
fn zone(body: &Json, known: &mut Option<Tz>, at: &str) -> Result<Tz, SearchError> {
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
pub(super) fn date_histogram(body: &Json, known_zone: &mut Option<Tz>, at: &str) -> Result<Histogram, SearchError> {
    let Some(field) = body.get("field").and_then(Json::as_str) else {
        return Err(SearchError::parsing(at, "needs a [field]"));
    };
    let zone = zone(body, known_zone, at)?;
    let text = |name: &str| body.get(name).and_then(Json::as_str).map(str::trim);
    let unreadable = |text: &str| SearchError::argument(format!("[{at}] [{text}] is no interval that is supported"));
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
    let time = with_missing_time(Expr::Field(field_of(field)), body.get("missing"), zone, at)?;
    let is_weeks = matches!(span, Span::Nanoseconds(length) if length % (7 * Timestamp::DAY) == 0);
    let floor = |time: Expr| Expr::Call(Function::DateFloor, vec![time, Expr::Duration(span)]);
    let (value, origin) = match span {
        // Fixed lengths count from 1970, whose first day was no Monday.
        Span::Nanoseconds(length) if !is_calendar && (offset != 0 || is_weeks) => {
            if zone != Tz::UTC {
                return Err(SearchError::parsing(
                    at,
                    "offsets and fixed weeks in another time zone than UTC are not supported",
                ));
            }
            let origin = Expr::Literal(Some(Value::Timestamp(Timestamp(offset.rem_euclid(length)))));
            let arguments = vec![time, origin, Expr::Duration(span)];
            (Expr::Call(Function::TimeBucket, arguments), Some(offset.rem_euclid(length)))
        }
        _ if offset != 0 => return Err(SearchError::parsing(at, "[offset] of a calendar interval is not supported")),
        _ => (floor(time), None),
    };
    Ok(Histogram { value, ..shape(body, Step::Time { span, zone, origin }, at)? })
}

fn with_missing_time(field: Expr, missing: Option<&Json>, zone: Tz, at: &str) -> Result<Expr, SearchError> {
    let Some(json) = missing.filter(|json| !json.is_null()) else { return Ok(field) };
    let written = times::read(json, None, Timestamp(0), zone);
    let written = written.ok_or_else(|| SearchError::parsing(at, format!("[missing] {json} is no time")))?;
    let literal = Expr::Literal(Some(Value::Timestamp(Timestamp(written.first))));
    Ok(Expr::Call(Function::Coalesce, vec![field, literal]))
}

/// `500ms`, `30s`, `5m`, `2h`, `1d`, `1w` of a fixed length.
fn fixed(text: &str) -> Option<Span> {
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
    number.checked_mul(unit).map(Span::Nanoseconds)
}

/// An offset: a length of time, perhaps with a sign.
fn signed(text: &str) -> Option<i64> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    match fixed(length)? {
        Span::Nanoseconds(length) => Some(sign * length),
        Span::Months(_) => None,
    }
}

fn calendar(text: &str) -> Option<Span> {
    Some(match text {
        "second" | "1s" => Span::Nanoseconds(Timestamp::SECOND),
        "minute" | "1m" => Span::Nanoseconds(Timestamp::MINUTE),
        "hour" | "1h" => Span::Nanoseconds(Timestamp::HOUR),
        "day" | "1d" => Span::Nanoseconds(Timestamp::DAY),
        "week" | "1w" => Span::Nanoseconds(7 * Timestamp::DAY),
        "month" | "1M" => Span::Months(1),
        "quarter" | "1q" => Span::Months(3),
        "year" | "1y" => Span::Months(12),
        _ => return None,
    })
}
