//! Queries in canonical form, which is read as the same tree.

use std::fmt::{self, Display, Formatter};

use crate::field::Field;
use crate::literal::Literal;
use crate::show::bracketed;
use crate::syntax::{
    Arithmetic, Metric, MetricFunction, Pipeline, Query, SecondStage, SetOperator, Side, Spansets, Stage, Threshold,
};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.arithmetic {
            Some(arithmetic) => arithmetic.fmt(f)?,
            None => self.pipeline.fmt(f)?,
        }
        if let Some(metric) = &self.metric {
            write!(f, " | {metric}")?;
        }
        if !self.hints.is_empty() {
            f.write_str(" with (")?;
            list(f, &self.hints, |f, hint| write!(f, "{} = {}", hint.name, hint.value))?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => Literal::Float(*number).fmt(f),
            Self::Series(query) => write!(f, "({query})"),
            Self::Binary(operator, left, right) => {
                let needs_brackets = |side: &Self| matches!(side, Self::Binary(..) | Self::Second(..));
                let sign = operator.name();
                bracketed(f, &**left, needs_brackets(left))?;
                write!(f, " {sign} ")?;
                bracketed(f, &**right, needs_brackets(right))
            }
            Self::Second(inner, stages) => {
                inner.fmt(f)?;
                stages.iter().try_for_each(|stage| write!(f, " {stage}"))
            }
        }
    }
}

fn list<T>(f: &mut Formatter<'_>, items: &[T], write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index > 0 { ", " } else { "" })?;
        write(f, item)?;
    }
    Ok(())
}

fn fields(f: &mut Formatter<'_>, fields: &[Field]) -> fmt::Result {
    f.write_str("(")?;
    list(f, fields, |f, field| write!(f, "{field}"))?;
    f.write_str(")")
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages.iter().enumerate() {
            f.write_str(if index > 0 { " | " } else { "" })?;
            write!(f, "{stage}")?;
        }
        Ok(())
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spansets(spansets) => spansets.fmt(f),
            Self::Group(by) => write!(f, "by({by})"),
            Self::Coalesce => f.write_str("coalesce()"),
            Self::Select(chosen) => {
                f.write_str("select")?;
                fields(f, chosen)
            }
            Self::Scalar { aggregate, comparison, value } => write!(f, "{aggregate} {} {value}", comparison.name()),
        }
    }
}

impl Display for Spansets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(condition) => write!(f, "{{ {condition} }}"),
            Self::Pipeline(pipeline) => write!(f, "({pipeline})"),
            Self::Combined(combined) => {
                // `&&` and `||` are one level, the others a stronger one; both bind to the left.
                let level = |spansets: &Self| match spansets {
                    Self::Combined(inner) => u8::from(matches!(inner.operator, SetOperator::Related(..))),
                    _ => 2,
                };
                let own = u8::from(matches!(combined.operator, SetOperator::Related(..)));
                bracketed(f, &combined.left, level(&combined.left) < own)?;
                write!(f, " {} ", combined.operator)?;
                bracketed(f, &combined.right, level(&combined.right) <= own)
            }
        }
    }
}

impl Display for SetOperator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (relation, side) = match self {
            Self::And => return f.write_str("&&"),
            Self::Or => return f.write_str("||"),
            Self::Related(relation, side) => (relation, side),
        };
        f.write_str(match side {
            Side::Right => "",
            Side::RightWithout => "!",
            Side::Both => "&",
        })?;
        f.write_str(relation.name())
    }
}

impl Display for Metric {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.function {
            MetricFunction::Rate => f.write_str("rate()")?,
            MetricFunction::Count => f.write_str("count_over_time()")?,
            MetricFunction::Simple(function, field) => write!(f, "{}_over_time({field})", function.name())?,
            MetricFunction::Histogram(field) => write!(f, "histogram_over_time({field})")?,
            MetricFunction::Quantile(field, quantiles) => {
                write!(f, "quantile_over_time({field}")?;
                quantiles.iter().try_for_each(|quantile| write!(f, ", {}", Literal::Float(*quantile)))?;
                f.write_str(")")?;
            }
            MetricFunction::Compare { selection, most, between } => {
                write!(f, "compare({{ {selection} }}, {most}")?;
                if let Some((from, to)) = between {
                    write!(f, ", {from}, {to}")?;
                }
                f.write_str(")")?;
            }
        }
        if !self.by.is_empty() {
            f.write_str(" by ")?;
            fields(f, &self.by)?;
        }
        self.second.iter().try_for_each(|second| write!(f, " {second}"))
    }
}

impl Display for SecondStage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(count) => write!(f, "| topk({count})"),
            Self::Bottom(count) => write!(f, "| bottomk({count})"),
            Self::Compare(comparison, Threshold::Number(number)) => {
                write!(f, "{} {}", comparison.name(), Literal::Float(*number))
            }
            Self::Compare(comparison, Threshold::Duration(length)) => {
                write!(f, "{} {}", comparison.name(), Literal::Duration(*length))
            }
        }
    }
}
