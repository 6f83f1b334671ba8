//! Paths into lists and objects, and objects put together from paths.

use std::sync::Arc;

use crate::{Column, MISSING_CODE, Value};

/// Objects inside objects that are put together; a name with more dots keeps the rest of them in its last member.
const DEPTH_MAX: usize = 128;

/// Reports whether a path is `root`, or leads to a value inside of it.
pub fn is_at_or_below(name: &str, root: &str) -> bool {
    name.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns the value at `path` inside `value`: list elements by index, members by name, which may itself hold dots.
pub fn dig<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    match value {
        Value::List(items) => {
            let (index, rest) = path.split_once('.').map_or((path, None), |(index, rest)| (index, Some(rest)));
            let is_index = !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
            let item = items.get(index.parse::<usize>().ok().filter(|_| is_index)?)?.as_ref()?;
            rest.map_or(Some(item), |rest| dig(item, rest))
        }
        // The last of equal names wins, as it does among an event's keys.
        Value::Object(members) => members.iter().rev().find_map(|(name, member)| {
            let rest = path.strip_prefix(&**name)?;
            let member = member.as_ref()?;
            match rest.strip_prefix('.') {
                Some(rest) => dig(member, rest),
                None => rest.is_empty().then_some(member),
            }
        }),
        _ => None,
    }
}

/// Returns the values at `path` inside each row's value.
pub fn dig_column(column: &Column, path: &str) -> Column {
    match column {
        Column::Dictionary { codes, values } => {
            let found: Vec<Option<&Value>> = values.iter().map(|value| dig(value, path)).collect();
            if found.iter().all(Option::is_none) {
                return Column::Missing { n_rows: codes.len() };
            }
            let value_at = |code: &u32| match *code {
                MISSING_CODE => None,
                code => found[code as usize].cloned(),
            };
            Column::of_values(codes.iter().map(value_at).collect())
        }
        Column::Mixed(values) => {
            Column::of_values(values.iter().map(|value| dig(value.as_ref()?, path).cloned()).collect())
        }
        scalars => Column::Missing { n_rows: scalars.n_rows() },
    }
}

/// Objects from columns of their members, named by the path inside the object; missing where all are.
pub fn assemble(members: &[(&str, Column)], n_rows: usize) -> Column {
    let object_at = |row: usize| {
        let mut tree = Tree::default();
        for (path, column) in members {
            if let Some(value) = column.value(row) {
                tree.insert(path, value);
            }
        }
        (!tree.0.is_empty()).then(|| tree.into_value())
    };
    let objects: Vec<Option<Value>> = (0..n_rows).map(object_at).collect();
    if objects.iter().all(Option::is_none) { Column::Missing { n_rows } } else { Column::Mixed(objects) }
}

/// An object under construction, in the order in which its members came.
#[derive(Default)]
struct Tree(Vec<(Arc<str>, Node)>);

enum Node {
    Leaf(Value),
    Branch(Tree),
}

impl Tree {
    fn insert(&mut self, path: &str, value: Value) {
        let mut tree = self;
        let mut rest = path;
        // Sorted paths visit a branch in one go, so the branch wanted is the last one.
        for _ in 0..DEPTH_MAX {
            let Some((name, below)) = rest.split_once('.') else { break };
            let is_there = matches!(tree.0.last(), Some((known, Node::Branch(_))) if **known == *name);
            if !is_there {
                tree.0.push((name.into(), Node::Branch(Self::default())));
            }
            let Some((_, Node::Branch(branch))) = tree.0.last_mut() else { return };
            (tree, rest) = (branch, below);
        }
        tree.0.push((rest.into(), Node::Leaf(value)));
    }

    fn into_value(self) -> Value {
        let member = |(name, node)| match node {
            Node::Leaf(value) => (name, Some(value)),
            Node::Branch(tree) => (name, Some(tree.into_value())),
        };
        Value::Object(Arc::new(self.0.into_iter().map(member).collect()))
    }
}

#[cfg(test)]
mod tests;
