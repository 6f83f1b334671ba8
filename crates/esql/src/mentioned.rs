//! The columns that a query speaks of: only their values have to be looked at to know types.

use std::collections::BTreeSet;

use super::syntax::{Command, Expression, Field, Node, Query};

/// Returns the names in a query; `None` where its answer has columns that it does not name.
pub(super) fn columns(query: &Query) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut is_closed = false;
    for command in &query.commands {
        match command {
            Command::Where(expression) => visit(expression, &mut names),
            Command::Eval(fields) => of_fields(fields, &mut names),
            Command::Stats { aggregates, groups, .. } => {
                for (field, condition) in aggregates {
                    visit(&field.expression, &mut names);
                    condition.iter().for_each(|condition| visit(condition, &mut names));
                }
                of_fields(groups, &mut names);
                is_closed = true;
            }
            Command::Sort(orders) => orders.iter().for_each(|order| visit(&order.expression, &mut names)),
            Command::Limit(_) => {}
            Command::Keep(patterns) | Command::Drop(patterns) => {
                for pattern in patterns {
                    let [name] = pattern.literals.as_slice() else {
                        // Types of what is dropped do not matter.
                        if matches!(command, Command::Keep(_)) && !is_closed {
                            return None;
                        }
                        continue;
                    };
                    names.insert(name.clone());
                }
                is_closed |= matches!(command, Command::Keep(_));
            }
            Command::Rename(pairs) => names.extend(pairs.iter().map(|(old, _)| old.name.clone())),
            Command::Dissect { text, .. } | Command::Grok { text, .. } => visit(text, &mut names),
        }
    }
    is_closed.then_some(names)
}

/// Reports whether a stored field is one of the columns, or may hold it in its objects.
pub(super) fn is_of(names: &BTreeSet<String>, field: &str) -> bool {
    names.iter().any(|name| {
        let rest = name.strip_prefix(field);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn of_fields(fields: &[Field], names: &mut BTreeSet<String>) {
    fields.iter().for_each(|field| visit(&field.expression, names));
}

fn visit(expression: &Expression, names: &mut BTreeSet<String>) {
    match &expression.node {
        Node::Literal(_) | Node::Duration(..) => {}
        Node::Name(name) => {
            names.insert(name.clone());
        }
        Node::Call { arguments, .. } => arguments.iter().for_each(|argument| visit(argument, names)),
        Node::Cast(inner, _) | Node::Negate(inner) | Node::Not(inner) | Node::IsNull(inner, _) => visit(inner, names),
        Node::Arithmetic(_, a, b) | Node::Compare(_, a, b) => {
            visit(a, names);
            visit(b, names);
        }
        Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|part| visit(part, names)),
        Node::Like { text, .. } | Node::Matches(text, _) => visit(text, names),
        Node::In { value, list, .. } => {
            visit(value, names);
            list.iter().for_each(|item| visit(item, names));
        }
    }
}
