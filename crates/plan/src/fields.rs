//! Which fields expressions and operators speak of.

use std::collections::BTreeSet;

use crate::function::{Function, LabelsFunction};
use crate::name::Name;
use crate::operator::AggregateKind;
use crate::plan::{Aggregate, Expr, Operator, Patterns};

/// Names under which the places of events are read: time, group, number in the order of acceptance. They stay what they
/// are whatever a query computes, and no query can write them.
pub const PLACE_FIELDS: [&str; 3] = ["\u{0}time", "\u{0}group", "\u{0}sequence"];

/// Fields that are shown instead of the message where an event has them: the message of a line that is itself JSON.
pub const MESSAGE_FIELDS: [&str; 2] = ["message", "msg"];

/// Fields that name the program that an event is of; the first that an event has counts. A name within an object comes before
/// the object, which would be shown as JSON, with an id that is another one after each start.
pub const SERVICE_FIELDS: [&str; 13] = [
    "service.name",
    "service",
    "service_name",
    "appname",
    "app",
    "application",
    "program",
    "unit",
    "container.name",
    "container",
    "container_name",
    "k8s.container.name",
    "kubernetes.container_name",
];

/// Fields that name the machine on which it ran, in the same way.
pub const HOST_FIELDS: [&str; 9] =
    ["host.name", "host", "hostname", "host_name", "node", "pod", "k8s.pod.name", "kubernetes.pod_name", "instance"];

/// Whether a name is that of a column that every event has by itself; such names are never paths.
pub fn is_system(name: &str) -> bool {
    types::SYSTEM_FIELDS.contains(&name)
}

/// Calls `visit` for every field in `expr`, in the order of the text.
pub fn visit_fields<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Name)) {
    if let Expr::Field(name) = expr {
        visit(name);
    }
    expr.parts().for_each(|part| visit_fields(part, visit));
}

/// Calls `visit` for every field that `expr` speaks of for events that no Loki sender pushed: labels of LogQL are
/// fields of theirs, whatever the name of their stream.
pub fn visit_unpushed_fields<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Name)) {
    match expr {
        Expr::Call(Function::Labels(LabelsFunction::IsPushed | LabelsFunction::OfStream), _) => {}
        Expr::Call(Function::Labels(LabelsFunction::Base), arguments) => {
            arguments.last().into_iter().for_each(|other| visit_unpushed_fields(other, visit));
        }
        Expr::Not(inner) => visit_unpushed_fields(inner, visit),
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Compare(_, a, b) => {
            visit_unpushed_fields(a, visit);
            visit_unpushed_fields(b, visit);
        }
        Expr::Match(inner, _) => visit_unpushed_fields(inner, visit),
        Expr::Call(_, arguments) => arguments.iter().for_each(|argument| visit_unpushed_fields(argument, visit)),
        other => visit_fields(other, visit),
    }
}

/// Reports whether `expr` asks for labels of LogQL.
pub fn asks_labels(expr: &Expr) -> bool {
    matches!(expr, Expr::Call(Function::Labels(_), _)) || expr.parts().any(asks_labels)
}

/// Returns the one field that `expr` speaks of; `None` where there are several or none, and for `@any`.
pub fn single_field(expr: &Expr) -> Option<&Name> {
    let mut single: Option<&Name> = None;
    let mut is_single = true;
    visit_fields(expr, &mut |name| {
        is_single &= single.is_none_or(|known| known == name) && **name != *"@any";
        single = Some(name);
    });
    single.filter(|_| is_single)
}

/// Reports whether `expr` is a field of this name.
pub fn is_field(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Field(known) if **known == *name)
}

/// Returns every field that conditions ask for.
pub fn fields_of_conditions(conditions: &[Expr]) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    conditions.iter().for_each(|condition| {
        visit_fields(condition, &mut |name| {
            names.insert(name.clone());
        });
    });
    names
}

/// Returns every field that `operators` ask for, whether stored or made by one of them.
pub fn fields_of(operators: &[Operator]) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    let mut add = |name: &Name| {
        names.insert(name.clone());
    };
    for operator in operators {
        operator.expressions().into_iter().for_each(|expr| visit_fields(expr, &mut add));
        match operator {
            Operator::Aggregate { aggregates, .. } => {
                let by_time =
                    |aggregate: &Aggregate| matches!(aggregate.kind, AggregateKind::Earliest | AggregateKind::Latest);
                if aggregates.iter().any(by_time) {
                    add(&"@timestamp".into());
                }
                if aggregates.iter().any(|aggregate| aggregate.kind.needs_places()) {
                    PLACE_FIELDS.iter().for_each(|name| add(&(*name).into()));
                }
            }
            Operator::Dedup(fields) | Operator::FillDown(fields) => fields.iter().for_each(&mut add),
            Operator::Rank(rank) => rank.by.iter().chain(&rank.fields).chain([&rank.count]).for_each(&mut add),
            Operator::Patterns(patterns) => {
                add(&"@level".into());
                if patterns.is_scored || patterns.counts.is_some() {
                    add(&"@timestamp".into());
                }
                if takes_message_field(patterns) {
                    MESSAGE_FIELDS.iter().for_each(|name| add(&(*name).into()));
                }
            }
            Operator::Compare(compare) => {
                compare.keys.iter().chain(compare.values.iter().map(|(name, _)| name)).for_each(&mut add);
            }
            Operator::Score(score) => {
                let values = score.values.iter().map(|(name, _)| name);
                score.series.iter().chain([&score.time]).chain(values).for_each(&mut add);
            }
            Operator::FillBuckets(fill) => {
                let filled = fill.values.iter().map(|(name, _)| name);
                fill.series.iter().chain([&fill.time]).chain(filled).for_each(&mut add);
            }
            Operator::Join(join) => join.keys.iter().for_each(|(mine, _)| add(mine)),
            Operator::AddTotals(totals) => {
                let label = totals.column.iter().filter_map(|column| column.label_field.as_ref());
                totals.fields.iter().chain(label).for_each(&mut add);
            }
            Operator::Autoregress(autoregress) => add(&autoregress.field),
            Operator::Sessionize(sessionize) => {
                sessionize.fields.iter().for_each(&mut add);
                add(&"@timestamp".into());
            }
            Operator::Outlier(outlier) => outlier.fields.iter().for_each(&mut add),
            Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) | Operator::Unnest { .. } => {}
            Operator::Sort(_) | Operator::Limit(_) | Operator::Tail(_) | Operator::Lookup(_) => {}
            Operator::AppendColumns(_) | Operator::Project { .. } => {}
        }
    }
    names
}

/// Reports whether the events' own message fields are taken instead of the text.
pub fn takes_message_field(patterns: &Patterns) -> bool {
    is_field(&patterns.text, "@message")
}
