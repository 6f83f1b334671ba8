//! Checks the types of a query: a condition that can never hold is an error.

use plan::{Comparison, QueryError, Result, Span};

use crate::field::{Field, Intrinsic, Members, Scope};
use crate::literal::Literal;
use crate::syntax::{
    BinaryOperator, Expression, ExpressionKind, Metric, MetricFunction, Pipeline, Query, SetOperator, Spansets, Stage,
};

types::named! {
    /// The type of a value, as far as it is known before a query runs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Type {
        /// That of an attribute, which may differ from span to span.
        Any = "an attribute",
        Number = "a number",
        Duration = "a duration",
        Text = "a string",
        Boolean = "a boolean",
        Status = "a status",
        Kind = "a kind",
    }
}

impl Type {
    fn of_field(field: &Field) -> Self {
        use Intrinsic as I;
        match field {
            Field::Attribute { .. } => Self::Any,
            Field::Parent(of_parent) => Self::of_field(of_parent),
            Field::Intrinsic(I::Duration | I::TraceDuration | I::EventTimeSinceStart) => Self::Duration,
            Field::Intrinsic(I::Status) => Self::Status,
            Field::Intrinsic(I::Kind) => Self::Kind,
            Field::Intrinsic(I::ChildCount | I::NestedSetLeft | I::NestedSetRight | I::NestedSetParent) => Self::Number,
            Field::Intrinsic(_) => Self::Text,
        }
    }

    fn of_literal(literal: &Literal) -> Self {
        match literal {
            Literal::Integer(_) | Literal::Float(_) => Self::Number,
            Literal::Duration(_) => Self::Duration,
            Literal::Text(_) => Self::Text,
            Literal::Boolean(_) => Self::Boolean,
            Literal::Status(_) => Self::Status,
            Literal::Kind(_) => Self::Kind,
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Any | Self::Number => "500",
            Self::Duration => "100ms",
            Self::Text => "\"GET /cart\"",
            Self::Boolean => "true",
            Self::Status => "error",
            Self::Kind => "server",
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Any | Self::Number | Self::Duration)
    }

    fn is_boolean(self) -> bool {
        matches!(self, Self::Any | Self::Boolean)
    }

    fn fits(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any || (self.is_number() && other.is_number())
    }
}

/// Checks a query.
///
/// # Errors
/// The first mistake, with its place and what would be right.
pub(crate) fn check(query: &Query) -> Result<()> {
    let checker = Checker { text: &query.text };
    checker.pipeline(&query.pipeline)?;
    query.metric.as_ref().map_or(Ok(()), |metric| checker.metric(metric))?;
    let mut checked = Ok(());
    if let Some(arithmetic) = &query.arithmetic {
        arithmetic.visit_queries(&mut |query| {
            if checked.is_ok() {
                checked = check(query);
            }
        });
    }
    checked
}

struct Checker<'t> {
    text: &'t str,
}

