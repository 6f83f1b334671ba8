//! Full-text functions: `MATCH`, `:`, `MATCH_PHRASE`, `QSTR`, as the query DSL answers them.

use serde_json::{Map, Value as Json, json};
use types::TimeRange;

use super::checker::Checker;
use super::error::Result;
use super::syntax::{Expression, Literal, Node};
use super::typed::{TypedExpr, truth_of};
use language::dsl::{Selection, parse_query};
use plan::{Expr, Operator, Span, balanced, not, within};

/// What is wrong with a function that is elsewhere.
const ONLY_IN_WHERE: &str = "is only supported in WHERE commands";

impl Checker<'_> {
    /// `field : value`
    pub(super) fn matches_operator(&mut self, field: &Expression, value: &Literal, span: Span) -> Result<TypedExpr> {
        let name = self.searched(field, ":", span)?;
        let query = json!({"match": {name: {"query": json_of(value)}}});
        self.searching(&query, span)
    }

    /// Returns a call of a full-text function.
    pub(super) fn full_text(
        &mut self,
        name: &str,
        arguments: &[Expression],
        options: &[(String, Literal)],
        span: Span,
    ) -> Result<TypedExpr> {
        let shown = name.to_uppercase();
        let Some(Node::Literal(text)) = arguments.last().map(|argument| &argument.node) else {
            return Err(self.verification(span, format!("the text of [{}] must be a constant", self.written(span))));
        };
        let mut body = Map::new();
        body.insert("query".into(), json_of(text));
        for (option, value) in options {
            body.insert(option.clone(), json_of(value));
        }
        let query = match name {
            "match" | "match_phrase" => {
                let known: &[&str] = if name == "match" {
                    &["operator", "minimum_should_match", "zero_terms_query", "boost", "fuzziness"]
                } else {
                    &["slop", "zero_terms_query", "boost"]
                };
                if let Some((option, _)) = options.iter().find(|(option, _)| !known.contains(&option.as_str())) {
                    return Err(self.verification(span, format!("the option [{option}] of [{shown}] is not supported")));
                }
                let field = self.searched(&arguments[0], &shown, span)?;
                json!({ name: { field: body } })
            }
            "qstr" => {
                if let Some((option, _)) = options.iter().find(|(option, _)| {
                    !matches!(option.as_str(), "default_operator" | "default_field" | "analyze_wildcard" | "lenient")
                }) {
                    return Err(self.verification(span, format!("the option [{option}] of [{shown}] is not supported")));
                }
                json!({ "query_string": body })
            }
            // Our KQL looks for texts as they are written, and finds other events.
            _ => return Err(self.verification(span, "the function [KQL] is not supported here; use MATCH or QSTR")),
        };
        self.searching(&query, span)
    }

    /// Returns the name of a field that is searched for words.
    fn searched(&mut self, field: &Expression, function: &str, span: Span) -> Result<String> {
        let written = self.written(field.span).to_owned();
        let typed = self.expression(field)?;
        self.supported(&typed)?;
        match typed.field {
            Some(name) => Ok(name),
            None => {
                let message = format!(
                    "[{function}] function cannot operate on [{written}], which is not a field from an index mapping"
                );
                Err(self.verification(span, message))
            }
        }
    }

    fn placed(&self, span: Span) -> Result<()> {
        if !self.is_in_where {
            let message = self.written(span).to_owned();
            return Err(self.verification(span, format!("[{message}] {ONLY_IN_WHERE}")));
        }
        if let Some(command) = self.limited_by {
            return Err(self.verification(span, format!("[{}] cannot be used after {command}", self.written(span))));
        }
        Ok(())
    }

    fn searching(&mut self, query: &Json, span: Span) -> Result<TypedExpr> {
        self.placed(span)?;
        let selection =
            parse_query(Some(query), self.now, self.mappings).map_err(|error| self.verification(span, error.reason))?;
        Ok(of_selection(selection, span))
    }
}

/// Returns the condition that chooses the same events.
fn of_selection(selection: Selection, span: Span) -> TypedExpr {
    let mut parts: Vec<Expr> = selection
        .operators
        .into_iter()
        .filter_map(|operator| match operator {
            Operator::Filter(condition) => Some(condition),
            _ => None,
        })
        .collect();
    let range = selection.range;
    if range != TimeRange::ALL {
        parts.push(within(Box::new(Expr::Field("@timestamp".into())), range.from.0, range.to.0));
    }
    let condition = if parts.is_empty() { truth_of(true) } else { balanced(parts, Expr::And) };
    TypedExpr::condition(condition.clone(), not(condition), span)
}

fn json_of(literal: &Literal) -> Json {
    match literal {
        Literal::Null => Json::Null,
        Literal::Boolean(truth) => json!(truth),
        Literal::Whole(number) => json!(number),
        Literal::Decimal(number) => json!(number),
        Literal::Text(text) => json!(text),
        Literal::List(items) => items.iter().map(json_of).collect(),
    }
}
