//! The lines of a row: as conditions, and as a query that a person can open.

use crate::compile::compiled_rule::{CompiledRule, FIRES};
use crate::compile::expressions::{fields_of, map_fields};
use crate::compile::patterns::MORE;
use crate::labels::Labels;
use crate::{Kind, Rule};
use execute::pattern_lines;
use language::events_text;
use plan::{Aggregate, AggregateKind, Comparison, Expr, Function, Name, Operator, Plan, PlanDraft};
use types::Value;

/// A query for the lines of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    /// In Insights QL.
    pub(crate) query: String,
    /// The group that all of them are in, where the label set names it.
    pub(crate) group: Option<String>,
    /// The page that shows them.
    pub(crate) page: LinesPage,
}

/// A page that shows the lines of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinesPage {
    /// Explore.
    Events,
    /// The traces of spans, the newest first.
    Traces,
    /// The traces of spans, the slowest first.
    SlowestTraces,
}

impl CompiledRule {
    /// Returns for each column that makes label sets the condition that a row's value puts on events.
    pub(super) fn conditions<'c>(&'c self, row: &'c [Option<Value>]) -> impl Iterator<Item = (&'c Expr, Expr)> {
        self.by.iter().filter_map(move |(name, expr)| Some((expr, condition(expr, self.label_of(row, name)?))))
    }

    fn label_of<'r>(&self, row: &'r [Option<Value>], name: &Name) -> Option<&'r Option<Value>> {
        let (at, _) = self.labels.iter().find(|(_, label)| **label == **name)?;
        Some(row.get(*at).unwrap_or(&None))
    }

    /// Returns the query for all lines that the rule looks at.
    pub(crate) fn all_lines(&self) -> Option<Lines> {
        if self.series.is_some() {
            return None;
        }
        let (before, bad): (Vec<Operator>, Vec<Expr>) = (self.steps().collect(), self.bad.iter().cloned().collect());
        Some(Lines { query: events_text(&self.sources, &before, &bad)?, group: None, page: self.page() })
    }

    /// Reports whether the evidence consists of the slowest spans: the rule is about durations.
    pub(crate) fn shows_slowest(&self) -> bool {
        self.page() == LinesPage::SlowestTraces
    }

    /// Returns the page. That of traces takes only operators that look at one span at a time.
    fn page(&self) -> LinesPage {
        let is_step =
            |step: &Operator| matches!(step, Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_));
        let is_of_spans =
            self.steps().any(|step| matches!(&step, Operator::Filter(filter) if admits_only_spans(filter)));
        if !is_of_spans || !self.steps().all(|step| is_step(&step)) || !self.sources.is_empty() {
            return LinesPage::Events;
        }
        let arguments = self.plan.operators().iter().filter_map(|operator| match operator {
            Operator::Aggregate { aggregates, .. } => Some(aggregates.iter().filter_map(|one| one.argument.as_ref())),
            _ => None,
        });
        let measures_time = arguments.flatten().flat_map(fields_of).any(|field| &*field == "duration_ms");
        if measures_time { LinesPage::SlowestTraces } else { LinesPage::Traces }
    }

    /// Returns what the rule does to each event; what is shown of events is left to the page.
    fn steps(&self) -> impl Iterator<Item = Operator> {
        self.before.iter().filter(|step| !matches!(step, Operator::Project { .. })).cloned()
    }

    /// Returns the query for the lines of a row; `message` is one of them. `None` if no query can say it.
    pub(crate) fn lines(&self, row: &[Option<Value>], message: Option<&str>) -> Option<Lines> {
        if self.series.is_some() {
            return None;
        }
        let mut group = None;
        let mut conditions = Vec::new();
        for (expr, condition) in self.conditions(row) {
            match (expr, &condition) {
                (Expr::Field(name), Expr::Compare(_, _, value)) if &**name == "@log" && self.sources.is_empty() => {
                    let Expr::Literal(Some(value)) = &**value else { continue };
                    group = Some(value.to_string());
                }
                _ => conditions.push(condition),
            }
        }
        let pattern = self.pattern.and_then(|at| row.get(at)?.as_ref()).map(ToString::to_string);
        if let Some(pattern) = pattern.filter(|pattern| pattern != MORE) {
            conditions.push(pattern_lines(&pattern, message)?);
        }
        conditions.extend(self.bad.iter().cloned());
        let before: Vec<Operator> = self.steps().collect();
        Some(Lines { query: events_text(&self.sources, &before, &conditions)?, group, page: self.page() })
    }

    /// Returns plans for the events that an alert with these labels is about, the closest first; `message` is one of them.
    ///
    /// What a label does not say of an event is left out, and so is the time by which a rule groups: the events of before tell
    /// when it began.
    pub(crate) fn subjects(&self, rule: &Rule, labels: &Labels, message: Option<&str>) -> Vec<Plan> {
        let is_of_events = self.series.is_none() && rule.kind.has_events();
        let one = self.condition_of_one();
        let of_rule: Vec<Expr> = self.bad.iter().chain(&one).cloned().collect();
        let mut of_set: Vec<Expr> = Vec::new();
        for (name, expr) in self.by.iter().filter(|(name, _)| !rule.gives_label(name)) {
            let is_shown = self.labels.iter().any(|(_, label)| **label == **name);
            let value = labels.get(&**name);
            if is_shown && !value.is_some_and(|value| value.ends_with('…')) && !is_about_time(expr) {
                of_set.push(condition(expr, &value.map(|value| Value::text(value.as_str()))));
            }
        }
        if let (Kind::Pattern(_), Some(pattern)) = (&rule.kind, labels.get("pattern").filter(|text| *text != MORE)) {
            // Of a message that was cut it cannot be said how the pattern lies in it.
            of_set.extend(pattern_lines(pattern, message.filter(|message| !message.ends_with('…'))));
        }
        let plan = |conditions: Vec<Expr>| {
            let operators = self.steps().chain(conditions.into_iter().map(Operator::Filter)).collect();
            events_plan(self.sources.clone(), operators)
        };
        let mut plans = Vec::new();
        if is_of_events && !of_set.is_empty() {
            plans.push(plan(of_rule.iter().cloned().chain(of_set).collect()));
        }
        if is_of_events {
            plans.push(plan(of_rule.clone()));
        }
        if !is_of_events || !self.is_count && of_rule.is_empty() {
            plans.push(events_plan(Vec::new(), Vec::new()));
        }
        plans
    }

    /// Returns the rule's condition on a number of several events as one on the number of each of them: what pushes an average or
    /// a percentile over a bound is over it itself. `None` where a single event cannot meet it.
    fn condition_of_one(&self) -> Option<Expr> {
        let mut fires = None;
        let mut aggregates: Option<&[Aggregate]> = None;
        for operator in self.plan.operators() {
            match operator {
                Operator::Extend { name, expr } if &**name == FIRES => fires = Some(expr),
                Operator::Aggregate { aggregates: of, .. } if aggregates.is_none() => aggregates = Some(of),
                Operator::Aggregate { .. } => return None,
                _ => {}
            }
        }
        let (fires, aggregates) = (fires?, aggregates?);
        let of = |name: &Name| aggregates.iter().find(|aggregate| aggregate.name == *name);
        let mut used = fields_of(fires).into_iter().filter_map(|name| of(&name)).peekable();
        used.peek()?;
        let is_of_one = |aggregate: &Aggregate| {
            let kind = aggregate.kind;
            let is_like_one = matches!(
                kind,
                AggregateKind::Average | AggregateKind::Min | AggregateKind::Max | AggregateKind::Percentile(_)
            );
            is_like_one && aggregate.argument.is_some()
        };
        let own = |name: Name| of(&name).and_then(|aggregate| aggregate.argument.clone()).unwrap_or(Expr::Field(name));
        used.all(is_of_one).then(|| map_fields(fires.clone(), &mut { own }))
    }
}

