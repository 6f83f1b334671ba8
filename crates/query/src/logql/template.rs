//! Templates of `line_format` and `label_format` as expressions.

use pest::iterators::Pair;

use super::Rule;
use super::read::{Reader, span_of};
use super::stage::message;
use crate::error::QueryError;
use crate::function::Function;
use crate::plan::Expr;
use crate::template::Template;

/// Reads the template in a text of the query. Its value is missing where it fails for a line.
pub(super) fn read(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let template = Template::parse(&reader.string(pair)?).map_err(|problem| {
        let error = reader.error("bad-template", format!("invalid template: {problem}"), span_of(pair));
        error.with_hint("write {{.label}}, functions of it such as {{.label | ToUpper}}, {{if}}, {{range}}, {{with}}")
    })?;
    let labels: Vec<Expr> = template.labels().iter().map(|name| reader.sight.label(name)).collect();
    let line = [Expr::Template(template), message(), Expr::Field("@timestamp".into())];
    Ok(Expr::Call(Function::Template, line.into_iter().chain(labels).collect()))
}
