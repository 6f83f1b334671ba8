//! Plans as text, for `explain` and for tests: one operator per line, in the order of execution.

mod operators;

use std::fmt::{self, Display, Formatter};

use crate::function::Function;
use crate::length::Length;
use crate::operator::{AggregateKind, ArithmeticOperator, Comparison};
use crate::plan::{Aggregate, Expr, Operator, Other, Parse, ParseMethod, Plan, SortKey};
use crate::text_pattern::TextPattern;
use crate::times::Earlier;

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for source in &self.sources {
            writeln!(f, "source {}", source.as_str())?;
        }
        if let Some(start) = &self.times.start {
            writeln!(f, "start {start}")?;
        }
        if let Some(end) = &self.times.end {
            writeln!(f, "end {end}")?;
        }
        if let Some(offset) = self.times.offset {
            writeln!(f, "events earlier by {offset}")?;
        }
        for (index, operator) in self.operators.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{operator}")?;
        }
        Ok(())
    }
}

/// Writes the elements with commas between.
fn list<T>(f: &mut Formatter<'_>, items: &[T], write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(condition) => write!(f, "filter {condition}"),
            Self::Extend { name, expr } => write!(f, "extend {name} = {expr}"),
            Self::Parse(parse) => write!(f, "{parse}"),
            Self::Aggregate { by, aggregates } => {
                f.write_str("aggregate ")?;
                list(f, aggregates, |f, aggregate| write!(f, "{aggregate}"))?;
                f.write_str(if by.is_empty() { "" } else { " by " })?;
                list(f, by, |f, (name, expr)| write!(f, "{name} = {expr}"))
            }
            Self::Sort(keys) => {
                f.write_str("sort ")?;
                list(f, keys, |f, SortKey { expr, descending }| {
                    write!(f, "{expr}{}", if *descending { " desc" } else { "" })
                })
            }
            Self::Limit(count) => write!(f, "limit {count}"),
            Self::Tail(count) => write!(f, "tail {count}"),
            Self::Dedup(names) => {
                f.write_str("dedup ")?;
                list(f, names, |f, name| f.write_str(name))
            }
            Self::Unnest { list, name, most: None } => write!(f, "unnest {list} into {name}"),
            Self::Unnest { list, name, most: Some(most) } => write!(f, "unnest at most {most} of {list} into {name}"),
            Self::FillDown(names) => {
                f.write_str("filldown ")?;
                list(f, names, |f, name| f.write_str(name))
            }
            Self::Rank(rank) => rank.fmt(f),
            Self::FillBuckets(fill) => fill.fmt(f),
            Self::Patterns(patterns) => patterns.fmt(f),
            Self::Compare(compare) => compare.fmt(f),
            Self::Score(score) => score.fmt(f),
            Self::Lookup(lookup) => lookup.fmt(f),
            Self::Join(join) => join.fmt(f),
            Self::AppendColumns(append) => append.fmt(f),
            Self::AddTotals(totals) => totals.fmt(f),
            Self::Autoregress(lags) => lags.fmt(f),
            Self::Sessionize(sessions) => sessions.fmt(f),
            Self::Outlier(outlier) => outlier.fmt(f),
            Self::Project { columns, is_events } => {
                f.write_str(if *is_events { "events " } else { "rows " })?;
                list(f, columns, |f, (name, expr)| match expr {
                    Expr::Field(field) if field == name => f.write_str(name),
                    _ => write!(f, "{name} = {expr}"),
                })
            }
        }
    }
}

/// On one line, in brackets.
fn inline(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    f.write_str("(")?;
    for (index, line) in plan.to_string().lines().enumerate() {
        write!(f, "{}{line}", if index > 0 { " | " } else { "" })?;
    }
    f.write_str(")")
}

impl Display for Other {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(plan) => inline(f, plan),
            Self::Table(name) => f.write_str(name),
            Self::Rows(rows) => write!(f, "{} rows", rows.rows.len()),
        }
    }
}

impl Display for Earlier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preceding => f.write_str("the time before"),
            Self::Shift(span) => write!(f, "{span} earlier"),
        }
    }
}