fn events_plan(sources: Vec<types::GroupPattern>, mut operators: Vec<Operator>) -> Plan {
    let columns = vec![("@message".into(), Expr::Field("@message".into()))];
    operators.push(Operator::Project { columns, is_events: true });
    PlanDraft { sources, operators, ..PlanDraft::default() }.finish()
}

/// Reports whether an expression depends on when an event happened, as `bin(5m)` does.
fn is_about_time(expr: &Expr) -> bool {
    fields_of(expr).iter().any(|name| &**name == "@timestamp")
}

/// Reports whether a condition holds for spans alone.
fn admits_only_spans(condition: &Expr) -> bool {
    match condition {
        Expr::And(left, right) => admits_only_spans(left) || admits_only_spans(right),
        Expr::Compare(Comparison::Equal, left, right) => {
            let is_type = matches!(&**left, Expr::Field(name) if &**name == "@type");
            is_type && matches!(&**right, Expr::Literal(Some(value)) if value.to_string() == "span")
        }
        _ => false,
    }
}

/// Returns the condition that an expression has this value, or none.
fn condition(expr: &Expr, value: &Option<Value>) -> Expr {
    let of = Box::new(expr.clone());
    match value {
        Some(value) => Expr::Compare(Comparison::Equal, of, Box::new(Expr::Literal(Some(value.clone())))),
        None => Expr::Not(Box::new(Expr::Call(Function::IsPresent, vec![*of]))),
    }
}
