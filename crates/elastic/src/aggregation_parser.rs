//! Reads the aggregations of a search request.

use chrono_tz::Tz;
use serde_json::{Map, Value as Json, json};
use types::{Timestamp, Value, ensure};

use super::aggregation::{Aggregation, Aggregations, Branch, Branches, Form, Kind};
use super::choice::{self, CHOICES};
use super::histogram::{Step, date_histogram, histogram, zone};
use super::metric::{self, METRICS};
use super::pipeline::{self, PIPELINES};
use super::sibling::{self, SIBLINGS};
use super::{auto_histogram, composite, operands, significant_terms, terms};
use language::dsl::{Reader, keys, not, object, value_of_json};
use language::mapping::Schema;
use language::search_error::{Result, SearchError};
use plan::each::each_of;
use plan::{Comparison, Expr, Function, Length, date_math as times};

/// Deepest nesting of aggregations.
const NESTING_MAX: usize = 10;

/// Limit on the aggregations of one search.
const AGGREGATIONS_MAX: usize = 200;

/// The supported aggregations, for errors.
pub const AGGREGATIONS: &str = "date_histogram, histogram, terms, range, date_range, filters, filter, missing, composite, \
    auto_date_histogram, multi_terms, rare_terms, significant_terms, top_hits, avg, sum, min, max, stats, extended_stats, \
    percentiles, percentile_ranks, weighted_avg, cardinality, value_count, top_metrics, rate, derivative, cumulative_sum, bucket_script, bucket_selector, bucket_sort, moving_fn, \
    serial_diff, avg_bucket, max_bucket, min_bucket, sum_bucket, stats_bucket, percentiles_bucket";

/// Reads `aggs`.
pub fn parse_aggregations(json: Option<&Json>, now: Timestamp, schema: &Schema) -> Result<Aggregations> {
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(Aggregations::default()) };
    let mut parser = Parser { reader: Reader::new(now, schema), zone: None, n_read: 0 };
    let list = parser.list(json, "aggs", 0)?;
    Ok(Aggregations { list, zone: parser.zone })
}

struct Parser<'s> {
    reader: Reader<'s>,
    zone: Option<Tz>,
    n_read: usize,
}

