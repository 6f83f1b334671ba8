//! Rules that count events by label sets: what the query lets through, in groups, with numbers of each.

use language::ParseOptions;
use plan::{Aggregate, AggregateKind, ArithmeticOperator, Comparison, Expr, Function, Name, Operator, Plan, PlanDraft};
use types::{Timestamp, Value};

use super::names;
use crate::compile::compiled_rule::{CompileError, CompiledRule, FIRES};
use crate::compile::expressions::{fields_of, map_fields, parse_condition, truth};
use crate::language::{RuleQuery, read};
use crate::{Kind, Ratio, Rule};

/// Compiles a rule of a kind that groups events. Its columns are those of the label sets, then those of the kind.
pub(super) fn compile(rule: &Rule, now: Timestamp) -> Result<CompiledRule, CompileError> {
    let options = ParseOptions { now, time_zone: chrono_tz::UTC };
    let mut events = events_of(rule, &options)?;
    let name = |name: &str| Name::from(name);
    let count =
        |name: &str, argument: Option<Expr>| Aggregate { name: name.into(), kind: AggregateKind::Count, argument };
    let time = |name: &str, kind: AggregateKind| Aggregate {
        name: name.into(),
        kind,
        argument: Some(Expr::Field("@timestamp".into())),
    };
    let bad = |text: &str| match parse_condition(text, &options) {
        Err(CompileError::Condition(message)) => Err(CompileError::Bad(message)),
        parsed => parsed,
    };
    let share = |bad: &Expr| {
        let one = Expr::Call(Function::If, vec![bad.clone(), Expr::Literal(Some(Value::Integer(1)))]);
        vec![count("bad", Some(one)), count("total", None)]
    };
    match &rule.kind {
        Kind::Pattern(pattern) => {
            events.group(
                &pattern.by,
                &[(name("#text"), execute::masked_text())],
                vec![count("count", None), time("first", AggregateKind::Min)],
            );
            Ok(events.compiled(true))
        }
        Kind::Absence(absence) => {
            events.group(&absence.by, &[], vec![count("count", None), time("last", AggregateKind::Max)]);
            Ok(events.compiled(true))
        }
        Kind::BurnRate(burn_rate) => {
            let bad = bad(&burn_rate.bad)?;
            events.group(&burn_rate.by, &[], share(&bad));
            Ok(CompiledRule { bad: Some(bad), ..events.compiled(false) })
        }
        Kind::Ratio(ratio) => {
            let condition = rule.condition.as_deref().map(|text| parse_condition(text, &options)).transpose()?;
            let bad = bad(&ratio.bad)?;
            events.group(&ratio.by, &[], share(&bad));
            let mut compiled = CompiledRule { bad: Some(bad), ..events.compiled(false) };
            let columns = ratio.by.iter().map(String::as_str).chain(["bad", "total", "ratio", "value"]);
            names::check(condition.as_ref(), &columns.collect::<Vec<_>>())?;
            add_ratio(&mut compiled.plan, ratio, condition.unwrap_or_else(truth));
            compiled.value = Some(ratio.by.len() + 2);
            Ok(compiled)
        }
        Kind::Threshold | Kind::Anomaly(_) | Kind::Composite(_) | Kind::Alarm(_) => Ok(CompiledRule::default()),
    }
}

/// Events, and how they are grouped.
struct Events {
    sources: Vec<types::GroupPattern>,
    /// What the query does to each event.
    lead: Vec<Operator>,
    operators: Vec<Operator>,
    by: Vec<(Name, Expr)>,
}

/// Fields of events that the rule asks for besides its query.
fn fields_asked(rule: &Rule, options: &ParseOptions) -> Vec<Name> {
    let (by, bad) = match &rule.kind {
        Kind::Pattern(pattern) => (&pattern.by, None),
        Kind::Absence(absence) => (&absence.by, None),
        Kind::Ratio(ratio) => (&ratio.by, Some(&ratio.bad)),
        Kind::BurnRate(burn_rate) => (&burn_rate.by, Some(&burn_rate.bad)),
        Kind::Threshold | Kind::Anomaly(_) | Kind::Composite(_) | Kind::Alarm(_) => return Vec::new(),
    };
    // A condition that cannot be read is refused where it is needed.
    let bad = bad.and_then(|text| parse_condition(text, options).ok());
    by.iter().map(|name| Name::from(name.as_str())).chain(bad.iter().flat_map(fields_of)).collect()
}

