//! Checks rules over other rules: each name exists, and no rule depends on itself.

use crate::kind::Kind;
use crate::{Rule, RuleError};
use std::collections::{BTreeMap, BTreeSet};

/// Returns what is wrong between rules, with the rule's name: names that no rule has, and rules that wait for themselves.
pub(crate) fn check<'r>(rules: impl Iterator<Item = &'r Rule>) -> Vec<(&'r str, RuleError)> {
    let rules: Vec<&Rule> = rules.collect();
    let mut of: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
    for rule in &rules {
        let names = of.entry(rule.name.as_str()).or_default();
        if let Kind::Composite(composite) = &rule.kind {
            composite.tree.names(names);
        }
    }
    let mut errors = Vec::new();
    for rule in &rules {
        let Kind::Composite(composite) = &rule.kind else { continue };
        let mut error = |message: String| {
            let (line, column) = composite.place;
            let message = format!("when: {message}");
            let error = RuleError { file: rule.file.clone(), line: Some(line), column: Some(column), message };
            errors.push((rule.name.as_str(), error));
        };
        for (name, column) in of.get(rule.name.as_str()).into_iter().flatten() {
            if !of.contains_key(name) {
                error(format!("there is no rule \"{name}\", at 1:{column}"));
            } else if reaches(&of, name, &rule.name) {
                error(format!("\"{name}\" at 1:{column} depends on \"{}\" itself", rule.name));
            }
        }
    }
    errors
}

/// Reports whether `from` is `to`, or depends on it.
fn reaches(of: &BTreeMap<&str, Vec<(&str, usize)>>, from: &str, to: &str) -> bool {
    let (mut seen, mut ahead) = (BTreeSet::new(), vec![from]);
    while let Some(name) = ahead.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            ahead.extend(of.get(name).into_iter().flatten().map(|(name, _)| *name));
        }
    }
    false
}
