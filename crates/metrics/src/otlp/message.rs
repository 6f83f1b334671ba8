//! A request as a protobuf message, read in place. Layout (field numbers):
//!
//! ```text
//! request    resource metrics = 1*
//! resource   resource = 1 (attribute = 1*)   scope metrics = 2*
//! metrics
//! scope      metric = 2*
//! metrics
//! metric     name = 1   description = 2   unit = 3   gauge = 5   sum = 7   histogram = 9   exponential histogram = 10
//!            summary = 11
//! gauge      point = 1*
//! sum        point = 1*   temporality = 2   is monotonic = 3
//! histogram  point = 1*   temporality = 2 (of an exponential one as well; its points: `exponential`)
//! summary    point = 1*
//! point of a gauge or sum   time = 3 (fixed, ns)   double = 4   exemplar = 5*   integer = 6 (fixed)   attribute = 7*   flags = 8
//! of a histogram            time = 3   count = 4 (fixed)   sum = 5   bucket count = 6* (fixed)   bound = 7* (double)
//!                           exemplar = 8*   attribute = 9*   flags = 10
//! of a summary              time = 3   count = 4 (fixed)   sum = 5   quantile = 6* (quantile = 1   value = 2)
//!                           attribute = 7*   flags = 8
//! exemplar                  time = 2 (fixed, ns)   double = 3   span = 4   trace = 5   integer = 6 (fixed)   attribute = 7*
//! ```
//! Source: opentelemetry-proto, `metrics.proto`.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use ingest::protobuf::Content;
use ingest::{DecodeBudget, Result};

use super::attributes::push;
use super::body::{bad, message, text};
use super::name::Kind;
use super::points::{Distribution, Metric, Point, PointExemplar, Points};

/// The temporality that is stored: each point counts from the start of its series.
const CUMULATIVE: u64 = 2;

/// The flag of a point that says that there is no value any longer.
const NO_VALUE: u64 = 1;

/// Longest id of a trace.
const ID_BYTES_MAX: usize = 16;

/// Most buckets, quantiles or exemplars of a point.
const BUCKETS_MAX: usize = 10_000;

/// Passes all points of a request on.
pub(super) fn read(body: &[u8], points: &mut Points<'_, '_>) -> Result<()> {
    for resource_metrics in elements(body, 1) {
        let resource_metrics = resource_metrics?;
        let mut attributes = Vec::new();
        for resource in elements(resource_metrics, 1) {
            for bytes in elements(resource?, 1) {
                push(&mut attributes, bytes?, &mut points.budget)?;
            }
        }
        points.begin_resource(attributes);
        for scope_metrics in elements(resource_metrics, 2) {
            for metric in elements(scope_metrics?, 2) {
                read_metric(metric?, points)?;
            }
        }
        points.end_resource()?;
    }
    Ok(())
}