/// Returns what the query of a rule does to each event; a query that does more is refused.
fn events_of(rule: &Rule, options: &ParseOptions) -> Result<Events, CompileError> {
    let kind = rule.kind.name();
    let refused = |what: &str| {
        CompileError::Query(format!("a rule of kind {kind} groups events itself; remove {what} from its query"))
    };
    let asked = read(rule.language, &rule.query, options, &fields_asked(rule, options));
    let RuleQuery::Plan(draft) = asked.map_err(|errors| CompileError::Query(errors.to_string()))? else {
        return Err(refused("a number"));
    };
    let PlanDraft { sources, operators, .. } = draft;
    let mut lead = Vec::new();
    for operator in operators {
        match operator {
            Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) | Operator::Lookup(_) => {
                lead.push(operator);
            }
            // What is shown, and in which order, makes no difference to what is counted.
            Operator::Sort(_) | Operator::Project { .. } => {}
            Operator::Aggregate { .. } => return Err(refused("`stats`")),
            Operator::Limit(_) | Operator::Tail(_) => return Err(refused("a limit")),
            _ => return Err(refused("a command that combines several events")),
        }
    }
    Ok(Events { sources, lead, operators: Vec::new(), by: Vec::new() })
}

impl Events {
    fn group(&mut self, by: &[String], also: &[(Name, Expr)], aggregates: Vec<Aggregate>) {
        let field = |name: &String| (Name::from(name.as_str()), Expr::Field(name.as_str().into()));
        self.by = by.iter().map(field).collect();
        let groups: Vec<(Name, Expr)> = self.by.iter().chain(also).cloned().collect();
        let names = groups.iter().map(|(name, _)| name).chain(aggregates.iter().map(|aggregate| &aggregate.name));
        let columns = names.map(|name| (name.clone(), Expr::Field(name.clone()))).collect();
        self.operators.push(Operator::Aggregate { by: groups, aggregates });
        self.operators.push(Operator::Project { columns, is_events: false });
    }

    fn compiled(self, is_count: bool) -> CompiledRule {
        let Self { sources, lead, operators, by } = self;
        let operators = lead.iter().cloned().chain(operators).collect();
        let plan = PlanDraft { sources: sources.clone(), operators, ..PlanDraft::default() }.finish();
        let labels = by.iter().enumerate().map(|(at, (name, _))| (at, name.to_string())).collect();
        CompiledRule { plan, labels, is_count, before: lead, by, sources, ..CompiledRule::default() }
    }
}

/// Adds the share of bad events, and whether the condition on it holds.
fn add_ratio(plan: &mut Plan, ratio: &Ratio, condition: Expr) {
    let field = |name: &str| Box::new(Expr::Field(name.into()));
    let share = Expr::Arithmetic(ArithmeticOperator::Divide, field("bad"), field("total"));
    let least = Value::Integer(i64::try_from(ratio.min_count).unwrap_or(i64::MAX));
    let is_enough = Expr::Compare(Comparison::GreaterOrEqual, field("total"), Box::new(Expr::Literal(Some(least))));
    let condition =
        map_fields(condition, &mut |name| Expr::Field(if &*name == "value" { "ratio".into() } else { name }));
    let fires = Expr::And(Box::new(is_enough), Box::new(condition));
    plan.edit(|operators| {
        if let Some(Operator::Project { columns, .. }) = operators.last_mut() {
            columns.extend(["ratio", FIRES].map(|name| (Name::from(name), Expr::Field(name.into()))));
            let at = operators.len() - 1;
            operators.insert(at, Operator::Extend { name: FIRES.into(), expr: fires });
            operators.insert(at, Operator::Extend { name: "ratio".into(), expr: share });
        }
    });
}
