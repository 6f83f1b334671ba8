//! Rule to plan: the query, and a column that says for each row whether the condition holds.
//!
//! A query that gives events is counted; `count` is then the number of events. In a query with `stats`, `count` is
//! the number of rows unless a column has that name. All rows come back, not only those for which the condition
//! holds: a label set that is there and well differs from one that is missing.

mod groups;
mod lines;
mod names;

use std::sync::Arc;

use language::{ParseOptions, logql, parse_insights};
use plan::optimise;
use plan::{Aggregate, AggregateKind, Comparison, Expr, Name, Operator, Plan};
use types::{Timestamp, Value};

pub(crate) use self::lines::Lines;
use crate::language::Asked;
use crate::{Kind, Rule, kind};

/// Name of the column that says whether the condition holds.
pub(crate) const FIRES: &str = "__fires";

/// Events shown in a notification.
const EVENTS_SHOWN: u64 = 10;

/// What is wrong with a rule.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    #[error("query: {0}")]
    Query(String),
    #[error("condition: {0}")]
    Condition(String),
    #[error("bad: {0}")]
    Bad(String),
}

/// A rule, ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// What is asked of the window; its rows, or those made of them, end in a column that says whether the condition
    /// holds.
    pub(crate) plan: Plan,
    /// What is asked in place of the plan, where the query is for numbers with labels.
    pub(crate) metric: Option<Metric>,
    /// Columns that make label sets, with their names.
    pub(crate) labels: Vec<(usize, String)>,
    /// The column whose value is shown.
    pub(crate) value: Option<usize>,
    /// Whether that value is a count, for which a missing label set means zero.
    pub(crate) is_count: bool,
    /// The column with a pattern, where rows are patterns.
    pub(crate) pattern: Option<usize>,
    /// Whether the rows are made of several answers, so that they say nothing of shorter windows.
    pub(crate) is_combined: bool,
    /// What the answers came to, for people.
    pub(crate) note: Option<String>,
    /// What the query does to events before it counts anything.
    before: Vec<Operator>,
    /// Group columns with their expressions.
    by: Vec<(Name, Expr)>,
    sources: Vec<types::GroupPattern>,
}

/// A query of LogQL for numbers, and the condition on them.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) query: logql::MetricQuery,
    pub(crate) condition: Expr,
}

/// Compiles a rule for an evaluation at `now`.
pub(crate) fn compile(rule: &Rule, now: Timestamp) -> Result<Compiled, CompileError> {
    match &rule.kind {
        Kind::Threshold | Kind::Anomaly(_) => of_rows(rule, now),
        Kind::Pattern(_) | Kind::Absence(_) | Kind::Ratio(_) | Kind::BurnRate(_) => groups::compile(rule, now),
        Kind::Composite(_) => Ok(Compiled::default()),
    }
}

