//! Queries in ES|QL: a table of columns with types, over the groups that the query names and within the range that is asked for.
//!
//! Fields have the types of their values. What was declared for indices of Elasticsearch, and aliases, hold at its own address.

use chrono_tz::Tz;
use door::{Problem, QueryRun, Result, Scope};
use esql::{CheckedQuery, EsqlError, Kind, Parameters, ROWS_MAX, Schema, Statement};
use execute::{Answer, ColumnKind};
use plan::{QueryErrors, Warning, nearest};
use types::{GroupPattern, TimeRange, Timestamp, ensure, group_name_of_outside};

use super::outcome::RowsOf;
use crate::ask::Ask;

/// Returns the rows of a query, one more than `rows_max` if there are more.
pub(super) fn rows(ask: &Ask, rows_max: usize, now: Timestamp) -> Result<RowsOf> {
    check(ask)?;
    let range = ask.range(now)?;
    if !ask.groups().is_empty() {
        let problem = Problem::bad_request("unsupported", "a query in ES|QL names its groups itself");
        return Err(problem.hint("write FROM \"a/*\" in the query, and leave out groups"));
    }
    // First as it was written: what was added would be where a command is missing.
    parsed(&ask.query)?;
    let most = (rows_max as u64).saturating_add(1).min(ROWS_MAX);
    let text = format!("{}\n| LIMIT {most}", ask.query);
    let statement = parsed(&text)?;
    Ok(Box::new(move |run| {
        let mut answer = answered(run, &statement, &text, range, now)?;
        if rows_max as u64 >= ROWS_MAX && answer.rows.len() as u64 == ROWS_MAX {
            answer.more = true;
            answer.warnings.push(note(format!("ES|QL answers with {ROWS_MAX} rows at most; count them with STATS")));
        }
        Ok(answer)
    }))
}

/// Refuses what other languages are asked with.
fn check(ask: &Ask) -> Result<()> {
    ensure!(!ask.explain, Problem::bad_request("unsupported", "a query in ES|QL is not explained"));
    if ask.step.is_some() {
        let problem = Problem::bad_parameter("step is for queries in PromQL, LogQL and TraceQL");
        return Err(problem.hint("ES|QL has BUCKET(), as in STATS COUNT(*) BY BUCKET(@timestamp, 15 seconds)"));
    }
    Ok(())
}

/// Reads a query; the error has the place of the mistake.
fn parsed(text: &str) -> Result<Statement> {
    esql::parse(text, &Parameters::default()).map_err(|error| located(text, &error))
}

fn located(text: &str, error: &EsqlError) -> Problem {
    QueryErrors::from(error.in_text(text)).into()
}

fn answered(run: &QueryRun<'_>, statement: &Statement, text: &str, asked: TimeRange, now: Timestamp) -> Result<Answer> {
    let groups = groups(run, statement, text)?;
    let schema = match &groups {
        Some(groups) => statement.schema(&run.snapshot(groups, TimeRange::ALL).runs),
        None => Schema::default(),
    };
    let checked = statement.check(&schema, None, now).map_err(|error| located(text, &error))?;
    let CheckedQuery { plan, range, columns, warnings } = checked;
    let from = asked.from.max(range.from);
    let range = TimeRange { from, to: asked.to.min(range.to).max(from) };
    // No group has an empty name.
    let groups = groups.unwrap_or_else(|| vec![GroupPattern::new("")]);
    let scope = Scope { groups, limit: None, time_zone: Tz::UTC, now };
    let mut answer = run.execute(&plan, &scope, range)?;
    for (column, (name, kind)) in answer.columns.iter_mut().zip(&columns) {
        (column.name, column.kind) = (name.clone(), column_kind(*kind));
    }
    answer.warnings.extend(warnings.into_iter().map(note));
    Ok(answer)
}

fn note(message: String) -> Warning {
    Warning { code: "esql", message, line: None, column: None, hint: None }
}

/// Returns the groups that a query names; `None` if it reads none.
fn groups(run: &QueryRun<'_>, statement: &Statement, text: &str) -> Result<Option<Vec<GroupPattern>>> {
    let Some(names) = statement.indices() else { return Ok(None) };
    let known: Vec<String> = run.server.groups().into_iter().map(|group| group.name.to_string()).collect();
    let (mut wanted, mut excluded) = (Vec::new(), Vec::new());
    let names = names.iter().flat_map(|names| names.split(',')).map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        match name.strip_prefix('-') {
            Some(name) if !wanted.is_empty() => excluded.push(GroupPattern::new(name)),
            _ if name.contains('*') => wanted.push(GroupPattern::new(name)),
            _ => {
                let group = group_name_of_outside(name);
                ensure!(run.server.store().has_group(&group), unknown(statement, name, text, &known));
                wanted.push(GroupPattern::new(group.as_str()));
            }
        }
    }
    if !excluded.is_empty() {
        let is_kept =
            |name: &str| GroupPattern::any_matches(&wanted, name) && !GroupPattern::any_matches(&excluded, name);
        let mut kept: Vec<GroupPattern> =
            known.iter().filter(|name| is_kept(name.as_str())).map(|name| GroupPattern::new(name.as_str())).collect();
        if kept.is_empty() {
            // No group has an empty name.
            kept.push(GroupPattern::new(""));
        }
        wanted = kept;
    }
    Ok(Some(wanted))
}

/// Returns the problem of a name that no group has.
fn unknown(statement: &Statement, name: &str, text: &str, known: &[String]) -> Problem {
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "FROM names groups and their patterns, as in FROM \"web/*\"".to_owned(),
    };
    QueryErrors::from(statement.unknown_index(name).in_text(text).with_hint(hint)).into()
}

fn column_kind(kind: Kind) -> ColumnKind {
    match kind {
        Kind::Date => ColumnKind::Timestamp,
        Kind::Integer | Kind::Long => ColumnKind::Integer,
        Kind::Double => ColumnKind::Float,
        Kind::Boolean => ColumnKind::Boolean,
        Kind::Keyword | Kind::Text | Kind::Ip => ColumnKind::String,
        Kind::Null | Kind::Duration | Kind::Unsupported => ColumnKind::Any,
    }
}
