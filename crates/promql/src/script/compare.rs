//! Compares answers with what a script expects.

use crate::answer::{Answer, Data, Row};
use crate::histogram::Histogram;
use crate::labels::Labels;
use crate::script::command::{Eval, Pattern, Topic};
use crate::script::series::Item;
use crate::sum::almost_equal;
use crate::value::Value;

/// Values may differ by this share.
const TOLERANCE: f64 = 1e-6;

/// Compares annotations.
pub(crate) fn annotations(eval: &Eval, answer: &Answer) -> Result<(), String> {
    let found = [
        (Topic::Warn, &answer.annotations.warnings, eval.no_warn),
        (Topic::Info, &answer.annotations.infos, eval.no_info),
    ];
    for (topic, texts, none) in found {
        let noun = if topic == Topic::Warn { "warning" } else { "info" };
        let wanted: Vec<&Pattern> =
            eval.wanted.iter().filter(|(t, _)| *t == topic).map(|(_, pattern)| pattern).collect();
        if let Some(text) = texts.iter().find(|_| none) {
            return Err(format!("unexpected {noun}: {text}"));
        }
        if let Some(pattern) = wanted.iter().find(|pattern| !texts.iter().any(|text| pattern.accepts(text))) {
            return Err(format!("no {noun} is like {pattern:?}; found: {texts:?}"));
        }
        let unexpected = |text: &&String| !wanted.is_empty() && !wanted.iter().any(|pattern| pattern.accepts(text));
        if let Some(text) = texts.iter().find(unexpected) {
            return Err(format!("unexpected {noun}: {text}"));
        }
    }
    Ok(())
}

/// Compares the values of an answer.
pub(crate) fn data(eval: &Eval, data: &Data) -> Result<(), String> {
    match data {
        Data::Scalar(value) => match eval.scalar {
            Some(wanted) if almost_equal(wanted, *value, TOLERANCE) => Ok(()),
            Some(wanted) => Err(format!("expected scalar {wanted}, got {value}")),
            None => Err(format!("got scalar {value}, expected series")),
        },
        Data::String(text) => match &eval.text {
            Some(wanted) if **wanted == **text => Ok(()),
            wanted => Err(format!("got string {text:?}, expected {wanted:?}")),
        },
        Data::Vector(rows) => {
            rows_match(eval, rows, &|_| eval.start)?;
            for ((labels, _), row) in eval.series.iter().zip(rows).filter(|_| eval.ordered) {
                if *labels != row.labels {
                    return Err(format!("expected {labels} before {}", row.labels));
                }
            }
            Ok(())
        }
        Data::Matrix(rows) => {
            let (start, _, step) = eval.range.unwrap_or((eval.start, eval.end, eval.step));
            rows_match(eval, rows, &|at| start + step * at as i64)
        }
    }
}

fn rows_match(eval: &Eval, rows: &[Row], time: &dyn Fn(usize) -> i64) -> Result<(), String> {
    if eval.scalar.is_some() {
        return Err(format!("expected a scalar, got {} series", rows.len()));
    }
    for row in rows {
        let Some((_, wanted)) = eval.series.iter().rev().find(|(labels, _)| *labels == row.labels) else {
            return Err(format!("unexpected series {}: {}", row.labels, shown(row)));
        };
        row_matches(row, wanted, time)?;
    }
    let missing = |labels: &&Labels| !rows.iter().any(|row| row.labels == **labels);
    match eval.series.iter().map(|(labels, _)| labels).find(missing) {
        Some(labels) => Err(format!("expected series {labels} is missing")),
        None => Ok(()),
    }
}

fn row_matches(row: &Row, wanted: &[Item], time: &dyn Fn(usize) -> i64) -> Result<(), String> {
    let wanted: Vec<(i64, &Item, &Value)> = wanted
        .iter()
        .enumerate()
        .filter_map(|(at, item)| item.value.as_ref().map(|value| (time(at), item, value)))
        .collect();
    let fail = |what: String| Err(format!("{what} for {}; got {}", row.labels, shown(row)));
    if wanted.len() != row.samples.len() {
        return fail(format!("expected {} samples", wanted.len()));
    }
    for ((time, item, value), sample) in wanted.into_iter().zip(&row.samples) {
        if time != sample.time {
            return fail(format!("expected a sample at {time} ms, not at {} ms", sample.time));
        }
        let equal = match (value, &sample.value) {
            (Value::Float(wanted), Value::Float(found)) => almost_equal(*wanted, *found, TOLERANCE),
            (Value::Histogram(wanted), Value::Histogram(found)) => {
                histograms_match(wanted, found) && (!item.hinted || wanted.hint == found.hint)
            }
            _ => false,
        };
        if !equal {
            return fail(format!("expected {value:?} at {time} ms"));
        }
    }
    Ok(())
}

fn histograms_match(wanted: &Histogram, found: &Histogram) -> bool {
    let (wanted, found) = (wanted.clone().compact(), found.clone().compact());
    let near = |a: f64, b: f64| almost_equal(a, b, TOLERANCE);
    let side = |a: &[(i32, f64)], b: &[(i32, f64)]| {
        a.len() == b.len() && a.iter().zip(b).all(|((i, n), (j, m))| i == j && near(*n, *m))
    };
    wanted.schema == found.schema
        && near(wanted.count, found.count)
        && near(wanted.sum, found.sum)
        && wanted.zero_threshold == found.zero_threshold
        && near(wanted.zero_count, found.zero_count)
        && (!wanted.is_custom() || wanted.custom == found.custom)
        && side(&wanted.positive, &found.positive)
        && side(&wanted.negative, &found.negative)
}

fn shown(row: &Row) -> String {
    let texts: Vec<String> = row
        .samples
        .iter()
        .map(|sample| match &sample.value {
            Value::Float(value) => format!("{value} @ {}", sample.time),
            Value::Histogram(histogram) => format!("{histogram} ({:?}) @ {}", histogram.hint, sample.time),
        })
        .collect();
    format!("[{}]", texts.join(", "))
}
