//! Aggregations that pick series of each group: topk, bottomk, limitk, limit_ratio.

use xxhash_rust::xxh64::xxh64;

use crate::aggregate::groups;
use crate::context::Context;
use crate::error::{EvalError, Result};
use crate::heap::Heap;
use crate::labels::Labels;
use crate::syntax::{Aggregation, Grouping, Span};
use crate::value::{NONE, Series, is_none};

/// A picking aggregation where it stands.
pub(crate) struct Pick<'a> {
    pub(crate) aggregation: Aggregation,
    pub(crate) grouping: &'a Grouping,
    /// Place of the aggregation.
    pub(crate) span: &'a Span,
    /// Place of the parameter.
    pub(crate) param_span: &'a Span,
}

impl Pick<'_> {
    /// Evaluates; the results are in order of value where there is one step, group by group.
    pub(crate) fn pick(&self, context: &Context<'_>, mut series: Vec<Series>, param: &[f64]) -> Result<Vec<Series>> {
        if !self.check_param(context, param)? {
            return Ok(Vec::new());
        }
        let steps = param.len();
        let mut order = Vec::new();
        for group in groups(&series, self.grouping) {
            context.check()?;
            let mut kept = vec![false; group.members.len() * steps];
            for (step, param) in param.iter().enumerate() {
                for (rank, member) in self.step(context, &series, &group.members, step, *param).into_iter().enumerate()
                {
                    kept[member * steps + step] = true;
                    if steps == 1 {
                        order.push((group.members[member], rank));
                    }
                }
            }
            for (at, kept) in group.members.iter().zip(kept.chunks(steps)) {
                let one = &mut series[*at];
                for step in (0..steps).filter(|step| !kept[*step]) {
                    one.floats[step] = NONE;
                    if let Some(histogram) = one.histograms.get_mut(step) {
                        *histogram = None;
                    }
                }
            }
        }
        let mut series: Vec<Option<Series>> = series.into_iter().map(Some).collect();
        if steps == 1 {
            return Ok(order.into_iter().filter_map(|(at, _)| series[at].take()).collect());
        }
        Ok(series.into_iter().flatten().filter(Series::has_any).collect())
    }

    /// Reports whether anything can be picked at all.
    fn check_param(&self, context: &Context<'_>, param: &[f64]) -> Result<bool> {
        let most = param.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = param.iter().copied().fold(f64::INFINITY, f64::min);
        let fail = |message: String| Err(EvalError::at(self.param_span, message));
        let has_nan = param.iter().any(|value| value.is_nan());
        if self.aggregation == Aggregation::LimitRatio {
            if most == 0.0 && least == 0.0 {
                return Ok(false);
            }
            if has_nan {
                return fail("Ratio value is NaN".to_owned());
            }
            for (value, limit) in [(most, 1.0), (least, -1.0)] {
                if value.abs() > 1.0 && (value > 0.0) == (limit > 0.0) {
                    let (got, limit) = (crate::histogram::general(value), crate::histogram::general(limit));
                    let message = format!("ratio value should be between -1 and 1, got {got}, capping to {limit}");
                    context.remarks().warn(self.param_span, &message);
                }
            }
            return Ok(true);
        }
        if has_nan {
            return fail("Parameter value is NaN".to_owned());
        }
        if most < 1.0 {
            return Ok(false);
        }
        if least <= i64::MIN as f64 {
            return fail(format!("Scalar value {} underflows int64", crate::histogram::general(least)));
        }
        if most >= i64::MAX as f64 {
            return fail(format!("Scalar value {} overflows int64", crate::histogram::general(most)));
        }
        Ok(true)
    }

    /// Returns the picked members of a group at a step, best first.
    fn step(&self, context: &Context<'_>, series: &[Series], members: &[usize], step: usize, param: f64) -> Vec<usize> {
        let present = (0..members.len()).filter(|at| series[members[*at]].has(step));
        if self.aggregation == Aggregation::LimitRatio {
            let ratio = param.clamp(-1.0, 1.0);
            return present.filter(|at| is_sampled(&series[members[*at]].labels, ratio)).collect();
        }
        let k = if param >= 1.0 { param as usize } else { 0 };
        if self.aggregation == Aggregation::Limitk {
            return present.take(k).collect();
        }
        let value = |at: &usize| series[members[*at]].floats[step];
        let (floats, whole): (Vec<usize>, Vec<usize>) = present.partition(|at| !is_none(value(at)));
        if k > 0 && !whole.is_empty() {
            let message = format!("ignored histogram in {} aggregation", self.aggregation.text());
            context.remarks().info(self.span, &message);
        }
        let before: &dyn Fn(f64, f64) -> bool =
            if self.aggregation == Aggregation::Topk { &|a, b| a < b } else { &|a, b| a > b };
        let mut heap = Heap::new(k, before);
        floats.iter().for_each(|at| heap.offer(value(at), *at));
        heap.into_items()
    }
}

/// Reports whether a series belongs to the share `ratio` of all; the shares `r` and `r - 1` complement each other.
fn is_sampled(labels: &Labels, ratio: f64) -> bool {
    let place = hash(labels) as f64 / u64::MAX as f64;
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}

/// Hashes as Prometheus does: xxHash64 over each name and value after its length.
fn hash(labels: &Labels) -> u64 {
    let mut bytes = Vec::new();
    for text in labels.iter().flat_map(|label| [&label.name, &label.value]) {
        match text.len() {
            len @ 0..=254 => bytes.push(len as u8),
            len => bytes.extend([255, len as u8, (len >> 8) as u8, (len >> 16) as u8]),
        }
        bytes.extend(text.as_bytes());
    }
    xxh64(&bytes, 0)
}
