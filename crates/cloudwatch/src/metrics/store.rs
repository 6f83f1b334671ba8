//! Reads the data of metrics from the store, where each datum is an event (`ingest::datum`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use door::{Problem, Result};
use execute::BlockVisitor;
use ingest::datum::{DATUM_TYPE, DIMENSION, Datum, MetricName, NAMESPACE};
use ingest::sample::{METRIC_NAME, field_of_label};
use plan::{Comparison, Expr, Name, Operator, Plan};
use types::{Column, GroupPattern, Hold, Timestamp, Value};

use super::filter_data;
use super::source::MetricSource;

/// The groups that contain data: their own, and the one for groups beyond the limit.
const GROUPS: [&str; 2] = ["metrics/cloudwatch/*", "overflow"];

/// The columns that are read: series, time, a single value or the sum of a set, the number of values, bounds of a set.
const COLUMNS: [&str; 7] = ["@logStream", "@timestamp", "value", "sum", "count", "minimum", "maximum"];

/// The data of a metric, with their times in ms, by unit.
pub(super) type DataByUnit = BTreeMap<String, Vec<(i64, Datum)>>;

/// Reads the data of a metric from `from` to before `to`, in ms.
pub(super) fn data_of(source: &dyn MetricSource, metric: &MetricName, (from, to): (i64, i64)) -> Result<DataByUnit> {
    let n_max = source.n_data_max();
    let reader = Reader { wanted: Some(metric), n_max, found: Mutex::default() };
    let own = [(METRIC_NAME, &metric.name), (NAMESPACE, &metric.namespace)];
    let dimensions = metric.dimensions.iter().map(|(name, text)| (format!("{DIMENSION}{name}"), text));
    let equal: Vec<(String, &String)> =
        own.into_iter().map(|(name, text)| (name.to_owned(), text)).chain(dimensions).collect();
    let shift = source.shift_ms();
    let found = read(source, &equal, &COLUMNS, (from + shift, to + shift), reader)?;
    if found.n > n_max {
        let message = format!("metric {:?} has more than {n_max} data in this range", metric.name);
        return Err(Problem::bad_request("too-much-memory", message).hint("ask for a shorter range"));
    }
    let mut by_unit = filter_data::data_of(source, metric, (from + shift, to + shift), n_max - found.n)?;
    by_unit.values_mut().flatten().for_each(|(time, _)| *time -= shift);
    for (stream, data) in found.series {
        if let Some((_, unit)) = MetricName::of_stream(&stream) {
            by_unit.entry(unit).or_default().extend(data.into_iter().map(|(time, datum)| (time - shift, datum)));
        }
    }
    Ok(by_unit)
}

/// Returns the metrics with stored data in a range from its start to before its end, in ms; of one namespace and one name if they are
/// given.
pub(super) fn metrics(
    source: &dyn MetricSource,
    namespace: Option<&str>,
    name: Option<&str>,
    range: (i64, i64),
) -> Result<BTreeSet<MetricName>> {
    let given = [(NAMESPACE, namespace), (METRIC_NAME, name)];
    let given: Vec<(String, String)> =
        given.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect();
    let equal: Vec<(String, &String)> = given.iter().map(|(name, text)| (name.clone(), text)).collect();
    let reader = Reader { wanted: None, n_max: usize::MAX, found: Mutex::default() };
    let found = read(source, &equal, &COLUMNS[..1], range, reader)?;
    Ok(found.series.keys().filter_map(|stream| Some(MetricName::of_stream(stream)?.0)).collect())
}

fn read(
    source: &dyn MetricSource,
    equal: &[(String, &String)],
    names: &[&str],
    range: (i64, i64),
    reader: Reader<'_>,
) -> Result<Found> {
    let is = |name: &str, text: &str| {
        let literal = Expr::Literal(Some(Value::text(text)));
        let field = Expr::Field((*field_of_label(name)).into());
        Operator::Filter(Expr::Compare(Comparison::Equal, Box::new(field), Box::new(literal)))
    };
    let is_datum = {
        let literal = Expr::Literal(Some(Value::text(DATUM_TYPE)));
        Operator::Filter(Expr::Compare(Comparison::Equal, Box::new(Expr::Field("@type".into())), Box::new(literal)))
    };
    let mut operators = vec![is_datum];
    operators.extend(equal.iter().map(|(name, text)| is(name, text)));
    let columns = names.iter().map(|name| (Name::from(*name), Expr::Field((*name).into()))).collect();
    operators.push(Operator::Project { columns, is_events: true });
    let groups = GROUPS.map(GroupPattern::new).to_vec();
    source.visit_all(&Plan::new(operators), groups, range, &reader)?;
    Ok(reader.found.into_held())
}

#[derive(Default)]
struct Found {
    series: HashMap<Arc<str>, Vec<(i64, Datum)>>,
    n: usize,
}

/// Collects the data of blocks.
struct Reader<'m> {
    /// The metric to collect; without one, only streams are collected.
    wanted: Option<&'m MetricName>,
    n_max: usize,
    found: Mutex<Found>,
}

impl BlockVisitor for Reader<'_> {
    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some((streams, rest)) = columns.split_first() else { return };
        let mut found = self.found.hold();
        found.n += streams.n_rows();
        if found.n > self.n_max {
            return;
        }
        let mut is_wanted: HashMap<Arc<str>, bool> = HashMap::new();
        for row in 0..streams.n_rows() {
            let Some(Value::String(stream)) = streams.value(row) else { continue };
            let Some(wanted) = self.wanted else {
                found.series.entry(stream).or_default();
                continue;
            };
            let check = || MetricName::of_stream(&stream).is_some_and(|(metric, _)| metric == *wanted);
            let is_it = *is_wanted.entry(stream.clone()).or_insert_with(check);
            if let Some(datum) = datum_of(rest, row).filter(|_| is_it) {
                found.series.entry(stream).or_default().push(datum);
            }
        }
    }
}

/// Returns the datum of a row and its time in ms.
fn datum_of(columns: &[Arc<Column>], row: usize) -> Option<(i64, Datum)> {
    let [time, _, sum, count, minimum, maximum] = columns.first_chunk()?;
    let number = |column: &Column| match column.value(row)? {
        Value::Float(number) => Some(number),
        Value::Integer(number) => Some(number as f64),
        _ => None,
    };
    let Value::Timestamp(time) = time.value(row)? else { return None };
    let datum =
        Datum { count: number(count)?, sum: number(sum)?, minimum: number(minimum)?, maximum: number(maximum)? };
    Some((time.0.div_euclid(Timestamp::MILLISECOND), datum))
}