impl Parser<'_> {
    fn list(&mut self, json: &Json, at: &str, nesting: usize) -> Result<Vec<Aggregation>> {
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
        check_siblings(&list)?;
        Ok(list)
    }

    fn one(&mut self, name: &str, body: &Json, at: &str, nesting: usize) -> Result<Aggregation> {
        let (mut kind, mut children, mut meta) = (None, Vec::new(), None);
        for (member, value) in object(body, at)? {
            match member.as_str() {
                "aggs" | "aggregations" => children = self.list(value, at, nesting + 1)?,
                "meta" => meta = Some(value.clone()),
                _ if kind.is_some() => {
                    let message = format!("Found two aggregation type definitions in [{name}]");
                    return Err(SearchError::parsing(at, message));
                }
                member => kind = Some((member, self.kind(member, value, &format!("{at}.{member}"))?)),
            }
        }
        let Some((kind_name, kind)) = kind else {
            return Err(SearchError::parsing(at, format!("Missing definition for aggregation [{name}]")));
        };
        let has_buckets = matches!(
            kind,
            Kind::Terms(_)
                | Kind::Composite(_)
                | Kind::SignificantTerms(_)
                | Kind::Histogram(_)
                | Kind::AutoHistogram(_)
                | Kind::Branches(_)
        );
        if !has_buckets && !children.is_empty() {
            let message = format!("Aggregator [{name}] cannot accept sub-aggregations");
            return Err(SearchError {
                kind: "aggregation_initialization_exception",
                ..SearchError::parsing(at, message)
            });
        }
        check_rates(&kind, &children)?;
        ensure!(nesting != 0 || !matches!(&kind, Kind::Metric(metric) if metric.is_rate()), lost_rate());
        if matches!(kind, Kind::Pipeline(_) | Kind::Choice(_)) && nesting == 0 {
            return Err(SearchError::parsing(at, "must be inside a histogram, whose buckets it is computed from"));
        }
        if let Kind::Terms(terms) = &kind {
            let is_metric = |child: &&Aggregation| matches!(child.kind, Kind::Metric(_));
            let metrics: Vec<&str> = children.iter().filter(is_metric).map(|child| child.name.as_str()).collect();
            terms.check_orders(&metrics, at)?;
        }
        let (name, kind_name) = (name.to_owned(), kind_name.to_owned());
        Ok(Aggregation { name, kind_name, kind, children, meta, at: at.to_owned() })
    }

    fn kind(&mut self, kind: &str, body: &Json, at: &str) -> Result<Kind> {
        keys::check_aggregation(kind, body, at)?;
        Ok(match kind {
            kind if METRICS.contains(&kind) => Kind::Metric(metric::parse(self.reader.schema, kind, body, at)?),
            kind if PIPELINES.contains(&kind) => Kind::Pipeline(pipeline::parse(kind, body, at)?),
            kind if SIBLINGS.contains(&kind) => Kind::Sibling(sibling::parse(kind, body, at)?),
            kind if CHOICES.contains(&kind) => Kind::Choice(choice::parse(kind, body, at)?),
            "top_hits" => Kind::TopHits(body.clone()),
            "multi_terms" => Kind::Terms(terms::parse_several(self.reader.schema, body, at)?),
            "auto_date_histogram" => {
                Kind::AutoHistogram(auto_histogram::parse(self.reader.schema, body, &mut self.zone, at)?)
            }
            "terms" => Kind::Terms(terms::parse(&mut self.reader, body, at)?),
            "composite" => Kind::Composite(composite::parse(self.reader.schema, body, &mut self.zone, at)?),
            "rare_terms" => Kind::Terms(terms::parse_rare(&mut self.reader, body, at)?),
            "significant_terms" => Kind::SignificantTerms(significant_terms::parse(&mut self.reader, body, at)?),
            "histogram" => Kind::Histogram(histogram(self.reader.schema, body, at)?),
            "date_histogram" => Kind::Histogram(date_histogram(self.reader.schema, body, &mut self.zone, at)?),
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
                let missing = json!({"exists": {"field": field}});
                let condition = Some(not(self.reader.clause(&missing, at, 0, false)?));
                let branch = Branch { key: String::new(), condition, shown: Map::new() };
                Kind::Branches(Branches { list: vec![branch], form: Form::Single })
            }
            "range" => Kind::Branches(ranges(self.reader.schema, body, at)?),
            "date_range" => Kind::Branches(self.date_ranges(body, at)?),
            other => return Err(unsupported(other, body, at)),
        })
    }

    fn filters(&mut self, body: &Json, at: &str) -> Result<Branches> {
        let mut list = Vec::new();
        let mut add = |reader: &mut Reader<'_>, key: String, query: &Json| {
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
            let any = conditions.map(|conditions| plan::balanced(conditions, Expr::Or));
            let key = other.unwrap_or("_other_").to_owned();
            list.push(Branch { key, condition: Some(not(any)), shown: Map::new() });
        }
        Ok(Branches { list, form })
    }

    fn date_ranges(&mut self, body: &Json, at: &str) -> Result<Branches> {
        let zone = zone(body, &mut self.zone, at)?;
        let format = body.get("format").and_then(Json::as_str);
        let now = self.reader.now;
        let read = |json: &Json| {
            let written = times::read(json, format, now, zone);
            written
                .map(|written| written.first)
                .ok_or_else(|| SearchError::parsing(at, format!("{json} is not a time")))
        };
        let shown = |bound: i64| {
            let text = times::format_time_in(zone, Timestamp(bound), format);
            (json!(bound.div_euclid(1_000_000)), text)
        };
        let field = operands::time(self.reader.schema, field_named(body, at)?)?;
        branches(field, body, at, |json| Ok(Value::Timestamp(Timestamp(read(json)?))), |json| Ok(shown(read(json)?)))
    }
}