/// A rule that is a condition on the rows of its query.
fn of_rows(rule: &Rule, now: Timestamp) -> Result<Compiled, CompileError> {
    let options = ParseOptions { now, time_zone: chrono_tz::UTC };
    let condition = rule.condition.as_deref().map(|text| parse_condition(text, &options)).transpose()?;
    let asked = rule.language.read(&rule.query, &options, &[]);
    let plan = match asked.map_err(|errors| CompileError::Query(errors.to_string()))? {
        Asked::Plan(plan) => plan,
        Asked::Metric(_) if rule.kind != Kind::Threshold => {
            return Err(CompileError::Query("must give columns; write it with `stats`, or as a filter".into()));
        }
        Asked::Metric(query) => {
            let condition = condition.unwrap_or_else(truth);
            names::check_metric(&condition, &query)?;
            return Ok(of_metric(Metric { query, condition }));
        }
    };
    let is_counted = !plan.operators.iter().any(|operator| matches!(operator, Operator::Aggregate { .. }));
    let mentions_count = condition.as_ref().is_some_and(|condition| fields_of(condition).contains(&"count".into()));
    let is_recounted = mentions_count && !shown(&plan).iter().any(|(name, _)| &**name == "count");
    let mut plan = optimise(if is_counted || is_recounted { counted(plan) } else { plan });
    let condition = condition.unwrap_or_else(|| if is_counted { at_least_one() } else { truth() });
    names::check_condition(&condition, &plan, is_counted)?;
    let columns = shown(&plan).to_vec();
    let (by, aggregates, before) = last_aggregation(&plan);
    let labels = columns.iter().enumerate().filter(|(_, (_, expr))| by.iter().any(|(name, _)| is_field(expr, name)));
    let labels: Vec<(usize, String)> = labels.map(|(at, (name, _))| (at, name.to_string())).collect();
    let value = value_column(&condition, &columns, &aggregates);
    let is_count = value.is_none_or(|at| {
        let counts =
            |(name, kind): &(Name, AggregateKind)| *kind == AggregateKind::Count && is_field(&columns[at].1, name);
        aggregates.iter().any(counts)
    });
    let sources = plan.sources.clone();
    add_fires(&mut plan, substitute(condition, &columns));
    Ok(Compiled { plan, labels, value, is_count, before, by, sources, ..Compiled::default() })
}

/// Label sets and their value are known once the query has been asked. What LogQL has no number for is well.
fn of_metric(metric: Metric) -> Compiled {
    let events = metric.query.first_events();
    let (before, sources) = events.map(|events| (events.operators.clone(), events.sources.clone())).unwrap_or_default();
    Compiled { metric: Some(metric), is_count: true, before, sources, ..Compiled::default() }
}

/// The number of rows of a plan.
fn counted(mut plan: Plan) -> Plan {
    let count: Name = "count".into();
    plan.operators.retain(|operator| !matches!(operator, Operator::Project { .. }));
    let aggregate = Aggregate { name: count.clone(), kind: AggregateKind::Count, argument: None };
    plan.operators.push(Operator::Aggregate { by: Vec::new(), aggregates: vec![aggregate] });
    plan.operators.push(Operator::Project { columns: vec![(count.clone(), Expr::Field(count))], is_events: false });
    plan
}

impl Compiled {
    /// Names of the columns of its rows; none where they are known only once it was asked.
    pub(crate) fn columns(&self) -> Vec<String> {
        shown(&self.plan).iter().filter(|(name, _)| &**name != FIRES).map(|(name, _)| name.to_string()).collect()
    }

    /// Takes the labels of the series that a query of LogQL gave, and after them its number.
    pub(crate) fn take_series_labels(&mut self, labels: &[String]) {
        let events = self.metric.as_ref().and_then(|metric| metric.query.first_events());
        let by = |name: &String| Some((Name::from(name.as_str()), events?.label(name)));
        self.by = labels.iter().filter_map(by).collect();
        self.labels = labels.iter().cloned().enumerate().collect();
        self.value = Some(labels.len());
    }

    /// Says that behind `n_by` columns of label values comes the pattern, and behind it how often it came.
    pub(crate) fn note_pattern(&mut self, n_by: usize) {
        self.labels.push((n_by, "pattern".to_owned()));
        self.pattern = Some(n_by);
        self.value = Some(n_by + 1);
    }

    /// What the pattern of a row is, for a notification.
    pub(crate) fn pattern_of(&self, rule: &Rule, row: &[Option<Value>]) -> Option<serde_json::Value> {
        self.pattern.map(|at| kind::described_pattern(rule, row, at))
    }

    /// The plan that shows events behind one row of the table: those that the query counted, newest first.
    pub(crate) fn events_plan(&self, row: &[Option<Value>]) -> Plan {
        let mut operators = self.before.clone();
        operators.extend(self.conditions(row).map(|(_, condition)| Operator::Filter(condition)));
        if let Some(at) = self.pattern {
            let texts = kind::masked_texts(row, at).iter().cloned().map(Expr::Literal).collect();
            operators.push(Operator::Filter(Expr::In(Box::new(execute::masked_text()), texts)));
        }
        operators.push(Operator::Limit(EVENTS_SHOWN));
        let shown = ["@timestamp", "@level", "@log", "@logStream", "@message"];
        let column = |name: &str| (Name::from(name), Expr::Field(name.into()));
        operators.push(Operator::Project { columns: shown.iter().map(|name| column(name)).collect(), is_events: true });
        Plan { sources: self.sources.clone(), operators, ..Plan::default() }
    }

