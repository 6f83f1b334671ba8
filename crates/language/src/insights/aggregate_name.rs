//! Aggregates as a query names them.

use plan::AggregateKind;

/// An aggregate as a query names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AggregateName {
    Count,
    Percentile,
    Values,
    /// Put together of others.
    Composite(CompositeAggregate),
    /// One argument, nothing else to say.
    Plain(AggregateKind),
}

const PLAIN: [(&str, AggregateKind); 20] = [
    ("count_distinct", AggregateKind::CountDistinct),
    ("sum", AggregateKind::Sum),
    ("avg", AggregateKind::Average),
    ("min", AggregateKind::Min),
    ("max", AggregateKind::Max),
    ("median", AggregateKind::Percentile(50.0)),
    ("stddev", AggregateKind::StandardDeviation),
    ("variance", AggregateKind::Variance),
    ("first", AggregateKind::First),
    ("last", AggregateKind::Last),
    ("earliest", AggregateKind::Earliest),
    ("latest", AggregateKind::Latest),
    ("sortsFirst", AggregateKind::Min),
    ("sortsLast", AggregateKind::Max),
    ("list", AggregateKind::List),
    ("mode", AggregateKind::Mode),
    ("sum_over_time", AggregateKind::Sum),
    ("count_over_time", AggregateKind::Count),
    ("sumOverTime", AggregateKind::Sum),
    ("countOverTime", AggregateKind::Count),
];

impl AggregateName {
    /// Finds an aggregate, whatever the case of its letters.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        if is("count") {
            return Some(Self::Count);
        }
        if is("pct") {
            return Some(Self::Percentile);
        }
        if is("values") {
            return Some(Self::Values);
        }
        if is("rate") {
            return Some(Self::Composite(CompositeAggregate::Rate));
        }
        if is("histogram") {
            return Some(Self::Composite(CompositeAggregate::Histogram));
        }
        if let Some((_, kind)) = PLAIN.iter().find(|(known, _)| is(known)) {
            return Some(Self::Plain(*kind));
        }
        let digits = name.strip_prefix(['p', 'P'])?;
        let percent = digits.parse::<u8>().ok().filter(|percent| *percent <= 100)?;
        (digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then_some(Self::Plain(AggregateKind::Percentile(f64::from(percent))))
    }

    /// Returns names of all, for hints.
    pub(crate) fn all() -> impl Iterator<Item = &'static str> {
        PLAIN.iter().map(|(name, _)| *name).chain(["count", "pct", "values", "rate", "histogram"])
    }

    pub(crate) fn arguments(self) -> &'static str {
        match self {
            Self::Count => "*",
            Self::Percentile => "field, percent",
            Self::Values => "field[, most]",
            Self::Composite(CompositeAggregate::Rate) => "field, 1m",
            Self::Composite(CompositeAggregate::Histogram) => "field, 10",
            Self::Plain(_) => "field",
        }
    }
}

/// An aggregate that is computed from others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CompositeAggregate {
    /// `rate(counter, 1m)`: how much a number grows in a minute, from its earliest to its latest value.
    Rate,
    /// `histogram(number, 10)`: how many values lie in each of ten ranges of equal width.
    Histogram,
}

/// Returns what to write for an aggregate whose name stands without its brackets.
pub(crate) fn aggregate_without_brackets(name: &str) -> Option<String> {
    let aggregate = AggregateName::find(name)?;
    Some(format!("write {}({})", name.to_lowercase(), aggregate.arguments()))
}
