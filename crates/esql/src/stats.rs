//! `STATS … BY …`: groups, aggregates, and what is computed from them.

use super::aggregation::Aggregation;
use super::checker::Checker;
use super::error::Result;
use super::kind::Kind;
use super::scope::{Scope, computed};
use super::syntax::{Expression, Field, Node};
use super::typed::TypedExpr;
use plan::each::each;
use plan::{Expr, Name, Operator, Span};

/// A group: its column's name, type and place, and what it is computed by.
struct Group {
    name: String,
    kind: Kind,
    internal: Name,
    expr: Expr,
    text: String,
}

impl Checker<'_> {
    /// Reads the command.
    pub(super) fn stats(
        &mut self,
        aggregates: &[(Field, Option<Expression>)],
        groups: &[Field],
        span: Span,
    ) -> Result<()> {
        let groups: Vec<Group> = groups.iter().map(|group| self.group(group)).collect::<Result<_, _>>()?;
        let mut after = Scope::default();
        for group in &groups {
            after.put(&group.name, Self::group_column(group.kind, &group.internal), None);
        }
        let before = std::mem::replace(&mut self.scope, after);
        let shown = groups
            .iter()
            .map(|group| (group.text.clone(), TypedExpr::value(group.kind, Expr::Field(group.internal.clone()), span)));
        let groups_by_text = shown.collect();
        self.aggregating = Some(Aggregation {
            before,
            groups: groups_by_text,
            aggregates: Vec::new(),
            condition: None,
            is_inside: false,
        });
        let found = self.aggregated_fields(aggregates);
        let aggregating = self.aggregating.take();
        let (found, Some(aggregating)) = (found?, aggregating) else { return Ok(()) };
        let mut all = aggregating.aggregates;
        if all.is_empty() && groups.is_empty() {
            let name = self.fresh();
            all.push(plan::Aggregate { name, kind: plan::AggregateKind::Count, argument: None });
        }
        let by = groups.iter().map(|group| (group.internal.clone(), group.expr.clone())).collect();
        self.operators.push(Operator::Aggregate { by, aggregates: all });
        let mut scope = Scope::default();
        for (name, typed) in found {
            let internal = match typed.expr() {
                Expr::Field(name) => name,
                expr => self.extend(expr),
            };
            scope.put(&name, computed(typed.kind, &internal, typed.is_list), None);
        }
        for group in groups {
            scope.put(&group.name, Self::group_column(group.kind, &group.internal), None);
        }
        self.scope = scope;
        Ok(())
    }

    fn group(&mut self, field: &Field) -> Result<Group> {
        let typed = self.expression(&field.expression)?;
        self.supported(&typed)?;
        if typed.kind == Kind::Duration {
            return Err(self.verification(field.expression.span, "cannot group by a length of time"));
        }
        let expr = match typed.is_list {
            true => {
                let listed = self.extend(typed.expr());
                each(&listed, Expr::Field(listed.clone()))
            }
            false => typed.expr(),
        };
        let (name, text) = (self.name_of(field), self.written(field.expression.span).to_owned());
        Ok(Group { name, kind: typed.kind, internal: self.fresh(), expr, text })
    }

    fn aggregated_fields(&mut self, aggregates: &[(Field, Option<Expression>)]) -> Result<Vec<(String, TypedExpr)>> {
        let mut found: Vec<(String, TypedExpr)> = Vec::new();
        for (field, condition) in aggregates {
            let holds = condition.as_ref().map(|condition| self.of_rows(condition)).transpose()?;
            if let Some(aggregating) = &mut self.aggregating {
                aggregating.condition = holds;
            }
            let typed = self.expression(&field.expression)?;
            if let Node::Name(name) = &field.expression.node
                && field.name.is_none()
            {
                let message = format!("expected an aggregate function but found [{name}]");
                return Err(self.verification(field.expression.span, message));
            }
            let name = match (&field.name, condition) {
                (None, Some(condition)) => {
                    let whole = Span { start: field.expression.span.start, end: condition.span.end };
                    self.written(whole).to_owned()
                }
                _ => self.name_of(field),
            };
            found.retain(|(known, _)| *known != name);
            found.push((name, typed));
        }
        Ok(found)
    }

    /// Returns a condition on the rows that an aggregate is about.
    fn of_rows(&mut self, condition: &Expression) -> Result<Expr> {
        let Some(aggregating) = &mut self.aggregating else { return Ok(Expr::Literal(None)) };
        aggregating.is_inside = true;
        std::mem::swap(&mut aggregating.before, &mut self.scope);
        let typed = self.expression(condition);
        if let Some(aggregating) = &mut self.aggregating {
            std::mem::swap(&mut aggregating.before, &mut self.scope);
            aggregating.is_inside = false;
        }
        let typed = typed?;
        self.holds(&typed, condition.span)
    }
}