    /// Tells whether the condition holds for a row.
    pub(crate) fn fires(&self, row: &[Option<Value>]) -> bool {
        matches!(row.last(), Some(Some(Value::Boolean(true))))
    }
}

/// Reads the condition as the language reads a filter; several conditions joined by `and` are one.
fn parse_condition(text: &str, options: &ParseOptions) -> Result<Expr, CompileError> {
    let plan = parse_insights(&format!("filter {text}"), options)
        .map_err(|errors| CompileError::Condition(errors.to_string()))?;
    let mut all = Vec::new();
    for operator in plan.operators {
        match operator {
            Operator::Filter(expr) => all.push(expr),
            Operator::Project { .. } => {}
            _ => return Err(CompileError::Condition("must be one expression, without further commands".into())),
        }
    }
    let join = |left: Expr, right: Expr| Expr::And(Box::new(left), Box::new(right));
    Ok(all.into_iter().reduce(join).unwrap_or_else(truth))
}

fn truth() -> Expr {
    Expr::Literal(Some(Value::Boolean(true)))
}

fn at_least_one() -> Expr {
    let zero = Expr::Literal(Some(Value::Integer(0)));
    Expr::Compare(Comparison::Greater, Box::new(Expr::Field("count".into())), Box::new(zero))
}

fn shown(plan: &Plan) -> &[(Name, Expr)] {
    match plan.operators.last() {
        Some(Operator::Project { columns, .. }) => columns,
        _ => &[],
    }
}

fn is_field(expr: &Expr, name: &Name) -> bool {
    matches!(expr, Expr::Field(field) if field == name)
}

type Aggregation = (Vec<(Name, Expr)>, Vec<(Name, AggregateKind)>, Vec<Operator>);

/// Group columns and aggregates of the last aggregation, and what precedes the first one.
fn last_aggregation(plan: &Plan) -> Aggregation {
    let (mut by_last, mut kinds) = (Vec::new(), Vec::new());
    let mut before: Option<Vec<Operator>> = None;
    for (at, operator) in plan.operators.iter().enumerate() {
        if let Operator::Aggregate { by, aggregates } = operator {
            if before.is_none() {
                let only_events = |operator: &&Operator| !matches!(operator, Operator::Sort(_));
                before = Some(plan.operators[..at].iter().filter(only_events).cloned().collect());
                by_last.clone_from(by);
            } else {
                // Events can be found for groups of events, not for groups of groups.
                by_last.retain(|(name, _)| by.iter().any(|(outer, _)| outer == name));
            }
            kinds = aggregates.iter().map(|aggregate| (aggregate.name.clone(), aggregate.kind)).collect();
        }
    }
    (by_last, kinds, before.unwrap_or_default())
}

/// The column that the condition speaks of first, else the first aggregate.
fn value_column(condition: &Expr, columns: &[(Name, Expr)], aggregates: &[(Name, AggregateKind)]) -> Option<usize> {
    let mentioned = fields_of(condition);
    let position = |name: &Name| columns.iter().position(|(column, _)| column == name);
    let of_condition = mentioned.iter().find_map(position);
    let is_aggregate = |(_, expr): &(Name, Expr)| aggregates.iter().any(|(name, _)| is_field(expr, name));
    of_condition.or_else(|| columns.iter().position(is_aggregate))
}

