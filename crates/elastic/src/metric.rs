//! Metrics: aggregations that are numbers, computed from aggregates of a plan.

use serde_json::{Map, Value as Json, json};
use types::{Timestamp, Value, ensure};

use super::histogram::calendar;
use super::json_of_value;
use super::operands::{named, with_missing};
use language::dsl::{field_of, object, value_of_json};
use language::mapping::Schema;
use language::search_error::{Result, SearchError};
use plan::date_math::milliseconds;
use plan::each::each_of;
use plan::fields::single_field;
use plan::{AggregateKind, ArithmeticOperator, Comparison, Expr, Function, Length, Name, format_time};

/// Default percentiles, as in Elasticsearch.
const PERCENTS: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];

/// Limit on the percentiles of one aggregation.
const PERCENTS_MAX: usize = 100;

/// A metric of one or several numbers.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    kind: MetricKind,
    value: Expr,
    /// Whether its values are times.
    is_time: bool,
    /// The field, if its values may be dates as texts.
    may_be_dates: Option<Name>,
    format: Option<String>,
}

#[derive(Clone, Debug)]
enum MetricKind {
    Average,
    Sum,
    Min,
    Max,
    Count,
    Cardinality,
    Stats,
    ExtendedStats {
        sigma: f64,
    },
    Percentiles {
        percents: Vec<f64>,
        is_keyed: bool,
    },
    /// The share of the values below each of these.
    Ranks {
        values: Vec<f64>,
        is_keyed: bool,
    },
    /// A weighted mean.
    WeightedAverage {
        weight: Expr,
    },
    /// A sum per unit of time, or without a value the number of events.
    Rate {
        of: RateOf,
        unit: Option<Length>,
    },
    /// Values of the latest or the earliest event.
    Top {
        fields: Vec<(String, Expr)>,
        is_latest: bool,
    },
}

/// The quantity of a rate.
#[derive(Clone, Copy, Debug)]
enum RateOf {
    Events,
    Values,
    Sum,
}

/// The names of metrics.
pub(super) const METRICS: [&str; 13] = [
    "avg", "sum", "min", "max", "value_count", "cardinality", "stats", "extended_stats", "percentiles",
    "percentile_ranks", "weighted_avg", "top_metrics", "rate",
];

fn field(name: &str) -> Expr {
    Expr::Field(name.into())
}

/// Reads a metric of one of the [`METRICS`].
pub(super) fn parse(schema: &Schema, kind: &str, body: &Json, at: &str) -> Result<Metric> {
    let format = body.get("format").and_then(Json::as_str).map(str::to_owned);
    match kind {
        "top_metrics" => return top(schema, body, at),
        "rate" => return rate(schema, body, at),
        "weighted_avg" => return weighted_average(schema, body, at),
        _ => {}
    }
    let written = named(body.get("field"), "field", at)?;
    let field = schema.value(written)?;
    let name = single_field(&field).cloned().unwrap_or_else(|| field_of(written));
    let is_plain = matches!(field, Expr::Field(_));
    let is_time = matches!(&*name, "@timestamp" | "@ingestionTime");
    let kind = match kind {
        "avg" => MetricKind::Average,
        "sum" => MetricKind::Sum,
        "min" => MetricKind::Min,
        "max" => MetricKind::Max,
        "value_count" => MetricKind::Count,
        "cardinality" => MetricKind::Cardinality,
        "stats" => MetricKind::Stats,
        "extended_stats" => {
            MetricKind::ExtendedStats { sigma: body.get("sigma").and_then(Json::as_f64).unwrap_or(2.0) }
        }
        "percentile_ranks" => ranks(body, at)?,
        _ => percentiles(body, at)?,
    };
    let is_any_value = matches!(kind, MetricKind::Count | MetricKind::Cardinality);
    let mut value = match (is_time, is_any_value) {
        (true, false) => Expr::Call(Function::ToMillis, vec![field]),
        (false, false) if !name.starts_with('@') => Expr::Call(Function::Measure, vec![field]),
        _ => field,
    };
    let shows_times = matches!(
        kind,
        MetricKind::Average | MetricKind::Min | MetricKind::Max | MetricKind::Stats | MetricKind::ExtendedStats { .. }
    );
    let may_be_dates = (shows_times && is_plain && !name.starts_with('@')).then_some(name);
    if let Some(missing) = body.get("missing").and_then(value_of_json) {
        value = Expr::Call(Function::Coalesce, vec![value, Expr::Literal(Some(missing))]);
    }
    Ok(Metric { kind, value, is_time: is_time && !is_any_value, may_be_dates, format })
}

