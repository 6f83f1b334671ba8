//! Rules over other rules: a table of one row that holds whether their condition is met.

use super::DetectorInput;
use crate::Table;
use crate::compile::CompiledRule;
use crate::detectors::cells::columns_of;
use crate::kind::Composite;
use std::collections::BTreeSet;
use types::Value;

/// Returns one row: how many of the rules fire, and whether the condition on them holds.
pub(crate) fn answer(composite: &Composite, compiled: &mut CompiledRule, asking: &DetectorInput<'_>) -> Table {
    let mut names = Vec::new();
    composite.tree.names(&mut names);
    let firing: BTreeSet<&str> = names.iter().map(|(name, _)| *name).filter(|name| (asking.fires)(name)).collect();
    let holds = composite.tree.holds(&|name| firing.contains(name));
    compiled.value = Some(0);
    compiled.note = Some(match firing.len() {
        0 => "none of its rules fires".to_owned(),
        _ => format!("firing: {}", firing.iter().copied().collect::<Vec<_>>().join(", ")),
    });
    let count = i64::try_from(firing.len()).unwrap_or(i64::MAX);
    let row = vec![Some(Value::Integer(count)), Some(Value::Boolean(holds))];
    Table { columns: columns_of(&[], ["firing"]), rows: vec![row], partial: None }
}