/// Puts the condition in as a column, last.
fn add_fires(plan: &mut Plan, condition: Expr) {
    let name: Name = Arc::from(FIRES);
    if let Some(Operator::Project { columns, .. }) = plan.operators.last_mut() {
        columns.push((name.clone(), Expr::Field(name.clone())));
        let at = plan.operators.len() - 1;
        plan.operators.insert(at, Operator::Extend { name, expr: condition });
    }
}

/// Names of fields in an expression, in order.
fn fields_of(expr: &Expr) -> Vec<Name> {
    let mut names = Vec::new();
    // Every field is visited, and nothing is changed.
    let _ = map_fields(expr.clone(), &mut |name| {
        names.push(name.clone());
        Expr::Field(name)
    });
    names
}

/// The condition speaks of columns as they are shown; puts in what they are computed from.
fn substitute(condition: Expr, columns: &[(Name, Expr)]) -> Expr {
    map_fields(condition, &mut |name| {
        let column = columns.iter().find(|(shown, _)| *shown == name);
        column.map_or(Expr::Field(name), |(_, expr)| expr.clone())
    })
}

/// Replaces every field of an expression. The depth is that of the language, which is bounded.
fn map_fields(expr: Expr, replace: &mut dyn FnMut(Name) -> Expr) -> Expr {
    let mut one = |expr: Box<Expr>| Box::new(map_fields(*expr, &mut *replace));
    match expr {
        Expr::Literal(_) | Expr::Duration(_) | Expr::Regex(_) | Expr::Template(_) => expr,
        Expr::Field(name) => replace(name),
        Expr::Negate(inner) => Expr::Negate(one(inner)),
        Expr::Not(inner) => Expr::Not(one(inner)),
        Expr::And(left, right) => Expr::And(one(left), one(right)),
        Expr::Or(left, right) => Expr::Or(one(left), one(right)),
        Expr::Compare(operator, left, right) => Expr::Compare(operator, one(left), one(right)),
        Expr::Arithmetic(operator, left, right) => Expr::Arithmetic(operator, one(left), one(right)),
        Expr::Match(inner, pattern) => Expr::Match(one(inner), pattern),
        Expr::InQuery(inner, plan) => Expr::InQuery(one(inner), plan),
        Expr::Between(inner, low, high) => Expr::Between(one(inner), one(low), one(high)),
        Expr::In(inner, elements) => {
            let inner = one(inner);
            Expr::In(inner, elements.into_iter().map(|element| map_fields(element, replace)).collect())
        }
        Expr::Call(function, arguments) => {
            Expr::Call(function, arguments.into_iter().map(|argument| map_fields(argument, replace)).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleBook;

    fn compiled(query: &str, condition: Option<&str>) -> Compiled {
        let mut book = RuleBook::default();
        let condition = condition.map(|text| format!("condition: '{text}'")).unwrap_or_default();
        let text = format!("groups: [{{name: g, rules: [{{name: r, query: '{query}', {condition}}}]}}]");
        book.add("r.yaml", &text).unwrap();
        compile(&book.rules[0], Timestamp(0)).unwrap()
    }

    fn columns(compiled: &Compiled) -> Vec<&str> {
        shown(&compiled.plan).iter().map(|(name, _)| &**name).collect()
    }

    #[test]
    fn events_are_counted_and_the_count_is_the_value() {
        let rule = compiled("filter @level >= \"error\"", Some("count > 5"));
        assert_eq!(columns(&rule), ["count", FIRES]);
        assert_eq!((rule.value, rule.is_count), (Some(0), true));
        assert!(rule.labels.is_empty());
        let without = compiled("filter @level >= \"error\" # comment", None);
        assert_eq!(columns(&without), ["count", FIRES]);
    }

    #[test]
    fn every_language_that_gives_events_is_counted() {
        let queries = [
            ("insights", "filter status >= 500"),
            ("logql", "{group=\"app\"} |= \"refused\""),
            ("lucene", "status:[500 TO 599]"),
            ("kql", "status >= 500"),
            ("filter-pattern", "{ $.status >= 500 }"),
        ];
        for (language, query) in queries {
            let mut book = RuleBook::default();
            let rule = format!("{{name: r, language: {language}, query: '{query}', condition: count > 5}}");
            book.add("r.yaml", &format!("groups: [{{name: g, rules: [{rule}]}}]")).unwrap();
            let rule = compile(&book.rules[0], Timestamp(0)).unwrap();
            assert_eq!((columns(&rule), rule.is_count), (vec!["count", FIRES], true), "{language}");
            let plan = rule.events_plan(&[Some(Value::Integer(7)), Some(Value::Boolean(true))]);
            assert!(matches!(plan.operators[0], Operator::Filter(_)), "{language}: {:?}", plan.operators);
            let shown = book.rules[0].language.shown(query).unwrap();
            assert!(
                language::parse_insights(&shown, &ParseOptions { now: Timestamp(0), time_zone: chrono_tz::UTC })
                    .is_ok()
            );
        }
    }

    #[test]
    fn mistakes_of_every_language_keep_their_place() {
        let queries = [("logql", "{group=\"app\"} |~", "1:"), ("lucene", "status:[500 TO", "1:"), ("kql", "(a", "1:")];
        for (language, query, place) in queries {
            let mut book = RuleBook::default();
            let rule = format!("{{name: r, language: {language}, query: '{query}'}}");
            let refused = book.add("r.yaml", &format!("groups: [{{name: g, rules: [{rule}]}}]")).unwrap_err();
            let refused = refused[0].to_string();
            assert!(refused.contains("query: ") && refused.contains(&format!(" at {place}")), "{refused}");
        }
        let mut book = RuleBook::default();
        let rule = "groups: [{name: g, rules: [{name: r, language: sql, query: select 1}]}]";
        let refused = book.add("r.yaml", rule).unwrap_err()[0].to_string();
        let known = "language: \"sql\" is not known; there are insights, logql, lucene, kql, filter-pattern";
        assert!(refused.contains(known), "{refused}");
    }

    #[test]
    fn group_columns_make_labels_and_the_condition_names_the_value() {
        let rule = compiled("stats avg(ms) as mean, max(ms) as worst by service, @log", Some("worst > 100"));
        assert_eq!(rule.labels.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["service", "@log"]);
        assert_eq!(columns(&rule)[rule.value.unwrap()], "worst");
        assert!(!rule.is_count);
    }

    #[test]
    fn count_is_the_number_of_rows_where_no_column_has_that_name() {
        let rule = compiled("stats avg(ms) as mean by service", Some("count > 3"));
        assert_eq!(columns(&rule), ["count", FIRES]);
        let named = compiled("stats count(*) as count by service", Some("count > 3"));
        assert_eq!(named.labels.len(), 1);
    }

    #[test]
    fn a_query_that_names_times_of_its_own_is_refused_with_its_place() {
        let mut book = RuleBook::default();
        let query = "source \"app/*\" start=-1d | filter a = 1";
        let text = format!("groups: [{{name: g, rules: [{{name: r, query: '{query}'}}]}}]");
        let refused = format!("{:?}", book.add("r.yaml", &text).unwrap_err());
        assert!(refused.contains("`start` has no place in a rule") && refused.contains("16"), "{refused}");
        let within = "filter a in (source \"b\" start=-1d | fields a)";
        assert_eq!(compiled(within, None).labels.len(), 0);
    }

    #[test]
    fn the_events_of_a_row_are_those_of_its_groups() {
        let rule = compiled("filter level = \"x\" | stats count(*) as count by service", Some("count > 3"));
        let row = [Some(Value::text("api")), Some(Value::Integer(4)), Some(Value::Boolean(true))];
        let plan = rule.events_plan(&row);
        let n_filters = plan.operators.iter().filter(|operator| matches!(operator, Operator::Filter(_))).count();
        assert_eq!(n_filters, 2);
        assert!(rule.fires(&row));
        assert!(!rule.fires(&[Some(Value::Boolean(false))]));
    }
}