/// Returns the messages in field `number`.
fn elements(bytes: &[u8], number: u64) -> impl Iterator<Item = Result<&[u8]>> {
    message(bytes).filter_map(move |field| match field {
        Ok((field, Content::Bytes(bytes))) if field == number => Some(Ok(bytes)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

fn read_metric(bytes: &[u8], points: &mut Points<'_, '_>) -> Result<()> {
    let (mut name, mut description, mut unit) = (Cow::default(), Cow::default(), Cow::default());
    let mut data: Option<(u64, &[u8])> = None;
    for field in message(bytes) {
        match field? {
            (1, Content::Bytes(bytes)) => name = text(bytes),
            (2, Content::Bytes(bytes)) => description = text(bytes),
            (3, Content::Bytes(bytes)) => unit = text(bytes),
            (number @ (5 | 7 | 9 | 10 | 11), Content::Bytes(bytes)) => data = Some((number, bytes)),
            _ => {}
        }
    }
    let Some((number, data)) = data else { return Ok(()) };
    let (mut temporality, mut is_monotonic) = (0, false);
    for field in message(data) {
        match field? {
            (2, Content::Number(value)) => temporality = value,
            (3, Content::Number(flag)) => is_monotonic = flag != 0,
            _ => {}
        }
    }
    let kind = match number {
        5 => Kind::Gauge,
        7 if is_monotonic => Kind::Counter,
        7 => Kind::UpDownCounter,
        10 => Kind::ExponentialHistogram,
        11 => Kind::Summary,
        _ => Kind::Histogram,
    };
    let refusal = match number {
        7 | 9 | 10 if temporality != CUMULATIVE => Some(
            "is not cumulative; set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative, or use the collector's processor deltatocumulative",
        ),
        _ => None,
    };
    let metric = Metric::new(&name, &unit, &description, kind);
    if refusal.is_none() {
        points.note(&metric);
    }
    for point in elements(data, 1) {
        let point = point?;
        match refusal {
            Some(reason) => points.reject(&format!("metric {:?} {reason}", &name[..name.floor_char_boundary(200)])),
            None => {
                let point = read_point(point, kind, &mut points.budget)?;
                points.add(&metric, point)?;
            }
        }
    }
    Ok(())
}

fn read_point(bytes: &[u8], kind: Kind, budget: &mut DecodeBudget) -> Result<Point> {
    let (attribute_number, flags_number) = match kind {
        Kind::Histogram => (9, 10),
        Kind::ExponentialHistogram => (1, 10),
        _ => (7, 8),
    };
    let (mut point, mut flags) = (Point::default(), 0);
    let mut of = Distribution::default();
    for field in message(bytes) {
        match (kind, field?) {
            (_, (3, Content::Fixed64(ns))) => point.time_ns = ns,
            (_, (number, Content::Bytes(bytes))) if number == attribute_number => {
                push(&mut point.attributes, bytes, budget)?;
            }
            (_, (number, Content::Number(value))) if number == flags_number => flags = value,
            (Kind::Histogram, (8, Content::Bytes(bytes)))
            | (Kind::ExponentialHistogram, (11, Content::Bytes(bytes))) => {
                point.exemplars.push(exemplar(bytes, budget)?)
            }
            (Kind::ExponentialHistogram, field) => point.exponential.add(field)?,
            (Kind::Counter, (5, Content::Bytes(bytes))) => point.exemplars.push(exemplar(bytes, budget)?),
            (Kind::Histogram | Kind::Summary, (4, Content::Fixed64(count))) => of.count = count,
            (Kind::Histogram | Kind::Summary, (5, Content::Fixed64(bits))) => of.sum = Some(f64::from_bits(bits)),
            (Kind::Histogram, (6, content)) => fixed(content, |bits| of.counts.push(bits))?,
            (Kind::Histogram, (7, content)) => fixed(content, |bits| of.bounds.push(f64::from_bits(bits)))?,
            (Kind::Summary, (6, Content::Bytes(bytes))) => of.quantiles.push(quantile(bytes)?),
            (Kind::Histogram | Kind::Summary, _) => {}
            (_, (4, Content::Fixed64(bits))) => point.value = f64::from_bits(bits),
            (_, (6, Content::Fixed64(bits))) => point.value = bits.cast_signed() as f64,
            _ => {}
        }
        let n_most = of.counts.len().max(of.bounds.len()).max(of.quantiles.len()).max(point.exemplars.len());
        if n_most > BUCKETS_MAX {
            return Err(bad(format!("a point has more than {BUCKETS_MAX} buckets, quantiles or exemplars")));
        }
    }
    if kind == Kind::Summary {
        // Unlike that of a histogram it is always there: protobuf leaves out a number that is 0.
        of.sum.get_or_insert(0.0);
    }
    point.is_stale = flags & NO_VALUE != 0;
    point.distribution = of;
    Ok(point)
}

fn exemplar(bytes: &[u8], budget: &mut DecodeBudget) -> Result<PointExemplar> {
    let mut exemplar = PointExemplar::default();
    for field in message(bytes) {
        match field? {
            (2, Content::Fixed64(ns)) => exemplar.time_ns = ns,
            (3, Content::Fixed64(bits)) => exemplar.value = f64::from_bits(bits),
            (6, Content::Fixed64(bits)) => exemplar.value = bits.cast_signed() as f64,
            // An id of zeros means none.
            (number @ (4 | 5), Content::Bytes(id)) if id.len() <= ID_BYTES_MAX && id.iter().any(|byte| *byte != 0) => {
                let name = if number == 4 { "span_id" } else { "trace_id" };
                exemplar.ids.push((name, HEXLOWER.encode(id)));
            }
            (7, Content::Bytes(bytes)) => push(&mut exemplar.attributes, bytes, budget)?,
            _ => {}
        }
    }
    exemplar.ids.sort_by_key(|(name, _)| std::cmp::Reverse(*name));
    Ok(exemplar)
}

/// Passes numbers of eight bytes on: one, or many in one field.
fn fixed(content: Content<'_>, mut take: impl FnMut(u64)) -> Result<()> {
    match content {
        Content::Fixed64(bits) => take(bits),
        Content::Bytes(packed) => {
            let (numbers, rest) = packed.as_chunks::<8>();
            if !rest.is_empty() || numbers.len() > BUCKETS_MAX {
                return Err(bad(format!("{} bytes are no list of at most {BUCKETS_MAX} numbers", packed.len())));
            }
            numbers.iter().for_each(|bytes| take(u64::from_le_bytes(*bytes)));
        }
        _ => {}
    }
    Ok(())
}

fn quantile(bytes: &[u8]) -> Result<(f64, f64)> {
    let mut pair = (0.0, 0.0);
    for field in message(bytes) {
        match field? {
            (1, Content::Fixed64(bits)) => pair.0 = f64::from_bits(bits),
            (2, Content::Fixed64(bits)) => pair.1 = f64::from_bits(bits),
            _ => {}
        }
    }
    Ok(pair)
}