/// Reads `rate`. Without a unit of time it is per bucket.
fn rate(schema: &Schema, body: &Json, at: &str) -> Result<Metric> {
    let unit = match body.get("unit").and_then(Json::as_str) {
        None => None,
        Some(text) => Some(calendar(text).ok_or_else(|| SearchError::argument(format!("Unsupported unit {text}")))?),
    };
    let field = body.get("field").and_then(Json::as_str);
    let of = match (field, body.get("mode").and_then(Json::as_str)) {
        (None, None) => RateOf::Events,
        (Some(_), None | Some("sum")) => RateOf::Sum,
        (Some(_), Some("value_count")) => RateOf::Values,
        (_, Some(mode)) => return Err(SearchError::parsing(at, format!("mode [{mode}] is not supported here"))),
    };
    let value = field.map_or(Ok(Expr::Literal(None)), |written| schema.value(written))?;
    let format = body.get("format").and_then(Json::as_str).map(str::to_owned);
    Ok(Metric { kind: MetricKind::Rate { of, unit }, value, is_time: false, may_be_dates: None, format })
}

fn percentiles(body: &Json, at: &str) -> Result<MetricKind> {
    let (percents, is_keyed) = percents_of(body, at)?;
    Ok(MetricKind::Percentiles { percents, is_keyed })
}

/// Reads `percentile_ranks`.
fn ranks(body: &Json, at: &str) -> Result<MetricKind> {
    let number = |json: &Json| json.as_f64().or_else(|| json.as_str()?.trim().parse().ok());
    let values: Option<Vec<f64>> =
        body.get("values").and_then(Json::as_array).and_then(|list| list.iter().map(number).collect());
    let values = values.filter(|values| (1..=PERCENTS_MAX).contains(&values.len()));
    let message = || format!("[values] is a list of 1 to {PERCENTS_MAX} numbers");
    let values = values.ok_or_else(|| SearchError::parsing(at, message()))?;
    Ok(MetricKind::Ranks { values, is_keyed: body.get("keyed").and_then(Json::as_bool).unwrap_or(true) })
}

/// Reads `weighted_avg`.
fn weighted_average(schema: &Schema, body: &Json, at: &str) -> Result<Metric> {
    let part = |name: &str| {
        let place = format!("{at}.{name}");
        let part = body.get(name).ok_or_else(|| SearchError::parsing(at, format!("needs a [{name}]")))?;
        if let Some(other) = object(part, &place)?.keys().find(|key| !matches!(key.as_str(), "field" | "missing")) {
            return Err(SearchError::parsing(&place, format!("[{other}] is not supported")));
        }
        let field = part.get("field").and_then(Json::as_str);
        let field = field.ok_or_else(|| SearchError::parsing(&place, "needs a [field]"))?;
        Ok::<_, SearchError>(with_missing(schema.value(field)?, part.get("missing")))
    };
    let (value, weight) = (part("value")?, part("weight")?);
    let format = body.get("format").and_then(Json::as_str).map(str::to_owned);
    Ok(Metric { kind: MetricKind::WeightedAverage { weight }, value, is_time: false, may_be_dates: None, format })
}

/// Reads the percentiles, and whether they are keyed.
pub(super) fn percents_of(body: &Json, at: &str) -> Result<(Vec<f64>, bool)> {
    let percents = match body.get("percents") {
        None | Some(Json::Null) => PERCENTS.to_vec(),
        Some(Json::Array(percents)) => {
            // Grafana sends them as strings.
            let percent = |json: &Json| json.as_f64().or_else(|| json.as_str()?.trim().parse().ok());
            let percents: Option<Vec<f64>> = percents.iter().map(percent).collect();
            let percents = percents.filter(|all| all.iter().all(|percent| (0.0..=100.0).contains(percent)));
            percents.ok_or_else(|| SearchError::parsing(at, "[percents] are numbers from 0 to 100"))?
        }
        Some(_) => return Err(SearchError::parsing(at, "[percents] is a list of numbers")),
    };
    ensure!(percents.len() <= PERCENTS_MAX, SearchError::parsing(at, format!("has more than {PERCENTS_MAX} percents")));
    Ok((percents, body.get("keyed").and_then(Json::as_bool).unwrap_or(true)))
}