impl Checker<'_> {
    fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }

    fn shown(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    fn pipeline(&self, pipeline: &Pipeline) -> Result<()> {
        for stage in &pipeline.stages {
            match stage {
                Stage::Spansets(spansets) => self.spansets(spansets)?,
                Stage::Group(by) => {
                    self.expression(by)?;
                    self.names_a_field(by, "by()")?;
                }
                Stage::Scalar { aggregate, .. } => {
                    if let Some(argument) = &aggregate.argument {
                        let found = self.expression(argument)?;
                        if !found.is_number() {
                            let message = format!("`{}` is {}, not a number", self.shown(argument.span), found.name());
                            return Err(self
                                .error("wrong-type", message, argument.span)
                                .with_hint("take duration, or count()"));
                        }
                        self.names_a_field(argument, "an aggregate")?;
                    }
                }
                Stage::Coalesce | Stage::Select(_) => {}
            }
        }
        Ok(())
    }

    fn names_a_field(&self, expression: &Expression, what: &str) -> Result<()> {
        let mut has_fields = false;
        expression.visit_fields(&mut |_| has_fields = true);
        match has_fields {
            true => self.one_list(expression),
            false => Err(self.error("no-field", format!("{what} needs a field of the spans"), expression.span)),
        }
    }

    fn spansets(&self, spansets: &Spansets) -> Result<()> {
        match spansets {
            Spansets::Filter(condition) => self.selection(condition),
            Spansets::Pipeline(pipeline) => self.pipeline(pipeline),
            Spansets::Combined(combined) => {
                self.spansets(&combined.left)?;
                self.spansets(&combined.right)?;
                let has_several = is_split(&combined.left) || is_split(&combined.right);
                match combined.operator {
                    SetOperator::Related(..) if has_several => {
                        let message = "a structural operator takes one spanset from each side, and by() makes several";
                        Err(self
                            .error("several-spansets", message, combined.span)
                            .with_hint("add | coalesce() after by()"))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn selection(&self, condition: &Expression) -> Result<()> {
        let found = self.expression(condition)?;
        if !found.is_boolean() {
            let message =
                format!("a selection needs a condition, and `{}` is {}", self.shown(condition.span), found.name());
            let hint = format!("compare it: {{ {} = {} }}", self.shown(condition.span), found.example());
            return Err(self.error("wrong-type", message, condition.span).with_hint(hint));
        }
        self.one_list(condition)
    }

    /// Refuses fields of events together with fields of links: each event would have to be combined with each link.
    fn one_list(&self, expression: &Expression) -> Result<()> {
        let (mut has_events, mut has_links) = (false, false);
        expression.visit_fields(&mut |field| {
            has_events |= field.members() == Some(Members::Events);
            has_links |= field.members() == Some(Members::Links);
        });
        if has_events && has_links {
            let message = "fields of events and of links in one expression are not supported";
            let error = self.error("not-supported", message, expression.span);
            return Err(error.with_hint("write two selections with && between them"));
        }
        Ok(())
    }

    /// Returns the type of an expression.
    fn expression(&self, expression: &Expression) -> Result<Type> {
        match &expression.kind {
            ExpressionKind::Literal(literal) => Ok(Type::of_literal(literal)),
            ExpressionKind::Field(field) => Ok(Type::of_field(field)),
            ExpressionKind::Negate(inner) => {
                let found = self.expression(inner)?;
                self.expect(found.is_number(), "`-` takes a number or a duration", inner, found)?;
                Ok(found)
            }
            ExpressionKind::Not(inner) => {
                let found = self.expression(inner)?;
                self.expect(found.is_boolean(), "`!` takes a condition", inner, found)?;
                Ok(Type::Boolean)
            }
            ExpressionKind::Match(text, ..) => {
                let found = self.expression(text)?;
                let message = "a regular expression is for strings";
                self.expect(matches!(found, Type::Any | Type::Text), message, text, found)?;
                Ok(Type::Boolean)
            }
            ExpressionKind::Exists(value, is_there) => {
                self.expression(value)?;
                if !is_there {
                    self.can_be_missing(value)?;
                }
                Ok(Type::Boolean)
            }
            ExpressionKind::Binary(operator, left, right) => self.binary(*operator, left, right),
        }
    }

    fn expect(&self, is_so: bool, what: &str, of: &Expression, found: Type) -> Result<()> {
        let message = || format!("{what}, and `{}` is {}", self.shown(of.span), found.name());
        is_so.then_some(()).ok_or_else(|| self.error("wrong-type", message(), of.span))
    }

    fn can_be_missing(&self, value: &Expression) -> Result<()> {
        let ExpressionKind::Field(field) = &value.kind else { return Ok(()) };
        let is_service =
            matches!(field, Field::Attribute { scope: Scope::Resource, name } if **name == *"service.name");
        if !is_service && !matches!(field, Field::Intrinsic(_)) {
            return Ok(());
        }
        let error = self.error("never-nil", format!("`{field}` is never nil"), value.span);
        Err(match field {
            Field::Intrinsic(Intrinsic::ParentId) => error.with_hint("write nestedSetParent < 0 for roots"),
            Field::Intrinsic(_) => error.with_hint("only attributes can be nil"),
            Field::Parent(_) | Field::Attribute { .. } => {
                error.with_hint("spans without a service have \"unknown_service\"")
            }
        })
    }

    fn binary(&self, operator: BinaryOperator, a: &Expression, b: &Expression) -> Result<Type> {
        let (left, right) = (self.expression(a)?, self.expression(b)?);
        match operator {
            BinaryOperator::And | BinaryOperator::Or => {
                self.expect(left.is_boolean(), "&& and || take conditions", a, left)?;
                self.expect(right.is_boolean(), "&& and || take conditions", b, right)?;
                Ok(Type::Boolean)
            }
            BinaryOperator::Arithmetic(_) => {
                self.expect(left.is_number(), "arithmetic takes numbers and durations", a, left)?;
                self.expect(right.is_number(), "arithmetic takes numbers and durations", b, right)?;
                let is_length = left == Type::Duration || right == Type::Duration;
                Ok(if is_length { Type::Duration } else { Type::Number })
            }
            BinaryOperator::Compare(comparison) => {
                types::ensure!(left.fits(right), self.unlike(a, left, b, right));
                let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                let known = if left == Type::Any { right } else { left };
                if !is_equality && matches!(known, Type::Boolean | Type::Status | Type::Kind) {
                    let span = a.span.to(b.span);
                    let error = self.error("wrong-type", format!("{} has no order", known.name()), span);
                    return Err(error.with_hint("compare it with = or !="));
                }
                Ok(Type::Boolean)
            }
        }
    }

    /// Returns the error of a comparison between values that are never equal.
    fn unlike(&self, a: &Expression, left: Type, b: &Expression, right: Type) -> QueryError {
        let is_constant = matches!(a.kind, ExpressionKind::Literal(_));
        // The type of the field decides what the constant should be.
        let (field, expected) = if is_constant { (b, right) } else { (a, left) };
        let (shown_a, shown_b) = (self.shown(a.span), self.shown(b.span));
        let message = format!("`{shown_a}` is {} and `{shown_b}` is {}", left.name(), right.name());
        let wrong = if is_constant { a } else { b };
        let hint =
            format!("compare {} with {} such as {}", self.shown(field.span), expected.name(), expected.example());
        self.error("wrong-type", message, wrong.span).with_hint(hint)
    }

    fn metric(&self, metric: &Metric) -> Result<()> {
        let field = match &metric.function {
            MetricFunction::Simple(_, field)
            | MetricFunction::Quantile(field, _)
            | MetricFunction::Histogram(field) => field,
            MetricFunction::Compare { selection, .. } => return self.selection(selection),
            MetricFunction::Rate | MetricFunction::Count => return Ok(()),
        };
        let found = Type::of_field(field);
        if found.is_number() {
            return Ok(());
        }
        let message = format!("`{field}` is {}, not a number", found.name());
        Err(self.error("wrong-type", message, metric.span).with_hint("take duration, or count_over_time()"))
    }
}

/// Reports whether a selection can make several spansets of one.
fn is_split(spansets: &Spansets) -> bool {
    let Spansets::Pipeline(pipeline) = spansets else { return false };
    pipeline.stages.iter().fold(false, |is_several, stage| match stage {
        Stage::Group(_) => true,
        Stage::Coalesce => false,
        Stage::Spansets(spansets) => is_several || is_split(spansets),
        Stage::Select(_) | Stage::Scalar { .. } => is_several,
    })
}
