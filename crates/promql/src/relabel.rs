//! Functions that change or compare labels: label_replace, label_join, sort_by_label, absent.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::context::Context;
use crate::error::{EvalError, Result};
use crate::labels::{Labels, METRIC_NAME};
use crate::matcher::{MatchKind, Matcher, anchored};
use crate::syntax::Span;
use crate::value::Series;

/// `label_replace(v, target, replacement, source, regex)`.
pub(crate) fn replace(
    context: &Context<'_>,
    mut series: Vec<Series>,
    [target, replacement, source, pattern]: [&str; 4],
    span: &Span,
) -> Result<Vec<Series>> {
    let regex = anchored(pattern)
        .map_err(|_| EvalError::at(span, format!("invalid regular expression in label_replace(): {pattern}")))?;
    if target.is_empty() {
        return Err(EvalError::at(span, format!("invalid destination label name in label_replace(): {target}")));
    }
    for one in &mut series {
        let value = one.labels.get(source);
        if let Some(captures) = regex.captures(value) {
            let mut text = String::new();
            goregex::expand(&captures, replacement, &mut text);
            one.labels = one.labels.with(target, &text);
            one.drop_name &= target != METRIC_NAME;
        }
    }
    context.unite(series, span)
}

/// `label_join(v, target, separator, sources…)`.
pub(crate) fn join(
    context: &Context<'_>,
    mut series: Vec<Series>,
    target: &str,
    separator: &str,
    sources: &[Arc<str>],
    span: &Span,
) -> Result<Vec<Series>> {
    if target.is_empty() {
        return Err(EvalError::at(span, format!("invalid destination label name in label_join(): {target}")));
    }
    if sources.iter().any(|source| source.is_empty()) {
        return Err(EvalError::at(span, "invalid source label name in label_join(): "));
    }
    for one in &mut series {
        let values: Vec<&str> = sources.iter().map(|source| one.labels.get(source)).collect();
        one.labels = one.labels.with(target, &values.join(separator));
        one.drop_name &= target != METRIC_NAME;
    }
    context.unite(series, span)
}

/// `sort_by_label` and `sort_by_label_desc`.
pub(crate) fn sort(series: &mut [Series], names: &[Arc<str>], descending: bool) {
    series.sort_by(|a, b| {
        let by_names = names.iter().map(|name| natural(a.labels.get(name), b.labels.get(name)));
        let order = by_names.fold(Ordering::Equal, Ordering::then).then_with(|| a.labels.cmp(&b.labels));
        if descending { order.reverse() } else { order }
    });
}

/// Compares texts so that numbers in them count as numbers: `a2` comes before `a10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let (n, m) = (digits(left), digits(right));
            let plain = |text: &str| text.trim_start_matches('0').to_owned();
            let (p, q) = (plain(&left[..n]), plain(&right[..m]));
            let order = p.len().cmp(&q.len()).then_with(|| p.cmp(&q));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (&left[n..], &right[m..]);
        } else if x != y {
            return x.cmp(&y);
        } else {
            (left, right) = (&left[x.len_utf8()..], &right[y.len_utf8()..]);
        }
    }
}

/// Returns the labels that a selector fixes, which is what `absent` says of what is missing.
///
/// Of a label that is matched several times Prometheus looks at the order: the last matcher fixes it, if it is the first that says `=`.
pub(crate) fn fixed_labels(matchers: &[Matcher]) -> Labels {
    let says_equal = |matcher: &Matcher| matches!(matcher.kind, MatchKind::Equal);
    let fixed = matchers.iter().enumerate().filter(|(at, matcher)| {
        let of_same = |other: &&Matcher| other.name == matcher.name;
        *matcher.name != *METRIC_NAME
            && says_equal(matcher)
            && !matchers[..*at].iter().filter(of_same).any(says_equal)
            && !matchers[at + 1..].iter().any(|other| of_same(&other))
    });
    Labels::new(fixed.map(|(_, matcher)| (matcher.name.clone(), matcher.value.clone())))
}
