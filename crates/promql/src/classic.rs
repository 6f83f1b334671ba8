//! Quantiles and shares of histograms, classic (`le` buckets as series) and native.

use std::collections::HashMap;

use crate::annotations::Remarks;
use crate::context::Context;
use crate::error::Result;
use crate::histogram::{Histogram, general};
use crate::labels::{BUCKET, Labels, METRIC_NAME};
use crate::lexer::number;
use crate::sum::almost_equal;
use crate::syntax::Span;
use crate::value::{Series, Value};

/// Counts that differ by less than this share are equal but for rounding.
const TOLERANCE: f64 = 1e-12;

/// Upper bound and cumulative count.
pub(crate) type Buckets = Vec<(f64, f64)>;

/// What is asked of histograms at a step.
pub(crate) enum Question<'a> {
    /// A quantile per step.
    Quantile(&'a [f64]),
    /// The share between two values per step.
    Fraction(&'a [f64], &'a [f64]),
}

/// The buckets of one classic histogram.
struct Classic {
    labels: Labels,
    /// Upper bound and place of each series.
    buckets: Vec<(f64, usize)>,
}

/// Answers a question for each histogram of a vector.
pub(crate) fn histograms(
    context: &Context<'_>,
    question: &Question<'_>,
    series: &[Series],
    (span, steps): (&Span, usize),
) -> Result<Vec<Series>> {
    let mut remarks = context.remarks().fresh();
    let classics = group(context, series, span, &mut remarks);
    let mut found: Vec<Series> = Vec::new();
    let by_labels: HashMap<&Labels, usize> = classics.iter().enumerate().map(|(at, c)| (&c.labels, at)).collect();
    let mut clashes: Vec<Vec<bool>> = vec![Vec::new(); classics.len()];
    for one in series.iter().filter(|one| !one.histograms.is_empty()) {
        context.check()?;
        let mut out = Series::empty(one.labels.clone(), one.drop_name, steps);
        let classic = by_labels.get(&one.labels).copied();
        let name = shown_name(context, &one.labels);
        for (step, histogram) in one.histograms.iter().enumerate() {
            let Some(histogram) = histogram else { continue };
            if let Some(at) =
                classic.filter(|at| classics[*at].buckets.iter().any(|(_, place)| series[*place].has(step)))
            {
                remarks.warn(span, &named("vector contains a mix of classic and native histograms", name));
                clashes[at].resize(steps, false);
                clashes[at][step] = true;
                continue;
            }
            out.set(step, Value::Float(native(question, histogram, step, (span, name), &mut remarks)));
        }
        found.push(out);
    }
    for (classic, clash) in classics.iter().zip(&clashes) {
        context.check()?;
        let mut out = Series::empty(classic.labels.clone(), false, steps);
        let mut forced = Forced::default();
        for step in (0..steps).filter(|step| !clash.get(*step).copied().unwrap_or(false)) {
            let there = |(bound, at): &(f64, usize)| series[*at].get(step).map(|value| (*bound, value));
            let buckets: Buckets = classic
                .buckets
                .iter()
                .filter_map(there)
                .filter_map(|(bound, value)| if let Value::Float(count) = value { Some((bound, count)) } else { None })
                .collect();
            if !buckets.is_empty() {
                let value = match question {
                    Question::Quantile(q) => quantile(q[step], buckets, &mut forced),
                    Question::Fraction(lower, upper) => fraction(lower[step], upper[step], buckets),
                };
                out.set(step, Value::Float(value));
            }
        }
        forced.remark(span, &mut remarks, shown_name(context, &classic.labels));
        context.hold(steps)?;
        found.push(out);
    }
    context.remarks().merge(remarks);
    found.iter_mut().for_each(|one| context.drop_name(one));
    found.retain(Series::has_any);
    context.unite(found, span)
}

/// Names are shown only as long as results still carry them.
fn shown_name<'a>(context: &Context<'_>, labels: &'a Labels) -> &'a str {
    if context.options.delayed_name_removal { labels.get(METRIC_NAME) } else { "" }
}

fn named(message: &str, name: &str) -> String {
    if name.is_empty() { message.to_owned() } else { format!("{message} for metric name {name:?}") }
}