impl Display for Parse {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "parse {} ", self.text)?;
        match &self.method {
            ParseMethod::Glob { literals, names } => {
                write!(f, "{:?} as ", literals.join("*"))?;
                list(f, names, |f, name| f.write_str(name))
            }
            ParseMethod::Regex { regex, .. } => write!(f, "/{regex}/"),
            ParseMethod::Format { format, prefix: Some(prefix) } => write!(f, "{} as {prefix}", format.name()),
            ParseMethod::Format { format, prefix: None } => f.write_str(format.name()),
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = ", self.name)?;
        let name = match self.kind {
            AggregateKind::Count => "count",
            AggregateKind::CountDistinct => "count_distinct",
            AggregateKind::Sum => "sum",
            AggregateKind::Average => "avg",
            AggregateKind::Min => "min",
            AggregateKind::Max => "max",
            AggregateKind::Percentile(percent) => return write!(f, "pct({}, {percent})", Argument(&self.argument)),
            AggregateKind::Histogram(n_ranges) => {
                return write!(f, "histogram({}, {n_ranges})", Argument(&self.argument));
            }
            AggregateKind::StandardDeviation => "stddev",
            AggregateKind::Variance => "variance",
            AggregateKind::First => "first",
            AggregateKind::Last => "last",
            AggregateKind::Earliest => "earliest",
            AggregateKind::Latest => "latest",
            AggregateKind::Values(Some(most)) => return write!(f, "values({}, {most})", Argument(&self.argument)),
            AggregateKind::Values(None) => "values",
            AggregateKind::List => "list",
            AggregateKind::Mode => "mode",
        };
        write!(f, "{name}({})", Argument(&self.argument))
    }
}

struct Argument<'a>(&'a Option<Expr>);

impl Display for Argument<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(expr) => write!(f, "{expr}"),
            None => f.write_str("*"),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(None) => f.write_str("null"),
            Self::Literal(Some(value)) => {
                let mut json = String::new();
                value.write_json(&mut json);
                f.write_str(&json)
            }
            Self::Duration(span) => write!(f, "{span}"),
            Self::Regex(regex) => write!(f, "/{regex}/"),
            Self::Template(template) => write!(f, "{:?}", template.text()),
            Self::Field(name) => f.write_str(name),
            Self::Negate(operand) => write!(f, "-{operand}"),
            Self::Not(operand) => write!(f, "not {operand}"),
            Self::And(left, right) => write!(f, "({left} and {right})"),
            Self::Or(left, right) => write!(f, "({left} or {right})"),
            Self::Compare(comparison, left, right) => write!(f, "({left} {comparison} {right})"),
            Self::Arithmetic(operator, left, right) => write!(f, "({left} {operator} {right})"),
            Self::Match(text, TextPattern::Substring(part)) => write!(f, "({text} like {part:?})"),
            Self::Match(text, TextPattern::Regex(regex)) => write!(f, "({text} like /{regex}/)"),
            Self::Match(text, TextPattern::Phrase(words)) => write!(f, "({text} has {:?})", words.join(" ")),
            Self::Match(text, TextPattern::OneOf(alternatives)) => one_of(f, text, &alternatives.patterns),
            Self::Match(text, TextPattern::Words(words)) => write!(f, "({text} has {words})"),
            Self::In(value, items) => {
                write!(f, "({value} in [")?;
                list(f, items, |f, item| write!(f, "{item}"))?;
                f.write_str("])")
            }
            Self::InQuery(value, plan) => {
                write!(f, "({value} in ")?;
                inline(f, plan)?;
                f.write_str(")")
            }
            Self::Between(value, low, high) => write!(f, "({value} between {low} and {high})"),
            // Of each of several values: fields have one or more.
            Self::Call(Function::Each, arguments) if arguments.len() > 1 => write!(f, "{}", arguments[1]),
            Self::Call(Function::IfDate, arguments) if arguments.len() > 2 => write!(f, "{}", arguments[2]),
            Self::Call(Function::HasValue, arguments) if !arguments.is_empty() => {
                write!(f, "ispresent({})", arguments[0])
            }
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                list(f, arguments, |f, argument| write!(f, "{argument}"))?;
                f.write_str(")")
            }
        }
    }
}

/// Of many patterns some are shown.
const PATTERNS_SHOWN: usize = 10;

/// `(text like one of ["a", "b"])`
fn one_of(f: &mut Formatter<'_>, text: &Expr, patterns: &[TextPattern]) -> fmt::Result {
    let verb = if matches!(patterns.first(), Some(TextPattern::Phrase(_))) { "has" } else { "like" };
    write!(f, "({text} {verb} one of [")?;
    list(f, &patterns[..patterns.len().min(PATTERNS_SHOWN)], |f, pattern| match pattern {
        TextPattern::Substring(part) => write!(f, "{part:?}"),
        TextPattern::Phrase(words) => write!(f, "{:?}", words.join(" ")),
        TextPattern::Regex(_) | TextPattern::OneOf(_) | TextPattern::Words(_) => Ok(()),
    })?;
    match patterns.len().saturating_sub(PATTERNS_SHOWN) {
        0 => f.write_str("])"),
        n_more => write!(f, "] or {n_more} more)"),
    }
}

impl Display for Length {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Whole units where they go, so that `5m` is shown as it was written.
        const UNITS: [(i64, &str); 6] = [
            (86_400_000_000_000, "d"),
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
        ];
        match self {
            Self::Months(months) => write!(f, "{months}mo"),
            Self::Nanoseconds(length) => match UNITS.iter().find(|(unit, _)| length % unit == 0) {
                Some((unit, name)) => write!(f, "{}{name}", length / unit),
                None => write!(f, "{length}ns"),
            },
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Display for ArithmeticOperator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