/// Reads `top_metrics` in the order of time, as Grafana sends it.
fn top(schema: &Schema, body: &Json, at: &str) -> Result<Metric> {
    let metrics = match body.get("metrics") {
        Some(Json::Array(metrics)) => metrics.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let fields: Option<Vec<String>> =
        metrics.iter().map(|metric| metric.get("field").and_then(Json::as_str).map(str::to_owned)).collect();
    let fields = fields.filter(|fields| !fields.is_empty() && fields.len() <= PERCENTS_MAX);
    let fields = fields.ok_or_else(|| SearchError::parsing(at, "needs [metrics] with fields"))?;
    let fields = fields.into_iter().map(|name| schema.value(&name).map(|value| (name, value)));
    let fields = fields.collect::<Result<Vec<_>>>()?;
    let sort = match body.get("sort") {
        Some(Json::Array(keys)) => keys.first(),
        other => other,
    };
    let order = match sort {
        Some(Json::Object(keys)) => keys.get("@timestamp").map(|order| order.get("order").unwrap_or(order)),
        Some(Json::String(name)) if name == "@timestamp" => Some(&Json::Null),
        _ => None,
    };
    let order = order.ok_or_else(|| SearchError::parsing(at, "[sort] by anything but @timestamp is not supported"))?;
    if body.get("size").and_then(Json::as_u64).unwrap_or(1) != 1 {
        return Err(SearchError::parsing(at, "[size] other than 1 is not supported"));
    }
    let is_latest = order.as_str().is_some_and(|order| order.eq_ignore_ascii_case("desc"));
    Ok(Metric {
        kind: MetricKind::Top { fields, is_latest },
        value: field("@timestamp"),
        is_time: false,
        may_be_dates: None,
        format: None,
    })
}

/// Returns pairs of numbers as an object, or as a list.
fn keyed(values: impl Iterator<Item = (f64, Option<f64>)>, is_keyed: bool) -> Json {
    if is_keyed {
        let members: Map<String, Json> = values.map(|(key, value)| (format!("{key:?}"), json!(value))).collect();
        return json!({"values": members});
    }
    let list: Vec<Json> = values.map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({"values": list})
}

impl Metric {
    /// Returns the aggregates of the metric, over all values of its field. The last one counts dates, if there may be some.
    pub(super) fn aggregates(&self) -> Vec<(AggregateKind, Option<Expr>)> {
        let mut all: Vec<_> =
            self.of_values().into_iter().map(|(kind, argument)| (kind, argument.map(each_of))).collect();
        all.extend(self.may_be_dates.as_ref().map(|name| {
            let truth = |truth| Expr::Literal(Some(Value::Boolean(truth)));
            let is_date = Expr::Call(Function::IfDate, vec![Expr::Field(name.clone()), truth(true), truth(false)]);
            (AggregateKind::Count, Some(each_of(Expr::Call(Function::If, vec![is_date, truth(true)]))))
        }));
        all
    }

    fn of_values(&self) -> Vec<(AggregateKind, Option<Expr>)> {
        let of = |kind| (kind, Some(self.value.clone()));
        let zero = Box::new(Expr::Literal(Some(Value::Integer(0))));
        // The sum with 0 is missing for values that are not numbers: only numbers are counted.
        let number = Expr::Arithmetic(ArithmeticOperator::Add, Box::new(self.value.clone()), zero);
        let stats = [
            (AggregateKind::Count, Some(number.clone())),
            of(AggregateKind::Min),
            of(AggregateKind::Max),
            of(AggregateKind::Average),
            of(AggregateKind::Sum),
        ];
        match &self.kind {
            MetricKind::Average => vec![of(AggregateKind::Average)],
            MetricKind::Sum => vec![of(AggregateKind::Sum)],
            MetricKind::Min => vec![of(AggregateKind::Min)],
            MetricKind::Max => vec![of(AggregateKind::Max)],
            MetricKind::Count => vec![of(AggregateKind::Count)],
            MetricKind::Cardinality => vec![of(AggregateKind::CountDistinct)],
            MetricKind::Stats => stats.to_vec(),
            MetricKind::ExtendedStats { .. } => {
                let value = || Box::new(self.value.clone());
                let square = Expr::Arithmetic(ArithmeticOperator::Multiply, value(), value());
                stats.into_iter().chain([(AggregateKind::Sum, Some(square)), of(AggregateKind::Variance)]).collect()
            }
            MetricKind::Percentiles { percents, .. } => {
                percents.iter().map(|percent| of(AggregateKind::Percentile(*percent))).collect()
            }
            MetricKind::Ranks { values, .. } => {
                let compared = |comparison, bound: f64| {
                    let bound = Box::new(Expr::Literal(Some(Value::Float(bound))));
                    let holds = Expr::Compare(comparison, Box::new(number.clone()), bound);
                    let one = Expr::Literal(Some(Value::Integer(1)));
                    (AggregateKind::Count, Some(Expr::Call(Function::If, vec![holds, one])))
                };
                let counts = values
                    .iter()
                    .flat_map(|value| [compared(Comparison::Less, *value), compared(Comparison::Equal, *value)]);
                std::iter::once((AggregateKind::Count, Some(number.clone()))).chain(counts).collect()
            }
            MetricKind::WeightedAverage { weight } => {
                let operate = |operator, left: &Expr, right: &Expr| {
                    Expr::Arithmetic(operator, Box::new(left.clone()), Box::new(right.clone()))
                };
                let product = operate(ArithmeticOperator::Multiply, &self.value, weight);
                // Missing like the product: weights without a value do not count.
                let difference = operate(ArithmeticOperator::Subtract, &product, &product);
                let weight = operate(ArithmeticOperator::Add, weight, &difference);
                vec![(AggregateKind::Sum, Some(product)), (AggregateKind::Sum, Some(weight))]
            }
            MetricKind::Rate { of: RateOf::Events, .. } => vec![(AggregateKind::Count, None)],
            MetricKind::Rate { of: RateOf::Values, .. } => vec![of(AggregateKind::Count)],
            MetricKind::Rate { of: RateOf::Sum, .. } => vec![of(AggregateKind::Sum)],
            MetricKind::Top { fields, is_latest } => {
                let kind = if *is_latest { AggregateKind::Latest } else { AggregateKind::Earliest };
                let fields = fields.iter().map(|(_, value)| (kind, Some(value.clone())));
                fields.chain([(kind, Some(field("@timestamp")))]).collect()
            }
        }
    }

    /// Reports whether the metric is a rate, which needs the length of the bucket.
    pub(super) fn is_rate(&self) -> bool {
        matches!(self.kind, MetricKind::Rate { .. })
    }

    /// Reports whether the metric is a rate per month or year, whose lengths differ.
    pub(super) fn is_rate_of_months(&self) -> bool {
        matches!(self.kind, MetricKind::Rate { unit: Some(Length::Months(_)), .. })
    }

    /// Returns the factor of a rate in a bucket of `span` with a length of `length_ns`.
    pub(super) fn rate_factor(&self, span: Length, length_ns: i64) -> Option<f64> {
        let MetricKind::Rate { unit: Some(unit), .. } = self.kind else { return None };
        Some(match (unit, span) {
            (Length::Months(unit), Length::Months(months)) => f64::from(unit) / f64::from(months),
            (Length::Nanoseconds(unit), _) => unit as f64 / length_ns.max(1) as f64,
            // The parser has refused it.
            (Length::Months(_), Length::Nanoseconds(_)) => return None,
        })
    }

    /// Returns the result for the values of the aggregates; without values, the result of no event.
    pub(super) fn shown(&self, values: &[Option<Value>]) -> Json {
        match (&self.may_be_dates, values.split_last()) {
            (Some(_), Some((n_dates, values))) => {
                let is_time = n_dates.as_ref().and_then(number_of).is_some_and(|n| n > 0.0);
                Self { is_time, may_be_dates: None, ..self.clone() }.shown_of(values)
            }
            _ => self.shown_of(values),
        }
    }

    fn shown_of(&self, values: &[Option<Value>]) -> Json {
        let number = |at: usize| values.get(at).and_then(Option::as_ref).and_then(number_of);
        match &self.kind {
            MetricKind::Average | MetricKind::Min | MetricKind::Max => self.single(number(0)),
            MetricKind::Sum | MetricKind::Rate { .. } => self.single(Some(number(0).unwrap_or(0.0))),
            MetricKind::Count | MetricKind::Cardinality => json!({"value": number(0).unwrap_or(0.0) as u64}),
            MetricKind::Stats => Json::Object(self.stats(values)),
            MetricKind::ExtendedStats { sigma } => Json::Object(self.extended_stats(values, *sigma)),
            MetricKind::Percentiles { percents, is_keyed } => {
                keyed(percents.iter().enumerate().map(|(at, percent)| (*percent, number(at))), *is_keyed)
            }
            MetricKind::Ranks { values: bounds, is_keyed } => {
                let n = number(0).unwrap_or(0.0);
                let rank = |at: usize| {
                    let below = number(1 + 2 * at).unwrap_or(0.0) + number(2 + 2 * at).unwrap_or(0.0) / 2.0;
                    (n > 0.0).then_some(below / n * 100.0)
                };
                let ranks = bounds.iter().enumerate().map(|(at, bound)| (*bound, rank(at)));
                keyed(ranks, *is_keyed)
            }
            MetricKind::WeightedAverage { .. } => {
                let weights = number(1).filter(|weights| *weights != 0.0);
                self.single(weights.and_then(|weights| Some(number(0)? / weights)))
            }
            MetricKind::Top { fields, .. } => {
                if values.iter().all(Option::is_none) {
                    return json!({"top": []});
                }
                let metrics: Map<String, Json> = fields
                    .iter()
                    .zip(values)
                    .map(|((name, _), value)| (name.clone(), json_of_value(value.as_ref())))
                    .collect();
                json!({"top": [{"sort": [json_of_value(values.last().and_then(Option::as_ref))], "metrics": metrics}]})
            }
        }
    }

    fn single(&self, value: Option<f64>) -> Json {
        let mut shown = json!({"value": value});
        if let (true, Some(value)) = (self.is_time, value) {
            shown["value_as_string"] = self.time_text(value).into();
        }
        shown
    }

    fn time_text(&self, milliseconds: f64) -> String {
        format_time(Timestamp((milliseconds as i64).saturating_mul(1_000_000)), self.format.as_deref())
    }

    fn stats(&self, values: &[Option<Value>]) -> Map<String, Json> {
        let number = |at: usize| values.get(at).and_then(Option::as_ref).and_then(number_of);
        let mut shown = Map::new();
        shown.insert("count".into(), json!(number(0).unwrap_or(0.0) as u64));
        for (name, at) in [("min", 1), ("max", 2), ("avg", 3), ("sum", 4)] {
            let value = if name == "sum" { Some(number(at).unwrap_or(0.0)) } else { number(at) };
            shown.insert(name.into(), json!(value));
            if let (true, Some(value)) = (self.is_time, value) {
                shown.insert(format!("{name}_as_string"), self.time_text(value).into());
            }
        }
        shown
    }

    fn extended_stats(&self, values: &[Option<Value>], sigma: f64) -> Map<String, Json> {
        let number = |at: usize| values.get(at).and_then(Option::as_ref).and_then(number_of);
        let mut shown = self.stats(values);
        let count = number(0).unwrap_or(0.0);
        // The variance of a sample of one is undefined, that of a population of one is 0.
        let of_sample = number(6).or_else(|| (count == 1.0).then_some(0.0));
        let variance = of_sample.map(|variance| variance * (count - 1.0) / count);
        let deviation = variance.map(f64::sqrt);
        let sample_deviation = number(6).map(f64::sqrt);
        shown.insert("sum_of_squares".into(), json!((count > 0.0).then(|| number(5).unwrap_or(0.0))));
        for (name, value) in [
            ("variance", variance),
            ("variance_population", variance),
            ("variance_sampling", number(6)),
            ("std_deviation", deviation),
            ("std_deviation_population", deviation),
            ("std_deviation_sampling", sample_deviation),
        ] {
            shown.insert(name.into(), json!(value));
        }
        let bound = |deviation: Option<f64>, sign: f64| Some(number(3)? + sign * sigma * deviation?);
        shown.insert(
            "std_deviation_bounds".into(),
            json!({
                "upper": bound(deviation, 1.0), "lower": bound(deviation, -1.0),
                "upper_population": bound(deviation, 1.0), "lower_population": bound(deviation, -1.0),
                "upper_sampling": bound(sample_deviation, 1.0), "lower_sampling": bound(sample_deviation, -1.0),
            }),
        );
        shown
    }
}

/// Returns a value of a plan's answer as a number.
fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Boolean(truth) => Some(f64::from(u8::from(*truth))),
        Value::Timestamp(instant) => Some(milliseconds(*instant) as f64),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        other => other.as_f64(),
    }
}