/// Returns the error for an unsupported aggregation, in Elasticsearch's words for missing and removed ones.
fn unsupported(kind: &str, body: &Json, at: &str) -> SearchError {
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    match (kind, text("field"), text("path")) {
        ("moving_avg", ..) => {
            SearchError::parsing(at, "Unknown aggregation type [moving_avg] did you mean [moving_fn]?")
        }
        ("geohash_grid" | "geotile_grid" | "geo_bounds" | "geo_centroid", Some(field), _) => {
            SearchError::argument(format!("Field [{field}] of type [text] is not supported for aggregation [{kind}]"))
        }
        ("nested", _, Some(path)) => {
            let reason = format!("[nested] nested path [{path}] is not nested");
            SearchError { kind: "aggregation_execution_exception", reason }
        }
        _ => {
            let message = format!("aggregation [{kind}] is not supported; supported are {AGGREGATIONS}");
            SearchError::parsing(at, message)
        }
    }
}

/// Refuses paths to aggregations that do not exist.
fn check_siblings(list: &[Aggregation]) -> Result<()> {
    for aggregation in list {
        if let Kind::Sibling(sibling) = &aggregation.kind
            && !list.iter().any(|other| other.name == sibling.needs() && other.name != aggregation.name)
        {
            let reason = format!("Validation Failed: 1: No aggregation found for path [{}];", &sibling.path);
            return Err(SearchError { kind: "action_request_validation_exception", reason });
        }
    }
    Ok(())
}

fn lost_rate() -> SearchError {
    SearchError::argument("The rate aggregation can only be used inside a date histogram")
}

/// Refuses rates in buckets without a length in their unit.
fn check_rates(kind: &Kind, children: &[Aggregation]) -> Result<()> {
    let rates = || children.iter().filter(|child| matches!(&child.kind, Kind::Metric(metric) if metric.is_rate()));
    let is_of_months = |child: &Aggregation| matches!(&child.kind, Kind::Metric(metric) if metric.is_rate_of_months());
    let step = match kind {
        Kind::Histogram(histogram) => Some(histogram.step),
        _ => None,
    };
    for rate in rates() {
        match (kind, step) {
            (Kind::AutoHistogram(_), _) | (_, Some(Step::Time { span: Length::Nanoseconds(_), .. }))
                if is_of_months(rate) =>
            {
                return Err(SearchError::argument(format!(
                    "[{}] Cannot use month-based rate unit with non-month based calendar interval histogram; only week, \
                     day, hour, minute and second are supported for this histogram",
                    rate.at
                )));
            }
            (Kind::AutoHistogram(_), _) | (_, Some(Step::Time { .. })) => {}
            _ => return Err(lost_rate()),
        }
    }
    Ok(())
}

/// Reads `range`.
fn ranges(schema: &Schema, body: &Json, at: &str) -> Result<Branches> {
    let number = |json: &Json| {
        let number = json.as_f64().or_else(|| json.as_str()?.trim().parse().ok());
        number.ok_or_else(|| SearchError::parsing(at, format!("{json} is not a number")))
    };
    let field = schema.value(field_named(body, at)?)?;
    branches(
        field,
        body,
        at,
        |json| Ok(value_of_json(json).unwrap_or(Value::Float(number(json)?))),
        |json| {
            let number = number(json)?;
            Ok((json!(number), format!("{number:?}")))
        },
    )
}

fn field_named<'j>(body: &'j Json, at: &str) -> Result<&'j str> {
    let field = body.get("field").and_then(Json::as_str);
    field.ok_or_else(|| SearchError::parsing(at, "needs a [field]"))
}

/// Reads ranges, given functions for the value and the JSON of a bound.
fn branches(
    field: Expr,
    body: &Json,
    at: &str,
    value: impl Fn(&Json) -> Result<Value>,
    shown: impl Fn(&Json) -> Result<(Json, String)>,
) -> Result<Branches> {
    let Some(Json::Array(ranges)) = body.get("ranges") else {
        return Err(SearchError::parsing(at, "needs a list of [ranges]"));
    };
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
        branch.condition = Some(each_of(plan::balanced(conditions, Expr::And)));
        branch.key = key;
        list.push(branch);
    }
    let form = if body.get("keyed").and_then(Json::as_bool).unwrap_or(false) { Form::Keyed } else { Form::List };
    Ok(Branches { list, form })
}
