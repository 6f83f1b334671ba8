//! Columns of an event whose words are between blanks: `[ip, ..., status = 4*, bytes > 1000]`.
//!
//! What is in square brackets or double quotes is one column. An event matches only if it has as many columns as
//! the pattern names, unless `...` stands for the others; columns after it are counted from the end.

use pest::iterators::Pair;
use types::Value;

use super::grammar::Rule;
use super::reader::{Reader, message};
use super::value;
use crate::grammar::span_of;
use plan::{Comparison, Expr, Function, Name, Operator, Result, Span, balanced};

/// Names that no other language can write: what they hold is this pattern's own.
const FROM_START: &str = "#columns";
const FROM_END: &str = "#columns_from_end";

/// Returns the operators of a pattern in square brackets.
pub(super) fn operators(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Vec<Operator>> {
    let columns: Vec<Pair<'_, Rule>> = pair.into_inner().filter(|part| part.as_rule() == Rule::column).collect();
    let ellipses: Vec<usize> = (0..columns.len()).filter(|index| is_ellipsis(&columns[*index])).collect();
    if let Some(second) = ellipses.get(1) {
        let message = "`...` may occur once: it is not clear how many columns each of two stands for";
        return Err(reader.error("two-ellipses", message, span_of(&columns[*second])));
    }
    let n_named = columns.len() - ellipses.len();
    let mut filters = vec![count(n_named, ellipses.is_empty())];
    let n_columns = columns.len();
    for (index, column) in columns.into_iter().enumerate() {
        let subject = subject(index, n_columns, ellipses.first().copied());
        for inner in column.into_inner().filter(|inner| inner.as_rule() == Rule::column_any) {
            let mut names = Vec::new();
            filters.push(tree(reader, inner, &subject, &mut names)?);
            check_names(reader, &names)?;
        }
    }
    let list =
        |function, name: &str| Operator::Extend { name: name.into(), expr: Expr::Call(function, vec![message()]) };
    let mut operators = vec![list(Function::Columns, FROM_START), list(Function::ColumnsFromEnd, FROM_END)];
    operators.extend(filters.into_iter().map(Operator::Filter));
    Ok(operators)
}

/// Returns the columns of a pattern that have names, and what they hold.
pub(super) fn named(pair: Pair<'_, Rule>) -> Vec<(&str, Expr)> {
    let columns: Vec<Pair<'_, Rule>> = pair.into_inner().filter(|part| part.as_rule() == Rule::column).collect();
    let ellipsis = columns.iter().position(is_ellipsis);
    let n_columns = columns.len();
    let all = columns.into_iter().enumerate();
    let names = all.filter_map(|(index, column)| {
        let name = column.into_inner().flatten().find(|part| part.as_rule() == Rule::name)?;
        Some((name.as_str(), subject(index, n_columns, ellipsis)))
    });
    names.collect()
}

fn is_ellipsis(column: &Pair<'_, Rule>) -> bool {
    column.clone().into_inner().next().is_some_and(|inner| inner.as_rule() == Rule::ellipsis)
}

/// Returns what the column at a place holds.
fn subject(index: usize, n_columns: usize, ellipsis: Option<usize>) -> Expr {
    let (base, place) = match ellipsis {
        Some(ellipsis) if index > ellipsis => (FROM_END, n_columns - 1 - index),
        _ => (FROM_START, index),
    };
    Expr::Field(Name::from(format!("{base}.{place}")))
}

/// Returns the condition on how many columns there are.
fn count(n_named: usize, is_exact: bool) -> Expr {
    let found = Expr::Call(Function::ArrayLength, vec![Expr::Field(FROM_START.into())]);
    let comparison = if is_exact { Comparison::Equal } else { Comparison::GreaterOrEqual };
    let wanted = Expr::Literal(Some(Value::Integer(n_named as i64)));
    Expr::Compare(comparison, Box::new(found), Box::new(wanted))
}

fn tree<'i>(
    reader: &Reader<'_>,
    pair: Pair<'i, Rule>,
    subject: &Expr,
    names: &mut Vec<(&'i str, Span)>,
) -> Result<Expr> {
    let join = if pair.as_rule() == Rule::column_any { Expr::Or } else { Expr::And };
    let mut parts = Vec::new();
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::column_condition => parts.push(test(reader, part, subject, names)?),
            Rule::column_any | Rule::column_all => parts.push(tree(reader, part, subject, names)?),
            Rule::column_nested => {
                for inner in part.into_inner().filter(|inner| inner.as_rule() == Rule::column_any) {
                    parts.push(tree(reader, inner, subject, names)?);
                }
            }
            _ => {}
        }
    }
    Ok(balanced(parts, join))
}

fn test<'i>(
    reader: &Reader<'_>,
    pair: Pair<'i, Rule>,
    subject: &Expr,
    names: &mut Vec<(&'i str, Span)>,
) -> Result<Expr> {
    let span = span_of(&pair);
    let mut parts = pair.into_inner();
    let (Some(name), Some(sign), Some(written)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(reader.error("syntax", "a test such as status = 4* is missing here", span));
    };
    names.push((name.as_str(), span_of(&name)));
    value::compare(reader, subject.clone(), &sign, written)
}

/// All tests of a column call it by one name.
fn check_names(reader: &Reader<'_>, names: &[(&str, Span)]) -> Result<()> {
    let Some(((first, _), others)) = names.split_first() else { return Ok(()) };
    let Some((other, span)) = others.iter().find(|(name, _)| name != first) else { return Ok(()) };
    let message = format!("this column is called `{first}`, so it cannot be tested as `{other}`");
    let hint = "put a comma between columns; && and || join tests of one column";
    Err(reader.error("other-column", message, *span).with_hint(hint))
}
