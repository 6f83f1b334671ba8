//! Expressions: types, names, constants, conditions.

use types::{Timestamp, Value};

use super::checker::Checker;
use super::error::Result;
use super::kind::{self, Kind};
use super::syntax::{Expression, Literal, Node};
use super::typed::{self, TypedExpr, is_present, narrowed, of_double};
use language::lucene::wildcard;
use plan::{Comparison, Expr, Span, TextPattern, TypedFunction, not};

impl Checker<'_> {
    /// Returns an expression with its type.
    pub(super) fn expression(&mut self, expression: &Expression) -> Result<TypedExpr> {
        let span = expression.span;
        if let Some(found) = self.grouped(expression) {
            return Ok(found);
        }
        let typed = match &expression.node {
            Node::Literal(literal) => self.literal(literal, span)?,
            Node::Duration(number, unit) => {
                let mut typed = TypedExpr::constant(Kind::Duration, None, span);
                typed.duration = Some((*number, *unit));
                typed
            }
            Node::Name(name) => self.column(name, span)?,
            Node::Call { name, arguments, has_star, options } => {
                self.call(name, arguments, *has_star, options, span)?
            }
            Node::Cast(inner, kind) => self.cast(inner, kind, span)?,
            Node::Negate(inner) => self.negate(inner, span)?,
            Node::Arithmetic(operator, a, b) => {
                let (a, b) = (self.expression(a)?, self.expression(b)?);
                self.arithmetic(*operator, &a, &b, span)?
            }
            Node::Compare(sign, a, b) => {
                let (a, b) = (self.expression(a)?, self.expression(b)?);
                self.compared(*sign, a, b, span)?
            }
            Node::Not(inner) => typed::negated(&self.condition(inner, "NOT")?, span),
            Node::All(parts) => {
                let parts: Vec<TypedExpr> =
                    parts.iter().map(|part| self.condition(part, "AND")).collect::<Result<_, _>>()?;
                typed::all(&parts, span)
            }
            Node::Any(parts) => {
                let parts: Vec<TypedExpr> =
                    parts.iter().map(|part| self.condition(part, "OR")).collect::<Result<_, _>>()?;
                typed::any(&parts, span)
            }
            Node::IsNull(inner, is_negated) => self.is_null(inner, *is_negated, span)?,
            Node::Like { text, patterns, is_regex, is_negated } => {
                let found = self.like(text, patterns, *is_regex, span)?;
                if *is_negated { typed::negated(&found, span) } else { found }
            }
            Node::In { value, list, is_negated } => {
                let found = self.one_of(value, list, span)?;
                if *is_negated { typed::negated(&found, span) } else { found }
            }
            Node::Matches(field, value) => self.matches_operator(field, value, span)?,
        };
        self.bounded(typed)
    }

    fn literal(&self, literal: &Literal, span: Span) -> Result<TypedExpr> {
        match kind::of_literal(literal) {
            Some((kind, value)) => Ok(TypedExpr::constant(kind, value, span)),
            None => Err(self.parsing(span, "a list has values of one type")),
        }
    }

    fn column(&self, name: &str, span: Span) -> Result<TypedExpr> {
        let Some(column) = self.scope.find(name) else {
            return Err(match &self.aggregating {
                Some(aggregating) if aggregating.before.find(name).is_some() => {
                    let message = format!(
                        "column [{name}] must appear in the STATS BY clause or be used in an aggregate function"
                    );
                    self.verification(span, message)
                }
                Some(aggregating) if aggregating.before.columns.len() > self.scope.columns.len() => {
                    self.verification(span, aggregating.before.unknown(name))
                }
                _ => self.verification(span, self.scope.unknown(name)),
            });
        };
        Ok(column.typed(span))
    }

    /// Refuses a field that has different types in different indices.
    pub(super) fn supported(&self, typed: &TypedExpr) -> Result<()> {
        if typed.kind != Kind::Unsupported {
            return Ok(());
        }
        let name = self.written(typed.span);
        let conflict = self.scope.find(name).map(|column| column.stored.conflict.clone()).unwrap_or_default();
        let kinds: Vec<String> =
            conflict.iter().map(|(kind, indices)| format!("[{kind}] in [{}]", indices.join(", "))).collect();
        let message = format!(
            "Cannot use field [{name}] due to ambiguities being mapped as [{}] incompatible types: {}",
            conflict.len(),
            kinds.join(", ")
        );
        Err(self.verification(typed.span, message))
    }

    fn condition(&mut self, expression: &Expression, operator: &str) -> Result<TypedExpr> {
        let typed = self.expression(expression)?;
        self.supported(&typed)?;
        if matches!(typed.kind, Kind::Boolean | Kind::Null) {
            return Ok(typed);
        }
        let message = format!(
            "argument of [{operator}] must be [boolean], found value [{}] type [{}]",
            self.written(expression.span),
            typed.kind.name()
        );
        Err(self.verification(expression.span, message))
    }

    fn is_null(&mut self, inner: &Expression, is_negated: bool, span: Span) -> Result<TypedExpr> {
        let typed = self.expression(inner)?;
        let present = match (&typed.constant, &typed.narrow) {
            (Some(value), _) => typed::truth_of(value.is_some()),
            (None, Some(name)) if matches!(typed.expr(), Expr::Field(_)) => is_present(Expr::Field(name.clone())),
            _ => is_present(typed.expr()),
        };
        let (there, gone) = (present.clone(), not(present));
        let condition =
            if is_negated { TypedExpr::condition(there, gone, span) } else { TypedExpr::condition(gone, there, span) };
        Ok(condition.of(&[&typed]))
    }

    fn like(&mut self, text: &Expression, patterns: &[String], is_regex: bool, span: Span) -> Result<TypedExpr> {
        let typed = self.expression(text)?;
        self.supported(&typed)?;
        if !typed.kind.is_text() && typed.kind != Kind::Null {
            return Err(self.misfit(span, "", "string", (text.span, typed.kind)));
        }
        let mut sources = Vec::new();
        for pattern in patterns {
            sources.push(match is_regex {
                true => super::regex_text::source(pattern).map_err(|message| self.parsing(span, message))?,
                false => wildcard(pattern),
            });
        }
        let source = match sources.as_slice() {
            [one] => one.clone(),
            several => several.iter().map(|source| format!("(?:{source})")).collect::<Vec<_>>().join("|"),
        };
        let regex = self.regex(&source, span)?;
        let value = typed.single();
        let is_match = |value: Expr| Expr::Match(Box::new(value), TextPattern::Regex(regex.clone()));
        let holds = narrowed(&typed, is_match(value.clone()), &|stored| is_match(stored));
        let fails = typed::both(is_present(value.clone()), not(is_match(value)));
        Ok(TypedExpr::condition(holds, fails, span).of(&[&typed]))
    }

    fn one_of(&mut self, value: &Expression, list: &[Expression], span: Span) -> Result<TypedExpr> {
        let typed = self.expression(value)?;
        self.supported(&typed)?;
        let items: Vec<TypedExpr> = list.iter().map(|item| self.expression(item)).collect::<Result<_, _>>()?;
        if let Some(found) = quick_in(&typed, &items, span) {
            return Ok(found);
        }
        let mut parts = Vec::new();
        for item in items {
            let span = item.span;
            parts.push(self.compared(Comparison::Equal, typed.clone(), item, span)?);
        }
        let found = typed::any(&parts, span);
        Ok(found)
    }

    fn cast(&mut self, inner: &Expression, name: &str, span: Span) -> Result<TypedExpr> {
        let Some(kind) = Kind::of_cast(name) else {
            return Err(match name {
                "version" | "unsigned_long" | "ul" | "date_nanos" | "geo_point" | "geo_shape" | "cartesian_point"
                | "cartesian_shape" | "date_period" | "time_duration" => {
                    self.parsing(span, format!("the type [{name}] is not supported"))
                }
                _ => self.parsing(span, format!("Unknown data type named [{name}]")),
            });
        };
        let typed = self.expression(inner)?;
        self.converted(&typed, kind, span)
    }

    /// Returns a value converted to another type.
    pub(super) fn converted(&self, typed: &TypedExpr, kind: Kind, span: Span) -> Result<TypedExpr> {
        let is_possible = match kind {
            Kind::Ip => matches!(typed.kind, Kind::Ip | Kind::Keyword | Kind::Text | Kind::Null | Kind::Unsupported),
            Kind::Boolean => !matches!(typed.kind, Kind::Date | Kind::Ip | Kind::Duration),
            Kind::Date => !matches!(typed.kind, Kind::Boolean | Kind::Ip | Kind::Duration),
            Kind::Keyword => typed.kind != Kind::Duration,
            _ => !matches!(typed.kind, Kind::Ip | Kind::Duration),
        };
        if !is_possible {
            let message = format!(
                "argument of [{}] has a type that cannot be converted: found value [{}] type [{}]",
                self.written(span),
                self.written(typed.span),
                typed.kind.name()
            );
            return Err(self.verification(span, message));
        }
        if typed.kind == kind {
            return Ok(TypedExpr { span, ..typed.clone() });
        }
        if kind == Kind::Keyword && typed.kind == Kind::Text {
            return Ok(TypedExpr { kind, span, ..typed.clone() });
        }
        let value = of_double(typed);
        let made = TypedExpr::value(kind, typed::call(TypedFunction::To(kind.typed()), vec![value]), span);
        Ok(made.of(&[typed]).several(typed.is_list))
    }

    /// Returns a text as an instant, where a function takes both.
    pub(super) fn as_date(&self, typed: TypedExpr) -> Result<TypedExpr> {
        match (&typed.constant, typed.kind) {
            (Some(Some(Value::String(text))), Kind::Keyword) => {
                let value =
                    kind::converted(text, Kind::Date).map_err(|message| self.verification(typed.span, message))?;
                Ok(TypedExpr::constant(Kind::Date, Some(value), typed.span))
            }
            _ => Ok(typed),
        }
    }

    /// Returns the instant that an expression always is.
    pub(super) fn constant_instant(&self, typed: &TypedExpr) -> Option<Timestamp> {
        match (&typed.constant, typed.kind) {
            (Some(Some(Value::Timestamp(instant))), Kind::Date) => Some(*instant),
            _ => None,
        }
    }
}

/// `IN` with constants that a plan compares as ES|QL does.
fn quick_in(typed: &TypedExpr, items: &[TypedExpr], span: Span) -> Option<TypedExpr> {
    let mut literals = Vec::new();
    for item in items {
        let value = item.constant.clone()?;
        let is_same = match &value {
            Some(Value::String(text)) => typed.kind.is_text() && !super::comparison::reads_as_number(text),
            Some(Value::Integer(_) | Value::Float(_)) => typed.kind.is_number(),
            _ => false,
        };
        if !is_same {
            return None;
        }
        literals.push(Expr::Literal(value));
    }
    let is_in = |value: Expr| Expr::In(Box::new(value), literals.clone());
    let value = typed.single();
    let holds = narrowed(typed, is_in(value.clone()), &|stored| is_in(stored));
    let fails = typed::both(is_present(value.clone()), not(is_in(value)));
    Some(TypedExpr::condition(holds, fails, span).of(&[typed]))
}
