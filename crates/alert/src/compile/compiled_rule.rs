//! A compiled rule: the plan of its query, and what the columns of its rows mean.

use super::patterns::described;
use crate::alarm::AlarmVerdict;
use crate::compile::patterns::texts_of;
use crate::{Rule, prometheus_text};
use gotemplate::Template;
use language::logql;
use plan::{Expr, Name, Operator, Plan, PlanDraft, SortKey};
use std::collections::BTreeMap;
use types::Value;

/// Name of the column that holds whether the condition is met.
pub(crate) const FIRES: &str = "__fires";

/// Events shown in a notification.
const EVENTS_SHOWN: u64 = 10;

/// What is shown of an event: itself, and what it says of a failure.
const FIELDS_SHOWN: [&str; 11] = [
    "@timestamp", "@level", "@log", "@logStream", "@message", "trace_id", "exception.type", "exception.message",
    "code.function.name", "code.file.path", "code.line.number",
];

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
pub(crate) struct CompiledRule {
    /// The query over the window; its rows, or those made of them, end in a column that holds whether the condition
    /// holds.
    pub(crate) plan: Plan,
    /// What is asked in place of the plan, where the query is for numbers with labels.
    pub(crate) metric: Option<Metric>,
    /// What is asked in place of the plan, where the query is for samples.
    pub(crate) series: Option<SeriesQuery>,
    /// The annotations of each row, where they were filled in with it.
    pub(crate) annotations: Vec<BTreeMap<String, String>>,
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
    /// What the judge of an alarm decided.
    pub(crate) alarm: Option<AlarmVerdict>,
    /// What the query does to events before it counts anything.
    pub(crate) before: Vec<Operator>,
    /// The condition of bad events, for rules about those.
    pub(crate) bad: Option<Expr>,
    /// Group columns with their expressions.
    pub(crate) by: Vec<(Name, Expr)>,
    pub(crate) sources: Vec<types::GroupPattern>,
}

/// A query of LogQL for numbers, and the condition on them.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) query: logql::MetricQuery,
    pub(crate) condition: Expr,
}

/// A query of PromQL, the condition on its numbers, and the texts of a rule in Prometheus' form.
#[derive(Debug)]
pub(crate) struct SeriesQuery {
    pub(crate) query: promql::Query,
    pub(crate) condition: Expr,
    /// Templates of labels and annotations, by name; none in a rule of another form.
    pub(crate) labels: Vec<(String, Template)>,
    pub(crate) annotations: Vec<(String, Template)>,
}

impl SeriesQuery {
    /// Reads the templates of a rule; the error names the one that is wrong.
    pub(crate) fn new(rule: &Rule, query: promql::Query, condition: Expr) -> Result<Self, String> {
        let read = |(name, text): (&String, &String)| {
            let template = prometheus_text::parse(text).map_err(|error| format!("template of {name}: {error}"))?;
            Ok::<(String, Template), String>((name.clone(), template))
        };
        let (labels, annotations) = match rule.prometheus {
            Some(_) => (
                rule.labels.iter().map(read).collect::<Result<_, String>>()?,
                rule.annotations.iter().map(read).collect::<Result<_, String>>()?,
            ),
            None => Default::default(),
        };
        Ok(Self { query, condition, labels, annotations })
    }
}

impl CompiledRule {
    /// Returns names of the columns of its rows; none if they are known only once it was asked.
    pub(crate) fn columns(&self) -> Vec<String> {
        shown(self.plan.operators())
            .iter()
            .filter(|(name, _)| &**name != FIRES)
            .map(|(name, _)| name.to_string())
            .collect()
    }

    /// Takes the labels of the series that a query of LogQL gave, and after them its number.
    pub(crate) fn take_series_labels(&mut self, labels: &[String]) {
        let events = self.metric.as_ref().and_then(|metric| metric.query.first_events());
        let by = |name: &String| Some((Name::from(name.as_str()), events?.label(name)));
        self.by = labels.iter().filter_map(by).collect();
        self.labels = labels.iter().cloned().enumerate().collect();
        self.value = Some(labels.len());
    }

    /// Says that after `n_by` columns of label values comes the pattern, and behind it how often it came.
    pub(crate) fn note_pattern(&mut self, n_by: usize) {
        self.labels.push((n_by, "pattern".to_owned()));
        self.pattern = Some(n_by);
        self.value = Some(n_by + 1);
    }

    /// Returns what the pattern of a row is, for a notification.
    pub(crate) fn pattern_of(&self, rule: &Rule, row: &[Option<Value>]) -> Option<serde_json::Value> {
        self.pattern.map(|at| described(rule, row, at))
    }

    /// Returns the draft of a plan that selects the events of one row of the table: those that the query counted, or only
    /// the bad ones.
    pub(crate) fn events_draft(&self, row: &[Option<Value>]) -> PlanDraft {
        let mut operators = self.before.clone();
        operators.extend(self.conditions(row).map(|(_, condition)| Operator::Filter(condition)));
        operators.extend(self.bad.iter().cloned().map(Operator::Filter));
        if let Some(at) = self.pattern {
            let texts = texts_of(row, at).iter().cloned().map(Expr::Literal).collect();
            operators.push(Operator::Filter(Expr::In(Box::new(execute::masked_text()), texts)));
        }
        PlanDraft { sources: self.sources.clone(), operators, ..PlanDraft::default() }
    }

    /// Returns the plan that shows the events of one row of the table, newest first; for a rule that measures durations of
    /// spans, slowest first.
    pub(crate) fn events_plan(&self, row: &[Option<Value>]) -> Plan {
        let mut draft = self.events_draft(row);
        if self.shows_slowest() {
            let expr = Expr::Field("duration_ms".into());
            draft.operators.push(Operator::Sort(vec![SortKey { expr, descending: true }]));
        }
        draft.operators.push(Operator::Limit(EVENTS_SHOWN));
        let column = |name: &&str| (Name::from(*name), Expr::Field((*name).into()));
        let columns = FIELDS_SHOWN.iter().map(column).collect();
        draft.operators.push(Operator::Project { columns, is_events: true });
        draft.finish()
    }

    /// Reports whether the condition holds for a row.
    pub(crate) fn fires(&self, row: &[Option<Value>]) -> bool {
        matches!(row.last(), Some(Some(Value::Boolean(true))))
    }
}

pub(crate) fn shown(operators: &[Operator]) -> &[(Name, Expr)] {
    match operators.last() {
        Some(Operator::Project { columns, .. }) => columns,
        _ => &[],
    }
}