fn group(context: &Context<'_>, series: &[Series], span: &Span, remarks: &mut Remarks) -> Vec<Classic> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut classics: Vec<Classic> = Vec::new();
    for (at, one) in series.iter().enumerate() {
        if one.floats.iter().all(|value| crate::value::is_none(*value)) {
            continue;
        }
        let text = one.labels.get(BUCKET);
        let Some(bound) = number(text) else {
            let message = format!("bucket label \"le\" is missing or has a malformed value of {text:?}");
            remarks.warn(span, &named(&message, shown_name(context, &one.labels)));
            continue;
        };
        // With names that go at the end, series of two names are two histograms.
        let labels = context.without_name(&one.labels).filter(|name| name != BUCKET);
        let key = one.labels.filter(|name| name != BUCKET);
        let place = *places.entry(key.clone()).or_insert_with(|| {
            let labels = if context.options.delayed_name_removal { labels } else { key };
            classics.push(Classic { labels, buckets: Vec::new() });
            classics.len() - 1
        });
        classics[place].buckets.push((bound, at));
    }
    classics
}

fn native(
    question: &Question<'_>,
    histogram: &Histogram,
    step: usize,
    (span, name): (&Span, &str),
    remarks: &mut Remarks,
) -> f64 {
    let (value, remark) = match question {
        Question::Quantile(q) => histogram.quantile(q[step]),
        Question::Fraction(lower, upper) => histogram.fraction(lower[step], upper[step]),
    };
    if let Some(remark) = remark {
        remarks.info(span, &named(remark, name));
    }
    value
}

/// What had to be changed to make counts rise.
#[derive(Default)]
struct Forced {
    /// Lowest and highest bound, greatest difference, occurrences.
    found: Option<(f64, f64, f64, usize)>,
}

impl Forced {
    fn note(&mut self, bound: f64, difference: f64) {
        let (low, high, most, count) = self.found.unwrap_or((bound, bound, 0.0, 0));
        self.found = Some((low.min(bound), high.max(bound), most.max(difference), count + 1));
    }

    fn remark(&self, span: &Span, remarks: &mut Remarks, name: &str) {
        let Some((low, high, most, count)) = self.found else { return };
        let message = "input to histogram_quantile needed to be fixed for monotonicity (see \
                       https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        let (low, high) = (general(low), general(high));
        let message = named(message, name);
        let detail = format!("from buckets {low} to {high}, with a max diff of {most:.2}, in {count} buckets");
        remarks.info(span, &format!("{message}, {detail}"));
    }
}

/// Sorts buckets by bound and joins those of the same; `None` without a bucket for all observations.
fn ordered(mut buckets: Buckets) -> Option<Buckets> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    if buckets.last()?.0 != f64::INFINITY {
        return None;
    }
    let mut joined: Buckets = Vec::with_capacity(buckets.len());
    for (bound, count) in buckets {
        match joined.last_mut() {
            Some(last) if last.0 == bound => last.1 += count,
            _ => joined.push((bound, count)),
        }
    }
    Some(joined)
}

/// Makes counts rise: differences by rounding go silently, others are noted.
fn make_monotonic(buckets: &mut Buckets, forced: &mut Forced) {
    let mut before = buckets[0].1;
    for (bound, count) in buckets.iter_mut().skip(1) {
        if *count == before {
            continue;
        }
        if almost_equal(before, *count, TOLERANCE) {
            *count = before;
        } else if *count < before {
            forced.note(*bound, before - *count);
            *count = before;
        } else {
            before = *count;
        }
    }
}

fn quantile(q: f64, buckets: Buckets, forced: &mut Forced) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let Some(mut buckets) = ordered(buckets) else { return f64::NAN };
    make_monotonic(&mut buckets, forced);
    let last = buckets.len() - 1;
    let observations = buckets[last].1;
    if buckets.len() < 2 || observations == 0.0 {
        return f64::NAN;
    }
    let mut rank = q * observations;
    let at = buckets[..last].partition_point(|(_, count)| *count < rank || count.is_nan());
    if at == last {
        return buckets[last - 1].0;
    }
    if at == 0 && buckets[0].0 <= 0.0 {
        return buckets[0].0;
    }
    let (end, mut count) = buckets[at];
    let mut start = 0.0;
    if at > 0 {
        let (bound, below) = buckets[at - 1];
        start = bound;
        count -= below;
        rank -= below;
    }
    start + (end - start) * (rank / count)
}

fn fraction(lower: f64, upper: f64, buckets: Buckets) -> f64 {
    let Some(buckets) = ordered(buckets) else { return f64::NAN };
    let all = buckets[buckets.len() - 1].1;
    if all == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let below = |value: f64| {
        let (mut start, mut rank) = (if buckets[0].0 <= 0.0 { f64::NEG_INFINITY } else { 0.0 }, 0.0);
        for (end, count) in &buckets {
            if start >= value {
                return rank;
            }
            if *end > value {
                let inside = if start == f64::NEG_INFINITY {
                    *count
                } else {
                    rank + (count - rank) * (value - start) / (end - start)
                };
                return if inside > all { all } else { inside };
            }
            (start, rank) = (*end, *count);
        }
        all
    };
    (below(upper) - below(lower)) / all
}
